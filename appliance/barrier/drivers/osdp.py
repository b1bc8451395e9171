"""Driver for an OSDP v2 device with outputs (IEC 60839-11-5), this box as its control panel.

1. Orders travel in a secure channel with the device's own key, the first 16 bytes of what
   ``vault.controller_key`` keeps. A device that answers without it is LinkLost with ``why`` =
   "foreign" and is told nothing. The well-known install key is refused at start.
2. A pulse is the standard's "temporarily on" with a timer of 100 ms steps, rounded up: the device
   ends it. A hold is one of the lease's length; a renewal begins a new one. ``release`` switches
   off and ends the timer.
3. The standard knows neither our ids nor deadlines (``bought``). A conversation in which an answer
   is missing is over, before libosdp could repeat the order late (``osdp_panel``).
4. Inputs are asked for at the first look and then told by the device as they change. One that
   refuses the question is not asked again; its inputs are unknown until they change. "Active" is
   taken for a closed circuit, so the device's inputs stay set to plain, normally open contacts.
5. "Obeyed" is the device's word. Whether the relay moved, only a limit switch says.

One thread calls it; the conversation's own thread is inside ``Panel``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import osdp

from appliance import clock
from appliance.barrier.drivers.bought import LONGEST_LEASE_S, Bought, units
from appliance.barrier.drivers.osdp_panel import DEFAULT_KEY, Panel
from appliance.barrier.drivers.port import Port, SerialPort
from appliance.barrier.drivers.seam import (
    ANSWER_S,
    BarrierStatus,
    Capabilities,
    Controller,
    Warns,
)
from appliance.barrier.drivers.wiring import NOTHING_WIRED, Wiring
from appliance.errors import LinkLost, OrderRefused, VaultError

BAUD = 9600
KEY_BYTES = 16
_OFF_AT_ONCE, _ON_FOR_A_TIME = 1, 5  # control codes of osdp_OUT


def open_port(path: str) -> Port:
    return SerialPort(path, BAUD)


class Osdp(Bought):
    """A ``BarrierDriver`` for output ``relay`` 1.. of the device at ``address`` 0..126."""

    name = "osdp"

    def __init__(
        self, port: str, key: bytes, *, address: int = 1, relay: int = 1,
        wiring: Wiring = NOTHING_WIRED, now: Callable[[], float] = clock.mono,
        open_port: Callable[[str], Port] = open_port,
    ) -> None:
        """``key`` 16 bytes. Raises VaultError for the key everybody knows."""
        super().__init__(now)
        if len(key) != KEY_BYTES or key == DEFAULT_KEY:
            raise VaultError(
                "the OSDP key is not a key of this site's own",
                next_step="Run `postern controller osdp-key`",
            )
        self._path = port
        self._key = key
        self._address = address
        self._output = relay - 1
        self._wiring = wiring
        self._open_port = open_port
        self._panel: Panel | None = None
        self._asks_inputs = bool(wiring.lines)
        self._inputs_asked = False
        self._identity: dict[str, int] = {}

    def connect(self) -> None:
        if self._panel is not None and self._panel.secure:
            return
        self._end()
        panel = Panel(self._open_port(self._path), self._address, self._key, clock.mono)
        self._panel = panel
        secure = panel.wait_secure(ANSWER_S)
        self._identity = panel.identity()
        if not secure:
            self._end()
            if any(self._identity.values()):
                raise LinkLost(
                    "the OSDP device answers, but not with this box's key", why="foreign",
                    next_step="Give the device its key, or look who exchanged it",
                )
            raise LinkLost("the OSDP device does not answer", why="silent")
        self._inputs_asked = False

    def release(self) -> None:
        if not self._tell_output(_OFF_AT_ONCE, 0, ANSWER_S):
            raise LinkLost("the OSDP device would not let go", why="refused")
        self._nothing_runs()

    def status(self) -> BarrierStatus:
        panel = self._secure_panel()
        if self._asks_inputs and not self._inputs_asked:
            self._ask_inputs(panel)
        held = self._now() < self._held_until
        return self._wiring.status(panel.inputs, contact=None, held=held)

    def disconnect(self) -> None:
        with contextlib.suppress(LinkLost):
            self.release()
        self._end()

    def capabilities(self) -> Capabilities:
        blind = () if self._wiring.proves_movement else (Warns.NO_FEEDBACK,)
        return Capabilities(
            position=self._wiring.proves_movement, inputs=self._wiring.sees_cars,
            timed_pulse=True, longest_lease_s=LONGEST_LEASE_S, authenticated=True, warns=blind,
        )

    def controller(self) -> Controller:
        if not any(self._identity.values()):
            return Controller()
        firmware = self._identity["firmware_version"]
        return Controller(
            serial=f"{self._identity['serial_number'] & 0xFFFFFFFF:08x}",
            firmware=".".join(str(firmware >> shift & 0xFF) for shift in (16, 8, 0)),
        )

    # The device

    def _close_for(self, seconds: float) -> None:
        wait_s = min(ANSWER_S, self._order_ends - self._now())
        if not self._tell_output(_ON_FOR_A_TIME, units(seconds), wait_s):
            raise OrderRefused(
                "the OSDP device refused the order or has no such output", why="refused",
                next_step="Check [barrier] relay",
            )

    def _contact_seen(self) -> bool:
        self._secure_panel()
        return False  # the device's outputs are not read

    def _tell_output(self, code: int, timer: int, wait_s: float) -> bool:
        """Whether the device obeyed. Raises LinkLost."""
        panel = self._secure_panel()
        if panel.outputs() <= self._output:
            return False
        command = {
            "command": osdp.Command.Output, "output_no": self._output, "control_code": code,
            "timer_count": timer,
        }
        return panel.tell(command, wait_s)

    def _ask_inputs(self, panel: Panel) -> None:
        """Raises LinkLost; where the device refuses, the next conversation goes without."""
        question = {
            "command": osdp.Command.Status, "type": osdp.StatusReportType.Input, "report": b"",
        }
        self._inputs_asked = True
        self._asks_inputs = panel.tell(question, ANSWER_S)
        if not self._asks_inputs:
            raise LinkLost("the OSDP device does not tell its inputs when asked", why="inputs")

    def _secure_panel(self) -> Panel:
        if self._panel is None or not self._panel.secure:
            self._end()
            raise LinkLost("the OSDP device does not answer", why="silent")
        return self._panel

    def _end(self) -> None:
        if self._panel is not None:
            self._panel.close()
            self._panel = None
