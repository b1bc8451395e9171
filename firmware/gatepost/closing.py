"""The closing option (PROTOCOL.md, section 9). Not in the default build; never sent by Postern.

For a site whose operator has monitored protection of its own and whose installer built this in,
enabled it in the settings and fitted the jumper.

1. Nothing closes while safety loop or photocell is active, or neither is wired. While one is
   unknown no order is obeyed at all.
2. Nothing closes while one of them is stuck or was not seen to go on and off since the start.
3. After a start by the watchdog nothing closes before the arm was seen at its open limit.
4. If one of them becomes active while the arm goes down, the barrier opens again by itself.
5. The two contacts are never closed together: opening waits until the closing contact had 100 ms to
   let go, closing until the opening contact was open for its lock-out.
6. The contact that closes is held no longer than a pulse, and never beyond the hard cap.
"""

from gatepost import codes
from gatepost.codes import const
from gatepost.uptime import left

_LET_GO_MS = const(100)
_WAY_DOWN_MS = const(15000)
_SHORTEST_MS = const(100)
_CAP_MS = const(5000)
_DETECTORS = codes.SAFETY_LOOP | codes.PHOTOCELL


class Closing:
    """The second contact."""

    def __init__(self, settings, inputs, after_watchdog):
        self._inputs = inputs
        self._pulse_max = min(settings["pulse_max_ms"], _CAP_MS)
        self._arm_lost = after_watchdog
        self._pulse = 0
        self._way_down = 0
        self._let_go = 0
        self._contact = False

    def order(self, safety, pulse_ms):
        """Answers a result of PROTOCOL.md."""
        refused = safety.refuses_orders()
        if refused:
            return refused
        if pulse_ms < _SHORTEST_MS:
            return codes.BAD_VALUE
        if safety.opens() or safety.contact or self._pulse:
            return codes.BUSY
        if safety.lockout_left():
            return codes.LOCKED_OUT
        refused = self._refuses()
        if refused:
            return refused
        self._pulse = min(pulse_ms, self._pulse_max)
        self._way_down = _WAY_DOWN_MS
        return codes.DONE

    def elapse(self, passed):
        self._pulse = left(self._pulse, passed)
        self._way_down = left(self._way_down, passed)
        self._let_go = left(self._let_go, passed)

    def running(self):
        """Whether the closing contact is closed."""
        return self._pulse > 0

    def lets_go(self):
        """Whether the closing contact may still be letting go (rule 5)."""
        return self._let_go > 0

    def gives_way(self):
        """Ends a closing for people at the gate; whether its contact may still be closed."""
        self._pulse = 0
        self._way_down = 0
        return self._contact or self.lets_go()

    def must_reopen(self):
        """Rule 4."""
        if self._inputs.is_on(codes.LIMIT_OPEN):
            self._arm_lost = False
        if self._inputs.is_on(codes.LIMIT_CLOSED) and not self._pulse:
            self._way_down = 0
        return self._way_down > 0 and self._inputs.is_on(_DETECTORS)

    def decide(self, safety, opening):
        """The closing contact's bit; whatever opens, and STOP, takes it away."""
        if opening or safety.stopped:
            self._pulse = 0
            self._way_down = 0
        closed = self._pulse > 0
        if self._contact and not closed:
            self._let_go = _LET_GO_MS
        self._contact = closed
        return codes.CLOSING if closed else 0

    def _refuses(self):
        inputs = self._inputs
        detectors = inputs.wired & _DETECTORS
        if not detectors:
            return codes.UNPROVEN
        if inputs.is_on(detectors):
            return codes.UNPROVEN if inputs.stuck & detectors else codes.OBSTRUCTED
        if detectors & ~inputs.cycled or self._arm_lost:
            return codes.UNPROVEN
        return codes.DONE
