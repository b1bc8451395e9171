"""A barrier arm behind one relay contact, in time that is turned by hand; and a cable to pull.

    plant = Plant()
    relay = TimedRelay(plant.time)
    plant.contact = relay.closed          # what the cabinet's OPEN input sees
    relay.close_for(0.5)
    plant.pass_(2.0)
    plant.circuits()                      # {0: True, ...}: numbered as in ``WIRING``

    cable = Cable(folder)                 # cable.path is a serial port until cable.pull()
"""

from __future__ import annotations

import contextlib
import os
import pty
import select
import threading
import tty
from collections.abc import Callable
from pathlib import Path

from appliance.barrier.drivers.arm import Arm
from appliance.barrier.drivers.wiring import Wiring
from tests.fakes.barrier import Time

STEP_S = 0.01
WIRING = Wiring(limit_open=0, limit_closed=1, entry_loop=2, safety_loop=3, photocell=4)


class Plant:
    """Arm, loops and the timers of a driver, all in one hand-turned time."""

    def __init__(self) -> None:
        self.time = Time()
        self.arm = Arm()
        self.entry_loop = False
        self.contact: Callable[[], bool] = lambda: False
        self._timers: list[tuple[float, Callable[[], None]]] = []

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """A driver's timer: called when that time has passed here."""
        self._timers.append((self.time() + seconds, call))

    def pass_(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.time.pass_(STEP_S)
            due = [timer for timer in self._timers if timer[0] <= self.time() + 1e-9]
            self._timers = [timer for timer in self._timers if timer not in due]
            for _, call in due:
                call()
            self.arm.contact = self.contact()
            self.arm.step(STEP_S)

    def circuits(self) -> dict[int, bool]:
        """Which circuits of ``WIRING`` are closed: loops and photocell rest closed."""
        arm = self.arm
        return {
            0: arm.at_open_limit, 1: arm.at_closed_limit, 2: not self.entry_loop,
            3: not arm.safety_loop, 4: not arm.photocell,
        }


class TimedRelay:
    """A relay that opens by itself."""

    def __init__(self, time: Time) -> None:
        self._time = time
        self._until = float("-inf")

    def closed(self) -> bool:
        return self._time() < self._until - 1e-9

    def close_for(self, seconds: float) -> None:
        self._until = self._time() + seconds

    def let_go(self) -> None:
        self._until = float("-inf")


class Cable:
    """A serial port that can be pulled out. ``device`` is the other end's file descriptor."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "port")
        self.device = -1
        self._port = -1
        self.plug()

    def plug(self) -> None:
        self.device, self._port = pty.openpty()
        tty.setraw(self.device)
        tty.setraw(self._port)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        os.symlink(os.ttyname(self._port), self.path)

    def pull(self) -> None:
        if self.device >= 0:
            os.close(self.device)
            os.close(self._port)
            self.device = self._port = -1

    def heard(self, wait_s: float = 0.0) -> bytes:
        """What the host wrote."""
        if not select.select([self.device], [], [], wait_s)[0]:
            return b""
        return os.read(self.device, 4096)


class Pump:
    """Carries bytes between two descriptors on its own thread, and may swallow them."""

    def __init__(self, host: int, peer: int) -> None:
        self.cut = False
        self.answers_lost = False
        self.told: list[bytes] = []
        """What the host said, in the pieces in which it came."""
        self._ends = (host, peer)
        self._stopping, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        os.write(self._stop, b"!")
        self._thread.join()
        os.close(self._stop)
        os.close(self._stopping)

    def _run(self) -> None:
        host, peer = self._ends
        while True:
            ready, _, _ = select.select([host, peer, self._stopping], [], [])
            if self._stopping in ready:
                return
            if host in ready:
                said = os.read(host, 4096)
                self.told.append(said)
                if not self.cut:
                    os.write(peer, said)
            if peer in ready:
                said = os.read(peer, 4096)
                if not (self.cut or self.answers_lost):
                    os.write(host, said)
