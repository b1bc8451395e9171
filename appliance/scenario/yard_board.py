"""A barrier board without hardware: the real firmware in real MicroPython, under Node.

    board = Board(gate_json, folder)
    board.start()                          # serial port: board.port
    board.set_inputs(entry_loop=True)      # a car stands on the loop
    board.pause()                          # the chip hangs: its watchdog resets it
    board.kill()                           # power is gone: outputs fall, the port stays
    board.start()
    board.history                          # every change of the outputs, with its moment

1. The port is a pseudo terminal that outlives every restart, as a cable does.
2. What was sent while the board was off is lost.
3. A board without power, or one whose watchdog bit, energises nothing.
4. The watchdog is a part of the chip that the firmware cannot stop: when it was fed once and then
   not for ``watchdog_s``, the outputs fall and the board starts anew.

Any thread may call it; a thread of its own hears the pins.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pty
import signal
import threading
import tty
from dataclasses import dataclass
from pathlib import Path

from appliance import clock
from appliance.errors import BarrierError
from appliance.scenario.yard_process import STARTS_WITHIN_S, Running, spawn
from appliance.scenario.yard_wiring import Wiring

logger = logging.getLogger(__name__)

POWER, WATCHDOG, SOFTWARE = 1, 2, 3  # causes of a start, firmware/PROTOCOL.md, section 3
_RESET_S = 0.2


@dataclass(frozen=True, slots=True)
class Change:
    """The outputs from this moment on: bit 0 opening contact, 1 closing contact, 2 lamp."""

    at_mono: float
    outputs: int
    ticks: int | None
    """The board's own clock; None where it had no say: power lost, watchdog."""


class Board:
    """One board. ``settings`` is its gate.json, ``folder`` a short path for its socket."""

    def __init__(
        self, settings: Path, folder: Path, *, watchdog_s: float | None = 2.0,
        options: tuple[str, ...] = (),
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._watchdog_s = watchdog_s
        self._options = options
        self._wiring = Wiring.of(settings)
        self._active = {name: False for name in self._wiring.names}
        self._line = {"hears": True, "says": True}
        self._sense = "follows"
        self._master, self._slave = pty.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self.history: list[Change] = []
        self.crashes = 0
        self.watchdog_bites = 0
        self._lock = threading.Lock()
        self._power = threading.RLock()  # one thread at a time starts or ends the process
        self._on = False
        self._ready = threading.Event()
        self._running: Running | None = None

    # Power

    def start(self, *, cause: int = POWER, wait_s: float = STARTS_WITHIN_S) -> None:
        """Returns when the firmware runs. Raises BarrierError where Node or its packages miss."""
        with self._power:
            self._launch(cause)
            self._on = True
        if not self._ready.wait(wait_s):
            self.kill()
            raise BarrierError(
                "the simulated board did not start", next_step="Run `node --version` and look why"
            )

    def stop(self) -> None:
        """Ends the process in order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Cuts the power."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Power off, and the cable is gone too."""
        self.kill()
        for end in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(end)

    def pause(self) -> None:
        """The chip hangs where it is (SIGSTOP); the watchdog does not."""
        if self._running is not None:
            self._running.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        if self._running is not None:
            self._running.process.send_signal(signal.SIGCONT)

    @property
    def powered(self) -> bool:
        running = self._running
        return running is not None and running.process.poll() is None

    # Pins and cable

    @property
    def outputs(self) -> int:
        """The outputs now."""
        with self._lock:
            return self._outputs

    @property
    def inputs(self) -> dict[str, bool]:
        """The wired inputs by name, True: active."""
        return dict(self._active)

    def set_inputs(self, **active: bool) -> None:
        """Names as in firmware/PROTOCOL.md, section 7; those not wired are ignored."""
        changed = {name: on for name, on in active.items() if self._active.get(name, on) != on}
        if changed:
            self._active.update(changed)
            self._tell({"inputs": self._wiring.circuits(self._active)})

    def set_line(self, *, hears: bool = True, says: bool = True) -> None:
        """Cuts the cable in one direction or both."""
        wanted = {"hears": hears, "says": says}
        if wanted != self._line:
            self._line = wanted
            self._tell({"line": wanted})

    def set_sense(self, shows: str) -> None:
        """The relay's second contact: ``follows``, or stays ``open`` or ``closed`` (welded)."""
        self._sense = shows
        self._tell({"sense": shows})

    # The process

    @property
    def _outputs(self) -> int:
        return self.history[-1].outputs if self.history else 0

    def _launch(self, cause: int) -> None:
        self._ready.clear()
        self._drain()
        options = ["--settings", str(self._settings), "--boot", str(self._next_boot())]
        options += ["--cause", str(cause), *self._options]
        running = spawn(options, self._master, self._folder / "pins.sock")
        with self._lock:
            self._running = running
        self._tell({
            "inputs": self._wiring.circuits(self._active), "line": self._line, "sense": self._sense,
        })
        threading.Thread(target=self._hear, args=(running,), name="yard-pins", daemon=True).start()

    def _next_boot(self) -> int:
        """Starts are counted in a file, as on a board, so that events keep their names."""
        path = self._settings.with_name("boots")
        boot = int(path.read_text(encoding="ascii")) + 1 if path.exists() else 1
        path.write_text(str(boot), encoding="ascii")
        return boot

    def _drain(self) -> None:
        os.set_blocking(self._master, False)
        with contextlib.suppress(BlockingIOError):
            while os.read(self._master, 4096):
                pass

    def _end(self, how: signal.Signals) -> None:
        with self._power:
            self._on = False
            with self._lock:
                running, self._running = self._running, None
            if running is not None:
                running.end(how)
                self._note(0, None)

    def _tell(self, message: dict[str, object]) -> None:
        running = self._running
        if running is not None:
            running.tell(message)

    def _note(self, outputs: int, ticks: int | None, said_by: Running | None = None) -> None:
        """What a process said counts only while it is the one that runs."""
        with self._lock:
            if self._running is said_by and outputs != self._outputs:
                self.history.append(Change(clock.mono(), outputs, ticks))

    # What the board says

    def _hear(self, running: Running) -> None:
        """Until this process is gone; then, unless somebody ended it, the board starts anew."""
        fed, cause = None, SOFTWARE
        for message in running.hear():
            if message is None:
                if self._starved(fed):
                    cause = WATCHDOG
                    break
                continue
            if "fed" in message:
                fed = clock.mono()
            if "outputs" in message:
                self._note(message["outputs"], message["at"], running)
            if "ready" in message:
                self._ready.set()
        self._start_anew(running, cause)

    def _starved(self, fed: float | None) -> bool:
        return (
            self._watchdog_s is not None
            and fed is not None
            and clock.mono() - fed > self._watchdog_s
        )

    def _start_anew(self, running: Running, cause: int) -> None:
        with self._lock:
            if self._running is not running:
                return
            self._running = None
        self._note(0, None)
        running.end(signal.SIGKILL)
        self.watchdog_bites += cause == WATCHDOG
        self.crashes += cause != WATCHDOG
        logger.warning("board restarts cause=%s", "watchdog" if cause == WATCHDOG else "software")
        threading.Event().wait(_RESET_S)
        with self._power, contextlib.suppress(BarrierError, OSError):
            if self._on:
                self._launch(cause)
