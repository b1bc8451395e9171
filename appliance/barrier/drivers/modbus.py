"""Driver for Modbus RTU relay boards that time a pulse themselves (Waveshare and its kin).

1. A pulse is the board's own "flash on": function 05 at address 0200h + relay, data in steps of
   100 ms; the board opens the contact by itself, also when this box is gone. Lengths are rounded
   up to a whole step. No coil is ever switched on for good, and 5500h (toggle) is never sent.
2. A hold is such a flash of the lease's length; a renewal is a new flash, which counts from its
   arrival. ``release`` switches the coil off.
3. The board knows neither ids nor deadlines (``bought``). An answer that was lost is looked for in
   the coil itself; what stood in our buffer is thrown away, not sent later.
4. At connect a contact that no order of ours accounts for is let go.
5. Whoever reaches the two wires can open: the bus stays inside the cabinet.

Frames as the Modbus serial line guide 1.02 and the board's published table have them; the 100 ms
step and the renewal of a running flash come from public descriptions and were not seen on a board
(November 2026): commissioning measures them. One thread calls it.
"""

from __future__ import annotations

import contextlib
import struct
import termios
from collections.abc import Callable
from typing import TypeVar

import minimalmodbus
import serial

from appliance import clock
from appliance.barrier.drivers.bought import LONGEST_LEASE_S, Bought, units
from appliance.barrier.drivers.seam import BarrierStatus, Capabilities, Warns
from appliance.barrier.drivers.wiring import NOTHING_WIRED, Wiring
from appliance.errors import LinkLost, OrderRefused

BAUD = 9600
_ANSWER_S = 0.15  # the board answers within 20 ms; two questions stay well under the seam's second
_WRITE_S = 0.2
_READ_COILS, _READ_INPUTS, _WRITE_COIL = 1, 2, 5
_FLASH_ON = 0x0200
_TROUBLE = (OSError, ValueError, TypeError, termios.error)  # minimalmodbus' errors are OSErrors

T = TypeVar("T")


def open_line(path: str) -> serial.Serial:
    return serial.Serial(path, BAUD, timeout=_ANSWER_S, write_timeout=_WRITE_S, exclusive=True)


class Modbus(Bought):
    """A ``BarrierDriver`` for relay 1.. of the board at ``address`` 1..247."""

    name = "modbus"

    def __init__(
        self, port: str, *, address: int = 1, relay: int = 1, wiring: Wiring = NOTHING_WIRED,
        now: Callable[[], float] = clock.mono,
    ) -> None:
        super().__init__(now)
        self._path = port
        self._address = address
        self._coil = relay - 1
        self._wiring = wiring
        self._board: minimalmodbus.Instrument | None = None

    def connect(self) -> None:
        self._drop_line()
        try:
            line = open_line(self._path)
        except _TROUBLE as error:
            raise LinkLost(
                "the relay board's port cannot be opened", why="port",
                next_step="Check the cable and that no other program uses the port",
            ) from error
        self._board = minimalmodbus.Instrument(line, self._address)
        if self._contact_seen() and self._now() >= self._closed_until:
            self.release()

    def release(self) -> None:
        self._ask(lambda board: board.write_bit(self._coil, 0, _WRITE_COIL))
        self._nothing_runs()

    def status(self) -> BarrierStatus:
        contact = self._contact_seen()
        held = contact and self._now() < self._held_until
        return self._wiring.status(self._inputs(), contact=contact, held=held)

    def disconnect(self) -> None:
        with contextlib.suppress(LinkLost):
            self.release()
        self._drop_line()

    def capabilities(self) -> Capabilities:
        return Capabilities(
            position=self._wiring.proves_movement, inputs=self._wiring.sees_cars,
            timed_pulse=True, longest_lease_s=LONGEST_LEASE_S, warns=(Warns.UNAUTHENTICATED,),
        )

    # The board

    def _close_for(self, seconds: float) -> None:
        order = struct.pack(">HH", _FLASH_ON + self._coil, units(seconds))
        try:
            # The data word is not a coil's FF00 or 0000, so no public call of the library sends it.
            echo = self._ask(lambda board: board._perform_command(_WRITE_COIL, order))
        except LinkLost as lost:
            if isinstance(lost.__cause__, minimalmodbus.SlaveReportedException):
                raise OrderRefused("the relay board refused the pulse", why="refused") from lost
            raise
        if echo != order:
            raise LinkLost("the relay board answered something else", why="garbled")

    def _contact_seen(self) -> bool:
        return bool(self._ask(lambda board: board.read_bit(self._coil, _READ_COILS)))

    def _inputs(self) -> dict[int, bool]:
        """Which circuits are closed."""
        wired = self._wiring.lines
        if not wired:
            return {}
        first, count = wired[0], wired[-1] - wired[0] + 1
        bits = self._ask(lambda board: board.read_bits(first, count, _READ_INPUTS))
        return {first + n: bool(bit) for n, bit in enumerate(bits)}

    def _ask(self, question: Callable[[minimalmodbus.Instrument], T]) -> T:
        if self._board is None:
            raise LinkLost("the relay board's port is not open", why="port")
        try:
            return question(self._board)
        except _TROUBLE as error:
            raise LinkLost("the relay board does not answer", why="silent") from error

    def _drop_line(self) -> None:
        if self._board is not None:
            line = self._board.serial
            with contextlib.suppress(*_TROUBLE):
                line.reset_output_buffer()
            with contextlib.suppress(*_TROUBLE):
                line.close()
            self._board = None
