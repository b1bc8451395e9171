"""Training before access: short modules made from the live policy, each with its questions.

Checklist lines 11-15: everyone who operates or reaches the system is trained, whatever the role;
topics are proper operation, privacy, security, and the site's own retention and purposes. A passed
module counts for one policy version: a new policy is a new reading. Untrained people see nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.compliance import words
from appliance.compliance.words import Say
from appliance.values import PublishedPolicy, Role


@dataclass(frozen=True, slots=True)
class Question:
    """One question; ``right`` is the index of the right answer, ``why`` is shown when it is missed.
    """

    text: str
    answers: tuple[str, ...]
    right: int
    why: str


@dataclass(frozen=True, slots=True)
class Module:
    code: str
    title: str
    paragraphs: tuple[str, ...]
    points: tuple[str, ...]
    questions: tuple[Question, ...]


CODES = ("operation", "privacy", "security", "retention")
"""In reading order; the same for every role, so that nobody is let in by a shorter path."""


def modules(policy: PublishedPolicy, role: Role, say: Say) -> tuple[Module, ...]:
    return (_operation(role, say), _privacy(policy, say), _security(say), _retention(policy, say))


def missed(module: Module, given: Mapping[int, int]) -> tuple[int, ...]:
    """Numbers (0..) of the questions not answered rightly; empty means passed."""
    return tuple(i for i, q in enumerate(module.questions) if given.get(i) != q.right)


def _operation(role: Role, say: Say) -> Module:
    own = {
        Role.MANAGER: say("You keep the lists, invite people and publish the policy. Changing a "
                          "list changes who the gate opens for, at once."),
        Role.GUARD: say("You see who is at the gate and open by hand when the gate asks you. Each "
                        "opening by hand needs a reason."),
        Role.AUDITOR: say("You check the journal. You see reads only for an audit."),
        Role.INSTALLER: say("You set up and repair. You never see a plate, and you never need to."),
        Role.CUSTODIAN: say("You answer for the data by law. You see the journal, not the reads."),
    }[role]
    return Module(
        "operation", say("Using the gate properly"),
        (
            own,
            say("The gate opens by itself only when several pictures agree on a plate and an entry "
                "matches here and now. In every other case it stays closed or asks the guard."),
            say("A plate is weak proof of who is in the car. A reading can be wrong: look at the "
                "picture before you believe the text."),
        ),
        (),
        (
            Question(
                say("The read is one character away from an entry. What does the gate do?"),
                (say("It opens, the difference is small"), say("It asks the guard to decide"),
                 say("It adds the plate to the list")), 1,
                say("A near miss is decided by a person."),
            ),
            Question(
                say("The camera is dead and a resident waits. What is right?"),
                (say("Open by hand and give the reason"), say("Switch the records off first"),
                 say("Share a colleague's account to open")), 0,
                say("The button works without the camera, and the reason is written down."),
            ),
            Question(
                say("How sure is a plate as proof of who drives?"),
                (say("Certain proof"), say("Weak: look before you decide"),
                 say("Certain at night, weak by day")), 1,
                say("Plates can be copied and readings can be wrong."),
            ),
        ),
    )


def _privacy(policy: PublishedPolicy, say: Say) -> Module:
    return Module(
        "privacy", say("Plates are personal data"),
        (
            say("Where a car was, and when, tells a lot about a life. The law treats plate reads "
                "as personal data, and so does this house."),
            say("At %(site)s reads may be used for these purposes only:", site=policy.site_name),
        ),
        tuple(words.purpose(p, say) for p in policy.purposes),
        (
            Question(
                say("A neighbour asks when her ex-husband's car was last here. You..."),
                (say("look it up, she lives here"), say("decline: it is not a listed purpose"),
                 say("look it up but tell only the date")), 1,
                say("Any use that is not listed, and any personal use, is prohibited."),
            ),
            Question(
                say("Police ask for reads by phone. You..."),
                (say("read them out"), say("photograph the screen"),
                 say("pass the request to the person who answers for the data")), 2,
                say("A legal request goes in writing to whoever answers for the data; a warrant "
                    "may be required."),
            ),
            Question(
                say("When is a look-up written to the journal?"),
                (say("Before the answer is shown"), say("Only when something is found"),
                 say("Never for managers")), 0,
                say("No entry, no answer: for everyone, every time."),
            ),
        ),
    )


def _security(say: Say) -> Module:
    return Module(
        "security", say("Keeping it safe"),
        (
            say("Your account is yours alone. What is done with it is journaled as yours."),
            say("Sign out when you leave the desk. Nobody from support ever needs your password."),
            say("Reads stay in the box: no photographs of the screen, no copies, no print-outs."),
        ),
        (),
        (
            Question(
                say("A colleague forgot the password and asks to use your account. You..."),
                (say("sign in for them"), say("say no, a manager can help"),
                 say("tell them the password once")), 1,
                say("One person, one account."),
            ),
            Question(
                say("You leave the desk for five minutes. You..."),
                (say("sign out or lock the screen"), say("leave it, it signs out some day"),
                 say("ask a visitor to watch it")), 0,
                say("What happens meanwhile would carry your name."),
            ),
            Question(
                say("May you photograph a read with your phone?"),
                (say("Yes, for work"), say("Yes, if I delete it"), say("No")), 2,
                say("A copy outside the box has no journal and no end date."),
            ),
        ),
    )


def _retention(policy: PublishedPolicy, say: Say) -> Module:
    matched = words.kept(policy.kept_hours_matched, say)
    unmatched = words.kept(policy.kept_hours_unmatched, say)
    longer = words.kept(max(policy.kept_hours_matched, policy.kept_hours_unmatched) * 2 + 24, say)
    return Module(
        "retention", say("How long, and why no longer"),
        (
            say("Here, reads that match a list are kept %(matched)s and all others %(unmatched)s.",
                matched=matched, unmatched=unmatched),
            say("Then they are destroyed with their key. Nobody can bring them back, and that is "
                "the point. State and federal law may set other limits; the published policy is "
                "never looser than the law."),
        ),
        (),
        (
            Question(
                say("How long are reads of cars that match no list kept here?"),
                (longer, unmatched, say("For ever")), 1,
                say("The policy in force says %(kept)s.", kept=unmatched),
            ),
            Question(
                say("A read passed its limit yesterday and somebody wants it. You..."),
                (say("say that it no longer exists"), say("ask the installer to restore it"),
                 say("search the backup")), 0,
                say("The key is gone, so the read is gone everywhere."),
            ),
            Question(
                say("Who can keep reads longer than the policy says?"),
                (say("Any manager"), say("The installer"),
                 say("Nobody, without a new published policy within the law")), 2,
                say("The limit is published, and it has a ceiling in the software."),
            ),
        ),
    )
