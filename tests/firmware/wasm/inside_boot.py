"""Runs inside MicroPython: boot.py and main.py as a board runs them, on a `machine` of paper.

`case.py` says which board it is and what happens; the diary of the pins is printed as JSON.
"""

import builtins
import json
import sys

import case
import machine

machine.last_feed = case.LAST_FEED


class Sys:
    platform = case.PLATFORM
    modules = sys.modules
    stdin = stdout = None

    @staticmethod
    def print_exception(failure):
        machine.diary.append(("failure", type(failure).__name__))


class Os:
    @staticmethod
    def listdir():
        return case.FILES

    @staticmethod
    def rename(old, new):
        machine.diary.append(("rename", old, new))

    @staticmethod
    def urandom(n):
        return bytes(n)


class Time:
    now = 2**30 - 200

    @staticmethod
    def ticks_ms():
        return Time.now

    @staticmethod
    def sleep_ms(ms):
        Time.now = (Time.now + 5) % 2**30
        if case.PRESSED is not None and len(machine.diary) > case.PRESSED_AFTER:
            machine.levels[case.PRESSED] = 0


class Micropython:
    kbd_intr = staticmethod(lambda byte: machine.diary.append(("kbd_intr", byte)))
    const = staticmethod(lambda value: value)


class Select:
    """Only the USB line needs it, and no case has one."""


class Paper:
    """A file of the board's own."""

    def __init__(self, text):
        self.text = text

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def read(self):
        return self.text

    def write(self, text):
        machine.diary.append(("file", text))


def open_on_board(name, mode="r"):
    if mode == "r" and name not in case.FILES:
        raise OSError(2)
    return Paper(case.SETTINGS if name == "gate.json" else "41")


def spying_import(name, *rest):
    machine.diary.append(("import", name))
    return true_import(name, *rest)


def run(path):
    with true_open(path) as file:
        text = file.read()
    exec(text, {"__name__": "__main__"})


machine.levels.update({pin: 0 for pin in case.CLOSED_CIRCUITS})
true_open = open
true_import = builtins.__import__
for _name, _shim in (
    ("sys", Sys), ("os", Os), ("time", Time), ("micropython", Micropython), ("select", Select),
):
    sys.modules[_name] = _shim
builtins.open = open_on_board
builtins.__import__ = spying_import
try:
    run("/lib/boot.py")
    run("/lib/main.py")
    machine.diary.append(("prompt",))
except machine.WasReset:
    pass
builtins.__import__ = true_import
print("DIARY" + json.dumps(machine.diary))
