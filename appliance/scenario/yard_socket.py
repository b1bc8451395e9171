"""What yard.sock answers: the simulated yard as it is, and inputs and faults set by hand.

    yard = YardSocket(play)                      # any Play: the simulator or the real firmware's
    server = ipc.Server(path, yard.handlers)
    if not yard.by_hand: play.set_inputs(...)    # what the scenario wants

1. Exists in a demo alone: no program serves it for a wired barrier.
2. A hand goes before the scenario: for ``BY_HAND_S`` after an input was set the scenario leaves
   the inputs alone. A fault set by hand stands until a hand mends it.
3. An unknown name changes nothing at all.

Handlers run on the server's threads; a Play guards its own state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

from appliance import clock, ipc
from appliance.barrier.drivers.arm import Arm
from appliance.errors import BarrierError

BY_HAND_S = 60.0


@dataclass(frozen=True, slots=True)
class Inputs:
    """What stands, waits or is pressed in the yard; True: active."""

    entry_loop: bool = False
    safety_loop: bool = False
    photocell: bool = False
    exit_request: bool = False
    hand_button: bool = False
    fire: bool = False
    stop: bool = False
    tamper: bool = False


@dataclass(frozen=True, slots=True)
class Faults:
    """What is broken."""

    stuck: bool = False  # the motor turns, the arm does not move
    slow: bool = False  # it moves five times slower
    silent: bool = False  # the cable is cut
    mute: bool = False  # the controller hears and obeys, but its answers are lost
    bounce: bool = False  # the limit switches chatter after every change
    power_lost: bool = False  # neither controller nor cabinet has power
    obstructed: bool = False  # something rigid stands in the arm's way


INPUTS = tuple(f.name for f in fields(Inputs))
FAULTS = tuple(f.name for f in fields(Faults))


class Play(Protocol):
    """A yard that can be looked at and changed."""

    @property
    def simulated(self) -> str:
        """``arm``: the arm alone; ``firmware``: the controller's own program runs as well."""

    def seen(self) -> Mapping[str, Any]:
        """``arm`` (see ``arm_seen``), ``inputs`` and ``faults`` by name."""

    def set_inputs(self, **active: bool) -> None:
        """Names as in ``Inputs``; one that is not named stays as it is."""

    def set_faults(self, **broken: bool) -> None:
        """Names as in ``Faults``; one that is not named stays as it is."""


def arm_seen(arm: Arm) -> dict[str, Any]:
    return {
        "raised": round(arm.raised, 4), "motion": arm.motion.value, "openings": arm.openings,
        "contact": arm.contact,
    }


class YardSocket:
    """The verbs ``status`` and ``set`` of one Play."""

    def __init__(self, play: Play, now: Callable[[], float] = clock.mono) -> None:
        self._play = play
        self._now = now
        self._by_hand_until = float("-inf")
        self.handlers: Mapping[str, ipc.Handler] = {"status": self._status, "set": self._set}

    @property
    def by_hand(self) -> bool:
        """The scenario may not touch the inputs now."""
        return self._now() < self._by_hand_until

    def _status(self, _: ipc.Message) -> ipc.Message:
        return ipc.ok({
            "simulated": self._play.simulated, **self._play.seen(),
            "by_hand_left_s": round(max(0.0, self._by_hand_until - self._now()), 1),
        })

    def _set(self, message: ipc.Message) -> ipc.Message:
        inputs = _named(message.header.get("inputs", {}), INPUTS)
        faults = _named(message.header.get("faults", {}), FAULTS)
        if inputs:
            self._by_hand_until = self._now() + BY_HAND_S
            self._play.set_inputs(**inputs)
        if faults:
            self._play.set_faults(**faults)
        return self._status(message)


def _named(given: object, known: tuple[str, ...]) -> dict[str, bool]:
    """Raises BarrierError for anything but true or false under a known name."""
    if not isinstance(given, dict):
        raise BarrierError("inputs and faults are tables of true and false")
    for name, value in given.items():
        if name not in known:
            raise BarrierError(
                "the yard knows no such name", next_step=f"Known: {', '.join(known)}"
            )
        if not isinstance(value, bool):
            raise BarrierError(f"{name} must be true or false")
    return given
