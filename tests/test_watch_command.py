"""`postern watch`: sightings of a source as JSON lines."""

import argparse
import json

import cv2
import numpy as np
import pytest

from appliance.commands import watch
from appliance.config import Config
from appliance.errors import CaptureError
from appliance.recognition import look
from tests.fakes.cars import PaintedPlates, PaintedText, box, frame


@pytest.fixture
def painted(monkeypatch):
    looker = look.Looker(look.Locator(PaintedPlates()), look.Reader(PaintedText("PSTN123")))
    monkeypatch.setattr(look, "build", lambda _config, _inside: looker)


def _run(capsys, *words):
    parser = argparse.ArgumentParser()
    watch.configure(parser)
    status = watch.run(parser.parse_args([str(w) for w in words]), Config())
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def _clip(path, frames=30, fps=10.0):
    """A plate comes nearer from the tenth frame on."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (640, 360))
    for i in range(frames):
        plates = (box(250 - i, 150, 80 + 3 * i, 28 + i),) if i >= 10 else ()
        writer.write(frame(i, plates=plates).pixels)
    writer.release()
    return path


def test_a_clip_gives_each_revision_with_the_clip_s_own_times(capsys, tmp_path, painted):
    status, lines = _run(capsys, _clip(tmp_path / "a.mp4"))
    assert status == 0
    assert {line["plate"] for line in lines} == {"PSTN123"}
    assert len({line["track"] for line in lines}) == 1
    assert [line["revision"] for line in lines] == list(range(1, len(lines) + 1))
    last = lines[-1]
    assert last["final"] and not lines[0]["final"]
    assert last["first_s"] == pytest.approx(1.0, abs=0.15)
    assert last["last_s"] == pytest.approx(2.9, abs=0.05)
    assert last["direction"] == "in"
    assert last["agreeing"] == last["glimpses"] >= 18
    assert 0.8 < last["score"] < 1


def test_the_last_word_alone_can_be_asked_for(capsys, tmp_path, painted):
    _, lines = _run(capsys, "--final", _clip(tmp_path / "a.mp4"))
    assert [line["final"] for line in lines] == [True]


def test_a_folder_is_a_source_too(capsys, tmp_path, painted):
    for i in range(4):
        cv2.imwrite(str(tmp_path / f"{i}.png"), frame(i, plates=(box(),)).pixels)
    _, lines = _run(capsys, tmp_path)
    assert lines[-1]["plate"] == "PSTN123"


def test_a_clip_in_real_time_ends_too(capsys, tmp_path, painted):
    _, lines = _run(capsys, "--realtime", _clip(tmp_path / "a.mp4", frames=20))
    assert lines[-1]["final"]


def test_a_quiet_clip_gives_no_line(capsys, tmp_path, painted):
    path = tmp_path / "a.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 10.0, (640, 360))
    for _ in range(10):
        writer.write(np.full((360, 640, 3), 80, np.uint8))
    writer.release()
    assert _run(capsys, path) == (0, [])


@pytest.mark.parametrize("name", ["empty.mp4", "missing.mp4", "/dev/video99"])
def test_what_cannot_be_watched_is_one_clear_error(capsys, tmp_path, painted, name):
    (tmp_path / "empty.mp4").write_bytes(b"")
    with pytest.raises(CaptureError) as refused:
        _run(capsys, name if name.startswith("/") else tmp_path / name)
    assert refused.value.next_step
    assert "\n" not in str(refused.value)


@pytest.mark.shared
def test_the_car_of_the_evaluation_clip_is_one_track_with_its_plate(capsys, shared):
    clip = shared / "plates" / "dev" / "video" / "license_plate.mp4"
    _, lines = _run(capsys, "--final", clip)
    assert [line["plate"] for line in lines] == ["LS15EBC"]
    assert lines[0]["agreeing"] >= 3


@pytest.mark.shared
def test_cars_too_far_to_read_give_no_sighting(capsys, shared):
    clip = shared / "plates" / "dev" / "video" / "car-detection.mp4"
    _, lines = _run(capsys, "--final", clip)
    assert [line for line in lines if line["score"] >= 0.8] == []
