"""Starts the superloop. Whatever goes wrong ends with open contacts, then with a restart.

1. The outputs are off before anything else is loaded (``boot``), and again when anything fails.
2. The watchdog starts before the first pass and cannot be stopped.
3. A board that finds a file named ``service`` runs nothing and leaves its prompt to the installer;
   so does Ctrl-C on the USB port, but then the watchdog restarts the board within 2 s.
4. Where USB is the link its port is no prompt: Ctrl-C is a byte like any other, unless the jumper
   is fitted at the start.
"""

from boot import OUTPUTS

import os
import sys
import time

import machine
import micropython

_SERVICE = "service"
_SETTINGS = "gate.json"
_PAUSE_MS = 1000  # after a failure: long enough for Ctrl-C, so that a broken board can be mended


def outputs_off():
    for pin in OUTPUTS:
        machine.Pin(pin, machine.Pin.OUT, value=0)


def read_text():
    """What the settings' file holds; nothing where there is none."""
    try:
        with open(_SETTINGS) as file:
            return file.read()
    except (OSError, ValueError):
        return ""


def start():
    """The Post, ready for its first pass."""
    from gatepost import config
    from gatepost.post import Post

    if sys.platform == "rp2":
        from boards.rp2 import Board
    else:
        from boards.esp32 import Board

    text = read_text()
    try:
        settings = config.load(text)
        board = Board(settings)
    except ValueError:  # damaged, or a pin that this board does not have
        settings = config.fallback(text, sys.platform)
        board = Board(settings)
    if settings["link"] == "usb" and not board.jumper():
        micropython.kbd_intr(-1)
    board.guard()
    return Post(settings, board), board


def main():
    try:
        post, board = start()
        while True:
            post.tick()
            board.rest()
    except KeyboardInterrupt:
        outputs_off()
    except BaseException as failure:
        outputs_off()
        sys.print_exception(failure)
        time.sleep_ms(_PAUSE_MS)
        machine.reset()


if _SERVICE in os.listdir():
    outputs_off()
else:
    main()
