"""The gate before the models."""

import numpy as np

from appliance.capture.motion import MotionGate

LEFT_HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))


NOISES = np.random.default_rng(0).integers(-4, 5, (7, 360, 640, 3), dtype=np.int16)


def _scene(seed=0, car_x=None, level=100):
    pixels = NOISES[seed % 7] + np.int16(level)
    if car_x is not None:
        pixels[150:250, car_x : car_x + 120] += 80
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _settled(mask=()):
    gate = MotionGate(mask)
    for i in range(5):
        gate.see(_scene(i), 0.1 * i)
    return gate


def test_the_first_frame_is_no_motion():
    assert MotionGate().see(_scene(), 0.0).share == 0.0


def test_noise_is_no_motion():
    assert _settled().see(_scene(50), 0.6).share < 0.002


def test_a_car_is_motion_with_a_box_around_it():
    motion = _settled().see(_scene(50, car_x=200), 0.6)
    assert motion.share > 0.02
    x, y, w, h = motion.boxes[0]
    assert x <= 210 and x + w >= 310
    assert y <= 160 and y + h >= 240


def test_a_change_of_light_is_no_motion():
    assert _settled().see(_scene(50, level=140), 0.6).share < 0.002


def test_a_car_outside_the_lane_is_no_motion():
    gate = _settled(LEFT_HALF)
    assert gate.see(_scene(50, car_x=480), 0.6).share == 0.0
    assert gate.see(_scene(51, car_x=100), 0.7).share > 0.02


def test_the_lane_decides_what_is_inside():
    gate = _settled(LEFT_HALF)
    assert gate.inside(100, 100)
    assert not gate.inside(500, 100)
    assert MotionGate().inside(5, 5)


def test_what_stands_still_fades_into_the_background():
    gate = _settled()
    shares = [gate.see(_scene(i, car_x=200), 0.6 + 0.1 * i).share for i in range(100)]
    assert shares[0] > 0.02
    assert shares[-1] < 0.002


def test_another_size_begins_anew():
    gate = _settled()
    assert gate.see(_scene(1)[:180, :320], 0.6).share == 0.0
    assert gate.see(_scene(2)[:180, :320], 0.7).share < 0.01
