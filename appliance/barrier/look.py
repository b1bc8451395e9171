"""What the link concludes from each look at the barrier: the view, proof of movement, figures.

1. After an acknowledged pulse the arm is watched; "did not move" is reported, not assumed away, and
   stands as a fault until the arm is seen away from its closed limit.
2. The controller's own word on the movement is held against that (``watch``).
3. While the controller is silent nothing is known: inputs and position are shown as unknown.

The link thread's alone; ``view`` is replaced as a whole and may be read by any.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from appliance.barrier.drivers.seam import (
    BarrierEvent,
    BarrierStatus,
    Capabilities,
    Controller,
    EventKind,
    Position,
)
from appliance.barrier.hold import Hold
from appliance.barrier.orders import Fault, LinkState, LinkView, Order
from appliance.barrier.traffic import UNUSED_S, Traffic
from appliance.barrier.watch import Verdict, Watch
from appliance.values import Moved, Outcome

logger = logging.getLogger(__name__)

OPENS = frozenset({EventKind.MANUAL_OPEN, EventKind.EXIT_OPEN})
"""The controller opened of its own accord, for one car."""


class Lookout:
    """``settle`` hears what became of an opening."""

    def __init__(
        self, driver: str, capabilities: Capabilities, traffic: Traffic,
        settle: Callable[[Order, Outcome], None], now: Callable[[], float],
    ) -> None:
        self.view = LinkView(driver, capabilities)
        self._traffic = traffic
        self._settle = settle
        self._now = now
        self._watched: tuple[Order, Outcome, Watch] | None = None
        self._verdict: Verdict | None = None
        self._arm_fault = ""
        self._let_in_by = (0, 0)

    def watch(self, order: Order, outcome: Outcome) -> None:
        """An opening was acknowledged: from now on the arm has to move."""
        self._watched = (order, outcome, Watch(self._now()))
        self._verdict = None
        self._traffic.opened(self._now())

    def happened(self, event: BarrierEvent) -> None:
        """An opening that no order asked for lets a car through as well."""
        age_s = self._now() - event.happened_mono
        name = (event.boot, event.number)
        if event.kind in OPENS and age_s <= UNUSED_S and name != self._let_in_by:
            self._let_in_by = name  # it may be told again
            self._traffic.opened(event.happened_mono)

    def note(self, status: BarrierStatus, controller: Controller, hold: Hold | None) -> None:
        """Draws the conclusions from one look."""
        now = self._now()
        if status.position in (Position.OPEN, Position.MOVING):
            self._arm_fault = ""
        self._conclude(status.position, now)
        if controller.boot != self.view.controller.boot:
            self._traffic.away()
        self._traffic.look(status, now)
        faults = (*filter(None, [self._arm_fault]), *status.faults)
        verdict = self._verdict
        self.view = replace(
            self.view, position=status.position, faults=faults, fault=next(iter(faults), ""),
            entry_loop=status.entry_loop, safety_loop=status.safety_loop,
            photocell=status.photocell, exit_request=status.exit_request, fire=status.fire,
            stop=status.stop, tamper=status.tamper, contact=status.contact, controller=controller,
            held_until_mono=hold.until_mono if hold is not None else None,
            state=self._state(status, faults, hold), events_lost=status.events_lost,
            movement_disputed=verdict is not None and verdict.disputed(status.faults, now),
        )

    def lost(self, state: LinkState) -> None:
        """The link is gone: nothing is known any more, and a watched opening stays unproven."""
        if self._watched is not None:
            order, outcome, _ = self._watched
            self._watched = None
            self._settle(order, outcome)
        self._verdict = None
        self._traffic.away()
        view = self.view
        self.view = LinkView(
            view.driver, view.capabilities, state, fault=self._arm_fault,
            faults=(self._arm_fault,) if self._arm_fault else (), controller=view.controller,
        )

    def _conclude(self, position: Position, now_mono: float) -> None:
        if self._watched is None:
            return
        order, outcome, watch = self._watched
        moved = watch.verdict(position, now_mono)
        if moved is None:
            return
        self._watched = None
        self._verdict = Verdict(moved, watch.since_mono)
        if moved is Moved.NO:
            self._arm_fault = Fault.DID_NOT_MOVE.value
            logger.warning("barrier did not move order=%s", order.id)
        self._settle(order, replace(
            outcome, moved=moved, fault=self._arm_fault if moved is Moved.NO else ""
        ))

    def _state(
        self, status: BarrierStatus, faults: tuple[str, ...], hold: Hold | None
    ) -> LinkState:
        if status.stop:
            return LinkState.STOPPED_BY_HAND
        if status.fire:
            return LinkState.FIRE
        if hold is not None:
            return LinkState.HELD
        if self._watched is not None:
            return LinkState.ORDERED
        return LinkState.FAULTY if faults else LinkState.READY
