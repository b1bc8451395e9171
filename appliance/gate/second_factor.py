"""The second factor at the door: a code the driver knows, or a resident's yes.

1. A plate can be copied from any street. A grant may ask for more; the car is let in once that was
   given, within ``cars.ASKED_S`` of its asking and while it is still there. All other rules hold
   then as well.
2. A try is journaled before it counts, right or wrong; without a journal there is none. The code
   itself is written nowhere.
3. After ``MOST_WRONG`` wrong codes for a grant only the guard lets that car in, until
   ``FORGOTTEN_S`` after the last of them.
4. A resident says yes to one grant; without a car of that grant at the gate there is nothing to say
   yes to. A yes is no plate: nothing about the car is answered but what became of it.

One question at a time; ``ipc.Server`` calls from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from appliance import clock, codec, gatecode, ipc
from appliance.errors import OrderRefused
from appliance.gate import persons
from appliance.gate.cars import Car
from appliance.gate.loop import Loop
from appliance.gate.persons import Who
from appliance.values import Decision, Grant, Role, SecondFactor, Verdict

MOST_WRONG = 5
FORGOTTEN_S = 900.0
JOURNAL_WAIT_S = 0.6
ORDER_WAIT_S = 1.0
RESIDENT = "resident"
"""The role of a person without an account here, who answers for their own unit alone."""
_MAY_TYPE = {Role.MANAGER.value, Role.GUARD.value}
_MAY_CONFIRM = {Role.MANAGER.value, Role.GUARD.value, RESIDENT}


class WrongCodes:
    """Counts the wrong codes of each grant."""

    def __init__(self) -> None:
        self._wrong: dict[int, tuple[int, float]] = {}

    def left(self, grant_id: int, now_mono: float) -> int:
        """How many more may be tried."""
        count, last_mono = self._wrong.get(grant_id, (0, now_mono))
        if now_mono - last_mono > FORGOTTEN_S:
            return MOST_WRONG
        return max(0, MOST_WRONG - count)

    def wrong(self, grant_id: int, now_mono: float) -> None:
        before = MOST_WRONG - self.left(grant_id, now_mono)
        self._wrong[grant_id] = (before + 1, now_mono)

    def right(self, grant_id: int) -> None:
        self._wrong.pop(grant_id, None)


@dataclass(frozen=True, slots=True)
class Gate:
    """What the verbs work with."""

    lane: str
    loop: Loop
    grants: Callable[[], tuple[Grant, ...]]
    site_key: Callable[[], bytes]
    """Raises VaultError."""
    ask_records: Callable[[ipc.Message, float], ipc.Message]


class SecondFactors:
    """The verbs; ``waits`` tells the desk what would let the car in."""

    def __init__(self, gate: Gate, now: Callable[[], float] = clock.mono) -> None:
        self._gate = gate
        self._now = now
        self._codes = WrongCodes()
        self._one_at_a_time = threading.Lock()
        self.handlers: Mapping[str, ipc.Handler] = {
            "second_factor": self.second_factor, "confirm": self.confirm,
        }

    def waits(self, car: Car) -> Mapping[str, Any]:
        """What the door's status tells of the car there; an entry's number is no plate."""
        now = self._now()
        factor = car.waits_for(now)
        if factor is SecondFactor.CODE and not self._codes.left(_grant_of(car), now):
            factor = SecondFactor.NONE
        if factor is SecondFactor.NONE:
            return {"waits_for": None, "waits_left_s": 0.0, "waits_grant_id": None}
        return {
            "waits_for": factor.value, "waits_left_s": round(car.waits_s(now), 1),
            "waits_grant_id": _grant_of(car),
        }

    def second_factor(self, message: ipc.Message) -> ipc.Message:
        who = _allowed(message, _MAY_TYPE)
        code = message.header.get("code")
        if not isinstance(code, str):
            raise OrderRefused("a code is missing", why="no_code")
        with self._one_at_a_time:
            car = self._waiting(SecondFactor.CODE, None)
            track, grant_id = car.sighting.track, _grant_of(car)
            if not self._codes.left(grant_id, self._now()):
                raise OrderRefused(
                    "too many wrong codes were given for this car", why="too_many_codes",
                    next_step="Ask the driver who they are, and open by hand with the reason",
                )
            right = self._right(grant_id, code)
            self._journal(who, "second_factor", track, grant_id, right=right)
            if not right:
                self._wrong(grant_id)
            self._codes.right(grant_id)
            decision = self._gate.loop.confirm(track, grant_id)
        return self._answer(track, decision)

    def confirm(self, message: ipc.Message) -> ipc.Message:
        who = _allowed(message, _MAY_CONFIRM)
        grant_id = message.header.get("grant_id")
        if not isinstance(grant_id, int) or isinstance(grant_id, bool):
            raise OrderRefused("a yes names its entry", why="no_grant")
        if who.role == RESIDENT and who.organisation:
            raise OrderRefused("a resident answers for no organisation", why="role")
        with self._one_at_a_time:
            car = self._waiting(SecondFactor.RESIDENT, grant_id)
            track = car.sighting.track
            self._journal(who, "confirm", track, grant_id)
            decision = self._gate.loop.confirm(track, grant_id)
        return self._answer(track, decision)

    def _waiting(self, factor: SecondFactor, grant_id: int | None) -> Car:
        """Raises OrderRefused."""
        car = self._gate.loop.waiting(self._now(), factor, grant_id)
        if car is None:
            raise OrderRefused(
                "no car waits for this now", why="nobody_waits",
                next_step="It has left, was let in, or its minute is over; ask the guard",
            )
        return car

    def _right(self, grant_id: int, code: str) -> bool:
        kept = next((g.code_mac for g in self._gate.grants() if g.id == grant_id), "")
        return gatecode.matches(self._gate.site_key(), code, kept)

    def _wrong(self, grant_id: int) -> None:
        """Counts it and raises OrderRefused."""
        self._codes.wrong(grant_id, self._now())
        left = self._codes.left(grant_id, self._now())
        raise OrderRefused(
            "the code is wrong", why="wrong_code", tries_left=left,
            next_step="Ask again, calmly" if left else "Open by hand with the reason, or not",
        )

    def _journal(
        self, who: Who, action: str, track: str, grant_id: int, **told: bool
    ) -> None:
        """Raises IpcError where it cannot be written: then nothing is done."""
        query = {"lane": self._gate.lane, "track": track, "grant_id": grant_id, **told}
        self._gate.ask_records(persons.entry(who, action, query), JOURNAL_WAIT_S)

    def _answer(self, track: str, decision: Decision | None) -> ipc.Message:
        if decision is None:
            raise OrderRefused(
                "the car does not wait any more", why="nobody_waits",
                next_step="It has left or was let in meanwhile",
            )
        outcome = None
        if decision.verdict is Verdict.OPEN:
            outcome = self._gate.loop.outcome_of(track, ORDER_WAIT_S)
        return ipc.ok({
            "verdict": decision.verdict.value, "reason": decision.reason.value,
            "outcome": codec.encode(outcome),
        })


def _allowed(message: ipc.Message, roles: set[str]) -> Who:
    who = persons.who(message, reason_needed=False)
    if who.role not in roles:
        raise OrderRefused("this role does not answer for a car", next_step="Ask the guard")
    return who


def _grant_of(car: Car) -> int:
    """A car that waits for a second factor has a grant."""
    grant_id = car.decision.grant_id if car.decision else None
    return -1 if grant_id is None else grant_id
