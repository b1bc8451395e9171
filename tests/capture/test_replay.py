"""Clips and folders as sources, and pictures that are not what they seem."""

import cv2
import numpy as np
import pytest

from appliance.capture.replay import Clip, Folder, cut_off, load_picture
from appliance.capture.source import SourceKind, kind_of, pick
from appliance.config import Camera
from appliance.errors import CaptureError


def _noise(seed=0, size=(64, 96)):
    return np.random.default_rng(seed).integers(0, 255, (*size, 3), dtype=np.uint8)


def _clip(path, frames=20, fps=20.0):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (96, 64))
    for i in range(frames):
        writer.write(np.full((64, 96, 3), 10 * i % 255, np.uint8))
    writer.release()
    return path


def _times(source):
    source.open()
    times = []
    while (shot := source.read()) is not None:
        times.append(round(shot.at_s, 3))
    source.close()
    return times


def test_a_clip_is_thinned_to_the_wanted_rate_with_its_own_times(tmp_path):
    times = _times(Clip(_clip(tmp_path / "a.mp4"), fps=10))
    assert times == pytest.approx([0.1 * i for i in range(10)])


def test_a_slow_clip_keeps_all_its_frames(tmp_path):
    assert len(_times(Clip(_clip(tmp_path / "a.mp4", 6, 5.0), fps=30))) == 6


def test_a_looped_clip_goes_on_with_its_timeline(tmp_path):
    source = Clip(_clip(tmp_path / "a.mp4", 10, 10.0), fps=10, loop=True)
    source.open()
    times = [source.read().at_s for _ in range(25)]
    source.close()
    assert times == pytest.approx([0.1 * i for i in range(25)])


@pytest.mark.parametrize("content", [b"", b"this is no film" * 100])
def test_an_empty_or_false_clip_is_refused_with_a_next_step(tmp_path, content):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(CaptureError) as refused:
        Clip(path, 10).open()
    assert refused.value.next_step


def test_a_missing_clip_is_refused(tmp_path):
    with pytest.raises(CaptureError, match="there is no file"):
        Clip(tmp_path / "none.mp4", 10).open()


def test_a_folder_is_read_in_natural_order_and_its_bad_pictures_passed_over(tmp_path):
    for number in (10, 2, 1):
        cv2.imwrite(str(tmp_path / f"p{number}.png"), np.full((8, 8, 3), number, np.uint8))
    (tmp_path / "p3.jpg").write_text("not a picture")
    (tmp_path / "notes.txt").write_text("not looked at")
    source = Folder(tmp_path, fps=2)
    source.open()
    shots = [source.read() for _ in range(3)]
    assert [int(s.pixels[0, 0, 0]) for s in shots] == [1, 2, 10]
    assert [s.at_s for s in shots] == [0.0, 0.5, 1.0]
    assert source.read() is None


def test_a_looped_folder_of_bad_pictures_ends_instead_of_spinning(tmp_path):
    (tmp_path / "p.jpg").write_text("not a picture")
    source = Folder(tmp_path, fps=2, loop=True)
    source.open()
    assert source.read() is None


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(CaptureError, match="holds no pictures"):
        Folder(tmp_path, 10).open()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_cut_off_picture_is_refused(tmp_path, suffix):
    _, data = cv2.imencode(suffix, _noise())
    path = tmp_path / f"p{suffix}"
    path.write_bytes(bytes(data))
    assert load_picture(path).shape == (64, 96, 3)
    path.write_bytes(bytes(data)[: len(data) * 2 // 3])
    with pytest.raises(CaptureError, match="cut off"):
        load_picture(path)


def test_an_end_mark_inside_a_thumbnail_is_not_the_end():
    thumbnail = b"\xff\xe1\x00\x08ab\xff\xd9cd"  # a segment of 8 bytes that holds an end mark
    begun = b"\xff\xd8" + thumbnail + b"\xff\xda\x00\x02data"
    assert cut_off(begun)
    assert not cut_off(begun + b"\xff\xd9")


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "is empty"), (b"hello", "not a picture"), (None, "cannot be read")]
)
def test_what_is_no_picture_says_so(tmp_path, content, says):
    path = tmp_path / "p.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CaptureError, match=says):
        load_picture(path)


def test_a_grey_picture_has_two_dimensions(tmp_path):
    cv2.imwrite(str(tmp_path / "p.png"), _noise())
    assert load_picture(tmp_path / "p.png", grey=True).shape == (64, 96)


def test_an_address_names_its_kind(tmp_path):
    assert kind_of("rtsp://10.0.0.5/lane") is SourceKind.RTSP
    assert kind_of("/dev/video0") is SourceKind.V4L2
    assert kind_of(str(tmp_path)) is SourceKind.FOLDER
    assert kind_of("car.JPG") is SourceKind.FOLDER
    assert kind_of("car.mp4") is SourceKind.FILE
    assert kind_of("") is SourceKind.NONE


def test_no_source_is_an_error_with_a_next_step():
    with pytest.raises(CaptureError) as refused:
        pick(Camera())
    assert "source" in refused.value.next_step


def test_a_missing_device_is_refused_by_name():
    source = pick(Camera(source="/dev/video99"))
    with pytest.raises(CaptureError, match="/dev/video99"):
        source.open()
