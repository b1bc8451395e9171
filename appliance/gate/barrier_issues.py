"""What the barrier's view and figures mean for whoever looks after the gate. Pure.

Each issue stands as long as its sentence holds; what the link cannot see while the controller is
silent is not claimed.
"""

from __future__ import annotations

from collections.abc import Mapping

from appliance.barrier.drivers.seam import Controller
from appliance.barrier.orders import Fault, LinkState, LinkView
from appliance.barrier.traffic import Counted
from appliance.barrier.watch import NOT_MOVED

MOST_MISSED = 0.2
TAILGATE_SHOWN_S = 3600.0
_UNLINKED = frozenset(
    {LinkState.STARTING, LinkState.LOST, LinkState.FOREIGN, LinkState.STOPPED}
)
_MOVEMENT = frozenset({Fault.DID_NOT_MOVE.value, NOT_MOVED})
_NAMED = _MOVEMENT | {"relay", "settings"}


class SettingsSeen:
    """Which settings each controller is expected to have: those of its last passed pull-the-plug
    test, and before any test those it had when this program first saw it."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}

    def changed(self, controller: Controller, commissioned: Mapping[str, str]) -> bool:
        """Only for a controller that tells both its serial and its settings."""
        if not controller.serial or not controller.settings:
            return False
        first = self._first.setdefault(controller.serial, controller.settings)
        return commissioned.get(controller.serial, first) != controller.settings


def of_view(view: LinkView, *, presence_needed: bool) -> Mapping[str, bool]:
    """By issue key, whether it stands."""
    linked = view.state not in _UNLINKED
    faults = frozenset(view.faults)
    stuck = {code for code in faults if code.startswith("stuck_")}
    return {
        "barrier_link": view.state in (LinkState.LOST, LinkState.STARTING),
        "foreign_controller": view.state is LinkState.FOREIGN,
        "did_not_move": bool(faults & _MOVEMENT),
        "stuck_input": bool(stuck),
        "relay_fault": "relay" in faults,
        "controller_settings": "settings" in faults,
        "barrier_fault": bool(faults - stuck - _NAMED),
        "stop_pressed": view.stop is True,
        "fire_open": view.fire is True,
        "tamper": view.tamper is True,
        "movement_disputed": view.movement_disputed,
        "events_forgotten": view.events_lost > 0,
        "no_entry_loop": presence_needed and linked and view.entry_loop is None,
    }


def of_traffic(counted: Counted, now_mono: float) -> Mapping[str, bool]:
    """By issue key, whether it stands."""
    last = counted.last_tailgate_mono
    return {
        "missed_reads": counted.missed_share is not None and counted.missed_share > MOST_MISSED,
        "tailgating": last is not None and now_mono - last <= TAILGATE_SHOWN_S,
    }
