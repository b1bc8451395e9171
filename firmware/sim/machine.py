"""MicroPython's `machine` for a board that is not there: every pin write and feed is written down.

    machine.diary          what happened, in order: tuples such as ("pin", 16, 0) and ("feed",)
    machine.levels[7] = 0  what an input pin reads
    machine.hear(data)     bytes arrive at the UART
    machine.said           what the UART was given
    machine.last_feed = 5  the fifth feed raises, as a fault inside the loop would

Covers what firmware/boards and main.py use; runs on MicroPython and CPython.
"""

diary = []
levels = {}
said = bytearray()
last_feed = None
cause = 1
_heard = bytearray()
_feeds = 0

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5


class WasReset(BaseException):
    """`machine.reset()` was called: a real board would be gone now."""


class Broken(Exception):
    """The fault that `last_feed` asked for."""


def reset():
    diary.append(("reset",))
    raise WasReset


def reset_cause():
    return cause


def unique_id():
    return b"\x50\x53\x54\x4e\x30\x30\x30\x32"


def freq(*_):
    return 125000000


def hear(data):
    _heard.extend(data)


class Pin:
    IN = 0
    OUT = 1
    OPEN_DRAIN = 2
    PULL_UP = 1
    PULL_DOWN = 2

    def __init__(self, number, mode=-1, pull=None, *, value=None, drive=None, alt=None):
        self.number = number
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=None, *, value=None, drive=None, alt=None):
        self.mode = mode
        if mode == Pin.OUT:
            diary.append(("pin", self.number, 0 if value is None else int(value)))
            levels[self.number] = 0 if value is None else int(value)
        elif mode == Pin.IN:
            diary.append(("input", self.number, pull))

    def value(self, level=None):
        if level is None:
            diary.append(("read", self.number))
            return levels.get(self.number, 1)
        diary.append(("pin", self.number, int(level)))
        levels[self.number] = int(level)
        return None

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    high = on
    low = off


class UART:
    def __init__(self, number, baudrate=9600, **wiring):
        pins = [getattr(wiring[name], "number", wiring[name]) for name in ("tx", "rx")]
        diary.append(("uart", number, baudrate) + tuple(pins))

    def init(self, *_, **__):
        pass

    def any(self):
        return len(_heard)

    def read(self, n=None):
        global _heard
        diary.append(("hear",))
        taken = bytes(_heard if n is None else _heard[:n])
        _heard = _heard[len(taken) :]
        return taken or None

    def readinto(self, buffer, n=None):
        taken = self.read(len(buffer) if n is None else min(n, len(buffer)))
        if not taken:
            return None
        buffer[: len(taken)] = taken
        return len(taken)

    def write(self, data):
        said.extend(data)
        return len(data)

    def txdone(self):
        return True

    def flush(self):
        pass


class WDT:
    def __init__(self, id=0, timeout=5000):
        diary.append(("watchdog", timeout))

    def feed(self):
        global _feeds
        diary.append(("feed",))
        _feeds += 1
        if last_feed is not None and _feeds >= last_feed:
            raise Broken
