"""A controller of the third implementation (firmware/make_vectors.py) on a cable of virtual time.

    time = Time()
    board = WireBoard(time)
    driver = Pico("port", PSK, now=time, open_port=Cable(board).open)
    driver.connect()
    board.happens(2)                 # somebody presses the hand button
    board.inputs |= 1                # a car stands on the entry loop
    board.answers = 4                # refuses every order as LOCKED_OUT
    board.restart()                  # as after a power cut: no session, a higher boot number
    cable.cut = True                 # nothing passes either way
    cable.mute = True                # the board hears, its answers are lost
    cable.delay_s = 0.2              # either way
    cable.inject = b"..."            # is read before anything else
    board.pulses                     # [(closed_ms, opened_ms or None), ...]

It keeps time in whole ms of ``Time``; a read on the cable lets time pass until something arrives.
"""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path
from types import ModuleType

from appliance.errors import LinkLost
from tests.fakes.barrier import Time

_FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"


def third_implementation() -> ModuleType:
    """firmware/make_vectors.py, which shares no code with either side."""
    spec = importlib.util.spec_from_file_location("make_vectors", _FIRMWARE / "make_vectors.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


m = third_implementation()
PSK: bytes = m.PSK
OTHER_PSK: bytes = m.OTHER_PSK
UID: bytes = m.UID

LIMIT_CLOSED = 1 << 5
TRAVEL_MS = 1500


class WireBoard:
    """Obeys sections 2 to 6 as far as a host can notice."""

    def __init__(self, time: Time, psk: bytes = PSK, boot: int = 7) -> None:
        self.time = time
        self.psk = psk
        self.uid = UID
        self.name = "Test post"
        self.boot = boot
        self.inputs = LIMIT_CLOSED
        self.known = 0x0FFF
        self.faults = 0
        self.lost = 0
        self.answers: int | None = None
        self.state: int | None = None
        self.pulses: list[tuple[int, int | None]] = []
        self.heard: list[tuple[int, dict[str, object]]] = []
        self.out = b""
        self._random = 0
        self._started = self._ms() - 10_000
        self._forget()

    def restart(self) -> None:
        """Outputs off, session and memory gone, inputs still being read."""
        self._end_pulse()
        self._forget()
        self.boot += 1
        self._started = self._ms()

    @property
    def contact(self) -> bool:
        self.tick()
        return bool(self.pulses) and self.pulses[-1][1] is None

    def happens(self, kind: int, argument: int = 0) -> None:
        self._events.append((kind, argument, self._ms()))
        self._numbered += 1
        self._say_event()

    # The wire

    def hear(self, arrived: bytes) -> None:
        self.tick()
        for run in arrived.split(b"\0"):
            if run:
                self._packet(run)

    def say(self, kind: int, body: bytes, counter: int | None = None) -> None:
        """An authentic frame of the session, good or bad."""
        if counter is None:
            self._sent += 1
            counter = self._sent
        self.out += m.line(m.packet(self._keys["to_host"], kind, counter, body))

    def tick(self) -> None:
        now = self._ms()
        if self._until is not None and now >= self._until:
            self._end_pulse(self._until)
        if self._keys and self._events and now - self._told_at >= 250:
            self._say_event()

    def _packet(self, run: bytes) -> None:
        try:
            version, kind, counter, body, text, tag = m.open_packet(m.uncobs(run))
        except ValueError:
            return
        assert version == 1
        if kind == m.HELLO:
            if m.mac(m.mac(self.psk, b"postern 1 hello"), text)[:8] == tag:
                self._greeted(body)
                return
        elif self._authentic(counter, text, tag):
            self.heard.append((kind, m.fields(kind, body)))
            self._obey(kind, m.fields(kind, body))
            return
        if not self._keys and not self._pending and self._ms() - self._who_at >= 1000:
            self._who_at = self._ms()
            self.out += m.line(m.packet(None, m.WHO, 0))

    def _authentic(self, counter: int, text: bytes, tag: bytes) -> bool:
        if self._pending and m.mac(self._pending["to_board"], text)[:8] == tag:
            self._keys, self._pending = self._pending, {}
            self._since, self._highest, self._sent = self._pending_since, 0, 0
            if self._lease:
                self._end_pulse()
        if self._keys and m.mac(self._keys["to_board"], text)[:8] == tag:
            fresh = counter > self._highest
            self._highest = max(counter, self._highest)
            return fresh
        return False

    def _greeted(self, host_nonce: bytes) -> None:
        self._random += 1
        board_nonce = self._random.to_bytes(16, "little")
        keys = m.keys(self.psk, host_nonce, board_nonce, self.uid)
        self._pending, self._pending_since = keys, self._ms()
        body = m.body(
            m.WELCOME, host_nonce=host_nonce, board_nonce=board_nonce, uid=self.uid,
            firmware=b"\1\0\2", options=0x3FE, settings=b"\xca\xfe\0\1", boot=self.boot, cause=1,
            name=self.name,
        )
        self.out += m.line(m.packet(keys["welcome"], m.WELCOME, 0, body))

    # Orders

    def _obey(self, kind: int, said: dict[str, object]) -> None:
        if kind == m.PING:
            self._kept(int(str(said["kept"])))
            self.say(m.STATUS, self.status_body())
            return
        order_id, flags = said["id"], 0
        if order_id in self._obeyed:
            result, flags = 0, 1
        else:
            result = self._judge(kind, said)
            if result == 0:
                self._obeyed.append(order_id)
        self.say(m.RESULT, m.body(
            m.RESULT, id=order_id, result=result, flags=flags, session_ms=self.session_ms()))

    def _judge(self, kind: int, said: dict[str, object]) -> int:
        now, until = self._ms(), int(str(said["until"]))
        if self.answers is not None:
            return self.answers
        if now - self._started < 2500:
            return 1
        if self.session_ms() >= 24 * 3_600_000:
            return 10
        if self.session_ms() > until:
            return 6
        if until > self.session_ms() + 5000:
            return 7
        if kind == m.RELEASE:
            self._end_pulse()
        elif kind == m.HOLD:
            self._close(now + int(str(said["lease"])), lease=True)
        else:
            self._close(now + int(str(said["pulse"])), lease=False)
        return 0

    def _close(self, until: int, *, lease: bool) -> None:
        if self._until is None:
            self.pulses.append((self._ms(), None))
        self._until, self._lease = until, lease

    def _end_pulse(self, at: int | None = None) -> None:
        if self._until is not None:
            self.pulses[-1] = (self.pulses[-1][0], self._ms() if at is None else at)
        self._until, self._lease = None, False

    def status_body(self) -> bytes:
        lease = self._until - self._ms() if self._lease and self._until else 0
        waking = self._ms() - self._started < 2500
        state = 0 if waking else 3 if self._lease else 2 if self._until else 1
        known = 0 if self._ms() - self._started < 60 else self.known
        return m.body(
            m.STATUS, session_ms=self.session_ms(),
            state=state if self.state is None else self.state, outputs=int(self.contact),
            inputs=self._positions() & known, known=known, faults=self.faults, lockout=0,
            lease=max(0, lease), entry_count=3, safety_count=4, photo_count=5,
            waiting=min(255, len(self._events)), lost=self.lost, noise=0, forged=0,
            boot_ms=self._ms() - self._started,
        )

    def _positions(self) -> int:
        """The arm rises after a pulse began, so that a movement can be seen."""
        if not self.pulses:
            return self.inputs
        risen = self._ms() - self.pulses[0][0]
        limit = 1 << 4 if risen >= TRAVEL_MS else 0
        return self.inputs & ~LIMIT_CLOSED | limit

    # Events

    def _kept(self, number: int) -> None:
        first = self._numbered - len(self._events) + 1
        if number > self._numbered:
            return
        while self._events and first <= number:
            self._events.pop(0)
            first += 1
            self._told_at = -1000

    def _say_event(self) -> None:
        if not self._keys:
            return
        kind, argument, at = self._events[0]
        number = self._numbered - len(self._events) + 1
        self._told_at = self._ms()
        self.say(m.EVENT, m.body(
            m.EVENT, number=number, kind=kind, argument=argument, age=self._ms() - at))

    def _forget(self) -> None:
        self._keys: dict[str, bytes] = {}
        self._pending: dict[str, bytes] = {}
        self._pending_since = self._since = 0
        self._highest = self._sent = 0
        self._obeyed: list[object] = []
        self._until: int | None = None
        self._lease = False
        self._events: list[tuple[int, int, int]] = []
        self._numbered = 0
        self._told_at = self._who_at = -1000
        self.out = b""

    def session_ms(self) -> int:
        return (self._ms() - self._since) & 0xFFFFFFFF

    def _ms(self) -> int:
        return round(self.time.now * 1000)


class Cable:
    """The line between a driver and a board; ``open`` is what the driver opens."""

    def __init__(self, board: WireBoard) -> None:
        self.board = board
        self.cut = False
        self.mute = False
        self.gone = False
        self.delay_s = 0.0
        self.opened = 0
        self.closed = 0
        self.sent: list[bytes] = []
        self.heard: list[bytes] = []
        self.inject = b""
        self._there: list[tuple[float, bytes]] = []
        self._back: list[tuple[float, bytes]] = []

    def open(self, path: str) -> Cable:
        if self.gone:
            raise LinkLost("no such port", why="port")
        self.opened += 1
        self._back.clear()
        return self

    def write(self, frame: bytes) -> None:
        self._check()
        self.sent.append(frame)
        if not self.cut:
            self._there.append((self.board.time.now + self.delay_s, frame))
            self.pump()

    def read(self, wait_s: float) -> bytes:
        self._check()
        ends = self.board.time.now + wait_s
        while True:
            self.pump()
            found = self.inject + b"".join(data for _, data in self._due(self._back))
            self.inject = b""
            if found or self.board.time.now >= ends:
                return found
            self.board.time.pass_(min(0.001, max(1e-6, ends - self.board.time.now)))

    def close(self) -> None:
        self.closed += 1

    def pump(self) -> None:
        for _, frame in self._due(self._there):
            self.board.hear(frame)
        self.board.tick()
        if self.board.out and not self.cut and not self.mute:
            self._back.append((self.board.time.now + self.delay_s, self.board.out))
            self.heard += [b"\0" + run + b"\0" for run in self.board.out.split(b"\0") if run]
        self.board.out = b""

    def _due(self, queue: list[tuple[float, bytes]]) -> list[tuple[float, bytes]]:
        now = self.board.time.now + 1e-9
        due = [entry for entry in queue if entry[0] <= now]
        queue[:] = [entry for entry in queue if entry[0] > now]
        return due

    def _check(self) -> None:
        if self.gone:
            raise LinkLost("no such port", why="port")


def kinds(frames: list[bytes]) -> list[int]:
    """The type of each frame sent."""
    return [struct.unpack("<BB", m.uncobs(frame.strip(b"\0"))[:2])[1] for frame in frames]
