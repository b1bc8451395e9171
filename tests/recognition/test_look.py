"""One frame in, its plates out; refusals are counted."""

import pytest

from appliance.recognition.locate import Locator
from appliance.recognition.look import Looker
from appliance.recognition.read import Reader
from appliance.values import Motion
from tests.fakes.cars import PaintedPlates, PaintedText, box, frame


def _looker(written="PSTN123", inside=lambda _x, _y: True, sure=8.0, heat=0.9):
    detector, recogniser = PaintedPlates(heat=heat), PaintedText(written, sure=sure)
    return Looker(Locator(detector), Reader(recogniser), inside), detector, recogniser


def test_a_plate_is_found_and_read_from_the_full_frame():
    looker, detector, recogniser = _looker()
    (seen,) = looker.look(frame(7, at=1.5, size=(1280, 720), plates=(box(600, 300, 130, 40),)))
    assert (seen.text.text, seen.frame_seq, seen.taken_mono) == ("PSTN123", 7, 1.5)
    assert seen.where.width_px == pytest.approx(130, abs=6)
    assert recogniser.cuts[0].shape == (48, 144)
    assert detector.runs == 1, "a sure first look needs no second"


def test_two_plates_are_two_glimpses():
    looker, _, _ = _looker()
    assert len(looker.look(frame(plates=(box(60, 60), box(400, 250))))) == 2


@pytest.mark.parametrize(
    ("written", "why"), [("", "no_text"), ("AB", "shape"), ("1111111", "shape")]
)
def test_what_is_no_plate_is_refused_and_counted(written, why):
    looker, _, _ = _looker(written)
    assert looker.look(frame(plates=(box(),))) == []
    assert looker.refused[why] >= 1


def test_a_doubtful_scrap_is_refused_and_counted():
    looker, _, _ = _looker(sure=1.0, heat=0.1)
    assert looker.look(frame(plates=(box(width=40, height=14),))) == []
    assert looker.refused["doubtful"] >= 1


def test_a_plate_outside_the_lane_is_refused_and_counted():
    looker, _, _ = _looker(inside=lambda x, _y: x < 200)
    assert looker.look(frame(plates=(box(x=400),))) == []
    assert looker.refused["outside_lane"] == 1


def test_a_weak_first_look_in_a_fine_frame_gets_a_second_one_up_close():
    looker, detector, _ = _looker(sure=3.0, heat=0.3)
    looker.look(frame(size=(1920, 1080), plates=(box(900, 500, 90, 30),)))
    assert detector.runs == 2


def test_an_empty_frame_is_looked_at_again_only_where_something_moved():
    looker, detector, _ = _looker()
    looker.look(frame(size=(1920, 1080)), Motion((), 0.0))
    assert detector.runs == 1
    looker.look(frame(size=(1920, 1080)), Motion(((800, 500, 200, 150),), 0.05))
    assert detector.runs == 3


def test_a_coarse_frame_gets_no_second_look():
    looker, detector, _ = _looker(sure=3.0, heat=0.3)
    looker.look(frame(size=(640, 360), plates=(box(),)))
    assert detector.runs == 1


def test_a_picture_that_is_a_plate_is_read_without_looking_for_one():
    looker, detector, _ = _looker()
    whole = looker.read_whole(frame(size=(300, 90)).pixels[:, :, 0])
    assert whole.text.text == "PSTN123"
    assert detector.runs == 0
