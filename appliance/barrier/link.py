"""The thread that owns the barrier controller. Everyone else hands it orders and reads its view.

 1. Only this thread calls the driver. ``post`` never waits; ``ask`` waits for the acknowledgement.
 2. An order is refused once it is older than ``DEADLINE_S``. An order id is carried out once; asked
    again, its first outcome is the answer.
 3. Between two opening pulses lies the lock-out; automatic openings are limited per minute
    (``limits``).
 4. An automatic opening is written down (``claim``) before it goes out; what cannot be written
    down does not go out.
 5. An unanswered order is sent again with the same id until its deadline; the controller obeys an
    id once.
 6. A hold is a lease, renewed at the controller piece by piece (``hold``) and never resumed by
    itself after the link was lost.
 7. After an acknowledged pulse the arm is watched; "did not move" is reported, not assumed away.
 8. On stopping, every output is let go.

``step`` is one pass and takes the time from ``now``, so tests need no thread and no sleep.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from appliance import clock
from appliance.barrier.drivers.seam import ANSWER_S, BarrierDriver, BarrierStatus, Position
from appliance.barrier.hold import Hold
from appliance.barrier.limits import Limits, too_late
from appliance.barrier.orders import (
    DEADLINE_S,
    LONGEST_HOLD_S,
    Fault,
    LinkState,
    LinkView,
    Order,
    OrderKind,
    unsent,
)
from appliance.barrier.watch import Watch
from appliance.errors import LinkLost, OrderRefused, OrderTimeout
from appliance.values import Moved, Outcome

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.05
RETRY_S = (0.05, 1.0)  # first and longest wait while the controller is silent
_MOST_WAITING = 16
_REMEMBERED = 64

Claim = Callable[[Order], Fault | None]
Report = Callable[[Order, Outcome], None]


@dataclass
class _Waiting:
    order: Order
    answer: Future[Outcome] = field(default_factory=Future)
    sent_once: bool = False


class Link:
    """Owns one driver. ``claim`` and ``report`` are called on this thread."""

    def __init__(
        self, driver: BarrierDriver, *, pulse_ms: int, lockout_s: float, claim: Claim,
        report: Report, now: Callable[[], float] = clock.mono,
    ) -> None:
        self.view = LinkView(driver.name, driver.capabilities())
        self._driver = driver
        self._pulse_ms = pulse_ms
        self._limits = Limits(lockout_s)
        self._claim = claim
        self._report = report
        self._now = now
        self._orders: queue.Queue[_Waiting] = queue.Queue(_MOST_WAITING)
        self._taken: deque[_Waiting] = deque()
        self._done: OrderedDict[str, Outcome] = OrderedDict()
        self._watched: tuple[Order, Outcome, Watch] | None = None
        self._hold: Hold | None = None
        self._arm_fault = ""
        self._connected = False
        self._silent_s = RETRY_S[0]
        self._try_again_mono = float("-inf")
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    # For everyone

    def post(self, order: Order) -> bool:
        """Hands the order over and returns at once; False where the queue is full."""
        return self._enqueue(_Waiting(order))

    def ask(self, order: Order, timeout_s: float = DEADLINE_S) -> Outcome:
        """Hands the order over and waits for its outcome. Raises OrderTimeout; the order then
        never goes out. Raises OrderRefused where a hold is longer than allowed."""
        if order.kind is OrderKind.HOLD and not 0 < order.lease_s <= LONGEST_HOLD_S:
            raise OrderRefused(
                "a hold lasts at most 60 s", next_step="Ask again before it ends to renew it"
            )
        waiting = _Waiting(order)
        if not self._enqueue(waiting):
            return unsent(order, Fault.QUEUE_FULL)
        try:
            return waiting.answer.result(timeout_s)
        except TimeoutError:
            if waiting.answer.cancel():
                raise OrderTimeout(
                    "the barrier did not answer in time", next_step="Open by hand if it is urgent"
                ) from None
        try:  # it is being carried out
            return waiting.answer.result(DEADLINE_S + 2 * ANSWER_S)
        except TimeoutError:
            raise OrderTimeout("the barrier did not answer in time") from None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="barrier-link", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Lets go of every output and ends the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(3 * ANSWER_S)

    # The thread

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.step()
            except Exception as error:  # noqa: BLE001 - the link must outlive any fault
                logger.error("link step failed error=%s", type(error).__name__)
            with contextlib.suppress(queue.Empty):
                self._taken.append(self._orders.get(timeout=LOOK_EVERY_S))
        self.let_go()

    def step(self) -> None:
        """One pass: connect where needed, carry out what waits, renew the hold, look at the arm."""
        self._drain()
        if self._connected or self._connect():
            self._carry_out_all()
            self._renew_hold()
            self._look()
        self._refuse_late_ones()

    def let_go(self) -> None:
        """The end: outputs off, waiting orders answered."""
        self._hold = None
        self._driver.disconnect()
        self._connected = False
        self._show(LinkState.STOPPED)
        self._drain()
        while self._taken:
            waiting = self._taken.popleft()
            self._settle(waiting, unsent(waiting.order, Fault.STOPPED))

    # Orders

    def _enqueue(self, waiting: _Waiting) -> bool:
        try:
            self._orders.put_nowait(waiting)
        except queue.Full:
            return False
        return True

    def _drain(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._taken.append(self._orders.get_nowait())

    def _carry_out_all(self) -> None:
        while self._taken and self._connected:
            waiting = self._taken.popleft()
            if not waiting.sent_once and not waiting.answer.set_running_or_notify_cancel():
                continue  # nobody waits for it any more
            try:
                outcome = self._carry_out(waiting)
            except LinkLost:
                self._taken.appendleft(waiting)
                self._lost()
                return
            self._settle(waiting, outcome)

    def _carry_out(self, waiting: _Waiting) -> Outcome:
        """Raises LinkLost where the controller did not answer: the order waits for another try."""
        order = waiting.order
        if order.id in self._done:
            return self._done[order.id]
        if not waiting.sent_once:
            fault = self._limits.objection(order, self._now())
            if fault is None and order.automatic:
                fault = self._claim(order)
            if fault is not None:
                return unsent(order, fault)
            waiting.sent_once = True
        elif too_late(order, self._now()):
            return unsent(order, Fault.LINK_LOST)
        try:
            self._send(order)
        except OrderRefused:
            return self._remember(unsent(order, Fault.REFUSED))
        outcome = Outcome(order.id, order.asked_mono, self._now(), Moved.UNKNOWN)
        if order.kind is OrderKind.OPEN:
            self._watched = (order, outcome, Watch(self._now()))
        return self._remember(outcome)

    def _send(self, order: Order) -> None:
        now = self._now()
        if order.kind is OrderKind.OPEN:
            self._limits.pulse_given(order, now)
            self._driver.open(order.id, self._pulse_ms)
        elif order.kind is OrderKind.HOLD:
            hold = Hold(order.id, now + order.lease_s, self.view.capabilities.longest_lease_s)
            self._driver.hold_open(*hold.next_piece(now))
            hold.piece_sent(now)
            self._hold = hold
        else:
            self._driver.release()
            self._hold = None

    def _refuse_late_ones(self) -> None:
        """While the controller is silent, an order waits no longer than its deadline."""
        for waiting in [w for w in self._taken if too_late(w.order, self._now())]:
            self._taken.remove(waiting)
            fault = Fault.LINK_LOST if waiting.sent_once else Fault.TOO_LATE
            self._settle(waiting, unsent(waiting.order, fault))

    def _settle(self, waiting: _Waiting, outcome: Outcome) -> None:
        if waiting.answer.running() or waiting.answer.set_running_or_notify_cancel():
            waiting.answer.set_result(outcome)
        self._report(waiting.order, outcome)

    def _remember(self, outcome: Outcome) -> Outcome:
        self._done[outcome.order_id] = outcome
        while len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)
        return outcome

    def _renew_hold(self) -> None:
        hold, now = self._hold, self._now()
        if hold is None:
            return
        if hold.lapsed(now):
            self._hold = None
        elif hold.due(now):
            try:
                self._driver.hold_open(*hold.next_piece(now))
                hold.piece_sent(now)
            except OrderRefused:
                self._hold = None
            except LinkLost:
                self._lost()

    # The controller

    def _connect(self) -> bool:
        if self._now() < self._try_again_mono:
            return False
        try:
            self._driver.connect()
            status = self._driver.status()
        except LinkLost:
            self._lost()
            return False
        self._connected = True
        self._silent_s = RETRY_S[0]
        self._note(status)
        return True

    def _lost(self) -> None:
        if self._connected:
            logger.warning("barrier link lost")
        self._connected = False
        self._hold = None  # the lease lapses at the controller; a person asks anew
        if self._watched is not None:
            order, outcome, _ = self._watched
            self._watched = None
            self._conclude(order, outcome, Moved.UNKNOWN)
        self._try_again_mono = self._now() + self._silent_s
        self._silent_s = min(RETRY_S[1], 2 * self._silent_s)
        if self.view.state is not LinkState.STARTING:
            self.view = replace(self.view, position=Position.UNKNOWN)
            self._show(LinkState.LOST)

    def _look(self) -> None:
        if not self._connected:
            return
        try:
            self._note(self._driver.status())
        except LinkLost:
            self._lost()

    def _note(self, status: BarrierStatus) -> None:
        """Draws the conclusions from one look at the arm."""
        if status.position in (Position.OPEN, Position.MOVING):
            self._arm_fault = ""
        if self._watched is not None:
            order, outcome, watch = self._watched
            moved = watch.verdict(status.position, self._now())
            if moved is not None:
                self._watched = None
                self._conclude(order, outcome, moved)
        self.view = replace(
            self.view, position=status.position, fault=status.fault or self._arm_fault,
            entry_loop=status.entry_loop, safety_loop=status.safety_loop,
            photocell=status.photocell,
        )
        self._show(self._state())

    def _conclude(self, order: Order, outcome: Outcome, moved: Moved) -> None:
        if moved is Moved.NO:
            self._arm_fault = Fault.DID_NOT_MOVE.value
            logger.warning("barrier did not move order=%s", order.id)
        fault = self._arm_fault if moved is Moved.NO else ""
        settled = replace(outcome, moved=moved, fault=fault)
        self._report(order, self._remember(settled))

    def _state(self) -> LinkState:
        if self._hold is not None:
            return LinkState.HELD
        if self._watched is not None:
            return LinkState.ORDERED
        return LinkState.FAULTY if self.view.fault else LinkState.READY

    def _show(self, state: LinkState) -> None:
        held_until = self._hold.until_mono if self._hold is not None else None
        self.view = replace(self.view, state=state, held_until_mono=held_until)
