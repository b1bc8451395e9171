"""The pull-the-plug test: what an installer proves at hand-over, and what counts as proof.

1. The test looks through the gate's own eyes (door `status`) and through nothing else; it opens no
   port of its own. Silence of the gate is a look too: some steps switch the box off.
2. What the controller can tell is measured. What it cannot tell (a sensor that is not wired, a
   controller without events) is asked of the person and marked as told. What cannot happen here at
   all is marked as not wired. No step passes by itself.
3. A step begins with a look and compares later looks with it. What was seen in between is kept in
   ``Look.seen``, because an arm that moved and came back has moved.
4. An order belongs to the person: the page or the terminal gives it through the door like any
   other, and hands back whether it was carried out or refused.

Pure: no thread, no socket, no clock. The steps stand in ``commissioning_steps``. Sentences are
marked with ``_l`` for the console's catalogue and translated by whoever shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

INPUTS = ("entry_loop", "safety_loop", "photocell", "exit_request", "fire", "stop", "tamper")


def _l(text: str) -> str:
    """Marks an English sentence for the catalogue."""
    return text


@dataclass(frozen=True, slots=True)
class Told:
    """One event as the controller told it. (``boot``, ``number``) names it."""

    boot: int
    number: int
    kind: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """The barrier at one moment, as the gate shows it. ``None``: not wired or not read."""

    answered: bool = True
    """False: the gate program was silent; all else is unknown then."""
    driver: str = ""
    state: str = ""
    """A value of ``LinkState``."""
    position: str = "unknown"
    entry_loop: bool | None = None
    safety_loop: bool | None = None
    photocell: bool | None = None
    exit_request: bool | None = None
    fire: bool | None = None
    stop: bool | None = None
    tamper: bool | None = None
    contact: bool | None = None
    held: bool = False
    can_hold: bool = False
    authenticated: bool = False
    tells_events: bool = False
    name: str = ""
    serial: str = ""
    firmware: str = ""
    settings: str = ""
    boot: int = 0
    events: tuple[Told, ...] = ()
    """Newest first, as the gate remembers them."""
    seen: tuple[str, ...] = ()
    """What was observed since the step began or its last order was given: positions, link states,
    `contact`, `held`, `silent`, and each input as `stop on` or `stop off`. Sorted."""

    def following(self, earlier: Look) -> Look:
        """This look, with what was seen before it."""
        return replace(self, seen=tuple(sorted({*self.seen, *earlier.seen})))

    def alone(self) -> Look:
        """This look as the beginning of a step: nothing was seen before it."""
        return replace(self, seen=_observed(self))


def look(answer: Mapping[str, Any]) -> Look:
    """The look in a door `status` answer; a part that is missing there is unknown."""
    barrier = _table(answer, "barrier")
    can, who = _table(barrier, "capabilities"), _table(barrier, "controller")
    return Look(
        driver=str(barrier.get("driver", "")),
        state=str(barrier.get("state", "")),
        position=str(barrier.get("position", "unknown")),
        entry_loop=_known(barrier.get("entry_loop")),
        safety_loop=_known(barrier.get("safety_loop")),
        photocell=_known(barrier.get("photocell")),
        exit_request=_known(barrier.get("exit_request")),
        fire=_known(barrier.get("fire")),
        stop=_known(barrier.get("stop")),
        tamper=_known(barrier.get("tamper")),
        contact=_known(barrier.get("contact")),
        held=barrier.get("held_until_mono") is not None,
        can_hold=float(can.get("longest_lease_s") or 0) > 0,
        authenticated=can.get("authenticated") is True,
        tells_events=can.get("tells_events") is True,
        name=str(who.get("name", "")),
        serial=str(who.get("serial", "")),
        firmware=str(who.get("firmware", "")),
        settings=str(who.get("settings", "")),
        boot=int(who.get("boot") or 0),
        events=tuple(_event(item) for item in answer.get("events") or ()),
    ).alone()


def silence() -> Look:
    """The look where the gate program does not answer."""
    return Look(answered=False).alone()


class Progress(StrEnum):
    WAITING = "waiting"  # not proven yet; the sentence says what is awaited
    PASSED = "passed"
    FAILED = "failed"  # the opposite was seen


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check concludes. ``values`` fill the sentence after it was translated."""

    progress: Progress
    sentence: str
    values: tuple[tuple[str, str], ...] = ()

    def text(self, say: Callable[[str], str] = str) -> str:
        return say(self.sentence) % dict(self.values) if self.values else say(self.sentence)


class How(StrEnum):
    """Where the answer of a step comes from at this barrier."""

    MEASURED = "measured"
    TOLD = "told"  # by the person, who looked
    NOT_WIRED = "not_wired"  # the barrier has no such thing


class Trial(StrEnum):
    """An order that a step needs, given by the person through the door."""

    OPEN = "open"
    HOLD = "hold"
    RELEASE = "release"


class Result(StrEnum):
    """What is written into the hand-over record for a step."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_WIRED = "not_wired"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a step. Replaced as a whole; plain enough to be kept between two pages."""

    step: str
    before: Look
    """As the step began or, where it needs an order, just before the last order."""
    now: Look
    given: str = ""
    """The last order given (a value of ``Trial``)."""
    refused: bool = False
    """That order was refused by the gate or by the controller."""

    @classmethod
    def begin(cls, step: str, first: Look) -> Attempt:
        return cls(step, first.alone(), first.alone())

    def sees(self, later: Look) -> Attempt:
        return replace(self, now=later.following(self.now))

    def orders(self, given: Trial, *, refused: bool) -> Attempt:
        """An order was given; only what is seen from here on counts."""
        fresh = self.now.alone()
        return replace(self, before=fresh, now=fresh, given=given.value, refused=refused)


Check = Callable[[Attempt], Finding]
POSITION, EVENTS, HOLDS = "position", "events", "holds"
"""Abilities a step may ask for besides inputs: limit switches, told events, safe holds."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the test. ``title``, ``instruction`` and ``expected`` are marked English."""

    id: str
    title: str
    instruction: str
    expected: str
    check: Check | None = None
    """None: only a person can answer this step."""
    needs: tuple[str, ...] = ()
    """Inputs (of ``INPUTS``) or abilities without which the step cannot happen here."""
    measured_by: tuple[str, ...] = ()
    """Inputs or abilities without which a person answers instead of the controller."""
    trials: tuple[Trial, ...] = field(default=())
    """Orders the step offers, in this sequence."""
    note_wanted: bool = False
    """The person writes a line, not just yes or no."""

    def how(self, at: Look) -> How:
        if not all(_has(at, need) for need in self.needs):
            return How.NOT_WIRED
        if self.check is None or not all(_has(at, need) for need in self.measured_by):
            return How.TOLD
        return How.MEASURED


def new_events(attempt: Attempt) -> tuple[Told, ...]:
    """What the controller told since the step began, oldest first."""
    known = {(event.boot, event.number) for event in attempt.before.events}
    fresh = [e for e in attempt.now.events if (e.boot, e.number) not in known]
    return tuple(sorted(fresh, key=lambda event: (event.boot, event.number)))


def _has(at: Look, need: str) -> bool:
    abilities = {
        POSITION: at.position != "unknown",
        EVENTS: at.tells_events,
        HOLDS: at.can_hold,
    }
    return abilities[need] if need in abilities else getattr(at, need) is not None


def _observed(at: Look) -> tuple[str, ...]:
    seen = {at.position, at.state} - {""}
    seen |= {name for name in ("contact", "held") if getattr(at, name)}
    for name in INPUTS:
        value = getattr(at, name)
        if value is not None:
            seen.add(f"{name} {'on' if value else 'off'}")
    return tuple(sorted(seen if at.answered else {"silent"}))


def _event(item: Mapping[str, Any]) -> Told:
    return Told(
        int(item.get("boot") or 0), int(item.get("number") or 0), str(item.get("kind", "")),
        str(item.get("argument", "")),
    )


def _known(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _table(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = answer.get(name)
    return found if isinstance(found, Mapping) else {}
