"""What the wires say, once one can believe it (PROTOCOL.md, section 7).

1. An input is unknown until it was read steadily since the start: at least three equal readings
   over at least 30 ms. It changes by the same measure.
2. A circuit that is normally closed is active when it is open, so a broken wire is active.
3. STOP, safety loop and photocell believe the worse side: where they flicker for 60 ms without 30 ms
   of rest they are active, however short each contact is.
4. An input that was active from the first reading on did not *become* active: no edge, no count.
5. An input that is active for longer than anything real takes is stuck, until it is inactive again.
6. An input that is not wired is never known, never active and never stuck.
"""

from gatepost import codes
from gatepost.codes import const

_STEADY_MS = const(30)
_READINGS = const(3)
_FLICKER_MS = const(60)
_MINUTE = const(60000)

STUCK_AFTER_MS = {
    codes.ENTRY_LOOP: 30 * _MINUTE,
    codes.SAFETY_LOOP: 10 * _MINUTE,
    codes.PHOTOCELL: 10 * _MINUTE,
    codes.EXIT_REQUEST: _MINUTE,
    codes.HAND_BUTTON: _MINUTE,
}
_WARY = codes.STOP_INPUT | codes.SAFETY_LOOP | codes.PHOTOCELL


class Inputs:
    """All twelve, one bit each; masks as in PROTOCOL.md.

    ``wired_if_closed``: inputs of which nobody knows whether they are wired; they count as wired
    as soon as their circuit was seen closed.
    """

    def __init__(self, wired, normally_closed, wired_if_closed=0):
        self.wired = wired
        self.known = 0
        self.active = 0
        self.rose = 0
        self.cycled = 0
        self.stuck = 0
        self.entry_count = 0
        self.safety_count = 0
        self.photo_count = 0
        self._normally_closed = normally_closed
        self._wired_if_closed = wired_if_closed
        self._level = 0
        self._risen = 0
        self._unsteady = wired | wired_if_closed
        self._bits = [1 << i for i in range(12) if (wired | wired_if_closed) >> i & 1]
        self._run_ms = [0] * 12
        self._run_readings = [0] * 12
        self._doubt_ms = [0] * 12
        self._active_ms = [0] * 12

    def all_known(self):
        return self.known == self.wired

    def is_on(self, mask):
        """Whether one of these is known to be active."""
        return self.active & mask != 0

    def read(self, circuits, passed):
        """One reading, bit set = circuit closed, and the milliseconds since the one before."""
        level = circuits ^ self._normally_closed
        self.rose = 0
        if level != self._level or self._unsteady:
            changed = level ^ self._level
            self._level = level
            for i in range(12):
                bit = 1 << i
                if bit & (self._unsteady | changed) and bit & (self.wired | self._wired_if_closed):
                    self._look(i, bit, bit & changed, passed)
        if self.active:
            self._count_stuck(passed)

    def _look(self, i, bit, changed, passed):
        if changed:
            self._run_ms[i] = 0
            self._run_readings[i] = 1
        else:
            self._run_ms[i] += passed
            self._run_readings[i] += 1
        if self._run_ms[i] >= _STEADY_MS and self._run_readings[i] >= _READINGS:
            self._unsteady &= ~bit
            self._doubt_ms[i] = 0
            self._believe(i, bit, self._level & bit)
            return
        self._unsteady |= bit
        if bit & _WARY and bit & self.known:
            if self._level & bit or self._doubt_ms[i]:
                self._doubt_ms[i] += passed if passed else 1
            if self._doubt_ms[i] >= _FLICKER_MS:
                self._believe(i, bit, bit)

    def _believe(self, i, bit, active):
        if bit & self._wired_if_closed:
            if active:
                return
            self._wired_if_closed &= ~bit
            self.wired |= bit
        if active == self.active & bit and bit & self.known:
            return
        if active:
            self.active |= bit
            if bit & self.known:
                self._rise(bit)
        else:
            self.active &= ~bit
            self.stuck &= ~bit
            self._active_ms[i] = 0
            self.cycled |= bit & self._risen
        self.known |= bit

    def _rise(self, bit):
        self.rose |= bit
        self._risen |= bit
        if bit == codes.ENTRY_LOOP:
            self.entry_count = (self.entry_count + 1) & 255
        elif bit == codes.SAFETY_LOOP:
            self.safety_count = (self.safety_count + 1) & 255
        elif bit == codes.PHOTOCELL:
            self.photo_count = (self.photo_count + 1) & 255

    def _count_stuck(self, passed):
        for i in range(12):
            bit = 1 << i
            if self.active & bit and bit in STUCK_AFTER_MS and not self.stuck & bit:
                self._active_ms[i] += passed
                if self._active_ms[i] >= STUCK_AFTER_MS[bit]:
                    self.stuck |= bit
