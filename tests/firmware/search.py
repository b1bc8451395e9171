"""Every state of the rules, found by breadth-first search over the real ``Safety`` object.

    python -m tests.firmware.search [depth]      # prints what was covered, about two minutes

Time is abstracted: all timers hold what is left of them, the settings are multiples of one step of
500 ms, and a pass takes nothing or one step. The long times are shortened (``SHORT``) so that the
state space is finite and small; which rule follows which does not depend on them. Beside the object
runs a witness, written from PROTOCOL.md alone, that remembers what was granted. In each state every
combination of the site's wires meets every order, and every invariant is checked.

A site names the wires that move, the orders that come and the settings. A search that empties its
frontier has seen every reachable state of that site; otherwise the depth says how many passes.
"""

from __future__ import annotations

import itertools
import operator
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from tests.firmware import conftest  # noqa: F401  puts firmware/ on the path

from gatepost import closing, codes, safety  # isort: skip

STEP_MS = 500
SHORT = {"_EXIT_AGAIN_MS": 1500, "_MINUTE_MS": 3000, "_WAKING_MS": 1000}
SETTINGS = {
    "pulse_max_ms": 1000, "pulse_ms": 500, "lockout_ms": 1000, "per_minute": 1,
    "fire_dwell_ms": 500, "needs_presence": False, "exit_opens": True, "host_lost": "secure",
    "damaged": False,
}
STOP, FIRE, HAND, EXIT = (
    codes.STOP_INPUT, codes.FIRE_INPUT, codes.HAND_BUTTON, codes.EXIT_REQUEST
)
_WATCHED = STOP | FIRE | HAND | EXIT | codes.ENTRY_LOOP | codes.SAFETY_LOOP | codes.LIMIT_OPEN


class Broken(AssertionError):
    """An invariant that did not hold, with its name and the passes that led there."""


class Wires:
    """What ``Safety`` reads of the inputs, set by hand."""

    wired = _WATCHED
    active = known = rose = stuck = 0
    cycled = 0

    def all_known(self) -> bool:
        return self.known == self.wired

    def is_on(self, mask: int) -> bool:
        return bool(self.active & mask)


@dataclass(frozen=True)
class Site:
    """One part of the state space. ``wires`` lists the masks (active, unknown, stuck) of a pass."""

    name: str
    wires: tuple[tuple[str, ...], ...]
    orders: tuple[str, ...]
    passes_ms: tuple[int, ...] = (0, STEP_MS)
    settings: dict[str, Any] = field(default_factory=dict)
    closes: bool = False


def _either(*names: str) -> tuple[tuple[str, ...], ...]:
    """Every combination of these; a name with a / offers several instead of off and on."""
    offers = [("", *name.split("/")) for name in names]
    return tuple(tuple(n for n in choice if n) for choice in itertools.product(*offers))


SITES = (
    Site("people", _either("stop/stop?", "fire", "hand", "exit/exit!", "up"), ("", "open")),
    Site("orders", _either("stop/photo?", "fire", "welded", "lost"),
         ("", "open", "long", "short", "hold", "hold+", "release", "session", "release open",
          "open open"), settings={"per_minute": 2}),
    Site("everybody", _either("stop", "fire", "hand", "exit", "lost"),
         ("", "open", "hold", "release")),
    Site("presence", _either("entry/entry!", "stop", "hand"), ("", "open", "auto", "hold"),
         settings={"needs_presence": True, "exit_opens": False}),
    Site("lost opens", _either("lost", "stop/photo?", "fire", "hand"), ("", "open", "hold"),
         settings={"host_lost": "open", "fire_dwell_ms": 0}),
    Site("wild settings", _either("stop", "hand", "fire"), ("", "wild", "hold"),
         settings={"pulse_max_ms": 9000, "pulse_ms": 9000}),
    Site("damaged", _either("stop/stop?", "fire", "hand", "exit", "lost"),
         ("", "open", "hold", "release"), settings={"damaged": True}),
    Site("closing", _either("stop", "fire", "hand", "under/under!/under?", "up"),
         ("", "open", "close", "hold"), closes=True),
)


class _Wired(NamedTuple):
    """One combination of a site's wires."""

    names: str
    active: int
    unread: int
    stuck: int
    welded: bool
    lost: bool

    @classmethod
    def of(cls, names: tuple[str, ...]) -> _Wired:
        active = unread = stuck = 0
        for name in names:
            bit = _BITS.get(name.rstrip("?!"), 0)
            if name.endswith("?"):
                unread |= bit
            else:
                active |= bit
            stuck |= bit if name.endswith("!") else 0
        told = ",".join(names) or "-"
        return cls(told, active, unread, stuck, "welded" in names, "lost" in names)


class Witness(NamedTuple):
    """What was granted, by PROTOCOL.md: milliseconds left of each right to a closed contact."""

    since_start: int = 0
    pulse: int = 0
    lease: int = 0
    dwell: int = 0
    fire: bool = False
    rested: int = 1000
    closings: tuple[int, ...] = ()
    pressed: int = -1
    asked: int = -1
    contact: bool = False
    joined: bool = False
    down: bool = False
    let_go: int = 500
    stands: int = -1
    was_lost: bool = False


class Course:
    """One site: how a pass changes a state, and what must hold after it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.settings = SETTINGS | site.settings
        self.wires = Wires()
        self.wires.cycled = _WATCHED if site.closes else 0
        self.told: list[int] = []
        self.held_back = False
        self.closing = (
            closing.Closing(self.settings, self.wires, False) if site.closes else None
        )
        self.safety = safety.Safety(self.settings, self.wires, self._tell, self.closing)

    def _tell(self, kind: int, argument: int) -> None:
        self.told.append(kind)

    # States

    def save(self, witness: Witness) -> tuple[Any, ...]:
        rules = self.safety.__dict__
        if not rules["_pulse"]:
            rules["_pulsed"] = 0  # begins anew with the next pulse
        kept = _get(rules) + (tuple(rules["_minute"]),)
        more = tuple(self.closing.__dict__[k] for k in _CLOSING) if self.closing else ()
        return kept, more, self.wires.active & (HAND | EXIT), self.wires.known, witness

    def load(self, state: tuple[Any, ...]) -> Witness:
        kept, more, active, known, witness = state
        rules = self.safety.__dict__
        rules.update(zip(_KEPT, kept, strict=False))
        rules["_minute"] = list(kept[-1])
        if self.closing:
            for name, value in zip(_CLOSING, more, strict=True):
                self.closing.__dict__[name] = value
        self.wires.active, self.wires.known = active, known
        return witness  # type: ignore[no-any-return]

    def choices(self) -> Iterator[tuple[_Wired, str, int]]:
        wires = [_Wired.of(names) for names in self.site.wires]
        return itertools.product(wires, self.site.orders, self.site.passes_ms)

    # One pass

    def go(self, before: Witness, wires: _Wired, order: str, passed: int) -> Witness:
        """One pass of the superloop, then every invariant."""
        self.told.clear()
        lost = wires.lost
        self._set_wires(wires)
        rules = self.safety
        self.held_back = self.closing_lets_go
        rules.elapse(passed)
        if lost != rules.host_lost:
            rules.host_is_lost(lost)
        rules.relay_follows = not wires.welded
        granted = self._give(order) if not lost else {}
        outputs = rules.decide()
        after = self._witness(before, passed, granted, lost, outputs)
        for name in broken(self, _Pass(outputs, granted, passed, before, after)):
            raise Broken(f"{self.site.name}: {name}")
        return after

    def _set_wires(self, wired: _Wired) -> None:
        wires = self.wires
        quiet = wires.known & ~wires.active
        wires.known = wires.wired & ~(wired.unread & ~wires.known)  # once known, it stays known
        wires.active = wired.active & wires.known
        wires.rose = wires.active & quiet
        wires.stuck = wired.stuck

    def _give(self, order: str) -> dict[str, int]:
        """The orders of this pass and their results, as the link gives them: after the inputs."""
        results: dict[str, int] = {}
        for name in order.split():
            rules = self.safety
            if name == "session":
                rules.session_changed()
                results[name] = codes.DONE
            elif name == "release":
                results[name] = rules.release()
            elif name.startswith("hold"):
                results[name] = rules.hold(2 * STEP_MS if name == "hold+" else STEP_MS)
            elif name == "close" and self.closing:
                results[name] = self.closing.order(rules, STEP_MS)
            else:
                result = rules.open(_PULSES[name], name == "auto")
                key = name if name not in results else name + " again"
                results[key] = result
        return results

    def _witness(
        self, before: Witness, passed: int, granted: dict[str, int], lost: bool, outputs: int
    ) -> Witness:
        wires, done = self.wires, codes.DONE
        stopped = bool(wires.active & STOP) or not wires.known & STOP
        fire = bool(wires.active & FIRE)
        dwell = self.settings["fire_dwell_ms"] if fire else max(0, before.dwell - passed)
        burning = fire or dwell > 0
        pulse = before.pulse
        if not self.held_back:
            pulse = max(0, pulse - passed)
        lease = max(0, before.lease - passed)
        if lost:
            lease = 0
        for name, result in granted.items():
            if result != done:
                continue
            if name in ("release", "session"):
                lease = 0
            elif name.startswith("hold"):
                lease = 2 * STEP_MS if name == "hold+" else STEP_MS
            elif name != "close":
                pulse = min(_PULSES[name.split()[0]], self.settings["pulse_max_ms"], safety.CAP_MS)
        people = _BY_PEOPLE & set(self.told)
        contact, down = bool(outputs & codes.OPENING), bool(outputs & codes.CLOSING)
        joined = False
        if people and pulse == 0 and lease == 0 and not burning and not self.lost_holds(lost):
            joined = before.contact
            pulse = min(
                self.settings["pulse_ms"], self.settings["pulse_max_ms"], safety.CAP_MS
            )
        if stopped or burning:
            pulse = lease = 0
        rose = contact and not before.contact
        closings = tuple(c - passed for c in before.closings if c > passed)
        ordered = any(r == done and n[:4] in _CLOSES for n, r in granted.items())
        if rose and ordered and not (before.pulse or before.lease):
            closings += (SHORT["_MINUTE_MS"],)
        hand, leave = bool(wires.rose & HAND), bool(wires.rose & EXIT)
        served = contact or stopped
        return Witness(
            since_start=min(before.since_start + passed, SHORT["_WAKING_MS"]),
            pulse=pulse, lease=lease, dwell=dwell, fire=burning,
            rested=0 if contact or before.contact else min(before.rested + passed, 1000),
            closings=closings,
            pressed=_waits(before.pressed, hand, served, passed),
            asked=_waits(before.asked, leave and self.settings["exit_opens"], served, passed),
            contact=contact,
            joined=joined,
            down=down,
            let_go=0 if down or before.down else min(before.let_go + passed, 500),
            stands=self._stands(before, leave, served, passed),
            was_lost=lost,
        )

    def _stands(self, before: Witness, came: bool, served: bool, passed: int) -> int:
        """How long a car has stood on the exit unserved, since it was seen to come; -1: none."""
        wires = self.wires
        stays = wires.active & EXIT & ~wires.stuck and not wires.active & codes.LIMIT_OPEN
        if not stays or not self.settings["exit_opens"] or not (came or before.stands >= 0):
            return -1
        return 0 if came or served else before.stands + passed

    @property
    def closing_lets_go(self) -> bool:
        return bool(self.closing and self.closing.lets_go())

    def lost_holds(self, lost: bool) -> bool:
        return bool(lost and self.settings["host_lost"] == "open" and self.wires.all_known())


class _Pass(NamedTuple):
    """What one pass did, and the rights it left (by the witness)."""

    outputs: int
    results: dict[str, int]
    passed: int
    before: Witness
    after: Witness

    @property
    def opening(self) -> bool:
        return bool(self.outputs & codes.OPENING)

    @property
    def moved(self) -> list[str]:
        """The orders that were obeyed and move something."""
        return [n for n, r in self.results.items() if r == codes.DONE and n not in _STILL]


def _waits(since: int, begins: bool, served: bool, passed: int) -> int:
    """Milliseconds that a request waits, -1 for none."""
    if served:
        return -1
    if since >= 0:
        return since + passed
    return 0 if begins else -1


def broken(course: Course, now: _Pass) -> Iterator[str]:
    """The names of the invariants that do not hold after a pass."""
    yield from _broken_outputs(course, now)
    if now.results:
        yield from _broken_orders(course, now)
    yield from _broken_waiting(course, now)
    if now.opening:
        yield from _broken_opening(course, now)


def _broken_outputs(course: Course, now: _Pass) -> Iterator[str]:
    wires, after = course.wires, now.after
    opening, down, lets_go = now.opening, after.down, course.closing_lets_go
    stop = bool(wires.active & STOP) or not wires.known & STOP
    right = after.fire or after.pulse > 0 or after.lease > 0 or course.lost_holds(after.was_lost)
    if opening and down:
        yield "one output at a time"
    if down and not course.site.closes:
        yield "the default build never closes"
    if down and (wires.active & codes.SAFETY_LOOP or now.before.contact):
        yield "nothing closes over a car"
    if stop and now.outputs:
        yield "STOP, also unread, opens every contact"
    if opening and not right:
        yield "a closed contact has a right that has not run out"
    if not (stop or opening or lets_go):
        if after.fire:
            yield "fire opens unless STOP"
        if right:
            yield "a granted right closes the contact"
    if (course.safety.state() in _OPEN_STATES) != opening and not lets_go:
        yield "the state told fits the contact"


def _broken_orders(course: Course, now: _Pass) -> Iterator[str]:
    wires, rules, moved = course.wires, course.safety, now.moved
    if now.results.get("release") == codes.DONE and rules.lease_left():
        yield "a release ends a hold"
    if len(now.after.closings) > course.settings["per_minute"]:
        yield "orders keep their budget"
    if not moved:
        return
    if not wires.all_known():
        yield "no order is obeyed before all wires are known"
    if now.after.since_start < SHORT["_WAKING_MS"]:
        yield "no order is obeyed while the board wakes"
    if wires.active & STOP or now.after.fire or not rules.relay_follows:
        yield "no order is obeyed during STOP, fire or a relay that does not follow"
    if course.settings["damaged"]:
        yield "damaged settings obey no order"
    if "auto" in moved and not wires.active & codes.ENTRY_LOOP & ~wires.stuck:
        yield "an automatic order needs a car"
    if "short" in moved:
        yield "a pulse too short is refused"


def _broken_waiting(course: Course, now: _Pass) -> Iterator[str]:
    after = now.after
    if after.was_lost and course.safety.lease_left():
        yield "a lost host ends a hold"
    if after.pressed > 500 + STEP_MS:
        yield "a press of the button opens within the gap"
    if after.asked > 500 + STEP_MS:
        yield "an exit request opens within the gap"
    if after.stands > _EXIT_SERVED_MS:
        yield "a car that stands on the exit is served again"


def _broken_opening(course: Course, now: _Pass) -> Iterator[str]:
    before, after = now.before, now.after
    if before.contact:
        if after.joined:
            yield "no pulse for people follows another without a gap"
        return
    opened = [n for n in now.moved if n != "close"]
    lost_holds = course.lost_holds(after.was_lost)
    people = bool(_BY_PEOPLE & set(course.told))
    if not (people or opened or after.fire or lost_holds or before.pulse or before.lease):
        yield "an opening that no order made is told"
    if before.let_go + now.passed < 100:
        yield "the opening contact waits for the closing one"
    if not (after.fire or lost_holds or course.held_back):
        rested = before.rested + now.passed
        if rested < 500:
            yield "nobody closes the contact within the gap"
        if opened and rested < course.settings["lockout_ms"]:
            yield "orders keep the lock-out"


_BITS = {
    "stop": STOP, "fire": FIRE, "hand": HAND, "exit": EXIT, "up": codes.LIMIT_OPEN,
    "entry": codes.ENTRY_LOOP, "under": codes.SAFETY_LOOP, "photo": codes.SAFETY_LOOP,
}
_STILL = {"release", "session"}
_OPEN_STATES = {codes.STATE_PULSE, codes.STATE_HOLD, codes.STATE_FIRE}
_BY_PEOPLE = {codes.MANUAL_OPEN, codes.EXIT_OPEN, codes.REOPENED}
_EXIT_SERVED_MS = 1500 + 2 * 500 + STEP_MS  # asks again, a gap, a pulse, and the step's width
_PULSES = {"open": 500, "auto": 500, "long": 60_000, "short": 99, "wild": 60_000}
_CLOSES = {n[:4] for n in _PULSES} | {"hold"}
# What a Safety remembers from pass to pass, beside ``_minute``.
_KEPT = (
    "host_lost", "contact", "fire", "_waking", "_pulse", "_pulsed", "_lease", "_fire_left", "_gap",
    "_lockout", "_wanted", "_exit_seen", "_exit_again",
)
_get = operator.itemgetter(*_KEPT)
_CLOSING = ("_arm_lost", "_pulse", "_way_down", "_let_go", "_contact")


@dataclass(frozen=True)
class Covered:
    """What one search saw."""

    site: str
    states: int
    transitions: int
    depth: int
    complete: bool

    def __str__(self) -> str:
        how = "all reachable" if self.complete else f"to depth {self.depth}"
        return f"{self.site:14} {self.states:8} states {self.transitions:10} transitions  {how}"


def search(site: Site, depth: int = 10_000, at_once: int = 9) -> Covered:
    """Breadth first, to that many passes, with at most so many wires active. Raises Broken."""
    usual = {name: getattr(safety, name) for name in SHORT}
    vars(safety).update(SHORT)
    try:
        return _search(site, depth, at_once)
    finally:
        vars(safety).update(usual)


def _search(site: Site, depth: int, at_once: int) -> Covered:
    course = Course(replace(site, wires=tuple(w for w in site.wires if len(w) <= at_once)))
    course.wires.known = 0
    start = course.save(Witness())
    seen: dict[Any, Any] = {start: None}  # each state and how it was reached
    frontier, level, transitions = [start], 0, 0
    choices = list(course.choices())
    while frontier and level < depth:
        found = []
        for state in frontier:
            for choice in choices:
                witness = course.load(state)
                try:
                    after = course.save(course.go(witness, *choice))
                except Broken as broken:
                    raise Broken(f"{broken} after {_way(seen, state, choice)}") from None
                transitions += 1
                if after not in seen:
                    seen[after] = (state, choice)
                    found.append(after)
        frontier, level = found, level + 1
    return Covered(site.name, len(seen), transitions, level, not frontier)


def _way(seen: dict[Any, Any], state: Any, choice: Any) -> str:
    """The passes from the start to a state and one further: wires, order, milliseconds."""
    passes = [choice]
    while seen[state]:
        state, before = seen[state]
        passes.append(before)
    return "; ".join(f"{w.names} {o or '-'} {ms}" for w, o, ms in reversed(passes))


def main(arguments: list[str]) -> None:
    depth = int(arguments[0]) if arguments else 10_000
    for site in SITES:
        print(search(site, depth), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
