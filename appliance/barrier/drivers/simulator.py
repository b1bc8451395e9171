"""A whole simulated barrier in this process: controller, cabinet and arm, with things to break.

    barrier = Simulator(now=clock)
    barrier.connect()
    barrier.open("order-1", 500, life_s=2.0)
    clock.pass_time(1.0)                  # in a test; on a desk time passes by itself
    barrier.status().position             # Position.MOVING
    barrier.set_faults(stuck=True)        # from now on the arm does not move
    barrier.set_inputs(entry_loop=True)   # a car stands on the loop
    barrier.set_inputs(hand_button=True)  # somebody opens by hand, and it is told

It keeps the controller's promises itself: a pulse ends by itself, leases lapse, an order id counts
once, nothing is energised at power-up, STOP beats fire, fire beats a person, a person beats an
order, and what people do at it is told until it is acknowledged. It does not stand in for the
firmware's own limits (lock-out, openings a minute): the link has its own. Time is caught up in
10 ms steps at every call, so the same calls give the same course. Any thread may call
``set_inputs``, ``set_faults`` and ``seen``; the rest is the link thread's.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from appliance import clock
from appliance.barrier.drivers.arm import Arm
from appliance.barrier.drivers.seam import (
    BarrierEvent,
    BarrierStatus,
    Capabilities,
    Controller,
    EventKind,
    Position,
)
from appliance.barrier.drivers.terminals import Change, Terminals
from appliance.errors import LinkLost, OrderRefused
from appliance.scenario.yard_socket import Faults, Inputs, arm_seen

STEP_S = 0.01
LONGEST_LEASE_S = 10.0
LONGEST_LIFE_S = 5.0
PULSE_MS = range(100, 3001)
HAND_PULSE_S = 0.5
OBSTACLE = 0.5  # half way up
MOVES_WITHIN_S = 3.0
MOST_EVENTS = 16
_REMEMBERED_IDS = 64
_LONGEST_CATCH_UP_S = 120.0  # a suspended machine need not replay a night
_TOLD_BOTH_WAYS = {
    "fire": (EventKind.FIRE_ON, EventKind.FIRE_OFF),
    "stop": (EventKind.STOP_ON, EventKind.STOP_OFF),
    "tamper": (EventKind.TAMPER_ON, EventKind.TAMPER_OFF),
}
_OPENING = {"hand_button": EventKind.MANUAL_OPEN, "exit_request": EventKind.EXIT_OPEN}


class Simulator:
    """A ``BarrierDriver`` without hardware. ``boot`` names this life of it, as events do."""

    name = "simulator"
    simulated = "arm"

    def __init__(
        self, *, now: Callable[[], float] = clock.mono, arm: Arm | None = None,
        boot: int | None = None,
    ) -> None:
        self._now = now
        self.arm = arm or Arm()
        self._lock = threading.Lock()
        self._at = now()
        self._faults = Faults()
        self._inputs = Inputs()
        self._terminals = Terminals()
        self._pulse_left_s = 0.0
        self._lease_left_s = 0.0
        self._obeyed: deque[str] = deque(maxlen=_REMEMBERED_IDS)
        # Another number at each start of the program, so that no event is taken for an older one.
        self._boot = int(self._at) if boot is None else boot
        self._events: list[BarrierEvent] = []
        self._told = 0
        self._must_move_by = float("inf")
        self._not_moved = False

    # What the link thread uses

    def connect(self) -> None:
        with self._lock:
            self._catch_up()
            self._hear()
            self._answer()

    def disconnect(self) -> None:
        with self._lock:
            self._catch_up()
            self._let_go()

    def open(
        self, order_id: str, pulse_ms: int, *, life_s: float, automatic: bool = False  # noqa: ARG002 - people and plates alike
    ) -> None:
        with self._lock:
            self._catch_up()
            self._hear()
            if order_id not in self._obeyed:
                self._may_obey(life_s)
                if pulse_ms not in PULSE_MS:
                    raise OrderRefused(
                        "the pulse is shorter or longer than allowed", why="bad_value"
                    )
                self._obeyed.append(order_id)
                self._pulse(pulse_ms / 1000)
            self._answer()

    def hold_open(self, order_id: str, lease_s: float, *, life_s: float) -> None:
        with self._lock:
            self._catch_up()
            self._hear()
            if order_id not in self._obeyed:
                self._may_obey(life_s)
                if not 0 < lease_s <= LONGEST_LEASE_S:
                    raise OrderRefused("the lease is longer than allowed", why="bad_value")
                self._obeyed.append(order_id)
                self._lease_left_s = lease_s
            self._answer()

    def release(self) -> None:
        with self._lock:
            self._catch_up()
            self._hear()
            self._let_go()
            self._answer()

    def status(self) -> BarrierStatus:
        with self._lock:
            self._catch_up()
            self._hear()
            self._answer()
            read = self._terminals
            return BarrierStatus(
                position=self._position(),
                entry_loop=read["entry_loop"],
                safety_loop=read["safety_loop"],
                photocell=read["photocell"],
                exit_request=read["exit_request"],
                fire=read["fire"],
                stop=read["stop"],
                tamper=read["tamper"],
                contact=self._closed,
                held=self._lease_left_s > 0,
                entry_count=read.counts["entry_loop"],
                safety_count=read.counts["safety_loop"],
                faults=("not_moved",) if self._not_moved else (),
            )

    def events(self) -> tuple[BarrierEvent, ...]:
        with self._lock:
            return tuple(self._events)

    def acknowledge(self, event: BarrierEvent) -> None:
        with self._lock:
            kept = (event.boot, event.number)
            self._events = [e for e in self._events if (e.boot, e.number) > kept]

    def capabilities(self) -> Capabilities:
        return Capabilities(
            position=True, inputs=True, timed_pulse=True, longest_lease_s=LONGEST_LEASE_S,
            authenticated=True, tells_events=True,
        )

    def controller(self) -> Controller:
        return Controller(name="simulated", boot=self._boot, cause="power")

    # What a scenario, a person at the yard page or a test uses

    def set_inputs(self, **changed: bool) -> None:
        """Cars come and go, people press; names as in ``Inputs``. What is not named stays."""
        with self._lock:
            self._catch_up()
            self._inputs = replace(self._inputs, **changed)
            self.arm.safety_loop = self._inputs.safety_loop
            self.arm.photocell = self._inputs.photocell
            self.arm.stop, self.arm.fire = self._inputs.stop, self._inputs.fire

    def set_faults(self, **changed: bool) -> None:
        """Breaks or mends; names as in ``Faults``. Returning power energises nothing."""
        with self._lock:
            self._catch_up()
            before, self._faults = self._faults, replace(self._faults, **changed)
            self.arm.stuck = self._faults.stuck
            self.arm.slowness = 5.0 if self._faults.slow else 1.0
            self.arm.obstacle = OBSTACLE if self._faults.obstructed else None
            self.arm.bouncing = self._faults.bounce
            self.arm.powered = not self._faults.power_lost
            if self._faults.power_lost:
                self._let_go()
                self._obeyed.clear()
                self._terminals.forget()
                self._events.clear()
                self._not_moved = False
            elif before.power_lost:
                self._boot += 1
                self._told = 0
                self._tell(EventKind.STARTED, "power")

    def seen(self) -> Mapping[str, Any]:
        """What somebody standing beside it sees (``yard_socket.Play``)."""
        with self._lock:
            self._catch_up()
            return {
                "arm": arm_seen(self.arm), "inputs": asdict(self._inputs),
                "faults": asdict(self._faults),
            }

    # Controller

    def _hear(self) -> None:
        if self._faults.silent or self._faults.power_lost:
            raise LinkLost("the controller does not answer")

    def _answer(self) -> None:
        if self._faults.mute:
            raise LinkLost("the controller does not answer")

    def _may_obey(self, life_s: float) -> None:
        """Raises OrderRefused."""
        if self._terminals["stop"]:
            raise OrderRefused("the stop input is active", why="stopped")
        if self._terminals["fire"]:
            raise OrderRefused("the fire input holds it open already", why="fire")
        if life_s < 0:
            raise OrderRefused("the order is past its life", why="expired")
        if life_s > LONGEST_LIFE_S:
            raise OrderRefused("the order would live too long", why="bad_value")

    def _pulse(self, length_s: float) -> None:
        self._pulse_left_s = length_s
        self._must_move_by = self._at + MOVES_WITHIN_S

    def _let_go(self) -> None:
        self._pulse_left_s = self._lease_left_s = 0.0
        self._must_move_by = float("inf")
        self.arm.contact = False

    @property
    def _closed(self) -> bool:
        """Whether the opening contact is closed: STOP beats fire, fire beats all else."""
        if self._terminals["stop"]:
            return False
        return bool(self._terminals["fire"]) or self._pulse_left_s > 0 or self._lease_left_s > 0

    def _position(self) -> Position:
        closed, opened = self._terminals["closed"], self._terminals["open"]
        if closed is None or opened is None:
            return Position.UNKNOWN
        if closed:
            return Position.CLOSED
        return Position.OPEN if opened else Position.MOVING

    def _catch_up(self) -> None:
        now = self._now()
        self._at = max(self._at, now - _LONGEST_CATCH_UP_S)
        while now - self._at >= STEP_S - 1e-9:
            self._at += STEP_S
            self._step()

    def _step(self) -> None:
        if not self._faults.power_lost:
            self.arm.contact = self._closed
        self._pulse_left_s = max(0.0, self._pulse_left_s - STEP_S)
        self._lease_left_s = max(0.0, self._lease_left_s - STEP_S)
        self.arm.step(STEP_S)
        if self._faults.power_lost:
            return
        for change in self._terminals.step(self._inputs, self.arm.limit_switches, STEP_S):
            self._heed(change)
        self._watch_the_arm()

    def _heed(self, change: Change) -> None:
        if change.name in _TOLD_BOTH_WAYS and (change.active or change.before is not None):
            on, off = _TOLD_BOTH_WAYS[change.name]
            self._tell(on if change.active else off)
        if change.name == "stop" and change.active:
            self._let_go()
        pressed = change.active and change.before is False
        if pressed and change.name in _OPENING and not self._terminals["stop"]:
            self._pulse(HAND_PULSE_S)
            self._tell(_OPENING[change.name])

    def _watch_the_arm(self) -> None:
        closed = self._terminals["closed"]
        if closed is False:
            self._must_move_by = float("inf")
        missed = self._at >= self._must_move_by
        if missed == self._not_moved or (self._not_moved and closed is not False):
            return
        self._not_moved = missed
        self._tell(EventKind.FAULT_ON if missed else EventKind.FAULT_OFF, "not_moved")

    def _tell(self, kind: EventKind, argument: str = "") -> None:
        """Numbers what happened; when the queue is full the newest is dropped."""
        if len(self._events) < MOST_EVENTS:
            self._told += 1
            self._events.append(
                BarrierEvent(self._boot, self._told, kind, argument, happened_mono=self._at)
            )
