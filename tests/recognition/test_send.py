"""To the gate, without ever waiting for it."""

import contextlib
from dataclasses import replace

import pytest

from appliance import codec, ipc
from appliance.recognition.send import GateLink
from appliance.recognition.track import Tracker
from appliance.recognition.visits import Visits
from appliance.values import CameraState, ClockQuality, Sighting
from tests.fakes.cars import frame, glimpse


@pytest.fixture
def sighting():
    visits = Visits(Tracker("run", 3.0), "main", "towards", lambda: ClockQuality.SYNCED)
    for step in range(3):
        told = visits.see(frame(step, 0.1 * step), [glimpse("PSTN123", 0.1 * step, seq=step)])
    return told[-1]


@contextlib.contextmanager
def _gate(path):
    with contextlib.closing(ipc.listen(path)) as server:
        server.settimeout(2)
        yield server


def test_a_sighting_arrives_whole_with_its_crop(box, sighting):
    path = box.socket("sightings")
    with _gate(path) as server:
        link = GateLink(path)
        assert link.sighting(sighting, 0.0)
        with contextlib.closing(server.accept()[0]) as peer:
            message = ipc.receive(peer)
        link.close()
    assert message.verb == "sighting"
    arrived = replace(
        codec.decode(Sighting, message.header["sighting"]), crop_jpeg=message.blob
    )
    assert (arrived.plate, arrived.crop_jpeg) == (sighting.plate, sighting.crop_jpeg)
    assert arrived.notes == sighting.notes


def test_a_gate_that_is_away_costs_nothing_but_the_message(box, sighting):
    link = GateLink(box.socket("sightings"))
    assert not link.sighting(sighting, 0.0)
    assert (link.sent, link.dropped) == (0, 1)


def test_the_link_comes_back_with_the_gate_but_is_not_tried_all_the_time(box, sighting):
    path = box.socket("sightings")
    link = GateLink(path)
    link.sighting(sighting, 0.0)
    with _gate(path) as server:
        assert not link.sighting(sighting, 0.1), "too soon to try again"
        assert link.sighting(sighting, 0.6)
        server.accept()[0].close()
        link.sighting(sighting, 0.7)
        assert not link.sighting(sighting, 0.8), "the gate went away"
        assert link.sighting(sighting, 1.5)
    link.close()


def test_a_gate_that_does_not_read_never_makes_vision_wait(box, sighting):
    path = box.socket("sightings")
    with _gate(path):
        link = GateLink(path)
        large = replace(sighting, crop_jpeg=b"x" * 60_000)
        went = [link.sighting(large, 0.0) for _ in range(300)]
        link.close()
    assert went[0] and not went[-1]
    assert link.dropped == went.count(False)


def test_the_heartbeat_is_once_a_second(box):
    path = box.socket("sightings")
    with _gate(path) as server:
        link = GateLink(path)
        for tenth in range(25):
            link.heartbeat(CameraState.LIVE, 0.0, 0.1 * tenth)
        with contextlib.closing(server.accept()[0]) as peer:
            link.close()
            beats = []
            while (message := ipc.receive(peer)) is not None:
                beats.append(message.header)
    assert beats == [{"verb": "camera", "state": "live", "since_mono": 0.0}] * 3
