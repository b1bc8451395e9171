"""The pico driver on a bench: the true firmware core, a cable and an arm in virtual time.

While time passes the driver looks at the controller, as the link does; without a look every 3 s the
controller takes its host for lost and ends a hold.
"""

from __future__ import annotations

import contextlib

from appliance.barrier.drivers.pico import Pico
from appliance.errors import LinkLost
from tests.fakes.barrier import Time
from tests.fakes.wire_board import PSK, Cable
from tests.fakes.wire_post import WirePost

LOOK_S = 0.5


class PicoRig:
    def __init__(self) -> None:
        self._time = Time()
        self._post = WirePost(self._time, lockout_ms=1000, per_minute=30)
        self._cable = Cable(self._post)
        self.driver = Pico("port", PSK, now=self._time, open_port=self._cable.open)
        self._post.until(self._time.now + 3.0)  # it obeys nothing while it wakes

    def pass_time(self, seconds: float) -> None:
        ends = self._time.now + seconds
        while self._time.now < ends - 1e-9:
            self._post.until(min(ends, self._time.now + LOOK_S))
            if self._link_is_good():
                with contextlib.suppress(LinkLost):
                    self.driver.status()

    def contact_closed(self) -> bool:
        return bool(self._post.outputs & 1)

    def openings(self) -> int:
        return self._post.arm.openings

    def cut_link(self) -> None:
        self._cable.cut = True

    def mend_link(self) -> None:
        self._cable.cut = self._cable.mute = False

    def lose_answers(self) -> None:
        self._cable.mute = True

    def _link_is_good(self) -> bool:
        return not (self._cable.cut or self._cable.mute)
