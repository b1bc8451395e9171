"""From heat to corners in the full frame."""

import cv2
import numpy as np
import pytest

from appliance.errors import RecognitionError
from appliance.recognition.locate import Locator, Region, overlap
from tests.fakes.cars import PaintedPlates, box, frame


def _grey(size, *plates):
    return cv2.cvtColor(frame(1, size=size, plates=plates).pixels, cv2.COLOR_BGR2GRAY)


@pytest.mark.parametrize("size", [(640, 384), (1280, 720), (1920, 1080), (320, 240)])
def test_corners_come_back_in_the_full_frame_s_pixels(size):
    plate = box(size[0] * 0.4, size[1] * 0.5, size[0] * 0.15, size[0] * 0.05)
    (found,) = Locator(PaintedPlates()).locate(_grey(size, plate))
    tolerance = 3 * size[0] / 640 + 1
    assert np.array(found.corners) == pytest.approx(np.array(plate.corners), abs=tolerance)
    assert found.score == pytest.approx(0.9)


def test_a_region_is_looked_at_by_itself_and_answers_in_the_frame():
    net = PaintedPlates()
    plate = box(1000, 500, 90, 30)
    grey = _grey((1280, 720), plate)
    (found,) = Locator(net).locate(grey, Region(640, 336, 640, 384))
    assert np.array(found.corners) == pytest.approx(np.array(plate.corners), abs=3)
    assert Locator(net).locate(grey, Region(0, 0, 640, 384)) == []


def test_several_plates_are_returned_hottest_first_and_at_most_four():
    plates = [box(40 + 120 * i, 60 + 50 * i, 90, 30) for i in range(5)]
    assert len(Locator(PaintedPlates()).locate(_grey((640, 384), *plates))) == 4


def test_what_has_not_a_plate_s_shape_is_left_out():
    tall = box(100, 50, 30, 200)
    assert Locator(PaintedPlates()).locate(_grey((640, 384), tall)) == []


def test_a_cold_map_is_no_plate():
    grey = _grey((640, 384), box(100, 100))
    assert Locator(PaintedPlates(heat=0.01)).locate(grey) == []


def test_corners_in_mirror_order_are_left_out():
    net = PaintedPlates()
    straight = net.run

    def mirrored(grey):
        corners, heat = straight(grey)
        return [corners[..., [2, 3, 0, 1, 6, 7, 4, 5]], heat]

    net.run = mirrored
    assert Locator(net).locate(_grey((640, 384), box(100, 100))) == []


def test_foreign_outputs_are_refused():
    net = PaintedPlates()
    net.run = lambda _grey: [np.zeros((1, 48, 80, 3), np.float32)]
    with pytest.raises(RecognitionError, match="foreign"):
        Locator(net).locate(np.zeros((384, 640), np.uint8))


def test_overlap_is_of_the_smaller_box():
    assert overlap(box(0, 0, 100, 30), box(10, 5, 50, 15)) == 1.0
    assert overlap(box(0, 0, 100, 30), box(200, 0, 100, 30)) == 0.0
