"""Milliseconds between two passes, and since the start.

1. The board's tick counter wraps at 2^30 ms; only ``elapsed`` knows it. Every other module counts
   remaining or passed milliseconds, so none of them can meet the wrap.
2. A counter that seems to run backwards has not moved: no timer is lengthened by it.
3. The time since the start is kept as seconds and milliseconds, small numbers that need no memory
   in a pass (above 2^30 a number is an object on the board).
"""

from gatepost.codes import const

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)


def elapsed(now, before):
    """Milliseconds from ``before`` to ``now``, both modulo 2^30; 0 where it ran backwards."""
    passed = (now - before) & _MASK
    return passed if passed < _HALF else 0


def left(remaining, passed):
    """What is left of a timer."""
    return remaining - passed if remaining > passed else 0


class Uptime:
    """Time since the start."""

    def __init__(self):
        self.s = 0
        self.ms = 0

    def elapse(self, passed):
        self.ms += passed
        if self.ms >= 1000:
            self.s += self.ms // 1000
            self.ms %= 1000

    def total(self):
        """Milliseconds since the start modulo 2^32."""
        return (self.s * 1000 + self.ms) & 0xFFFFFFFF

    def since(self, s, ms):
        """Milliseconds since that moment, at most 2^32 - 1."""
        return min((self.s - s) * 1000 + self.ms - ms, 0xFFFFFFFF)
