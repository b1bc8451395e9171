"""``gpiod.request_lines`` without a chip, as strict as libgpiod 2 documents its request.

    chip = Chip(plant)
    driver = Gpio(CHIP, OPEN_LINE, wiring=WIRING, request_lines=chip.request_lines, ...)
    chip.gone = True           # every call fails with ENODEV
    chip.mute = True           # every call is carried out and fails with EIO
    chip.taken = True          # asking for lines fails with EBUSY

Line ``OPEN_LINE`` raises the plant's arm; the lines of ``WIRING`` are its circuits. A released
request raises as gpiod's does; a line keeps its value when its request is released, as it may.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import gpiod
from gpiod.line import Bias, Direction, Value

from tests.fakes.plant import Plant

CHIP = Path("/dev/gpiochip9")
OPEN_LINE = 17


class Chip:
    """A chip with 32 lines."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.gone = False
        self.mute = False
        self.taken = False
        self.asked: list[tuple[str, dict, str | None]] = []
        self.values: dict[int, Value] = {OPEN_LINE: Value.INACTIVE}
        plant.contact = lambda: bool(self.values[OPEN_LINE])

    def request_lines(self, path, config, consumer=None):
        self.answer()
        if self.taken:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        self.asked.append((path, config, consumer))
        for line, settings in config.items():
            assert isinstance(settings, gpiod.LineSettings)
            if settings.direction is Direction.OUTPUT:
                self.values[line] = settings.output_value
        self.taken = True
        return Request(self, config)

    def answer(self) -> None:
        if self.gone:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))

    def confirm(self) -> None:
        if self.mute:
            raise OSError(errno.EIO, os.strerror(errno.EIO))


class Request:
    """A granted request: values by line offset, logical as active_low says."""

    def __init__(self, chip: Chip, config: dict[int, gpiod.LineSettings]) -> None:
        self._chip = chip
        self._config = config
        self._released = False

    def get_values(self, lines):
        self._live()
        self._chip.confirm()
        return [self._value(line) for line in lines]

    def set_value(self, line, value):
        self._live()
        assert isinstance(value, Value)
        if self._config[line].direction is not Direction.OUTPUT:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        self._chip.values[line] = value
        self._chip.confirm()

    def release(self):
        self._released = True
        self._chip.taken = False

    def _value(self, line: int) -> Value:
        settings = self._config[line]
        if settings.direction is Direction.OUTPUT:
            return self._chip.values[line]
        grounded = self._chip.plant.circuits()[line]
        high = settings.bias is Bias.PULL_UP and not grounded
        return Value.ACTIVE if high != settings.active_low else Value.INACTIVE

    def _live(self) -> None:
        if self._released:
            raise gpiod.RequestReleasedError
        self._chip.answer()
