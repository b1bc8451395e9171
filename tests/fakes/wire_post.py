"""The true firmware core in this process, on the cable of ``wire_board``, with an arm.

    time = Time()
    post = WirePost(time)
    driver = Pico("port", PSK, now=time, open_port=Cable(post).open)
    post.active |= {"entry_loop"}    # by name: a car stands on the loop
    post.closings                    # how often the opening contact closed
    post.restart()

A pass of the superloop runs at every ``tick``; ``until`` lets time pass in steps of 5 ms.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from appliance.barrier.drivers.arm import Arm
from appliance.scenario.yard_wiring import INPUTS, Wiring, settings_for_a_yard
from tests.fakes.barrier import Time
from tests.fakes.wire_board import PSK, UID

_FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
STEP_S = 0.005


def gatepost() -> tuple[Any, Any]:
    """The board's own ``config.load`` and ``Post``."""
    if str(_FIRMWARE) not in sys.path:
        sys.path.insert(0, str(_FIRMWARE))
    from gatepost import config, post  # type: ignore[import-not-found]

    return config.load, post.Post


class WirePost:
    """What ``Cable`` needs of a board (``time``, ``hear``, ``tick``, ``out``), around ``Post``."""

    uid = UID
    cause = 1

    def __init__(self, time: Time, key: bytes = PSK, **settings: Any) -> None:
        self.time = time
        self.arm = Arm()
        self.active: set[str] = set()
        self.boot = 0
        self.out = b""
        self.outputs = 0
        self.closings = 0
        self.changes: list[tuple[float, int]] = []
        self._text = json.dumps(settings_for_a_yard("Test post", key, **settings))
        wiring = json.loads(self._text)["inputs"]
        self._wiring = Wiring({
            name: wiring[name].get("normally") == "closed" for name in INPUTS if name in wiring
        })
        self._arrived = b""
        self._randoms = 0
        self.restart()

    def restart(self) -> None:
        """Power away and back: outputs off, nothing remembered."""
        self.write_outputs(0)
        self.boot += 1
        self.out = self._arrived = b""
        load, post = gatepost()
        self._post = post(load(self._text), self)

    def hear(self, arrived: bytes) -> None:
        self._arrived += arrived
        self.tick()

    def tick(self) -> None:
        self._post.tick()

    def until(self, at: float) -> None:
        """Lets the time pass, the arm move and the superloop run."""
        while self.time.now < at - 1e-9:
            step = min(STEP_S, at - self.time.now)
            self.time.pass_(step)
            self.arm.contact = bool(self.outputs & 1)
            self.arm.step(step)
            self.tick()

    # What gatepost.post asks of a board

    def ticks(self) -> int:
        return round(self.time.now * 1000) % (1 << 30)

    def read_inputs(self) -> int:
        active = {name: True for name in self.active}
        active["limit_open"] = self.arm.at_open_limit
        active["limit_closed"] = self.arm.at_closed_limit
        active["relay_sense"] = bool(self.outputs & 1)
        return self._wiring.circuits(active)

    def write_outputs(self, mask: int) -> None:
        if mask != self.outputs:
            self.closings += mask & 1 and not self.outputs & 1
            self.outputs = mask
            self.changes.append((self.time.now, mask))

    def read(self) -> bytes:
        arrived, self._arrived = self._arrived, b""
        return arrived

    def write(self, data: bytes) -> None:
        self.out += data

    def feed(self) -> None: ...

    def random(self, n: int) -> bytes:
        self._randoms += 1
        return self._randoms.to_bytes(n, "little")

    def jumper(self) -> bool:
        return False
