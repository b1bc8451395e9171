"""`postern read`: one JSON line a picture, whatever the picture is."""

import argparse
import dataclasses
import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from appliance.commands import read
from appliance.config import Config
from appliance.errors import CaptureError, RecognitionError
from appliance.recognition import look
from tests.fakes.cars import PaintedPlates, PaintedText, box, frame, painted_car


@pytest.fixture
def painted(monkeypatch):
    """Models that find white boxes and read one plate in them."""
    looker = look.Looker(look.Locator(PaintedPlates()), look.Reader(PaintedText("PSTN123")))
    monkeypatch.setattr(look, "build", lambda _config: looker)


def _run(capsys, *words, config=None):
    parser = argparse.ArgumentParser()
    read.configure(parser)
    status = read.run(parser.parse_args([str(w) for w in words]), config or Config())
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


ONE_PLATE = (box(600, 300, 130, 40),)


def _picture(path, size=(1280, 720), plates=ONE_PLATE):
    cv2.imwrite(str(path), frame(size=size, plates=plates).pixels)
    return path


def test_a_picture_gives_its_plate_with_box_scores_and_costs(capsys, tmp_path, painted):
    status, (line,) = _run(capsys, _picture(tmp_path / "a.jpg"))
    assert status == 0
    assert line["image"].endswith("a.jpg")
    assert line["text"] == "PSTN123"
    assert 0 < line["confidence"] < 1
    assert line["box"] == pytest.approx([600, 300, 130, 40], abs=6)
    assert line["ms"] > 0 and line["cpu_ms"] > 0 and line["rss_mb"] > 20
    (found,) = line["reads"]
    assert (found["text"], found["box"]) == ("PSTN123", line["box"])
    assert len(found["char_scores"]) == 7 and len(found["corners"]) == 4


def test_every_plate_of_a_picture_is_listed(capsys, tmp_path, painted):
    plates = (box(100, 100, 130, 40), box(700, 400, 130, 40))
    _, (line,) = _run(capsys, _picture(tmp_path / "a.jpg", plates=plates))
    assert len(line["reads"]) == 2


def test_a_picture_without_a_plate_has_an_empty_text_and_no_error(capsys, tmp_path, painted):
    status, (line,) = _run(capsys, _picture(tmp_path / "a.jpg", plates=()))
    assert status == 0
    assert (line["text"], line["confidence"], line["box"], line["reads"]) == ("", 0.0, None, [])
    assert "error" not in line


def test_a_folder_is_read_picture_by_picture(capsys, tmp_path, painted):
    for name in ("b2.jpg", "b10.jpg", "b1.jpg"):
        _picture(tmp_path / name)
    _, lines = _run(capsys, tmp_path)
    assert [line["image"].rsplit("/", 1)[1] for line in lines] == ["b1.jpg", "b2.jpg", "b10.jpg"]


def test_bad_pictures_get_a_clear_line_each_and_do_not_stop_the_rest(capsys, tmp_path, painted):
    (tmp_path / "text.jpg").write_text("this is text")
    (tmp_path / "empty.jpg").write_bytes(b"")
    good = _picture(tmp_path / "good.jpg")
    (tmp_path / "cut.jpg").write_bytes(good.read_bytes()[:5000])
    names = ["text.jpg", "empty.jpg", "cut.jpg", "missing.jpg", "good.jpg"]
    status, lines = _run(capsys, *[tmp_path / n for n in names])
    assert status == 1
    assert [line["text"] for line in lines] == ["", "", "", "", "PSTN123"]
    says = ["not a picture", "is empty", "is cut off", "cannot be read"]
    for line, words in zip(lines, says, strict=False):
        assert words in line["error"]
        assert "\n" not in line["error"]
    assert "error" not in lines[-1]


def test_a_picture_of_twelve_megapixels_is_read(capsys, tmp_path, painted):
    large = _picture(tmp_path / "a.jpg", (4000, 3000), (box(1800, 1500, 500, 160),))
    _, (line,) = _run(capsys, large)
    assert line["text"] == "PSTN123"
    assert line["box"] == pytest.approx([1800, 1500, 500, 160], abs=20)


def test_a_cut_out_plate_goes_straight_to_the_recogniser(capsys, tmp_path, painted):
    path = tmp_path / "crop.png"
    cv2.imwrite(str(path), np.full((40, 130, 3), 90, np.uint8))
    _, (line,) = _run(capsys, "--plate", path)
    assert line["text"] == "PSTN123"
    assert line["box"] == [0, 0, 130, 40]


def test_drawing_writes_a_picture_beside_and_leaves_the_original(capsys, tmp_path, painted):
    path = _picture(tmp_path / "a.jpg")
    before = path.read_bytes()
    _run(capsys, "--draw", tmp_path / "drawn", path)
    drawn = cv2.imread(str(tmp_path / "drawn" / "a.jpg"))
    assert drawn.shape == (720, 1280, 3)
    assert (drawn != cv2.imread(str(path))).any()
    assert path.read_bytes() == before


def test_an_empty_folder_is_an_error(tmp_path, capsys, painted):
    with pytest.raises(CaptureError, match="holds no pictures"):
        _run(capsys, tmp_path)


def test_a_missing_model_is_an_error_with_a_next_step(tmp_path, capsys):
    config = Config(device=dataclasses.replace(Config().device, models_dir=tmp_path))
    with pytest.raises(RecognitionError) as refused:
        _run(capsys, _picture(tmp_path / "a.jpg"), config=config)
    assert refused.value.next_step


def test_a_picture_costs_less_than_its_budget_with_the_shipped_models(tmp_path):
    """In a process of its own: the test runner's libraries are not part of it."""
    path = tmp_path / "a.jpg"
    cv2.imwrite(str(path), painted_car("PSTN 123").pixels)
    done = subprocess.run(
        [sys.executable, "-m", "appliance", "read", *[str(path)] * 8],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(line["cpu_ms"] for line in lines)[2] <= 45
    assert lines[-1]["rss_mb"] <= 180
    assert {line["text"] for line in lines} == {"PSTN123"}
    assert done.stderr == ""


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "fold", "least"), [("us_endtoend", "OI", 0.75), ("eu_endtoend", "OI", 0.90)]
)
def test_the_evaluation_pictures_are_read_well_enough(capsys, shared, name, fold, least):
    truth = _truth(shared, name)
    _, lines = _run(capsys, *[shared / "plates" / "dev" / image for image in truth])
    right = [
        _folded(line["text"]) in {_folded(t) for t in texts}
        for line, texts in zip(lines, truth.values(), strict=True)
    ]
    assert sum(right) / len(right) >= least


@pytest.mark.shared
def test_no_plate_is_claimed_surely_where_there_is_none(capsys, shared):
    truth = _truth(shared, "negatives", keep_empty=True)
    _, lines = _run(capsys, *[shared / "plates" / "dev" / image for image in truth])
    assert max(line["confidence"] for line in lines) < 0.80


@pytest.mark.shared
def test_two_hundred_pictures_need_no_more_memory_than_twenty(shared):
    looker = look.build(Config())
    pictures = [shared / "plates" / "dev" / image for image in _truth(shared, "us_endtoend")]
    for path in pictures[:20]:
        before = read.read_one(looker, path)["rss_mb"]
    for path in (pictures * 2)[:200]:
        after = read.read_one(looker, path)["rss_mb"]
    assert after - before < 20


def _truth(shared, name, keep_empty=False):
    """Texts by picture."""
    rows = (shared / "plates" / "dev" / f"{name}.jsonl").read_text("utf-8").splitlines()
    texts = {}
    for row in map(json.loads, rows):
        named = [p["text"] for p in row["plates"] if p.get("text")]
        if named or keep_empty:
            texts[row["image"]] = named
    return texts


def _folded(text):
    return text.replace("O", "0").replace("I", "1")
