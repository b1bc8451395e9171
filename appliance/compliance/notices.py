"""The public notice, made from the policy in force: what, why, how long, who, rights.

Checklist lines 16-18: purpose; use, sharing and protection; how long. Every number printed here is
the number the retention job uses; nothing here is typed by hand.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.compliance import words
from appliance.compliance.words import Say
from appliance.values import PublishedPolicy


@dataclass(frozen=True, slots=True)
class Part:
    """A headed part of a notice."""

    heading: str
    sentences: tuple[str, ...] = ()
    points: tuple[str, ...] = ()


def notice(policy: PublishedPolicy, custodian: str, say: Say) -> tuple[Part, ...]:
    """The notice's parts in reading order. ``custodian``: title of who answers for the data."""
    return (
        Part(
            say("What happens here"),
            (
                say("A camera at the gate reads number plates."),
                say("For each car it keeps a picture of the plate, the plate's text, the time and "
                    "the lane. It keeps no face, no picture of the people inside and no sound."),
                say("The reading is done inside this box. No picture leaves the property."),
            ),
        ),
        Part(
            say("Why"),
            (say("Only for these purposes. Any other use is prohibited."),),
            tuple(words.purpose(p, say) for p in policy.purposes),
        ),
        Part(
            say("How long"),
            (
                say("Reads of cars on a list are kept %(kept)s.",
                    kept=words.kept(policy.kept_hours_matched, say)),
                say("Reads of other cars are kept %(kept)s.",
                    kept=words.kept(policy.kept_hours_unmatched, say)),
                say("Then the reads and the key that opens them are destroyed together, and a "
                    "receipt is kept that says how many there were."),
            ),
        ),
        Part(
            say("Who sees it, and how it is protected"),
            (
                say("Only trained people with a personal account, for one of the purposes above."),
                say("Each look is written down with name, time, purpose and reason before anything "
                    "is shown."),
                say("Reads are encrypted where they are stored. Nobody at the property can copy or "
                    "print them. Nothing is sold or shared with a network."),
            ),
        ),
        Part(
            say("Your rights"),
            (
                say("You may ask what is held about your own car and have a wrong read corrected."),
                say("Ask: %(custodian)s.", custodian=custodian),
            ),
        ),
    )


def in_short(policy: PublishedPolicy, say: Say) -> str:
    """The one line that stands in the frame of every page."""
    longest = max(policy.kept_hours_matched, policy.kept_hours_unmatched)
    return say("Reads kept %(kept)s", kept=words.kept(longest, say))
