"""What every board shares: pins by name, the number of this start, the two kinds of link.

1. A contact is closed by a high pin; the pins are pulled low by resistors on the relay board.
2. Each input is pulled up; its circuit closes it to ground. Closed reads 0.
3. A pin that is not on the board's list is refused: some pins move by themselves at a start.
4. Writing never waits for a reader; what does not fit is lost and asked for again.
"""

import os
import select
import sys

from machine import Pin

from gatepost import codes

_BOOTS = "boots"
_MOST_READ = 256  # bytes a pass; a line at 115200 baud brings 58 in 5 ms


def count_boot():
    """The number of this start, kept in a small file that is replaced, never half written."""
    boot = 0
    try:
        with open(_BOOTS) as file:
            boot = int(file.read())
    except (OSError, ValueError):
        pass
    boot = (boot + 1) & 0xFFFFFFFF
    try:
        with open(_BOOTS + ".new", "w") as file:
            file.write(str(boot))
        os.rename(_BOOTS + ".new", _BOOTS)
    except OSError:
        pass
    return boot


class Pins:
    """Outputs off, inputs pulled up."""

    def __init__(self, settings, may_drive, may_read):
        self._outputs = []
        for name in ("opening", "closing", "lamp"):
            self._outputs.append(Pin(_allowed(settings["pins"][name], may_drive), Pin.OUT, value=0))
        self._inputs = []
        for bit, name in enumerate(codes.INPUTS):
            if name in settings["inputs"]:
                number = _allowed(settings["inputs"][name]["pin"], may_read)
                self._inputs.append((1 << bit, Pin(number, Pin.IN, Pin.PULL_UP)))
        self._jumper = Pin(_allowed(settings["pins"]["jumper"], may_read), Pin.IN, Pin.PULL_UP)

    def read(self):
        closed = 0
        for bit, pin in self._inputs:
            if not pin.value():
                closed |= bit
        return closed

    def write(self, mask):
        for i in range(3):
            self._outputs[i].value(mask >> i & 1)

    def jumper(self):
        return not self._jumper.value()


class UsbLine:
    """The USB port as the link."""

    def __init__(self):
        self._in = select.poll()
        self._in.register(sys.stdin, select.POLLIN)
        self._out = select.poll()
        self._out.register(sys.stdout, select.POLLOUT)

    def read(self):
        data = b""
        while len(data) < _MOST_READ and self._in.poll(0):
            data += sys.stdin.buffer.read(1)
        return data

    def write(self, data):
        if self._out.poll(0):
            sys.stdout.buffer.write(data)


class UartLine:
    """A UART as the link, for RS-485 as well."""

    def __init__(self, uart):
        self._uart = uart

    def read(self):
        return self._uart.read(_MOST_READ) or b""

    def write(self, data):
        self._uart.write(data)


def _allowed(number, allowed):
    if number not in allowed:
        raise ValueError("pin %d may not be used for that" % number)
    return number
