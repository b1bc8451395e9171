"""A line between the driver and a board that somebody tampers with.

    line = WireProxy(board.port, seed=1)
    driver = Pico(line.port, key)
    line.cut = True                 nothing passes either way
    line.garble = 0.1               that share of the frames has a few bits turned over
    line.truncate = 0.1             ... loses its end
    line.duplicate = 0.1            ... passes twice
    line.reorder = 0.1              ... waits until the next one has passed
    line.delay_s = (0.0, 0.3)       every frame waits that long, either way
    line.captured                   every frame that the driver ever sent
    line.replay(frames)             sends old frames to the board
    line.honest()                   all of that is over
"""

from __future__ import annotations

import contextlib
import os
import pty
import random
import select
import threading
import time
import tty
from dataclasses import dataclass, field


@dataclass
class _Way:
    """One direction: what it has read in part, and what waits to be written."""

    source: int
    sink: int
    part: bytes = b""
    waiting: list[tuple[float, bytes]] = field(default_factory=list)
    kept_back: bytes = b""


class WireProxy:
    def __init__(self, far_port: str, seed: int) -> None:
        self._chance = random.Random(seed)
        self._near, self._near_slave = pty.openpty()
        self._far = os.open(far_port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        for end in (self._near, self._near_slave, self._far):
            tty.setraw(end)
        os.set_blocking(self._near, False)
        self.port = os.ttyname(self._near_slave)
        self.captured: list[bytes] = []
        self._there = _Way(self._near, self._far)
        self._back = _Way(self._far, self._near)
        self.honest()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wire-proxy", daemon=True)
        self._thread.start()

    def honest(self) -> None:
        self.cut = False
        self.garble = self.truncate = self.duplicate = self.reorder = 0.0
        self.delay_s = (0.0, 0.0)

    def replay(self, frames: list[bytes]) -> None:
        for frame in frames:
            self._write(self._far, frame)

    def close(self) -> None:
        self._ended.set()
        self._thread.join(2.0)
        for end in (self._near, self._near_slave, self._far):
            with contextlib.suppress(OSError):
                os.close(end)

    def _run(self) -> None:
        while not self._ended.is_set():
            wait_s = 0.001 if self._there.waiting or self._back.waiting else 0.05
            try:
                ready, _, _ = select.select([self._near, self._far], [], [], wait_s)
            except OSError:
                return
            for way in (self._there, self._back):
                if way.source in ready:
                    self._take(way)
                self._pass_on(way)

    def _take(self, way: _Way) -> None:
        try:
            way.part += os.read(way.source, 4096)
        except OSError:
            return
        *whole, way.part = way.part.split(b"\0")
        for run in whole:
            if run:
                self._frame(way, b"\0" + run + b"\0")

    def _frame(self, way: _Way, frame: bytes) -> None:
        if way is self._there:
            self.captured.append(frame)
        if self.cut:
            return
        if self._chance.random() < self.garble:
            frame = self._flip(frame)
        if self._chance.random() < self.truncate:
            frame = frame[: self._chance.randint(1, len(frame) - 1)]
        frames = [frame] * (2 if self._chance.random() < self.duplicate else 1)
        if way.kept_back:
            frames.append(way.kept_back)
            way.kept_back = b""
        elif self._chance.random() < self.reorder:
            way.kept_back = frames.pop()
        due = time.monotonic() + self._chance.uniform(*self.delay_s)
        way.waiting += [(due, one) for one in frames]

    def _flip(self, frame: bytes) -> bytes:
        changed = bytearray(frame)
        for _ in range(self._chance.randint(1, 3)):
            changed[self._chance.randrange(len(changed))] ^= 1 << self._chance.randrange(8)
        return bytes(changed)

    def _pass_on(self, way: _Way) -> None:
        now = time.monotonic()
        due = [frame for at, frame in way.waiting if at <= now]
        way.waiting = [(at, frame) for at, frame in way.waiting if at > now]
        for frame in due:
            self._write(way.sink, frame)

    def _write(self, sink: int, frame: bytes) -> None:
        with contextlib.suppress(OSError):  # a full line loses, as a wire does
            os.write(sink, frame)
