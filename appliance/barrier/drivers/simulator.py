"""A whole simulated barrier in this process: controller, cabinet and arm, with things to break.

    barrier = Simulator(now=clock)
    barrier.connect()
    barrier.open("order-1", 500)
    clock.pass_time(1.0)                  # in a test; on a desk time passes by itself
    barrier.status().position             # Position.MOVING
    barrier.set_faults(stuck=True)        # from now on the arm does not move
    barrier.set_inputs(entry_loop=True)   # a car stands on the loop

It keeps the controller's promises itself (pulse ends by itself, leases lapse, an order id counts
once, nothing is energised at power-up) and debounces its inputs, as the firmware does. Time is
caught up in 10 ms steps at every call, so the same calls give the same course. Any thread may call
``set_inputs`` and ``set_faults``; the rest is the link thread's.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from appliance import clock
from appliance.barrier.drivers.arm import Arm
from appliance.barrier.drivers.seam import BarrierStatus, Capabilities, Position
from appliance.errors import LinkLost, OrderRefused

STEP_S = 0.01
DEBOUNCE_S = 0.03
CHATTER_S = 0.02  # a bouncing switch chatters faster than the debounce lets through
LONGEST_LEASE_S = 10.0
PULSE_MS = range(100, 3001)
_REMEMBERED_IDS = 64
_LONGEST_CATCH_UP_S = 120.0  # a suspended machine need not replay a night


@dataclass(frozen=True, slots=True)
class Faults:
    """What is broken."""

    stuck: bool = False  # the arm does not move
    slow: bool = False  # it moves five times slower
    silent: bool = False  # the controller neither hears nor answers
    mute: bool = False  # it hears and obeys, but its answers are lost
    bounce: bool = False  # the limit switches chatter after every change
    power_lost: bool = False  # neither controller nor cabinet has power


@dataclass
class _Input:
    """A debounced input: a change counts once it stood for ``DEBOUNCE_S``."""

    value: bool | None = None
    _candidate: bool = False
    _stood_s: float = 0.0

    def read(self, raw: bool, dt_s: float) -> None:
        self._stood_s = self._stood_s + dt_s if raw == self._candidate else 0.0
        self._candidate = raw
        if self._stood_s >= DEBOUNCE_S:
            self.value = raw


class Simulator:
    """A ``BarrierDriver`` without hardware."""

    name = "simulator"

    def __init__(
        self, *, now: Callable[[], float] = clock.mono, arm: Arm | None = None
    ) -> None:
        self._now = now
        self.arm = arm or Arm()
        self._lock = threading.Lock()
        self._at = now()
        self._faults = Faults()
        self._entry_loop = False
        self._inputs = {name: _Input() for name in ("closed", "open", "entry", "safety", "photo")}
        self._pulse_left_s = 0.0
        self._lease_left_s = 0.0
        self._obeyed: deque[str] = deque(maxlen=_REMEMBERED_IDS)
        self._chatter_left_s = 0.0
        self._limits_before = (True, False)

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

    def open(self, order_id: str, pulse_ms: int) -> None:
        with self._lock:
            self._catch_up()
            self._hear()
            if order_id not in self._obeyed:
                if pulse_ms not in PULSE_MS:
                    raise OrderRefused("the pulse is shorter or longer than allowed")
                self._obeyed.append(order_id)
                self._pulse_left_s = pulse_ms / 1000
            self._answer()

    def hold_open(self, order_id: str, lease_s: float) -> None:
        with self._lock:
            self._catch_up()
            self._hear()
            if order_id not in self._obeyed:
                if not 0 < lease_s <= LONGEST_LEASE_S:
                    raise OrderRefused("the lease is longer than allowed")
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
            return BarrierStatus(
                position=self._position(),
                entry_loop=self._inputs["entry"].value,
                safety_loop=self._inputs["safety"].value,
                photocell=self._inputs["photo"].value,
                held=self._lease_left_s > 0,
            )

    def capabilities(self) -> Capabilities:
        return Capabilities(
            position=True, inputs=True, timed_pulse=True, longest_lease_s=LONGEST_LEASE_S
        )

    # What a scenario or a test uses

    def set_inputs(
        self, *, entry_loop: bool | None = None, safety_loop: bool | None = None,
        photocell: bool | None = None,
    ) -> None:
        """Cars come and go; an input that is not named stays as it is."""
        with self._lock:
            self._catch_up()
            if entry_loop is not None:
                self._entry_loop = entry_loop
            if safety_loop is not None:
                self.arm.safety_loop = safety_loop
            if photocell is not None:
                self.arm.photocell = photocell

    def set_faults(self, **changed: bool) -> None:
        """Breaks or mends; names as in ``Faults``. Returning power energises nothing."""
        with self._lock:
            self._catch_up()
            self._faults = replace(self._faults, **changed)
            self.arm.stuck = self._faults.stuck
            self.arm.slowness = 5.0 if self._faults.slow else 1.0
            self.arm.powered = not self._faults.power_lost
            if self._faults.power_lost:
                self._let_go()
                self._obeyed.clear()
                self._inputs = {name: _Input() for name in self._inputs}

    # Controller

    def _hear(self) -> None:
        if self._faults.silent or self._faults.power_lost:
            raise LinkLost("the controller does not answer")

    def _answer(self) -> None:
        if self._faults.mute:
            raise LinkLost("the controller does not answer")

    def _let_go(self) -> None:
        self._pulse_left_s = self._lease_left_s = 0.0
        self.arm.contact = False

    def _position(self) -> Position:
        closed, opened = self._inputs["closed"].value, self._inputs["open"].value
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
        self.arm.contact = self._pulse_left_s > 0 or self._lease_left_s > 0
        self._pulse_left_s = max(0.0, self._pulse_left_s - STEP_S)
        self._lease_left_s = max(0.0, self._lease_left_s - STEP_S)
        self.arm.step(STEP_S)
        if self._faults.power_lost:
            return
        closed, opened = self._limit_switches()
        raw = {
            "closed": closed, "open": opened, "entry": self._entry_loop,
            "safety": self.arm.safety_loop, "photo": self.arm.photocell,
        }
        for name, value in raw.items():
            self._inputs[name].read(value, STEP_S)

    def _limit_switches(self) -> tuple[bool, bool]:
        limits = (self.arm.at_closed_limit, self.arm.at_open_limit)
        if limits != self._limits_before:
            self._chatter_left_s = 10 * CHATTER_S if self._faults.bounce else 0.0
            self._limits_before = limits
        if self._chatter_left_s <= 0:
            return limits
        self._chatter_left_s -= STEP_S
        flipped = int(self._chatter_left_s / CHATTER_S) % 2 == 1
        return (not limits[0], not limits[1]) if flipped else limits
