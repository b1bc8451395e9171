"""`postern controller selftest`: the pull-the-plug test in a terminal, one step after the other.

Shows what to do, watches through the gate until it is proven or the person says otherwise, and
prints the sheet for the hand-over. Nothing is moved but by the person's Enter. The steps and what
proves them are ``barrier.commissioning_steps``, the same as on the console's page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from appliance.barrier.commissioning import (
    Attempt,
    How,
    Look,
    Progress,
    Result,
    Step,
    Trial,
)
from appliance.barrier.commissioning_steps import STEPS

LOOK_EVERY_S = 0.3
_VERBS = {Trial.OPEN: "give the order to open", Trial.HOLD: "hold it open",
          Trial.RELEASE: "release it"}
_MARKS = {Result.PASSED: "passed", Result.FAILED: "FAILED", Result.NOT_WIRED: "not wired"}


class Ended(Exception):
    """The person ended the test; what was answered so far stands."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What the test needs of the outside."""

    look: Callable[[], Look]
    order: Callable[[Trial], bool]
    """Gives that order through the gate; True where it was refused."""
    say: Callable[[str], None]
    hear: Callable[[float], str | None]
    """The line typed within so many seconds, or None. Raises Ended where nobody types any more."""


@dataclass(frozen=True, slots=True)
class Answer:
    step: str
    title: str
    how: How
    result: Result
    note: str = ""


def walk(hands: Hands, steps: tuple[Step, ...] = STEPS) -> tuple[Answer, ...]:
    """Every step in order. Ended early, the missing steps are simply not in the answer."""
    answers: list[Answer] = []
    try:
        for number, step in enumerate(steps, start=1):
            hands.say(f"\n{number}/{len(steps)}  {step.title}")
            answers.append(_one(step, hands))
            hands.say(f"     -> {_MARKS[answers[-1].result]}  {answers[-1].note}".rstrip())
    except Ended:
        hands.say("\nended before the last step")
    return tuple(answers)


def sheet(answers: tuple[Answer, ...], at: str, look: Look, steps: int = len(STEPS)) -> str:
    """What is printed for the hand-over; it names the controller, never a key."""
    lines = [
        f"Pull-the-plug test, {at}",
        f"controller {look.name or '-'}  number {look.serial or '-'}  driver {look.driver or '-'}  "
        f"firmware {look.firmware or '-'}  settings {look.settings or '-'}",
        "",
    ]
    lines += [
        f"{_MARKS[each.result]:<9}  {each.how.value:<9}  {each.title}"
        + (f" ({each.note})" if each.note else "")
        for each in answers
    ]
    failed = sum(each.result is Result.FAILED for each in answers)
    missing = steps - len(answers)
    lines += ["", "All steps passed." if whole(answers, steps)
              else f"NOT PASSED: {failed} failed, {missing} not tried."]
    return "\n".join(lines)


def whole(answers: tuple[Answer, ...], steps: int = len(STEPS)) -> bool:
    """Every step was tried and none failed."""
    return len(answers) == steps and all(a.result is not Result.FAILED for a in answers)


def _one(step: Step, hands: Hands) -> Answer:
    first = hands.look()
    how = step.how(first)
    if how is How.NOT_WIRED:
        return Answer(step.id, step.title, how, Result.NOT_WIRED)
    hands.say(f"     {step.instruction}\n     Expected: {step.expected}")
    if how is How.TOLD:
        return _told(step, hands)
    return _measured(step, hands, first)


def _told(step: Step, hands: Hands) -> Answer:
    given = 0
    while True:
        trial = _next(step, given)
        more = f", Enter to {_VERBS[trial]}" if trial else ""
        hands.say(f"     Was it so? y or n{more}; q ends the test")
        line = _line(hands)
        if not line and trial:
            given += 1
            refused = hands.order(trial)
            hands.say("     the order was refused" if refused else "     the order was given")
        elif line in ("y", "yes", "n", "no"):
            note = _note(hands) if step.note_wanted else ""
            result = Result.PASSED if line.startswith("y") else Result.FAILED
            return Answer(step.id, step.title, How.TOLD, result, note)


def _note(hands: Hands) -> str:
    hands.say("     What happens, and who chose it?")
    return _line(hands, keep_case=True)[:200]


def _measured(step: Step, hands: Hands, first: Look) -> Answer:
    assert step.check is not None  # noqa: S101 - Step.how said that it is measured
    attempt, given, shown = Attempt.begin(step.id, first), 0, ""
    while True:
        finding, trial = step.check(attempt), _next(step, given)
        if finding.progress is not Progress.WAITING:
            passed = finding.progress is Progress.PASSED
            return Answer(step.id, step.title, How.MEASURED,
                          Result.PASSED if passed else Result.FAILED, finding.text())
        if finding.text() != shown:
            shown = finding.text()
            more = f"Enter: {_VERBS[trial]}, " if trial else ""
            hands.say(f"     {shown}  [{more}f: it failed, q: end the test]")
        line = hands.hear(LOOK_EVERY_S)
        attempt = attempt.sees(hands.look())
        typed = None if line is None else line.strip().lower()
        if typed == "q":
            raise Ended
        if typed == "f":
            return Answer(step.id, step.title, How.MEASURED, Result.FAILED, shown)
        if typed == "" and trial:
            attempt, shown = attempt.orders(trial, refused=hands.order(trial)), ""
            given += 1


def _next(step: Step, given: int) -> Trial | None:
    """The order that Enter gives now; after the last the first comes again."""
    return step.trials[given % len(step.trials)] if step.trials else None


def _line(hands: Hands, *, keep_case: bool = False) -> str:
    """Waits for a typed line. Raises Ended for `q`."""
    while True:
        line = hands.hear(60.0)
        if line is None:
            continue
        line = line.strip() if keep_case else line.strip().lower()
        if line == "q":
            raise Ended
        return line
