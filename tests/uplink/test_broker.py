"""The whole program against a real mosquitto: nothing is lost, doubles carry the same id."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from appliance import ipc
from appliance.config import Config
from tests.fakes.line import Line
from tests.uplink.test_program import FakeRecords

pytestmark = pytest.mark.system
MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
LIMIT_S = 40.0


class Mosquitto:
    """A broker on loopback that can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        if MOSQUITTO is None:
            pytest.skip("NOT RUN: mosquitto is not installed (Debian package mosquitto)")
        self.port = _free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        (folder / "m.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\nuser root\n"
        )

    def start(self) -> None:
        self._process = subprocess.Popen(
            [str(MOSQUITTO), "-c", str(self._folder / "m.conf")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        _until(self._listens, "mosquitto listens")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


class Listener:
    """A house's own subscriber, with a session that outlives its connection."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, dict[str, object] | str, bool]] = []
        properties = paho.Properties(paho.PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 600
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, "house", protocol=paho.MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_message = self._on_message
        self._client.on_connect = lambda client, *_: client.subscribe("home/#", qos=1)
        self._subscribed = False
        self._client.on_subscribe = lambda *_: setattr(self, "_subscribed", True)
        self._client.connect("127.0.0.1", port, clean_start=False, properties=properties)
        self._client.loop_start()
        _until(lambda: self._subscribed, "the listener subscribed")

    def bodies(self, kind: str) -> list[dict[str, object]]:
        return [body for topic, body, _ in self.heard
                if topic.endswith(f"/{kind}") and isinstance(body, dict)]

    def ids(self) -> list[str]:
        return [str(body["id"]) for body in self.bodies("passage")]

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        text = message.payload.decode()
        body = json.loads(text) if text.startswith("{") else text
        self.heard.append((message.topic, body, message.retain))


class Program:
    """The uplink as systemd starts it."""

    def __init__(self, config: Config, port: int) -> None:
        self._config = config
        self._file = config.device.state_dir.parent / "postern.toml"
        self._file.write_text(
            f'[device]\nstate_dir = "{config.device.state_dir}"\n'
            f'run_dir = "{config.device.run_dir}"\n[uplink]\nmqtt_host = "127.0.0.1"\n'
            f'mqtt_port = {port}\nmqtt_tls = false\ntopic = "home/gate"\n'
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "appliance", "--config", str(self._file), "run", "uplink"]
        )
        _until(lambda: self.figure("enabled") is True, "the uplink answers")

    def figure(self, name: str) -> object:
        with contextlib.suppress(ipc.IpcError):
            return ipc.call(self._config.socket("uplink"), "status").header.get(name)
        return None

    def end(self, how: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(how)
        return self._process.wait(15)


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {LIMIT_S:.0f} s: {what}")
        time.sleep(0.05)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    made = Mosquitto(tmp_path / "mosquitto")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def records(box: Config) -> Iterator[FakeRecords]:
    fake = FakeRecords(box.socket("records"))
    yield fake
    fake.stop()


@pytest.fixture
def listener(broker: Mosquitto) -> Iterator[Listener]:
    made = Listener(broker.port)
    yield made
    made.stop()


@pytest.fixture
def line(broker: Mosquitto) -> Iterator[Line]:
    """Between the uplink and the broker."""
    made = Line(broker.port)
    yield made
    made.close()


@pytest.fixture
def program(box: Config, line: Line) -> Iterator[Program]:
    made = Program(box, line.port)
    made.start()
    _until(lambda: made.figure("connected") is True, "the outbox is open, the broker there")
    yield made
    with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
        made.end(signal.SIGKILL)


def test_a_passage_is_one_event_and_one_retained_state_without_plate_or_name(
    program: Program, records: FakeRecords, listener: Listener, broker: Mosquitto
) -> None:
    records.add("2026-11-18.1")
    _until(lambda: bool(listener.bodies("state")), "the state came")

    (event,) = listener.bodies("passage")
    assert set(event) == {"id", "seq", "at", "lane", "verdict", "reason", "direction"}
    assert (event["id"], event["verdict"], event["lane"]) == ("2026-11-18.1", "open", "main")
    assert {t for t, _, _ in listener.heard} == {
        "home/gate/status", "home/gate/main/passage", "home/gate/main/state"}
    late = _late(broker.port)
    assert late.bodies("state") == [event]
    assert late.bodies("passage") == []
    late.stop()


def test_the_status_says_online_offline_at_the_end_and_offline_when_killed(
    program: Program, records: FakeRecords, listener: Listener
) -> None:
    def said() -> list[object]:
        return [body for topic, body, _ in listener.heard if topic == "home/gate/status"]

    _until(lambda: said()[-1:] == ["online"], "online")
    assert program.end(signal.SIGTERM) == 0
    _until(lambda: said()[-1:] == ["offline"], "offline at the end")
    program.start()
    _until(lambda: said()[-1:] == ["online"], "online again")
    program.end(signal.SIGKILL)
    _until(lambda: said()[-1:] == ["offline"], "offline by last will")


def test_nothing_is_lost_when_the_broker_restarts(
    program: Program, records: FakeRecords, listener: Listener, broker: Mosquitto
) -> None:
    for n in range(30):
        records.add(f"before.{n}")
    broker.stop()
    for n in range(30):
        records.add(f"during.{n}")
    _until(lambda: program.figure("cursor") == 60, "all were taken in")
    broker.start()
    wanted = {f"{when}.{n}" for when in ("before", "during") for n in range(30)}

    _until(lambda: set(listener.ids()) == wanted, "all were heard")
    _until(lambda: program.figure("waiting") == 0, "the outbox is empty")


def test_what_was_sent_into_a_dead_line_is_told_again(
    program: Program, records: FakeRecords, listener: Listener, line: Line
) -> None:
    line.swallow_there = True
    for n in range(12):
        records.add(f"day.{n}")
    _until(lambda: line.swallowed.count(b"/passage") == 12, "all were sent")
    assert program.figure("waiting") == 12
    assert listener.ids() == []

    line.cut()

    _until(lambda: sorted(listener.ids()) == sorted(f"day.{n}" for n in range(12)), "all heard")
    _until(lambda: program.figure("waiting") == 0, "the outbox is empty")


def test_what_was_sent_and_not_acknowledged_survives_a_kill(
    program: Program, records: FakeRecords, listener: Listener, line: Line
) -> None:
    line.swallow_there = True
    for n in range(12):
        records.add(f"day.{n}")
    _until(lambda: line.swallowed.count(b"/passage") == 12, "all were sent")

    program.end(signal.SIGKILL)
    line.cut()
    program.start()

    _until(lambda: sorted(listener.ids()) == sorted(f"day.{n}" for n in range(12)), "all heard")
    _until(lambda: program.figure("waiting") == 0, "the outbox is empty")


def test_when_acknowledgements_are_lost_doubles_carry_the_same_id(
    program: Program, records: FakeRecords, listener: Listener, line: Line
) -> None:
    line.swallow_back = True
    for n in range(5):
        records.add(f"day.{n}")
    _until(lambda: len(listener.ids()) == 5, "all heard once")
    assert program.figure("waiting") == 5

    line.cut()

    _until(lambda: program.figure("waiting") == 0, "the outbox is empty")
    assert len(listener.ids()) == 10
    bodies = listener.bodies("passage")
    assert bodies[:5] == bodies[5:]


def test_nothing_is_lost_over_kills_at_any_point_of_the_work(
    program: Program, records: FakeRecords, listener: Listener
) -> None:
    wanted: set[str] = set()
    for kill in range(3):
        for n in range(25):
            records.add(f"day.{kill}-{n}")
            wanted.add(f"day.{kill}-{n}")
        time.sleep(0.2 * kill)
        program.end(signal.SIGKILL)
        program.start()

    _until(lambda: set(listener.ids()) == wanted, "all were heard")
    _until(lambda: program.figure("waiting") == 0, "the outbox is empty")


def _late(port: int) -> Listener:
    """A subscriber that comes after the event."""
    late = Listener.__new__(Listener)
    late.heard = []
    late._client = paho.Client(paho.CallbackAPIVersion.VERSION2, "late", protocol=paho.MQTTv5)
    late._client.on_message = late._on_message
    late._client.on_connect = lambda client, *_: client.subscribe("home/#", qos=1)
    late._client.connect("127.0.0.1", port)
    late._client.loop_start()
    _until(lambda: bool(late.bodies("state")), "the retained state came")
    return late
