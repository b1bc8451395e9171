"""The thread that owns the barrier controller. Everyone else hands it orders and reads its view.

1. Only this thread calls the driver. ``post`` never waits; ``ask`` waits for the acknowledgement.
2. Every pass carries out what waits (``carry``), renews a hold, looks at the arm and draws the
   conclusions (``look``), and passes on what happened at the controller (``tell``).
3. Between two opening pulses lies the lock-out; automatic openings are limited per minute
   (``limits``).
4. A controller that is silent is tried again, less and less often. One that answers with another
   key is not ours: it is told nothing.
5. On stopping, every output is let go.

``step`` is one pass and takes the time from ``now``, so tests need no thread and no sleep.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from appliance import clock
from appliance.barrier.carry import Carrier, Claim, Report, Terms, Waiting
from appliance.barrier.drivers.seam import ANSWER_S, BarrierDriver, BarrierEvent
from appliance.barrier.look import Lookout
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
from appliance.barrier.tell import Teller
from appliance.barrier.traffic import Traffic
from appliance.errors import LinkLost, OrderRefused, OrderTimeout
from appliance.values import Outcome

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.05
RETRY_S = (0.05, 1.0)  # first and longest wait while the controller is silent
_MOST_WAITING = 16


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who else hears of the barrier; both are called on the link thread and must not wait."""

    happened: Callable[[BarrierEvent], None] = lambda _: None
    """An event of the controller; it comes again until ``Link.kept`` (``tell``)."""
    looked: Callable[[LinkView], None] = lambda _: None
    """After each look that was answered."""


class Link:
    """Owns one driver. ``claim`` and ``report`` are called on this thread."""

    def __init__(
        self, driver: BarrierDriver, *, pulse_ms: int, lockout_s: float, claim: Claim,
        report: Report, listeners: Listeners | None = None, now: Callable[[], float] = clock.mono,
    ) -> None:
        self.traffic = Traffic(now())
        self._driver = driver
        self._now = now
        self._listeners = listeners or Listeners()
        self._orders: queue.Queue[Waiting] = queue.Queue(_MOST_WAITING)
        terms = Terms(
            pulse_ms, lockout_s, claim, report,
            opened=lambda order, outcome: self._lookout.watch(order, outcome),
        )
        self._carrier = Carrier(driver, terms, now)
        self._lookout = Lookout(
            driver.name, driver.capabilities(), self.traffic, self._carrier.settle, now
        )
        self._teller = Teller(driver, self._happened)
        self._connected = False
        self._silent_s = RETRY_S[0]
        self._try_again_mono = float("-inf")
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    # For everyone

    @property
    def view(self) -> LinkView:
        return self._lookout.view

    def post(self, order: Order) -> bool:
        """Hands the order over and returns at once; False where the queue is full."""
        return self._enqueue(Waiting(order))

    def ask(self, order: Order, timeout_s: float = DEADLINE_S) -> Outcome:
        """Hands the order over and waits for its outcome. Raises OrderTimeout; the order then
        never goes out. Raises OrderRefused where a hold is longer than allowed."""
        if order.kind is OrderKind.HOLD and not 0 < order.lease_s <= LONGEST_HOLD_S:
            raise OrderRefused(
                "a hold lasts at most 60 s", next_step="Ask again before it ends to renew it"
            )
        waiting = Waiting(order)
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

    def kept(self, event: BarrierEvent, *, kept: bool = True) -> None:
        """Whether the event that ``happened`` was told of is on disk now; where it is not, it is
        told again."""
        self._teller.kept(event, kept=kept)

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
                self._carrier.take(self._orders.get(timeout=LOOK_EVERY_S))
        self.let_go()

    def step(self) -> None:
        """One pass: connect where needed, carry out what waits, renew the hold, look at the arm."""
        self._drain()
        try:
            if self._connected or self._connect():
                self._carrier.carry_out()
                self._carrier.renew_hold()
                self._look()
        except LinkLost as loss:
            self._lost(loss)
        self._carrier.refuse_late()

    def let_go(self) -> None:
        """The end: outputs off, waiting orders answered."""
        self._carrier.hold = None
        self._driver.disconnect()
        self._connected = False
        self._lookout.lost(LinkState.STOPPED)
        self._drain()
        self._carrier.refuse_all(Fault.STOPPED)

    def _enqueue(self, waiting: Waiting) -> bool:
        try:
            self._orders.put_nowait(waiting)
        except queue.Full:
            return False
        return True

    def _drain(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._carrier.take(self._orders.get_nowait())

    def _connect(self) -> bool:
        """False while it is not yet time for another try. Raises LinkLost."""
        if self._now() < self._try_again_mono:
            return False
        self._driver.connect()
        self._note()
        self._connected = True
        self._silent_s = RETRY_S[0]
        return True

    def _look(self) -> None:
        self._note()
        self._listeners.looked(self.view)
        self._teller.tell()

    def _note(self) -> None:
        status = self._driver.status()
        self._lookout.note(status, self._driver.controller(), self._carrier.hold)

    def _happened(self, event: BarrierEvent) -> None:
        self._lookout.happened(event)
        self._listeners.happened(event)

    def _lost(self, loss: LinkLost) -> None:
        if self._connected:
            logger.warning("barrier link lost")
        self._connected = False
        self._carrier.hold = None  # the lease lapses at the controller; a person asks anew
        self._try_again_mono = self._now() + self._silent_s
        self._silent_s = min(RETRY_S[1], 2 * self._silent_s)
        if loss.fields.get("why") == "foreign":
            self._lookout.lost(LinkState.FOREIGN)
        elif self.view.state is not LinkState.STARTING:
            self._lookout.lost(LinkState.LOST)
