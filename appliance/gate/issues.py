"""What is wrong with the gate now, in plain words, for the status page. Any thread."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from appliance import clock

_WORDS = {
    "no_policy": (
        "No policy is in force; nothing opens by itself and nothing is kept",
        "Publish the site's policy in the console",
    ),
    "policy_stale": (
        "A change of the policy could not be understood; the last good one is used",
        "Open the grant list in the console and mend the entry it marks",
    ),
    "vision_down": (
        "The camera program is silent; no car opens the gate by itself",
        "Open by hand; see `postern status` for the camera program",
    ),
    "records_down": (
        "Passages cannot be kept; the gate asks the guard for every car",
        "See `postern status` for the records program",
    ),
    "records_lost": (
        "Some passages could not be kept and are lost; they are counted",
        "See the log of the records program",
    ),
    "barrier_link": (
        "The barrier controller does not answer",
        "Check its power and cable; the hand release works without it",
    ),
    "did_not_move": (
        "The barrier was told to open but the arm did not leave its closed position",
        "Look at the arm; open it with the hand release",
    ),
    "barrier_fault": (
        "The barrier reports a fault", "Look at the operator cabinet's display"
    ),
    "no_controller_key": (
        "This box holds no key of the barrier controller; it can open nothing",
        "Run `postern controller provision PORT` (OSDP: `postern controller osdp-key`)",
    ),
    "events_forgotten": (
        "The controller had to forget what happened at it, since its memory was full",
        "Openings by hand may be missing from the journal; see why records was away so long",
    ),
    "foreign_controller": (
        "A barrier controller answers that was not keyed by this box; nothing is sent to it",
        "If it was replaced on purpose, run `postern controller provision`; if not, look who did",
    ),
    "stop_pressed": (
        "STOP is pressed or its wire is broken; the barrier does not move",
        "See whether somebody is in danger; then release the button or mend the wire",
    ),
    "fire_open": (
        "The fire contact holds the barrier open", "It ends when the fire panel lets go"
    ),
    "tamper": (
        "The controller's cabinet is open", "See who opened it; close it"
    ),
    "stuck_input": (
        "A loop, a light barrier or a button has been active for too long",
        "Look for a car that stands there, a dirty lens or a broken wire",
    ),
    "relay_fault": (
        "The opening relay does not follow its order; it may be stuck",
        "Have the controller's relay and its supply checked today",
    ),
    "controller_settings": (
        "The controller's settings are missing or damaged; it opens only by hand, exit and fire",
        "Run `postern controller provision`",
    ),
    "settings_changed": (
        "The controller's settings are not those of its last passed pull-the-plug test",
        "If nobody here did that, treat the cabinet as opened; repeat the commissioning test",
    ),
    "movement_disputed": (
        "The controller and this box do not agree whether the barrier moved",
        "Check the limit switches and their wires",
    ),
    "no_entry_loop": (
        "Cars are let in only from the entry loop, but no such loop is read; the guard is asked",
        "Wire the loop to the controller or set `presence_needed` to false",
    ),
    "missed_reads": (
        "More than one car in five crossed the loop without its plate being read",
        "Clean the lens; see the camera's picture and its advice",
    ),
    "tailgating": (
        "A car drove in behind another within the last hour; see the traffic figures",
        "Watch the gate; a shorter closing time of the operator cabinet may help",
    ),
    "clock_untrusted": (
        "The time of day is not known to be right; grants with dates or hours ask the guard",
        "Set the clock or connect a time source",
    ),
    "no_ledger": (
        "An opening could not be written down first, so the gate stayed closed",
        "See whether the runtime folder is full",
    ),
    "rehearsal": (
        "The scenario of the simulated inputs could not be read", "Mend the file it names"
    ),
}


@dataclass(frozen=True, slots=True)
class _Since:
    key: str
    since_mono: float


class Issues:
    """Each issue stands from the moment it was first seen until it is seen to be gone."""

    def __init__(self) -> None:
        self._standing: dict[str, _Since] = {}
        self._lock = threading.Lock()

    def set(self, key: str, stands: bool, now_mono: float | None = None) -> None:
        """Raises or clears. ``key`` must be one of the known ones (KeyError)."""
        _WORDS[key]
        with self._lock:
            if not stands:
                self._standing.pop(key, None)
            elif key not in self._standing:
                since = clock.mono() if now_mono is None else now_mono
                self._standing[key] = _Since(key, since)

    def stands(self, key: str) -> bool:
        return key in self._standing

    def listed(self) -> list[dict[str, str | float]]:
        """In the form of every program's status answer."""
        with self._lock:
            standing = sorted(self._standing.values(), key=lambda s: s.since_mono)
        return [
            {
                "key": issue.key, "since_mono": issue.since_mono,
                "message": _WORDS[issue.key][0], "next_step": _WORDS[issue.key][1],
            }
            for issue in standing
        ]
