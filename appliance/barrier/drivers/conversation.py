"""Question and answer with the controller over a port, inside a session that proves who speaks.

 1. A question is asked again every ``RESEND_S`` until it is answered or its time is over; then it
    is LinkLost, and whether it was obeyed is not known.
 2. An answer that was made before the question went out answers an older one and is not taken.
 3. WHO is a hint that the controller restarted, not a proof: only where no answer came either, it
    is greeted anew. So a forged WHO ends no hold.
 4. A session that is not greeted to its end is none: no order can go out.
 5. A port that fails is closed and opened again at the next ``begin``. Opening sends nothing but
    the greeting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from appliance.barrier import session, wire
from appliance.barrier.drivers.event_book import EventBook
from appliance.barrier.drivers.port import Port
from appliance.barrier.messages import (
    NONCE_BYTES,
    Event,
    FromController,
    Order,
    Ping,
    Result,
    Status,
    Type,
    Welcome,
)
from appliance.errors import LinkLost

RESEND_S = 0.15
GREET_AGAIN_S = 0.45  # a third greeting within a second would make a stranger's board deaf

Found = TypeVar("Found")


class Conversation:
    """One controller at one port."""

    def __init__(
        self, open_port: Callable[[], Port], key: bytes, events: EventBook, *,
        now: Callable[[], float], random: Callable[[int], bytes],
    ) -> None:
        self._open_port = open_port
        self._key = key
        self._events = events
        self._now = now
        self._random = random
        self._port: Port | None = None
        self._receiver = wire.Receiver()
        self._greeting: session.Greeting | None = None
        self._session: session.Session | None = None
        self._who_heard = False

    @property
    def running(self) -> session.Session:
        """The session. Raises LinkLost where there is none."""
        if self._session is None:
            raise LinkLost("the controller is not connected", why="silent")
        return self._session

    def begin(self, ends_mono: float) -> Welcome:
        """Opens the port where needed and greets. Raises LinkLost; see ``why`` in its fields."""
        if self._port is None:
            self._receiver = wire.Receiver()
            self._port = self._open_port()
        return self.greet(ends_mono)

    def greet(self, ends_mono: float) -> Welcome:
        """A new session in place of the running one."""
        self._session, not_ours = None, False
        while self._now() < ends_mono:
            self._greeting = session.Greeting(self._key, self._random(NONCE_BYTES))
            self._write(self._greeting.hello)
            welcome = self._await_welcome(min(ends_mono, self._now() + GREET_AGAIN_S))
            not_ours, self._greeting = not_ours or self._greeting.not_ours, None
            if welcome is not None:
                return welcome
        if not_ours:
            raise LinkLost(
                "the controller was not keyed by this box", why="foreign",
                next_step="Run `postern controller provision` to key it",
            )
        raise LinkLost("the controller does not answer", why="silent")

    def ask_status(self, ends_mono: float) -> Status:
        """What it reads now; it is told which events are kept."""

        def question() -> bytes:
            return self.running.frame(Ping(self._events.kept(self.running.board)))

        def answer(message: Status | Result) -> Status | None:
            return message if isinstance(message, Status) else None

        return self._ask(question, answer, ends_mono)

    def ask_result(
        self, order: Callable[[int], Order], short_id: bytes, dies_mono: float, ends_mono: float
    ) -> Result:
        """The controller's word on an order; ``order`` makes it for a deadline."""

        def question() -> bytes:
            now_mono = self._now()
            until = self.running.deadline(short_id, dies_mono - now_mono, now_mono)
            return self.running.frame(order(until))

        def answer(message: Status | Result) -> Result | None:
            return message if isinstance(message, Result) and message.id == short_id else None

        return self._ask(question, answer, ends_mono)

    def end(self) -> None:
        """Closes the port. Never raises."""
        if self._port is not None:
            self._port.close()
        self._port = self._session = self._greeting = None

    def _await_welcome(self, until_mono: float) -> Welcome | None:
        while (left_s := until_mono - self._now()) > 0:
            self._listen(left_s)
            if self._session is not None:
                return self._session.board
        return None

    def _ask(
        self, question: Callable[[], bytes],
        answer: Callable[[Status | Result], Found | None], ends_mono: float,
    ) -> Found:
        self._listen(0.0)
        self._who_heard = False
        asked_ms = self.running.clock_ms(self._now())
        while self._now() < ends_mono:
            if self._who_heard:
                self.greet(ends_mono)
                asked_ms = self.running.clock_ms(self._now())
            self._write(question())
            again_mono = min(ends_mono, self._now() + RESEND_S)
            while (left_s := again_mono - self._now()) > 0:
                for message in self._listen(left_s):
                    found = answer(message)
                    if found is not None and self.running.made_after(message, asked_ms):
                        return found
        raise LinkLost("the controller does not answer", why="silent")

    def _listen(self, wait_s: float) -> list[Status | Result]:
        """What the controller answered until now; its events are booked."""
        messages = [self._hear(packet) for packet in self._receiver.feed(self._read(wait_s))]
        return [message for message in messages if isinstance(message, (Status, Result))]

    def _hear(self, packet: wire.Packet) -> FromController | None:
        if self._session is None:
            if self._greeting is not None:
                self._session = self._greeting.hear(packet, self._now())
                self._who_heard = False
            return None
        if packet.type == Type.WHO:
            self._who_heard = True
            return None
        message = self._session.hear(packet, self._now())
        if isinstance(message, Event):
            self._events.hear(self._session.board, message, self._now())
        return message

    def _read(self, wait_s: float) -> bytes:
        try:
            return self._open.read(wait_s)
        except LinkLost:
            self.end()
            raise

    def _write(self, frame: bytes) -> None:
        try:
            self._open.write(frame)
        except LinkLost:
            self.end()
            raise

    @property
    def _open(self) -> Port:
        if self._port is None:
            raise LinkLost("the controller is not connected", why="silent")
        return self._port
