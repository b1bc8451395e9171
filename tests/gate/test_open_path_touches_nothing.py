"""While a sighting is handled, no file, database or socket is opened and nothing is logged.

The real loop, policy, link, ledger and simulator run; Python's own audit hook watches every thread
but the one that talks to records.
"""

from __future__ import annotations

import logging
import socket
import sqlite3
import sys
import threading
import time
from pathlib import Path

import pytest

from appliance import clock, ipc
from appliance.gate.program import Gate
from appliance.values import Verdict
from tests.decision.making import sighting
from tests.gate.making import publish

WATCHED = ("open", "os.", "socket.", "sqlite3.", "subprocess.", "import", "ctypes.", "shutil.",
           "tempfile.", "glob.", "urllib.", "mmap.", "pathlib.")
NOT_WATCHED_THREADS = {"records-sender", "door", "door-accept", "records", "records-accept",
                       "pytest_timeout"}


class _Watch(logging.Handler):
    """Collects what happens between ``__enter__`` and ``__exit__``."""

    def __init__(self) -> None:
        super().__init__()
        self.on = False
        self.events: list[str] = []

    def audit(self, event: str, _args: object) -> None:
        if self.on and event.startswith(WATCHED):
            thread = threading.current_thread().name
            if thread not in NOT_WATCHED_THREADS:
                self.events.append(f"{event} in {thread}")

    def emit(self, record: logging.LogRecord) -> None:
        if self.on and record.threadName not in NOT_WATCHED_THREADS:
            self.events.append(f"log in {record.threadName}")

    def __enter__(self) -> _Watch:
        self.events.clear()
        self.on = True
        return self

    def __exit__(self, *_: object) -> None:
        self.on = False


WATCH = _Watch()
_hooked = False


@pytest.fixture
def watch():
    global _hooked
    if not _hooked:  # an audit hook can never be removed, so there is one and it has a switch
        sys.addaudithook(WATCH.audit)
        _hooked = True
    logging.getLogger().addHandler(WATCH)
    before = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    yield WATCH
    logging.getLogger().setLevel(before)
    logging.getLogger().removeHandler(WATCH)


@pytest.fixture
def gate(box):
    publish(box, "PSTN101")
    records = ipc.Server(box.socket("records"), {
        verb: lambda _: ipc.ok() for verb in ("keep", "status", "journal")})
    records.start()
    made = Gate(box)
    made.start()
    _until(lambda: made.sender.ok(clock.mono()) and made.link.view.state == "ready")
    yield made
    made.end()
    records.stop()


def _until(condition) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "not within 10 s"
        time.sleep(0.005)


def _sighting(revision: int, **changed):
    now = clock.mono()
    return sighting(**{"revision": revision, "last_mono": now, "first_mono": now - 0.5,
                       "crop_jpeg": b"x" * 30_000, **changed})


def test_from_sighting_to_moving_arm_nothing_is_opened_and_nothing_logged(gate, watch):
    gate.loop.take(_sighting(1, track="before", plate="PSTN777"))  # whatever is done once, is done
    with watch:
        for revision in range(1, 6):
            gate.loop.take(_sighting(revision, agreeing=revision))
        _until(lambda: gate.link.view.position == "moving")
    assert watch.events == []
    car = gate.loop.at_gate(clock.mono())
    assert car.decision.verdict is Verdict.OPEN
    assert car.outcome.acked_mono is not None
    assert gate.ledger.entry("t1") is not None


@pytest.mark.parametrize("plate", ["PSTN999", "PSTN1O1", "", "P" * 13])
def test_cars_that_are_not_let_in_touch_nothing_either(gate, watch, plate):
    with watch:
        gate.loop.take(_sighting(1, plate=plate, char_scores=(0.9,) * len(plate)))
    assert watch.events == []


def test_a_stepped_clock_and_dead_records_touch_nothing_either(gate, watch):
    gate.sender._answered_mono = None
    with watch:
        gate.loop.take(_sighting(1))
        gate.loop.take(_sighting(2, last_mono=clock.mono() - 100))
    assert watch.events == []


# The watch itself must be able to fail.


def test_the_watch_sees_a_file_being_opened(watch, tmp_path):
    with watch:
        (tmp_path / "x").write_text("x")
    assert any(event.startswith("open in MainThread") for event in watch.events)


@pytest.mark.parametrize(("act", "seen"), [
    (lambda: socket.socket().close(), "socket."),
    (lambda: sqlite3.connect(":memory:").close(), "sqlite3."),
    (lambda: socket.getaddrinfo("localhost", 80), "socket."),
    (lambda: logging.getLogger("x").info("said"), "log"),
    (lambda: list(Path("/tmp").iterdir()), "os."),
])
def test_the_watch_sees_sockets_databases_names_logs_and_folders(watch, act, seen):
    with watch:
        act()
    assert any(event.startswith(seen) for event in watch.events)


def test_the_watch_sees_what_another_thread_does(watch, tmp_path):
    with watch:
        thread = threading.Thread(target=lambda: (tmp_path / "x").write_text("x"), name="barrier")
        thread.start()
        thread.join()
    assert any(event == "open in barrier" for event in watch.events)
