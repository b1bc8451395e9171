"""One order of the host: in time, once, and with what result (PROTOCOL.md, section 4).

1. A session that is a day old orders nothing.
2. An id that was obeyed is answered with the same result; nothing moves.
3. An order past its deadline, or with one further ahead than an order may live, is refused.
4. Whatever is left is asked of ``safety``. Only what was obeyed is remembered, 16 ids long.
"""

import struct

from gatepost import codes
from gatepost.codes import const

_FURTHEST_MS = const(5000)
_REMEMBERED = const(16)

LENGTHS = {codes.OPEN: 15, codes.HOLD: 14, codes.RELEASE: 12}
CLOSE_LENGTH = 14


class Orders:
    """What the host may ask of ``safety``."""

    def __init__(self, safety, closing=None):
        self.lengths = dict(LENGTHS)
        if closing is not None:
            self.lengths[codes.CLOSE] = CLOSE_LENGTH
        self._safety = safety
        self._closing = closing
        self._obeyed = []

    def obey(self, kind, body, session_ms, old):
        """The body of the RESULT."""
        order = body[:8]
        flags = 0
        remembered = None if old else self._remembered(order)
        if old:
            result = codes.SESSION_OLD
        elif remembered is not None:
            result, flags = remembered[1], remembered[2] | codes.AGAIN
        else:
            result = self._refuses(order, struct.unpack_from("<I", body, 8)[0], session_ms)
            if not result:
                result = self._carry_out(kind, body)
            if not result:
                flags = self._clamped(kind, body)
                self._remember((order, result, flags))
        return struct.pack("<8sBBI", order, result, flags, session_ms)

    def _refuses(self, order, until, session_ms):
        if session_ms > until:
            return codes.EXPIRED
        if until - session_ms > _FURTHEST_MS or order == bytes(8):
            return codes.BAD_VALUE
        return codes.DONE

    def _carry_out(self, kind, body):
        if kind == codes.RELEASE:
            return self._safety.release()
        amount = struct.unpack_from("<H", body, 12)[0]
        if kind == codes.HOLD:
            return self._safety.hold(amount)
        if kind == codes.CLOSE and self._closing is not None:
            return self._closing.order(self._safety, amount)
        origin = body[14]
        if origin > 1:
            return codes.BAD_VALUE
        return self._safety.open(amount, origin == 0)

    def _clamped(self, kind, body):
        if kind == codes.RELEASE or kind == codes.HOLD:
            return 0
        pulse_ms = struct.unpack_from("<H", body, 12)[0]
        return codes.CLAMPED if self._safety.clamps(pulse_ms) else 0

    def _remembered(self, order):
        for known in self._obeyed:
            if known[0] == order:
                return known
        return None

    def _remember(self, known):
        if len(self._obeyed) >= _REMEMBERED:
            self._obeyed.pop(0)
        self._obeyed.append(known)
