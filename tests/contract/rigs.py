"""Every barrier driver on a bench of its own: real drivers, independent peers, hand-turned time.

    simulator  in this process
    pico       firmware/gatepost in this process (``tests.fakes.wire_rig``)
    modbus     pymodbus' server on a PTY, with a timed relay
    lcus       a listening relay on a PTY
    gpio       a chip that keeps libgpiod's rules, in place of ``gpiod.request_lines``
    osdp       libosdp's peripheral device on a PTY, secure channel and all

Buses run in real time, arms, pulses and leases in the bench's.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from appliance.barrier.drivers.gpio import Gpio
from appliance.barrier.drivers.lcus import Lcus
from appliance.barrier.drivers.modbus import Modbus
from appliance.barrier.drivers.osdp import Osdp
from appliance.barrier.drivers.seam import BarrierDriver
from appliance.barrier.drivers.simulator import Simulator
from appliance.errors import LinkLost
from tests.fakes import gpio, lcus, modbus, osdp
from tests.fakes.barrier import Time
from tests.fakes.plant import WIRING, Plant
from tests.fakes.wire_rig import PicoRig

BUS_S = 10.0  # the longest a bus may take on a starved machine


class Rig(Protocol):
    """A driver on a bench: its time can pass, its cable can be cut, its contact is watched."""

    driver: BarrierDriver

    def pass_time(self, seconds: float) -> None: ...
    def contact_closed(self) -> bool: ...
    def openings(self) -> int: ...
    def cut_link(self) -> None: ...
    def mend_link(self) -> None: ...
    def lose_answers(self) -> bool:
        """From now on it obeys and nobody hears of it. False: it never answers anyway."""

    def car_on_entry_loop(self, there: bool) -> None: ...
    def stop(self) -> None: ...


class SimulatorRig:
    def __init__(self) -> None:
        self._time = Time()
        self.driver = Simulator(now=self._time)

    def pass_time(self, seconds: float) -> None:
        self._time.pass_(seconds)
        self.driver.set_inputs()  # catches up without asking anything of the controller

    def contact_closed(self) -> bool:
        return self.driver.arm.contact

    def openings(self) -> int:
        return self.driver.arm.openings

    def cut_link(self) -> None:
        self.driver.set_faults(silent=True)

    def mend_link(self) -> None:
        self.driver.set_faults(silent=False, mute=False)

    def lose_answers(self) -> bool:
        self.driver.set_faults(mute=True)
        return True

    def car_on_entry_loop(self, there: bool) -> None:
        self.driver.set_inputs(entry_loop=there)

    def stop(self) -> None:
        self.driver.disconnect()


class PicoBench(PicoRig):
    def openings(self) -> int:
        return self._post.closings  # the cable lets time pass without the arm

    def lose_answers(self) -> bool:
        super().lose_answers()
        return True

    def car_on_entry_loop(self, there: bool) -> None:
        if there:
            self._post.active.add("entry_loop")
        else:
            self._post.active.discard("entry_loop")

    def stop(self) -> None:
        self.driver.disconnect()


class _PlantRig:
    """What the relays have in common: the plant's arm behind their contact."""

    driver: BarrierDriver

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="pstn-")
        self.folder = Path(self._folder.name)
        self.plant = Plant()

    def pass_time(self, seconds: float) -> None:
        self.plant.pass_(seconds)

    def contact_closed(self) -> bool:
        return self.plant.contact()

    def openings(self) -> int:
        return self.plant.arm.openings

    def car_on_entry_loop(self, there: bool) -> None:
        self.plant.entry_loop = there

    def stop(self) -> None:
        self.driver.disconnect()
        self._folder.cleanup()


class ModbusRig(_PlantRig):
    def __init__(self) -> None:
        super().__init__()
        self.board = modbus.RelayBoard(self.plant, self.folder)
        self.driver = Modbus(self.board.path, wiring=WIRING, now=self.plant.time)

    def cut_link(self) -> None:
        self.board.line.cut = True

    def mend_link(self) -> None:
        self.board.line.cut = self.board.line.answers_lost = False

    def lose_answers(self) -> bool:
        self.board.line.answers_lost = True
        return True

    def stop(self) -> None:
        super().stop()
        self.board.stop()


class LcusRig(_PlantRig):
    def __init__(self) -> None:
        super().__init__()
        self.relay = lcus.ListeningRelay(self.plant, self.folder)
        self.driver = Lcus(
            self.relay.path, now=self.plant.time, after=self.plant.after,
            open_port=self.relay.open_port,
        )

    def cut_link(self) -> None:
        self.relay.closed()  # what was written has arrived
        self.relay.cable.pull()

    def mend_link(self) -> None:
        if self.relay.cable.device < 0:
            self.relay.cable.plug()

    def lose_answers(self) -> bool:
        return False

    def stop(self) -> None:
        super().stop()
        self.relay.cable.pull()


class GpioRig(_PlantRig):
    def __init__(self) -> None:
        super().__init__()
        self.chip = gpio.Chip(self.plant)
        self.driver = Gpio(
            gpio.CHIP, gpio.OPEN_LINE, wiring=WIRING, now=self.plant.time, after=self.plant.after,
            request_lines=self.chip.request_lines,
        )

    def cut_link(self) -> None:
        self.chip.gone = True

    def mend_link(self) -> None:
        self.chip.gone = self.chip.mute = False

    def lose_answers(self) -> bool:
        self.chip.mute = True
        return True


class OsdpRig(_PlantRig):
    def __init__(self) -> None:
        super().__init__()
        self.device = osdp.Device(self.plant, self.folder)
        self.driver = Osdp(
            self.device.path, osdp.KEY, address=osdp.ADDRESS, wiring=WIRING, now=self.plant.time
        )

    def pass_time(self, seconds: float) -> None:
        super().pass_time(seconds)
        if not (self.device.cut or self.device.answers_lost):
            self._bus_catches_up()

    def cut_link(self) -> None:
        self.device.cut = True
        _until(self._silent)

    def mend_link(self) -> None:
        self.device.cut = self.device.answers_lost = False
        self.device.tell_inputs()

    def lose_answers(self) -> bool:
        self.device.answers_lost = True
        return True

    def stop(self) -> None:
        super().stop()
        self.device.stop()

    def _bus_catches_up(self) -> None:
        """The device tells its inputs as they change; the driver has heard of it."""
        expected = WIRING.status(self.plant.circuits(), contact=None, held=False)

        def heard() -> bool:
            try:
                status = self.driver.status()
            except LinkLost:
                return True
            return (status.position, status.entry_loop) == (expected.position, expected.entry_loop)

        _until(heard)

    def _silent(self) -> bool:
        try:
            self.driver.status()
        except LinkLost:
            return True
        return False


def _until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + BUS_S
    while not condition():
        assert time.monotonic() < ends, "the bus did not come round"
        time.sleep(0.005)


RIGS: dict[str, Callable[[], Rig]] = {
    "simulator": SimulatorRig, "pico": PicoBench, "modbus": ModbusRig, "lcus": LcusRig,
    "gpio": GpioRig, "osdp": OsdpRig,
}
