"""Hearing the camera program, also when it talks nonsense or dies."""

from __future__ import annotations

import struct
import time

import pytest

from appliance import codec, ipc
from appliance.gate.ear import Ear
from appliance.values import CameraState
from tests.decision.making import sighting
from tests.fakes.barrier import Time


class Bench:
    def __init__(self, path) -> None:
        self.time = Time()
        self.taken, self.dropped = [], []
        self.path = path
        self.ear = Ear(path, self.taken.append, lambda: self.dropped.append(1), self.time)


@pytest.fixture
def bench(box):
    made = Bench(box.socket("sightings"))
    made.ear.start()
    yield made
    made.ear.stop()


def _message(**changed):
    header = {"verb": "sighting", "sighting": codec.encode(sighting())}
    return ipc.Message({**header, **changed}, b"jpeg")


def _until(condition) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "not within 10 s"
        time.sleep(0.005)


def test_a_sighting_is_taken_with_its_crop(bench):
    with ipc.connect(bench.path) as vision:
        message = _message()
        ipc.send(vision, message.header, message.blob)
        _until(lambda: bench.taken)
    assert bench.taken[0].plate == "PSTN101"
    assert bench.taken[0].crop_jpeg == b"jpeg"


def test_a_crop_over_its_limit_is_left_out_not_the_sighting(bench):
    bench.ear.hear(ipc.Message(_message().header, b"x" * 60_001))
    assert bench.taken[0].crop_jpeg == b""


def test_the_camera_is_known_by_its_heartbeat(bench):
    assert bench.ear.camera.silent(bench.time.now)
    bench.ear.hear(ipc.Message({"verb": "camera", "state": "frozen", "since_mono": 7}))
    assert bench.ear.camera.state is CameraState.FROZEN
    assert bench.ear.camera.since_mono == 7.0
    assert not bench.ear.camera.silent(bench.time.now + 5.0)
    assert bench.ear.camera.silent(bench.time.now + 5.1)


@pytest.mark.parametrize("message", [
    _message(verb="dance"), _message(verb=""), _message(sighting=None), _message(sighting={}),
    _message(sighting={"track": 1}), ipc.Message({"verb": "sighting"}),
    ipc.Message({"verb": "camera", "state": "asleep", "since_mono": 1}),
    ipc.Message({"verb": "camera", "state": "live"}),
    ipc.Message({"verb": "camera", "state": "live", "since_mono": "x"}),
])
def test_nonsense_is_counted_and_dropped(bench, message):
    bench.ear.hear(message)
    assert bench.dropped == [1]
    assert bench.taken == []


def test_a_garbled_message_does_not_end_the_connection(bench):
    with ipc.connect(bench.path) as vision:
        vision.send(struct.pack(">I", 3) + b"{]}")
        vision.send(b"x")
        message = _message()
        ipc.send(vision, message.header)
        _until(lambda: bench.taken)
    assert len(bench.dropped) == 2


def test_a_camera_program_that_died_may_come_back(bench):
    for track in ("a", "b"):
        with ipc.connect(bench.path) as vision:
            ipc.send(vision, {"verb": "sighting", "sighting": codec.encode(sighting(track=track))})
            _until(lambda t=track: any(s.track == t for s in bench.taken))


def test_a_fault_while_deciding_does_not_end_the_connection(box, caplog):
    taken = []

    def breaks(seen):
        taken.append(seen)
        if len(taken) == 1:
            raise ZeroDivisionError("PSTN101")

    dropped = []
    ear = Ear(box.socket("sightings"), breaks, lambda: dropped.append(1))
    ear.start()
    with ipc.connect(box.socket("sightings")) as vision:
        for revision in (1, 2):
            seen = codec.encode(sighting(revision=revision))
            ipc.send(vision, {"verb": "sighting", "sighting": seen})
        _until(lambda: len(taken) == 2)
    ear.stop()
    assert dropped == [1]
    assert "ZeroDivisionError" in caplog.text
    assert "PSTN101" not in caplog.text


def test_another_users_program_is_refused(bench, monkeypatch, caplog):
    monkeypatch.setattr(ipc, "peer_uid", lambda _: 12345)
    with ipc.connect(bench.path) as vision:
        assert ipc.receive(vision) is None
    assert "peer refused" in caplog.text


def test_an_ear_that_never_started_stops_quietly(box):
    Ear(box.socket("sightings"), print, lambda: None).stop()
