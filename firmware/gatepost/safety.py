"""What the relay may do. Each rule is one sentence here and one named piece below.

 1. START    The start closes no contact, and for 2,500 ms after it no order is obeyed.
 2. UNKNOWN  No order is obeyed before every wired input is known. Hand button, exit and fire need to
             know STOP and themselves, so that one bad wire does not lock people in.
 3. STOP     While STOP is pressed, its wire broken or not read yet, no contact is closed; a pulse, a
             hold and a request that it meets are forgotten, not put off.
 4. FIRE     The fire input holds the barrier open while it is active and for the dwell after it,
             without host, lock-out or budget; only STOP is above it.
 5. HAND     A press of the hand button that was seen to begin opens, without host or budget.
 6. EXIT     So does an exit request. While it lasts it asks again every 5 s, until the arm is up or
             the input is stuck: a car on the exit loop is never trapped by one lost pulse.
 7. CLAMP    A pulse is 100 ms at least and never longer than the settings allow.
 8. CAP      No pulse closes a contact for more than 5,000 ms, whatever order or settings say.
 9. LEASE    A hold ends by itself within its lease, 10 s at most, and is never taken up again.
10. SESSION  A hold ends with the session that asked for it.
11. LOST     A lost host ends a hold and closes nothing. Where the site chose so a host that was there
             and is lost holds the barrier open until it is back.
12. GAP      Between two pulses the contact is open for 500 ms at least, whoever asks.
13. LOCKOUT  An order closes the contact only when it was open for the lock-out time.
14. BUDGET   Orders close the contact a limited number of times in any 60 s.
15. PRESENCE Where the site chose so an automatic order opens only while a car stands on the entry
             loop; a stuck loop proves no car.
16. RELAY    No order is obeyed while the relay does not follow.
17. SETTINGS With damaged settings no order is obeyed; rules 3 to 6 hold.
18. CLOSE    There is no order to close here. With the installer's option (``closing``) the two
             contacts are never closed together, and whatever opens wins.

STOP > FIRE > hand and exit > orders. Time is the milliseconds passed; one thread, the superloop.
"""

from gatepost import codes
from gatepost.codes import const
from gatepost.uptime import left

CAP_MS = 5000  # the settings' largest pulse, 3,000, and a pass as long as the watchdog allows
LONGEST_LEASE_MS = 10000
_SHORTEST_MS = const(100)
_WAKING_MS = const(2500)
_GAP_MS = const(500)
_EXIT_AGAIN_MS = const(5000)
_MINUTE_MS = const(60000)


class Safety:
    """Decides in each pass: ``elapse``, then any orders, then ``decide``."""

    def __init__(self, settings, inputs, tell, closing=None):
        self.relay_follows = True
        self.host_lost = False
        self.contact = False
        self.fire = False
        self.stopped = False
        self._inputs = inputs
        self._tell = tell
        self._closing = closing
        self._pulse_max = settings["pulse_max_ms"]
        self._people_pulse = settings["pulse_ms"]
        self._lockout_after = settings["lockout_ms"]
        self._per_minute = settings["per_minute"]
        self._fire_dwell = settings["fire_dwell_ms"]
        self._needs_presence = settings["needs_presence"]
        self._exit_opens = settings["exit_opens"]
        self._lost_opens = settings["host_lost"] == "open"
        self._damaged = settings["damaged"]
        self._waking = _WAKING_MS
        self._pulse = 0
        self._pulsed = 0
        self._lease = 0
        self._fire_left = 0
        self._gap = 0
        self._lockout = 0
        self._minute = []
        self._wanted = 0
        self._exit_seen = False
        self._exit_again = 0

    # What the superloop calls

    def elapse(self, passed):
        """Counts every timer on."""
        self._waking = left(self._waking, passed)
        self._gap = left(self._gap, passed)
        self._lockout = left(self._lockout, passed)
        self._exit_again = left(self._exit_again, passed)
        self._fire_left = left(self._fire_left, passed)
        self._elapse_pulse(passed)
        self._elapse_lease(passed)
        self._elapse_minute(passed)
        if self._closing is not None:
            self._closing.elapse(passed)

    def decide(self):
        """The outputs of this pass; the rules in the order of their rank."""
        self.stopped = self._is_stopped()
        self._judge_fire()
        self._note_requests()
        if self.stopped:
            self._forget_all()
        else:
            self._reopen()
            self._serve_people()
        return self._outputs()

    def host_is_lost(self, lost):
        """Rule 11."""
        self.host_lost = lost
        if lost:
            self._lapse()

    def session_changed(self):
        """Rule 10."""
        self._lapse()

    # Orders; each answers a result of PROTOCOL.md

    def open(self, pulse_ms, automatic):
        """One pulse."""
        refused = self.refuses_orders()
        if refused:
            return refused
        if pulse_ms < _SHORTEST_MS:
            return codes.BAD_VALUE
        if automatic and self._needs_presence and not self._car_present():
            return codes.NO_PRESENCE
        if self._pulse:
            return codes.LOCKED_OUT
        if not self._lease:  # a contact that a hold keeps closed is not closed again
            refused = self._refuses_contact()
            if refused:
                return refused
        self._start_pulse(pulse_ms)
        return codes.DONE

    def hold(self, lease_ms):
        """Holds the barrier open for that long, or that long again."""
        refused = self.refuses_orders()
        if refused:
            return refused
        if not 1 <= lease_ms <= LONGEST_LEASE_MS:
            return codes.BAD_VALUE
        if not self._lease and not self._pulse:
            refused = self._refuses_contact()
            if refused:
                return refused
        self._lease = lease_ms
        return codes.DONE

    def release(self):
        """Ends a hold; a pulse ends by itself."""
        if self._waking or self._damaged:
            return codes.WAKING
        self._lease = 0
        return codes.DONE

    def clamps(self, pulse_ms):
        """Whether a pulse of that length is shortened (rule 7)."""
        return pulse_ms > self._pulse_max

    # What STATUS says

    def state(self):
        if self.stopped:
            return codes.STATE_STOPPED if self._inputs.is_on(codes.STOP_INPUT) else codes.STATE_WAKING
        if self.fire:
            return codes.STATE_FIRE
        if self._lease or self._held_for_lost_host():
            return codes.STATE_HOLD
        if self._pulse:
            return codes.STATE_PULSE
        if self._closing is not None and self._closing.running():
            return codes.STATE_CLOSING
        return codes.STATE_WAKING if self._is_waking() else codes.STATE_IDLE

    def lockout_left(self):
        """Milliseconds until an OPEN would be obeyed again, as far as this is a matter of time."""
        if self._lease:
            return self._pulse
        return self._pulse + self._lockout_after if self._pulse else self._lockout

    def lease_left(self):
        """Milliseconds of the running hold."""
        return self._lease

    # Rules

    def _is_waking(self):
        """Rules 1, 2 and 17."""
        return self._waking > 0 or self._damaged or not self._inputs.all_known()

    def _is_stopped(self):
        """Rule 3."""
        inputs = self._inputs
        wired = inputs.wired & codes.STOP_INPUT
        return wired != 0 and (inputs.is_on(wired) or not inputs.known & wired)

    def _judge_fire(self):
        """Rule 4."""
        if self._inputs.is_on(codes.FIRE_INPUT):
            self._fire_left = self._fire_dwell
            fire = True
        else:
            fire = self._fire_left > 0
        if fire != self.fire:
            self._tell(codes.FIRE_ON if fire else codes.FIRE_OFF, 0)
        self.fire = fire
        if fire:
            self._pulse = 0
            self._lease = 0

    def _note_requests(self):
        """Rules 5 and 6: what people ask for in this pass."""
        inputs = self._inputs
        self._wanted |= inputs.rose & codes.HAND_BUTTON
        if not self._exit_opens:
            return
        if inputs.rose & codes.EXIT_REQUEST:
            self._exit_seen = True
            self._wanted |= codes.EXIT_REQUEST
        elif self._exit_seen and not self._exit_again and not inputs.is_on(codes.LIMIT_OPEN):
            self._wanted |= inputs.active & codes.EXIT_REQUEST & ~inputs.stuck

    def _serve_people(self):
        """Rules 5, 6 and 12: opens for them, or sees that it is open already."""
        opens = self.opens()
        if not self._wanted or (self.contact and not opens):  # the gap begins with this pass
            return
        if self._closing is not None and self._closing.gives_way():
            return
        if not opens:
            if self._gap:
                return
            self._start_pulse(self._people_pulse)
            if self._wanted & codes.EXIT_REQUEST:
                self._tell(codes.EXIT_OPEN, 0)
        if self._wanted & codes.HAND_BUTTON:
            self._tell(codes.MANUAL_OPEN, 0)
        if self._wanted & codes.EXIT_REQUEST:
            self._exit_again = _EXIT_AGAIN_MS
        self._wanted = 0

    def _reopen(self):
        """Rule 18: something stands under an arm that we sent down."""
        if self._closing is not None and self._closing.must_reopen() and not self.opens():
            self._start_pulse(self._people_pulse)
            self._tell(codes.REOPENED, 0)

    def _start_pulse(self, pulse_ms):
        """Rule 7."""
        self._pulse = min(pulse_ms, self._pulse_max)
        self._pulsed = 0

    def refuses_orders(self):
        """What stands against any order now, or DONE (rules 1 to 4, 16 and 17)."""
        if self._is_waking():
            return codes.WAKING
        if self._is_stopped():
            return codes.STOPPED
        if self.fire or self._inputs.is_on(codes.FIRE_INPUT):
            return codes.FIRE
        return codes.DONE if self.relay_follows else codes.BUSY

    def _refuses_contact(self):
        """Rules 12 to 14: an order wants to close the open contact; DONE counts as one closing."""
        if self.contact or self._gap or self._lockout:
            return codes.LOCKED_OUT
        if len(self._minute) >= self._per_minute:
            return codes.TOO_MANY
        self._minute.append(_MINUTE_MS)
        return codes.DONE

    def _car_present(self):
        """Rule 15."""
        return self._inputs.is_on(codes.ENTRY_LOOP & ~self._inputs.stuck)

    def _held_for_lost_host(self):
        """Rule 11."""
        return self._lost_opens and self.host_lost and self._inputs.all_known()

    def opens(self):
        """Whether anything but STOP's absence asks for the opening contact."""
        return self.fire or self._pulse > 0 or self._lease > 0 or self._held_for_lost_host()

    def _forget_all(self):
        """Rule 3."""
        self._pulse = 0
        self._lease = 0
        self._wanted = 0

    def _lapse(self):
        if self._lease:
            self._lease = 0
            self._tell(codes.LEASE_LAPSED, 0)

    def _elapse_pulse(self, passed):
        """Rules 7 and 8; a pulse does not run while the closing contact still has to let go."""
        if not self._pulse or (self._closing is not None and self._closing.lets_go()):
            return
        self._pulse = left(self._pulse, passed)
        self._pulsed += passed
        if self._pulsed >= CAP_MS:
            self._pulse = 0

    def _elapse_lease(self, passed):
        """Rule 9."""
        if self._lease > passed:
            self._lease -= passed
        else:
            self._lapse()

    def _elapse_minute(self, passed):
        """Rule 14."""
        minute = self._minute
        for i in range(len(minute)):
            minute[i] -= passed
        while minute and minute[0] <= 0:
            minute.pop(0)

    def _outputs(self):
        """Rules 3, 12, 13 and 18: what is written to the pins."""
        opening = not self.stopped and self.opens()
        outputs = 0
        if self._closing is not None:
            outputs = self._closing.decide(self, opening)
            opening = opening and not self._closing.lets_go()
        if opening:
            outputs |= codes.OPENING
        if self.contact and not opening:
            self._gap = _GAP_MS
            self._lockout = self._lockout_after
        self.contact = opening
        return outputs | codes.LAMP if outputs else 0
