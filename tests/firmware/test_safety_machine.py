"""The whole controller under random courses of wires, orders and time (hypothesis, stateful).

Each invariant has its name. The witness beside the controller counts real milliseconds, so what the
search proves in steps of 500 ms is tried here at any moment.
"""

from __future__ import annotations

from typing import Any

from gatepost import codes
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.firmware.rig import Bench, Host

ORDERABLE = st.sampled_from(["a", "b", "c", "d", "e"])
WIRES = st.sampled_from(codes.INPUTS[:11])


class Controller(RuleBasedStateMachine):
    """Rules move the world; after each, every invariant is looked at."""

    @initialize(
        fire_dwell_ms=st.sampled_from([0, 2000]), host_lost=st.sampled_from(["secure", "open"]),
        needs_presence=st.booleans(), pulse_max_ms=st.sampled_from([500, 3000]),
        awake=st.booleans(),
    )
    def start(self, awake: bool, **changed: Any) -> None:
        self.bench = Bench(**changed)
        self.host = Host(self.bench)
        self.may_hold_until = -1
        self.may_pulse_until = -1
        self.obeyed: dict[str, int] = {}
        self.greeted = False
        self.bench.post.safety._tell = self._tell
        if awake:
            self.bench.wake()
            self.greet()

    @rule(name=WIRES, active=st.booleans())
    def turn(self, name: str, active: bool) -> None:
        self.bench.turn(name, active)

    @rule(name=st.sampled_from(["hand_button", "exit_request", "entry_loop", "stop", "fire"]))
    def press(self, name: str) -> None:
        self.bench.turn(name, True)
        self.run(60)
        self.bench.turn(name, False)
        self.run(60)

    @rule(ms=st.sampled_from([5, 40, 200, 600, 2500]))
    def run(self, ms: int) -> None:
        for _ in range(0, ms, 5):
            self.bench.run(5)
            self.look()

    @rule()
    def greet(self) -> None:
        self.bench.board.sent = b""
        answers = self.host.send(self.host.hello())
        welcome = [fields for kind, fields in answers if kind == codes.WELCOME]
        self.host.take_up(welcome[0])
        self.ping()
        self.may_hold_until = -1
        self.greeted = True
        self.look()

    @rule(lease=st.sampled_from([1, 500, 10_000, 10_001]))
    def hold(self, lease: int) -> None:
        if self.greeted:
            result = self._order("hold", str(self.bench.board.passed), lease=lease)
            if result == "DONE":
                self.may_hold_until = self.bench.board.passed + lease
            self.look()

    @rule(name=ORDERABLE, pulse=st.sampled_from([99, 100, 700, 5000]), origin=st.integers(0, 2))
    def open(self, name: str, pulse: int, origin: int) -> None:
        if not self.greeted:
            return
        result = self._order("open", name, pulse=pulse, origin=origin)
        if result == "DONE":
            assert pulse >= 100
            assert origin < 2
            self.obeyed[name] = self.obeyed.get(name, 0) + 1
            self.may_pulse_until = self.bench.board.passed + min(
                pulse, self.bench.settings["pulse_max_ms"]
            )
        self.look()

    @rule()
    def release(self) -> None:
        if self.greeted and self._order("release", str(self.bench.board.passed)) == "DONE":
            self.may_hold_until = -1
            self.look()

    @rule(order=ORDERABLE)
    def close(self, order: str) -> None:
        if self.greeted:
            assert self._order("close", order) == "UNKNOWN_ORDER"

    def ping(self) -> dict[str, Any]:
        status: dict[str, Any] = self.host.ping()
        return status

    def _order(self, verb: str, name: str, **more: int) -> str:
        """The result; an order that was obeyed before is no new one."""
        until = self.ping()["session_ms"] + 2000
        result, flags = getattr(self.host, verb)(name, until=until, **more)
        return "AGAIN" if flags & codes.AGAIN else result

    def _tell(self, kind: int, argument: int = 0) -> None:
        """Hears what the rules tell: people at the gate have a right to one pulse."""
        if kind in (codes.MANUAL_OPEN, codes.EXIT_OPEN):
            own = min(self.bench.settings["pulse_ms"], self.bench.settings["pulse_max_ms"])
            self.may_pulse_until = max(self.may_pulse_until, self.bench.board.passed + own)
        self.bench.post.events.tell(kind, argument)

    def look(self) -> None:
        """Every invariant at this very pass."""
        self.no_contact_during_stop()
        self.fire_opens_unless_stop()
        self.every_closed_contact_has_a_right()

    def _stop(self) -> bool:
        inputs = self.bench.post.inputs
        return inputs.is_on(codes.STOP_INPUT) or not inputs.known & codes.STOP_INPUT

    @invariant()
    def never_two_outputs_and_never_the_closing_one(self) -> None:
        assert not self.bench.board.outputs & codes.CLOSING

    @invariant()
    def no_contact_during_stop(self) -> None:
        assert not (self._stop() and self.bench.board.outputs)

    @invariant()
    def fire_opens_unless_stop(self) -> None:
        burning = self.bench.post.inputs.is_on(codes.FIRE_INPUT)
        assert not burning or self._stop() or self.bench.open

    @invariant()
    def every_closed_contact_has_a_right(self) -> None:
        bench, rules = self.bench, self.bench.post.safety
        now = bench.board.passed
        lost = bench.post.link.lost and bench.settings["host_lost"] == "open"
        granted = max(self.may_hold_until, self.may_pulse_until)
        assert not bench.open or rules.fire or lost or now < granted

    @invariant()
    def a_lost_host_holds_nothing(self) -> None:
        assert not self.bench.post.link.lost or self.bench.post.safety.lease_left() == 0

    @invariant()
    def nothing_opens_while_nothing_is_known(self) -> None:
        assert not self.bench.open or self.bench.post.inputs.known

    @invariant()
    def the_watchdog_was_fed_once_a_pass(self) -> None:
        assert self.bench.board.fed == self.bench.board.steps.count("ticks") - 1


Controller.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestController = Controller.TestCase
