"""A tilted plate in the frame becomes a flat cut-out with its margin."""

import cv2
import numpy as np
import pytest

from appliance.recognition.rectify import cut_out, sharpness, stretch, whole
from appliance.values import PlateBox
from tests.fakes.cars import card

CARD = card("recogniser", 48, 144)


def _with_plate(quad, size=(400, 700)):
    """A dark frame whose plate is white with a black left half."""
    pixels = np.full(size, 60, np.uint8)
    points = np.array(quad, np.float32)
    cv2.fillConvexPoly(pixels, points.round().astype(np.int32), 255)
    top, bottom = (points[0] + points[1]) / 2, (points[2] + points[3]) / 2
    half = np.array([points[0], top, bottom, points[3]])
    cv2.fillConvexPoly(pixels, half.round().astype(np.int32), 0)
    return pixels


@pytest.mark.parametrize(
    "quad",
    [
        ((200, 150), (320, 150), (320, 190), (200, 190)),
        ((200, 150), (330, 180), (325, 225), (195, 190)),
        ((100, 60), (620, 40), (640, 230), (110, 250)),
        ((5, 5), (80, 2), (82, 28), (6, 32)),
    ],
)
def test_the_plate_fills_the_cut_out_up_to_its_margin(quad):
    cut = cut_out(_with_plate(quad), PlateBox(quad, 0.9), CARD)
    assert cut.shape == (48, 144)
    middle = cut[24]
    assert middle[20:60].mean() < 20, "the left half is black"
    assert middle[85:125].mean() > 235, "the right half is white"
    edge = int(np.argmax(middle[60:] > 128)) + 60
    assert edge == pytest.approx(72, abs=6)


def test_a_plate_at_the_frame_s_edge_can_be_cut():
    quad = ((-10, -5), (90, -5), (90, 25), (-10, 25))
    assert cut_out(np.full((100, 200), 90, np.uint8), PlateBox(quad, 0.5), CARD).shape == (48, 144)


def test_stretching_spans_the_whole_range_and_leaves_a_flat_cut_flat():
    ramp = np.tile(np.linspace(100, 140, 144), (48, 1)).astype(np.uint8)
    assert (stretch(ramp).min(), stretch(ramp).max()) == (0, 255)
    assert stretch(np.full((48, 144), 77, np.uint8)).max() == 0


def test_a_cut_out_picture_is_only_resized():
    assert whole(np.zeros((90, 300), np.uint8), CARD).shape == (48, 144)


def test_a_blurred_cut_is_less_sharp():
    cut = np.random.default_rng(0).integers(0, 255, (48, 144), dtype=np.uint8)
    assert sharpness(cv2.GaussianBlur(cut, (0, 0), 2)) < sharpness(cut)
