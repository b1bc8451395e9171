"""The way of travel, from the way of the plate."""

import pytest

from appliance.recognition.track import Step
from appliance.recognition.travel import direction
from appliance.values import Direction


def _path(x=(300, 300), width=(100, 100), steps=12):
    def at(pair, i):
        return pair[0] + (pair[1] - pair[0]) * i / (steps - 1)

    return [Step(0.1 * i, at(x, i), 200, at(width, i)) for i in range(steps)]


@pytest.mark.parametrize(
    ("path", "direction_in", "expected"),
    [
        (_path(width=(80, 140)), "towards", Direction.IN),
        (_path(width=(140, 80)), "towards", Direction.OUT),
        (_path(width=(140, 80)), "away", Direction.IN),
        (_path(width=(100, 103)), "towards", Direction.UNKNOWN),
        (_path(x=(100, 400)), "right", Direction.IN),
        (_path(x=(100, 400)), "left", Direction.OUT),
        (_path(x=(100, 120)), "left", Direction.UNKNOWN),
        (_path(x=(100, 400)), "towards", Direction.UNKNOWN),
        (_path(width=(80, 140), steps=3), "towards", Direction.UNKNOWN),
    ],
)
def test_the_plate_s_way_is_judged_against_the_lane(path, direction_in, expected):
    assert direction(path, direction_in) is expected


def test_a_standing_car_s_jitter_is_no_direction():
    jitter = [Step(0.1 * i, 300 + (-1) ** i * 3, 200, 100 + (-1) ** i * 4) for i in range(30)]
    assert direction(jitter, "towards") is Direction.UNKNOWN
