"""ESP32 boards.

Some pins of this chip move by themselves at a start, select how it starts, or belong to its flash:
only the pins listed here may drive a relay, and only those with a pull-up may read a circuit.
"""

import os
import time

import machine

from boards.common import Pins, UartLine, UsbLine, count_boot

WATCHDOG_MS = 2000
MAY_DRIVE = (18, 19, 21, 22, 23, 25, 26, 27, 32, 33)
MAY_READ = MAY_DRIVE + (4, 13, 16, 17)


class Board:
    """What ``gatepost.post`` calls a board."""

    def __init__(self, settings):
        pins = settings["pins"]
        self._pins = Pins(settings, MAY_DRIVE, MAY_READ)
        self.read_inputs = self._pins.read
        self.write_outputs = self._pins.write
        self.jumper = self._pins.jumper
        self.uid = machine.unique_id()
        self.cause = _cause()
        self.boot = count_boot()
        self.random = os.urandom
        self.ticks = time.ticks_ms
        line = UsbLine() if settings["link"] == "usb" else UartLine(_uart(pins["tx"], pins["rx"]))
        self.read = line.read
        self.write = line.write
        self._watchdog = None

    def guard(self):
        """Starts the watchdog; from now on a pass that does not end restarts the board."""
        self._watchdog = machine.WDT(timeout=WATCHDOG_MS)

    def feed(self):
        if self._watchdog:
            self._watchdog.feed()

    def rest(self):
        time.sleep_ms(1)


def _cause():
    cause = machine.reset_cause()
    if cause in (machine.PWRON_RESET, machine.HARD_RESET):
        return 1
    if cause == machine.WDT_RESET:
        return 2
    return 3 if cause == machine.SOFT_RESET else 0


def _uart(tx, rx):
    return machine.UART(
        2, 115200, tx=tx, rx=rx, rxbuf=1024, txbuf=1024, timeout=0, timeout_char=0
    )
