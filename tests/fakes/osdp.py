"""An OSDP device with eight outputs and five inputs: libosdp's own peripheral side on a PTY.

    device = Device(plant, folder)
    driver = Osdp(device.path, KEY, address=ADDRESS, wiring=WIRING, now=plant.time)
    device.cut = True                  # it neither hears nor answers
    device.answers_lost = True         # it hears and obeys
    device.refuses = True              # NAK to every output order
    device.outputs                     # [(0, 5, 5)]: output, control code, timer in 100 ms
    device.stop()

Output 0 is a timed relay that raises the plant's arm. The device tells its inputs whenever they
change. Asked for them it answers NAK: libosdp 3.2.9 cannot answer that question as a device.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import osdp
import osdp_sys

from tests.fakes.plant import Cable, Plant, TimedRelay

ADDRESS = 5
KEY = bytes(range(16))
_INPUTS, _OUTPUTS = 5, 8
_PERIOD_S = 0.003


class Device:
    """Time of its relay is the plant's; the bus runs in real time on a thread of its own."""

    def __init__(self, plant: Plant, folder: Path, key: bytes = KEY) -> None:
        self.plant = plant
        self.relay = TimedRelay(plant.time)
        self.cut = False
        self.answers_lost = False
        self.refuses = False
        self.key_waits = False
        self.outputs: list[tuple[int, int, int]] = []
        plant.contact = self.relay.closed
        self.cable = Cable(folder)
        os.set_blocking(self.cable.device, False)
        self._told: bytes = b""
        self._stopping = threading.Event()
        osdp_sys.set_loglevel(osdp.LogLevel.Emergency)
        info = osdp.PDInfo(
            ADDRESS, _Wire(self), scbk=key, flags=[osdp.LibFlag.EnforceSecure],
            id=osdp.PdId(1, 2, 0xABCDEF, 0x89ABCDEF, 0x010203),
        )
        abilities = osdp.PDCapabilities([
            (osdp.Capability.OutputControl, 1, _OUTPUTS),
            (osdp.Capability.ContactStatusMonitoring, 1, _INPUTS),
            (osdp.Capability.CommunicationSecurity, 1, 1),
        ])
        self._device = osdp_sys.PeripheralDevice(info.get(), capabilities=abilities.get())
        self._device.set_command_callback(self._asked)
        self._thread = threading.Thread(target=self._run, name="osdp-device", daemon=True)
        self._thread.start()

    @property
    def path(self) -> str:
        return self.cable.path

    def tell_inputs(self) -> None:
        """Tells them again, though nothing changed."""
        self._told = b""

    def press_key(self) -> None:
        """Somebody presses a key of a keypad, which the driver does not use."""
        self.key_waits = True

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self.cable.pull()

    def _asked(self, command):
        if command["command"] == osdp.Command.Status:
            return -1, None
        number, code = command["output_no"], command["control_code"]
        self.outputs.append((number, code, command["timer_count"]))
        if self.refuses:
            return -1, None
        if number == 0 and code == 5:
            self.relay.close_for(command["timer_count"] / 10)
        elif number == 0 and code == 1:
            self.relay.let_go()
        return 0, None

    def _run(self) -> None:
        while not self._stopping.wait(_PERIOD_S):
            circuits = self.plant.circuits()
            now = bytes(int(circuits[n]) for n in range(_INPUTS))
            if now != self._told and self._device.is_sc_active():
                self._told = now
                self._device.submit_event({
                    "event": osdp.Event.Status, "type": osdp.StatusReportType.Input, "report": now,
                })
            if self.key_waits:
                self.key_waits = False
                self._device.submit_event(
                    {"event": osdp.Event.KeyPress, "reader_no": 0, "data": b"1"}
                )
            self._device.refresh()


class _Wire:
    """The device's channel; nothing may be raised into libosdp."""

    def __init__(self, device: Device) -> None:
        self.id = 0
        self._device = device

    def read(self, most: int) -> bytes:
        try:
            came = os.read(self._device.cable.device, most)
        except OSError:
            return b""
        return b"" if self._device.cut else came

    def write(self, frame: bytes) -> int:
        if not (self._device.cut or self._device.answers_lost):
            os.write(self._device.cable.device, frame)
        return len(frame)

    def flush(self) -> None:
        pass
