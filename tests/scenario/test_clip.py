"""The rendered camera: repeatable, readable, every plate large enough for long enough."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from appliance.scenario import format as scenario_format
from appliance.scenario.plan import Light, Scenario
from models.synth import clip, clip_view
from models.synth.clip_scene import Stage, plate_quads
from tests.scenario.test_format import SMALL

SHORT = SMALL.replace("length_s = 20", "length_s = 11").replace("at_s = 0.5", "at_s = 0")


@pytest.fixture(scope="module")
def demo() -> Scenario:
    return scenario_format.load(scenario_format.DEMO)


@pytest.fixture(scope="module")
def small() -> Scenario:
    return scenario_format.parse(SHORT)


@pytest.fixture(scope="module")
def stage(small: Scenario) -> Stage:
    return Stage(small, yard_scale=1)


@pytest.mark.parametrize("number", range(8))
def test_every_car_shows_a_plate_over_100_px_for_a_second_and_comes_from_far(
    demo: Scenario, number: int
) -> None:
    car = demo.cars[number]
    widths = [
        float(np.linalg.norm(quad[1] - quad[0]))
        for n in range(round(demo.length_s * demo.fps))
        for seen, quad in plate_quads(demo, n / demo.fps)
        if seen == car
    ]

    assert sum(width > 100 for width in widths) >= demo.fps
    assert min(widths) < 60
    assert max(widths) > 130


def test_the_first_plate_is_legible_within_four_seconds(demo: Scenario) -> None:
    widths = [float(np.linalg.norm(q[1] - q[0])) for _, q in plate_quads(demo, 4.0)]

    assert max(widths) > 120


@pytest.mark.system
def test_the_same_scenario_gives_the_same_frames(small: Scenario, stage: Stage) -> None:
    again = Stage(small, yard_scale=1)

    for number in (0, 45, 80):
        assert np.array_equal(stage.frame(number), again.frame(number))


@pytest.mark.system
def test_frames_of_an_empty_drive_still_differ(stage: Stage) -> None:
    one, two = stage.frame(108).astype(int), stage.frame(109).astype(int)

    assert 0.5 < np.abs(one - two).mean() < 8


@pytest.mark.system
def test_the_plate_is_where_the_truth_says_and_dark_on_light(
    small: Scenario, stage: Stage
) -> None:
    picture = cv2.cvtColor(stage.frame(50), cv2.COLOR_BGR2GRAY)
    ((_, quad),) = plate_quads(small, 5.0)

    target = np.array([(0, 0), (280, 0), (280, 140), (0, 140)], np.float32)
    flat = cv2.warpPerspective(picture, cv2.getPerspectiveTransform(quad, target), (280, 140))
    signs, foot = flat[48:104, 14:266], flat[106:112, 40:240]
    assert np.percentile(signs, 5) < 90
    assert np.percentile(signs, 90) > 190
    assert foot.mean() > 190


@pytest.mark.system
def test_night_is_dark_but_its_plate_is_bright(small: Scenario) -> None:
    night = scenario_format.parse(SHORT.replace("at_s = 0\n", 'at_s = 0\nlight = "night"\n'))
    assert night.cars[0].light is Light.NIGHT
    picture = cv2.cvtColor(Stage(night, yard_scale=1).frame(50), cv2.COLOR_BGR2GRAY)
    ((_, quad),) = plate_quads(night, 5.0)
    x0, y0, x1, y1 = (*quad.min(0).astype(int), *quad.max(0).astype(int))

    assert 8 < picture.mean() < 60
    assert picture[y0:y1, x0:x1].mean() > 110
    assert picture.max() > 245, "the lamps dazzle"


def test_a_point_is_seen_along_the_ray_that_leads_to_it() -> None:
    dx, dy, dz = clip_view.rays(1)
    for point in ((-1.2, 0.4, 6.0), (-1.0, 0.0, 15.0), (-4.0, 1.5, 20.0)):
        column, row = (int(v) for v in clip_view.project(point))
        ray = np.array([dx[row, column], dy[row, column], dz[row, column]])
        way = np.array([point[0], point[1] - clip_view.EYE_M, point[2]])
        assert ray / np.linalg.norm(ray) == pytest.approx(way / np.linalg.norm(way), abs=3e-3)


@pytest.mark.system
def test_the_clip_is_written_whole_can_be_read_and_is_made_once(tmp_path: Path) -> None:
    scenario = tmp_path / "small.toml"
    scenario.write_text(SHORT.replace("length_s = 11", "length_s = 11\nfps = 2"))
    out = tmp_path / "made" / "small.mp4"

    assert clip.render(scenario, out) is True
    first = out.stat()
    assert clip.render(scenario, out) is False

    assert out.stat().st_mtime_ns == first.st_mtime_ns
    assert sorted(p.name for p in out.parent.iterdir()) == ["small.mp4", "small.mp4.json"]
    reader = cv2.VideoCapture(str(out))
    frames = []
    while (found := reader.read())[0]:
        frames.append(found[1])
    assert len(frames) == 22
    assert frames[0].shape == (720, 1280, 3)
    assert reader.get(cv2.CAP_PROP_FPS) == pytest.approx(2)


def test_a_clip_of_another_scenario_or_with_a_lost_note_is_not_taken_for_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    def write(_: Scenario, path: Path) -> None:
        made.append(path)
        path.write_bytes(b"clip")

    monkeypatch.setattr(clip, "_write", write)
    scenario, out = tmp_path / "s.toml", tmp_path / "s.mp4"
    scenario.write_text(SHORT)
    note = tmp_path / "s.mp4.json"

    assert clip.render(scenario, out) is True
    assert clip.render(scenario, out) is False
    assert clip.render(scenario, out, force=True) is True
    scenario.write_text(SHORT + "\n# changed\n")
    assert clip.render(scenario, out) is True
    note.write_text("{")
    assert clip.render(scenario, out) is True
    assert set(json.loads(note.read_text())) == {"scenario_sha256", "renderer_sha256"}
    assert len(made) == 4


def test_a_failed_rendering_leaves_the_old_clip_and_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Scenario, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("disk full")

    scenario, out = tmp_path / "s.toml", tmp_path / "s.mp4"
    scenario.write_text(SHORT)
    out.write_bytes(b"old")
    monkeypatch.setattr(clip, "_write", fail)

    with pytest.raises(OSError, match="disk full"):
        clip.render(scenario, out)

    assert out.read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s.mp4", "s.toml"]


def test_a_wrong_scenario_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert clip.main([str(tmp_path / "none.toml"), str(tmp_path / "x.mp4")]) == 1

    assert "none.toml could not be read" in capsys.readouterr().err


def test_the_renderer_needs_no_training_packages() -> None:
    code = ("import sys, models.synth.clip; "
            "print(sorted({'torch', 'PIL', 'matplotlib', 'scipy'} & set(sys.modules)))")

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
