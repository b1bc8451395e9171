"""A relay board as a Modbus RTU device: pymodbus' own server on a PTY, with a timed relay.

    board = RelayBoard(plant, folder)
    Modbus(board.path, wiring=WIRING, now=plant.time).open("a", 500, life_s=2)
    board.flashes                       # [5]: lengths in steps of 100 ms, as received
    board.line.cut = True               # silence; .answers_lost: it obeys and nobody hears
    board.knows_flash = False           # answers function 05 at 0200h with an exception
    board.stop()

pymodbus knows no flash order, so function 05 is decoded here; frames, checksums and everything
else are pymodbus'.
"""

from __future__ import annotations

import asyncio
import os
import pty
import struct
import threading
import tty
from pathlib import Path

from pymodbus.constants import ExcCodes
from pymodbus.pdu import ExceptionResponse, ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadCoilsResponse,
    ReadDiscreteInputsRequest,
    ReadDiscreteInputsResponse,
)
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.fakes.plant import Cable, Plant, Pump, TimedRelay

ON, OFF, TOGGLE, FLASH = 0xFF00, 0x0000, 0x5500, 0x0200


class RelayBoard:
    """Relay 1 of the board at address 1 raises the plant's arm."""

    def __init__(self, plant: Plant, folder: Path) -> None:
        self.plant = plant
        self.relay = TimedRelay(plant.time)
        self.flashes: list[int] = []
        self.orders: list[tuple[int, int]] = []
        """Every function 05 as (address, data)."""
        self.knows_flash = True
        self.busy = False
        self.wrong_echo = False
        plant.contact = self.relay.closed
        self._cable = Cable(folder)
        self._bus, self._device = pty.openpty()
        tty.setraw(self._bus)
        tty.setraw(self._device)
        self.line = Pump(self._cable.device, self._bus)
        self._loop = asyncio.new_event_loop()
        self._server: ModbusSerialServer | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="relay-board", daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    @property
    def path(self) -> str:
        return self._cable.path

    def stop(self) -> None:
        assert self._server is not None
        asyncio.run_coroutine_threadsafe(self._server.shutdown(), self._loop).result(5)
        self._thread.join()
        self._loop.close()
        self.line.stop()
        self._cable.pull()
        os.close(self._bus)
        os.close(self._device)

    def obey(self, address: int, data: int) -> ExcCodes | None:
        """Function 05, as the board's table has it."""
        self.orders.append((address, data))
        if self.busy:
            return ExcCodes.DEVICE_BUSY
        if address == 0 and data == OFF:
            self.relay.let_go()
        elif address == 0 and data == ON:
            self.relay.close_for(1e9)
        elif address == FLASH and self.knows_flash:
            self.flashes.append(data)
            self.relay.close_for(data / 10)
        else:
            return ExcCodes.ILLEGAL_ADDRESS
        return None

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())

    async def _listen(self) -> None:
        nothing = SimData(0, values=0, count=8, datatype=DataType.REGISTERS)
        self._server = ModbusSerialServer(
            SimDevice(1, simdata=[nothing]), port=os.ttyname(self._device), baudrate=9600,
            custom_pdu=_orders(self),
        )
        await self._server.serve_forever(background=True)
        self._ready.set()
        await self._server.serving


def _orders(board: RelayBoard) -> list[type[ModbusPDU]]:
    class Order05(ModbusPDU):
        function_code = 5
        rtu_frame_size = 8

        def decode(self, data: bytes) -> None:
            self.address, self.word = struct.unpack(">HH", data[:4])

        def encode(self) -> bytes:
            return struct.pack(">HH", self.address, self.word)

        async def datastore_update(self, context, device_id):
            refused = board.obey(self.address, self.word)
            if refused is not None:
                return ExceptionResponse(5, refused)
            if board.wrong_echo:
                self.word ^= 1
            return self

    class Coils(ReadCoilsRequest):
        async def datastore_update(self, context, device_id):
            bits = [board.relay.closed()] + [False] * 7
            return ReadCoilsResponse(bits=bits[self.address : self.address + self.count])

    class Inputs(ReadDiscreteInputsRequest):
        async def datastore_update(self, context, device_id):
            circuits = board.plant.circuits()
            bits = [circuits.get(n, False) for n in range(self.address, self.address + self.count)]
            return ReadDiscreteInputsResponse(bits=bits)

    return [Order05, Coils, Inputs]
