"""Raspberry Pi Pico and other boards with an RP2040 or RP2350.

Every pin is an input with a pull-down after a reset, so a relay driven by a high pin stays off.
The chip cannot tell a restart by software from one by its watchdog; both read as watchdog.
"""

import os
import time

import machine

from boards.common import Pins, UartLine, UsbLine, count_boot

WATCHDOG_MS = 2000
USABLE = tuple(range(23)) + (26, 27, 28)  # 23 to 25 and 29 serve the Pico itself


class Board:
    """What ``gatepost.post`` calls a board."""

    def __init__(self, settings):
        pins = settings["pins"]
        self._pins = Pins(settings, USABLE, USABLE)
        self.read_inputs = self._pins.read
        self.write_outputs = self._pins.write
        self.jumper = self._pins.jumper
        self.uid = machine.unique_id()
        self.cause = 2 if machine.reset_cause() == machine.WDT_RESET else 1
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


def _uart(tx, rx):
    number = 0 if tx in (0, 12, 16, 28) else 1
    return machine.UART(
        number,
        115200,
        tx=machine.Pin(tx),
        rx=machine.Pin(rx),
        rxbuf=1024,
        txbuf=1024,
        timeout=0,
        timeout_char=0,
    )
