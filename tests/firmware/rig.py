"""A controller on the bench: wires to pull, a host that speaks the protocol, a hand-turned clock.

    bench = Bench()
    bench.wake()                       # 3 s after the start, every wire at rest
    host = Host(bench)
    host.greet()
    host.open("order 1")               # -> ("DONE", flags)
    bench.turn("stop", True)           # somebody presses STOP
    bench.run(40)

The host's side is built from ``firmware/make_vectors.py``, which shares no code with the firmware.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from gatepost import codes, config
from gatepost.post import Post

from tests.firmware.conftest import FIRMWARE


def script(name: str) -> ModuleType:
    """A program of ``firmware/`` that is no package's."""
    spec = importlib.util.spec_from_file_location(f"firmware_{name}", FIRMWARE / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


wire: Any = script("make_vectors")
START = 2**30 - 1000
EVERY_INPUT = {name: {"pin": 2 + i} for i, name in enumerate(codes.INPUTS)}
RESULTS = [
    "DONE", "WAKING", "STOPPED", "FIRE", "LOCKED_OUT", "TOO_MANY", "EXPIRED", "BAD_VALUE",
    "NO_PRESENCE", "BUSY", "SESSION_OLD", "UNKNOWN_ORDER", "OBSTRUCTED", "UNPROVEN",
]


def gate_json(**changed: Any) -> str:
    """A whole gate.json; a key given as None is left out."""
    text = {
        "name": "North gate", "board": "rp2", "key": wire.PSK.hex(), "inputs": EVERY_INPUT,
        "pins": {"opening": 16, "closing": 17, "lamp": 18, "tx": 0, "rx": 1, "jumper": 22},
    } | changed
    return json.dumps({name: value for name, value in text.items() if value is not None})


def settings(**changed: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = config.load(gate_json(**changed))
    return loaded


class FakeBoard:
    """The pins and the port of ``gatepost.post``; keeps every change of an output with its time."""

    def __init__(self, cause: int = 1, jumper: bool = False) -> None:
        self.uid, self.cause, self.boot = wire.UID, cause, 41
        self.now, self.circuits, self.outputs, self.fed = START, 0, 0, 0
        self.arriving = self.sent = b""
        self.steps: list[str] = []
        self.history: list[tuple[int, int]] = []
        self.passed = 0
        self.nonces = 0
        self.nonce = b""  # set it to choose what a session is made of
        self._jumper = jumper

    def ticks(self) -> int:
        self.steps.append("ticks")
        return self.now

    def read_inputs(self) -> int:
        self.steps.append("read_inputs")
        return self.circuits

    def write_outputs(self, mask: int) -> None:
        self.steps.append("write_outputs")
        if mask != self.outputs:
            self.history.append((self.passed, mask))
        self.outputs = mask

    def read(self) -> bytes:
        self.steps.append("read")
        data, self.arriving = self.arriving, b""
        return data

    def write(self, data: bytes) -> None:
        self.steps.append("write")
        self.sent += data

    def feed(self) -> None:
        self.steps.append("feed")
        self.fed += 1

    def random(self, n: int) -> bytes:
        if self.nonce:
            return self.nonce
        self.nonces += 1
        return bytes((self.nonces + i) & 255 for i in range(n))

    def jumper(self) -> bool:
        return self._jumper

    def pass_time(self, ms: int) -> None:
        self.passed += ms
        self.now = (self.now + ms) % 2**30


class Bench:
    """A Post on a FakeBoard. Wires have names: ``turn("stop", True)`` is STOP pressed."""

    def __init__(
        self, values: Mapping[str, Any] | None = None, *, cause: int = 1, jumper: bool = False,
        **changed: Any,
    ) -> None:
        self.settings = dict(values) if values is not None else settings(**changed)
        self.board = FakeBoard(cause, jumper)
        for name, wired in self.settings["inputs"].items():
            if wired["normally"] == "closed":
                self.board.circuits |= 1 << codes.INPUTS.index(name)
        self.post = Post(self.settings, self.board)

    def run(self, ms: int, every: int = 5) -> None:
        """Passes of ``every`` ms; the relay's second contact follows, where it is wired."""
        for _ in range(0, ms, every):
            self.board.pass_time(every)
            self._follow()
            self.post.tick()

    def wake(self) -> None:
        self.run(3000)

    def turn(self, name: str, active: bool) -> None:
        bit = 1 << codes.INPUTS.index(name)
        closed = active != (self.settings["inputs"][name]["normally"] == "closed")
        self.board.circuits = self.board.circuits | bit if closed else self.board.circuits & ~bit

    def press(self, name: str, ms: int = 200) -> None:
        self.turn(name, True)
        self.run(ms)
        self.turn(name, False)
        self.run(50)

    @property
    def open(self) -> bool:
        """Whether the opening contact is closed, so that the barrier opens."""
        return bool(self.board.outputs & codes.OPENING)

    def pulses(self) -> list[int]:
        """How long each closing of the opening contact lasted so far, in ms."""
        found, since = [], None
        for at, mask in [*self.board.history, (self.board.passed, 0)]:
            if mask & codes.OPENING:
                since = at if since is None else since
            elif since is not None:
                found.append(at - since)
                since = None
        return found

    relay_follows = True

    def _follow(self) -> None:
        if "relay_sense" in self.settings["inputs"] and self.relay_follows:
            self.turn("relay_sense", self.open)


class Host:
    """The other end of the line, with any key."""

    def __init__(self, bench: Bench, psk: bytes = wire.PSK) -> None:
        self.bench, self.psk = bench, psk
        self.keys: dict[str, bytes] = {}
        self.welcome: dict[str, Any] = {}
        self.counter = 0
        self.kept = 0
        self.session_ms = 0
        self.heard: list[tuple[int, dict[str, Any]]] = []

    def send(self, line: bytes) -> list[tuple[int, dict[str, Any]]]:
        """Puts bytes on the line, lets one pass run, returns the packets that come back."""
        self.bench.board.arriving += line
        self.bench.run(5)
        return self.listen()

    def listen(self) -> list[tuple[int, dict[str, Any]]]:
        found = []
        for run in self.bench.board.sent.split(b"\0"):
            if run:
                _, kind, counter, body, text, tag = wire.open_packet(wire.uncobs(run))
                key = self.keys.get("to_host")
                if kind in (wire.STATUS, wire.RESULT, wire.EVENT) and key:
                    assert tag == wire.mac(key, text)[:8]
                found.append((kind, wire.fields(kind, body) | {"counter": counter}))
        self.bench.board.sent = b""
        self.heard += found
        return found

    def hello(self, nonce: bytes = wire.HOST_NONCE) -> bytes:
        key = wire.keys(self.psk, nonce, bytes(16), wire.UID)["hello"]
        body = wire.body(wire.HELLO, host_nonce=nonce)
        line: bytes = wire.line(wire.packet(key, wire.HELLO, 0, body))
        return line

    def greet(self) -> None:
        """A whole handshake; the session begins with a PING."""
        answers = self.send(self.hello())
        self.take_up([fields for kind, fields in answers if kind == wire.WELCOME][0])
        self.ping()

    def take_up(self, welcome: dict[str, Any]) -> None:
        """Derives the session's keys from a WELCOME."""
        self.welcome = welcome
        nonces = welcome["host_nonce"], welcome["board_nonce"]
        self.keys = wire.keys(self.psk, *nonces, welcome["uid"])
        self.counter = self.session_ms = 0

    def frame(self, kind: int, body: bytes) -> bytes:
        self.counter += 1
        line: bytes = wire.line(wire.packet(self.keys["to_board"], kind, self.counter, body))
        return line

    def ping(self, kept: int | None = None) -> dict[str, Any]:
        body = wire.body(wire.PING, kept=self.kept if kept is None else kept)
        answers = self.send(self.frame(wire.PING, body))
        status = next(fields for kind, fields in answers if kind == wire.STATUS)
        self.session_ms = status["session_ms"]
        return status

    def keep_all(self) -> list[tuple[int, int]]:
        """Takes every waiting event: (kind, argument), oldest first."""
        found = []
        while True:
            answers = self.send(self.frame(wire.PING, wire.body(wire.PING, kept=self.kept)))
            told = [f for kind, f in answers if kind == wire.EVENT]
            status = next(f for kind, f in answers if kind == wire.STATUS)
            if told:
                self.kept = told[0]["number"]
                found.append((told[0]["kind"], told[0]["argument"]))
            elif not status["waiting"]:
                return found
            else:
                self.bench.run(250)

    def order(self, kind: int, name: str, until: int | None = None, **more: int) -> tuple[str, int]:
        """Sends an order; the result's name and flags."""
        if until is None:
            until = self.ping()["session_ms"] + 2000
        body = wire.body(kind, id=wire.short_id(name), until=until, **more)
        answers = self.send(self.frame(kind, body))
        result = next(fields for kind, fields in answers if kind == wire.RESULT)
        return RESULTS[result["result"]], result["flags"]

    def open(self, name: str, pulse: int = 500, origin: int = 1, **more: Any) -> tuple[str, int]:
        return self.order(wire.OPEN, name, pulse=pulse, origin=origin, **more)

    def hold(self, name: str, lease: int = 2000, **more: Any) -> tuple[str, int]:
        return self.order(wire.HOLD, name, lease=lease, **more)

    def release(self, name: str, **more: Any) -> tuple[str, int]:
        return self.order(wire.RELEASE, name, **more)

    def close(self, name: str, pulse: int = 500, **more: Any) -> tuple[str, int]:
        return self.order(wire.CLOSE, name, pulse=pulse, **more)
