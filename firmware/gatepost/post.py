"""One pass of the superloop, and the only place that knows all parts.

    post = Post(settings, board)
    while True:
        post.tick()

1. A pass is always the same: time, inputs, timers, faults, frames, rules, pins, answers, watchdog.
2. The watchdog is fed last, so it is fed only by a pass that read the inputs and wrote the outputs.
3. A pass waits for nothing and opens no file. What it can neither send nor hear is for the next.

``board`` is what the pins are behind: ``ticks()`` milliseconds modulo 2^30; ``read_inputs()`` mask of
closed circuits; ``write_outputs(mask)`` bit 0 opening contact, 1 closing contact, 2 lamp; ``read()``
bytes that arrived, b"" if none; ``write(data)``; ``feed()`` the watchdog; ``random(n)`` bytes from a
true source; ``uid`` bytes; ``cause`` 0 unknown, 1 power, 2 watchdog, 3 software; ``boot`` number of
this start; ``jumper()`` whether the jumper of the closing option is fitted.
"""

import struct

from gatepost import VERSION, codes, config
from gatepost.events import Events
from gatepost.faults import Faults
from gatepost.inputs import Inputs
from gatepost.link import Link
from gatepost.orders import Orders
from gatepost.safety import Safety
from gatepost.uptime import Uptime, elapsed

_WATCHDOG = 2
_TOLD = (
    (codes.STOP_INPUT, codes.STOP_ON, codes.STOP_OFF),
    (codes.TAMPER, codes.TAMPER_ON, codes.TAMPER_OFF),
)


class Post:
    """The controller."""

    def __init__(self, settings, board):
        self._board = board
        self._last = board.ticks()
        self._outputs = 0
        self._told = 0
        self._uptime = Uptime()
        self.events = Events(self._uptime)
        self.inputs = _inputs(settings)
        closing = _closing(settings, board, self.inputs)
        self.safety = Safety(settings, self.inputs, self.events.tell, closing)
        self.faults = Faults(self.inputs, self.events.tell, settings["damaged"])
        uid = (board.uid + bytes(8))[:8]
        psk = bytes(int(settings["key"][i : i + 2], 16) for i in range(0, len(settings["key"]), 2))
        orders = Orders(self.safety, closing)
        self.link = Link(psk, uid, board.random, orders, self.events, self)
        self.identity = (
            VERSION
            + struct.pack("<H", config.options(settings, closing is not None))
            + settings["digest"]
            + struct.pack("<IB", board.boot & 0xFFFFFFFF, board.cause)
            + settings["name"].encode()
        )
        self.events.tell(codes.STARTED, board.cause)

    def tick(self):
        """One pass."""
        board = self._board
        now = board.ticks()
        passed = elapsed(now, self._last)
        self._last = now
        self._uptime.elapse(passed)
        self.inputs.read(board.read_inputs(), passed)
        self._tell_inputs()
        self.safety.elapse(passed)
        self.events.elapse(passed)
        self.link.elapse(passed)
        self.faults.judge(self.safety.contact, passed)
        self.safety.relay_follows = self.faults.relay_follows()
        self.link.receive(board.read())
        self._outputs = self.safety.decide()
        board.write_outputs(self._outputs)
        out = self.link.take_out()
        if out:
            board.write(out)
        board.feed()

    # What the link asks

    def status(self, session_ms):
        """The body of STATUS."""
        inputs, safety, events, link = self.inputs, self.safety, self.events, self.link
        return struct.pack(
            "<IBBHHHHHBBBBBHHI",
            session_ms,
            safety.state(),
            self._outputs,
            inputs.active,
            inputs.known,
            self.faults.mask,
            min(safety.lockout_left(), 65535),
            safety.lease_left(),
            inputs.entry_count,
            inputs.safety_count,
            inputs.photo_count,
            min(events.waiting(), 255),
            events.lost,
            link.noise,
            link.forged,
            self._uptime.total(),
        )

    def session_changed(self):
        self.safety.session_changed()

    def host_is_lost(self, lost):
        self.safety.host_is_lost(lost)

    def _tell_inputs(self):
        active = self.inputs.active
        if active == self._told:
            return
        for bit, on, off in _TOLD:
            if (active ^ self._told) & bit:
                self.events.tell(on if active & bit else off)
        self._told = active


def _inputs(settings):
    wired = config.mask(settings["inputs"])
    maybe = wired & codes.STOP_INPUT if settings["damaged"] else 0
    return Inputs(wired & ~maybe, config.normally_closed(settings), maybe)


def _closing(settings, board, inputs):
    """The installer's option: enabled in the settings, jumper fitted, module put on the board."""
    if not settings["closing"] or not board.jumper():
        return None
    try:
        from gatepost.closing import Closing
    except ImportError:
        return None
    return Closing(settings, inputs, board.cause == _WATCHDOG)
