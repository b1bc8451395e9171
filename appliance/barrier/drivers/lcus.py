"""Driver for LCUS / LC-Tech serial relays (CH340): the least that opens a barrier, and marked so.

1. The relay answers nothing: an order that left this box counts as obeyed, and nobody knows more.
2. It knows no timed pulse: this box ends it (``host_pulse``). At connect, at release and at every
   look without a pulse it is told "off" again.
3. It cannot hold: nothing would end a hold if this box died.
4. LinkLost means that the port is gone or takes nothing; a relay without power is not noticed.

Frame (9600 8N1): A0, relay from 1, 01 on or 00 off, sum of the three modulo 256; as published for
the boards and their clones. Called by the link's thread; the timer's thread ends the pulse.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from appliance import clock
from appliance.barrier.drivers import host_pulse
from appliance.barrier.drivers.bought import Bought
from appliance.barrier.drivers.port import TROUBLE, Port, SerialPort
from appliance.barrier.drivers.seam import BarrierStatus, Capabilities, Position, Warns
from appliance.errors import LinkLost

BAUD = 9600
_START = 0xA0
_WAIT_S = 0.01
_MOST_WAITS = 20


def frame(relay: int, on: bool) -> bytes:
    """One order to relay 1.. of the board."""
    head = bytes((_START, relay, int(on)))
    return head + bytes((sum(head) & 0xFF,))


class Line(SerialPort):
    """Closing it lets the last word out first: that word is "off"."""

    def close(self) -> None:
        with contextlib.suppress(*TROUBLE):
            for _ in range(_MOST_WAITS):
                if not self._serial.out_waiting:
                    break
                time.sleep(_WAIT_S)
            else:
                self._serial.reset_output_buffer()  # the device is gone: do not wait for it
            time.sleep(_WAIT_S)  # the converter's own buffer: one frame takes 4 ms
        with contextlib.suppress(*TROUBLE):
            self._serial.close()


def open_port(path: str) -> Port:
    return Line(path, BAUD)


class Lcus(Bought):
    """A ``BarrierDriver`` for a relay that only listens."""

    name = "lcus"

    def __init__(
        self, port: str, *, relay: int = 1, now: Callable[[], float] = clock.mono,
        after: host_pulse.After = host_pulse.after,
        open_port: Callable[[str], Port] = open_port,
    ) -> None:
        super().__init__(now)
        self._path = port
        self._relay = relay
        self._open_port = open_port
        self._port: Port | None = None
        self._pulse = host_pulse.HostPulse(self._switch, now, after)

    def connect(self) -> None:
        with self._pulse.lock:
            self._drop_port()
            self._port = self._open_port(self._path)
            self._pulse.let_go()

    def release(self) -> None:
        self._nothing_runs()
        self._pulse.let_go()

    def status(self) -> BarrierStatus:
        self._pulse.look()
        return BarrierStatus(Position.UNKNOWN)

    def disconnect(self) -> None:
        with self._pulse.lock:
            with contextlib.suppress(LinkLost):
                self.release()
            self._drop_port()

    def capabilities(self) -> Capabilities:
        return Capabilities(
            position=False, inputs=False, timed_pulse=False, longest_lease_s=0.0,
            warns=(Warns.RELAY_MAY_STICK, Warns.NO_FEEDBACK, Warns.UNAUTHENTICATED),
        )

    def _close_for(self, seconds: float) -> None:
        self._pulse.begin(seconds)

    def _contact_seen(self) -> bool:
        self._pulse.look()
        return False

    def _switch(self, on: bool) -> None:
        if self._port is None:
            raise LinkLost("the relay's port is not open", why="port")
        self._port.write(frame(self._relay, on))

    def _drop_port(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None
