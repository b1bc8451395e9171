"""A serial port as the controller's driver needs it: bounded reads and writes, nobody else on it.

Every trouble with the device (unplugged, gone, blocked, held by another program) is LinkLost.
"""

from __future__ import annotations

import contextlib
import select
import termios
from typing import Protocol

import serial

from appliance.errors import LinkLost

BAUD = 115_200
_MOST_BYTES_A_READ = 4096
_WRITE_S = 0.2  # a frame takes 12 ms; longer means that nobody drains the line
TROUBLE = (OSError, ValueError, termios.error)  # pyserial's own errors are OSErrors


class Port(Protocol):
    """A line of bytes. Every method but ``close`` may raise LinkLost."""

    def read(self, wait_s: float) -> bytes:
        """What has arrived, as soon as something has; empty when the wait is over."""

    def write(self, frame: bytes) -> None: ...

    def close(self) -> None:
        """Never raises."""


class SerialPort:
    """A ``Port`` over pyserial, 8N1."""

    def __init__(self, path: str, baud: int = BAUD) -> None:
        """Raises LinkLost where it cannot be opened or another program holds it."""
        try:
            self._serial = serial.Serial(
                path, baud, timeout=0, write_timeout=_WRITE_S, exclusive=True
            )
        except TROUBLE as error:
            raise LinkLost(
                "the controller's port cannot be opened", why="port",
                next_step="Check the cable and that no other program uses the port",
            ) from error

    def read(self, wait_s: float) -> bytes:
        try:
            ready, _, _ = select.select([self._serial], [], [], max(0.0, wait_s))
            if not ready:
                return b""
            waiting = min(self._serial.in_waiting, _MOST_BYTES_A_READ)
            return bytes(self._serial.read(max(1, waiting)))
        except TROUBLE as error:
            raise LinkLost("the controller's port is gone", why="port") from error

    def write(self, frame: bytes) -> None:
        try:
            self._serial.write(frame)
        except TROUBLE as error:
            raise LinkLost("the controller's port takes nothing", why="port") from error

    def close(self) -> None:
        with contextlib.suppress(*TROUBLE):
            self._serial.reset_output_buffer()  # closing would wait for a device that is gone
        with contextlib.suppress(*TROUBLE):
            self._serial.close()
