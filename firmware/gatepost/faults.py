"""What is wrong, as far as the board can see it (PROTOCOL.md, section 8).

1. An input that is active for longer than anything real takes.
2. The closed limit that never let go within 3,000 ms after the opening contact closed.
3. Both limits active for 1,000 ms.
4. A relay whose second contact does not follow within 200 ms: welded, or without supply.
5. What the operator cabinet reports, and settings that could not be read.

A fault is told when it comes and when it goes. Only the relay's changes what is obeyed.
"""

from gatepost import codes
from gatepost.codes import const

_NOT_MOVED_MS = const(3000)
_LIMITS_MS = const(1000)
_RELAY_MS = const(200)
_BOTH_LIMITS = codes.LIMIT_OPEN | codes.LIMIT_CLOSED

_STUCK = (
    (codes.ENTRY_LOOP, 1 << codes.STUCK_ENTRY),
    (codes.SAFETY_LOOP, 1 << codes.STUCK_SAFETY),
    (codes.PHOTOCELL, 1 << codes.STUCK_PHOTO),
    (codes.EXIT_REQUEST, 1 << codes.STUCK_EXIT),
    (codes.HAND_BUTTON, 1 << codes.STUCK_BUTTON),
)


class Faults:
    """The ten of them, one bit each."""

    def __init__(self, inputs, tell, damaged):
        self.mask = 0
        self._inputs = inputs
        self._tell = tell
        self._settings = 1 << codes.SETTINGS if damaged else 0
        self._contact = False
        self._moving_ms = -1  # since the contact closed with the arm down; -1: nothing to wait for
        self._limits_ms = 0
        self._relay_ms = 0

    def relay_follows(self):
        return not self.mask & (1 << codes.RELAY)

    def judge(self, contact, passed):
        """``contact``: whether the opening contact was ordered closed for the time that passed."""
        inputs = self._inputs
        mask = self._settings
        if inputs.stuck:
            for bit, fault in _STUCK:
                if inputs.stuck & bit:
                    mask |= fault
        if inputs.is_on(codes.CABINET_FAULT):
            mask |= 1 << codes.CABINET
        mask |= self._judge_arm(contact, passed)
        mask |= self._judge_limits(passed)
        mask |= self._judge_relay(contact, passed)
        if mask != self.mask:
            self._tell_changes(mask)

    def _judge_arm(self, contact, passed):
        fault = 1 << codes.NOT_MOVED
        if not self._inputs.is_on(codes.LIMIT_CLOSED) or self._inputs.is_on(codes.STOP_INPUT):
            self._contact, self._moving_ms = contact, -1
            return 0
        if contact and not self._contact:
            self._moving_ms = 0
        elif 0 <= self._moving_ms < _NOT_MOVED_MS:
            self._moving_ms += passed
        self._contact = contact
        return fault if self._moving_ms >= _NOT_MOVED_MS or self.mask & fault else 0

    def _judge_limits(self, passed):
        if self._inputs.active & _BOTH_LIMITS != _BOTH_LIMITS:
            self._limits_ms = 0
        elif self._limits_ms < _LIMITS_MS:
            self._limits_ms += passed
        return 1 << codes.LIMITS if self._limits_ms >= _LIMITS_MS else 0

    def _judge_relay(self, contact, passed):
        inputs = self._inputs
        if not inputs.known & codes.RELAY_SENSE or inputs.is_on(codes.RELAY_SENSE) == contact:
            self._relay_ms = 0
        elif self._relay_ms < _RELAY_MS:
            self._relay_ms += passed
        return 1 << codes.RELAY if self._relay_ms >= _RELAY_MS else 0

    def _tell_changes(self, mask):
        for number in range(10):
            bit = 1 << number
            if (mask ^ self.mask) & bit:
                self._tell(codes.FAULT_ON if mask & bit else codes.FAULT_OFF, number)
        self.mask = mask
