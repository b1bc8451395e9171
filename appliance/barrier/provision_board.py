"""A stock MicroPython board at the end of a USB cable, by mpremote's serial transport.

Only what provisioning needs: run a few lines, write a file, restart. Whatever goes wrong on the
wire becomes a BarrierError with a next step. What the board prints never reaches the terminal,
because a file on it holds a key. One thread.
"""

from __future__ import annotations

import contextlib
import io
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from appliance import clock
from appliance.errors import BarrierError

ANSWER_S = 5.0
_PIECE = 1024
_RESTART_S = 15.0
_PAUSE_S = 0.5
class Board(Protocol):
    """What provisioning asks of a board. Each may raise BarrierError."""

    def run(self, lines: str) -> str:
        """Runs MicroPython lines; returns what they printed, stripped."""

    def write(self, path: str, content: bytes, done: Callable[[int], None]) -> None:
        """Writes a file; ``done`` hears how many bytes of it are written."""

    def restart(self) -> None:
        """A hard reset; the connection is over."""

    def restart_into_prompt(self) -> None:
        """A hard reset, and the connection is back: the board finds itself out of service."""

    def close(self) -> None:
        """Lets go of the port. Never raises."""


class NotABoard(BarrierError):
    key = "barrier_no_board"


class BoardLines(BarrierError):
    """The board raised an exception while it ran our lines; ``kind`` is its name."""

    key = "barrier_board_lines"

    def __init__(self, kind: str) -> None:
        super().__init__(f"the board answered with {kind}", next_step="Run the command again")
        self.kind = kind


class SerialBoard:
    """A board on a serial port, in the raw REPL from the start. Raises NotABoard."""

    def __init__(self, port: str) -> None:
        self._port = port
        self._wire: Any = None
        self._connect()

    def run(self, lines: str) -> str:
        with _board_errors():
            return str(self._wire.exec(lines).decode("utf-8", "replace")).strip()

    def write(self, path: str, content: bytes, done: Callable[[int], None]) -> None:
        def progress(written: int, _whole: int) -> None:
            done(written)

        with _board_errors():
            self._wire.fs_writefile(path, content, _PIECE, progress)
            if not content:
                done(0)

    def restart(self) -> None:
        with contextlib.suppress(BarrierError), _board_errors():  # it leaves before it answers
            self._wire.exec_raw_no_follow("import machine\nmachine.reset()")
        self.close()

    def restart_into_prompt(self) -> None:
        """A USB port disappears meanwhile and may take seconds to come back."""
        self.restart()
        until = clock.mono() + _RESTART_S
        while True:
            time.sleep(_PAUSE_S)
            try:
                self._connect()
                return
            except NotABoard:
                if clock.mono() > until:
                    raise

    def close(self) -> None:
        with contextlib.suppress(Exception), _quiet():
            self._wire.close()

    def _connect(self) -> None:
        """Into the raw REPL. Raises NotABoard."""
        try:
            with _quiet():
                self._wire = SerialTransport(self._port, timeout=ANSWER_S)
        except (TransportError, OSError) as cause:
            raise NotABoard(
                "the port cannot be opened",
                next_step="Is the board plugged in, and is another program using it?",
            ) from cause
        try:
            with _quiet():
                self._wire.serial.write_timeout = ANSWER_S
                self._wire.enter_raw_repl(soft_reset=False, timeout_overall=ANSWER_S)
        except (TransportError, OSError) as cause:
            self.close()
            raise NotABoard(
                "no MicroPython answers on this port",
                next_step="Use the board's USB socket and flash stock MicroPython first; a board "
                "whose USB is its link needs its jumper at start",
            ) from cause


@contextlib.contextmanager
def _board_errors() -> Iterator[None]:
    try:
        with _quiet():
            yield
    except TransportExecError as told:
        last = (told.error_output.strip().splitlines() or ["an error"])[-1]
        raise BoardLines(last.split(":", 1)[0].strip()[:40]) from None
    except (TransportError, OSError, struct.error, ValueError):
        raise NotABoard(
            "the board went away", next_step="Plug it in and run the command again"
        ) from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The transport prints what it did not understand; that may hold a key."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
