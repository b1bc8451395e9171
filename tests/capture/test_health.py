"""What the camera is worth, from what arrives. Times are made up."""

import numpy as np

from appliance.capture.health import PictureWatch
from appliance.values import CameraState

SCENE = np.random.default_rng(1).integers(40, 200, (9, 16), dtype=np.uint8)
NOISES = np.random.default_rng(2).integers(-3, 4, (64, 360, 640, 1), dtype=np.int16)
SCENE = np.kron(SCENE, np.ones((40, 40), np.uint8))


def _picture(seed=None, level=0, scene=SCENE):
    """The scene with a sensor's noise, or exactly the scene."""
    pixels = np.repeat(scene[:, :, None], 3, 2).astype(np.int16) + level
    if seed is not None:
        pixels += NOISES[seed % 64]
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _watch(live=True):
    watch = PictureWatch(0.0, live=live, stall_s=5.0)
    watch.connected(0.0)
    return watch


def _feed(watch, pictures, start, period=0.1):
    """The states after each picture, and the time after the last."""
    now, states = start, []
    for picture in pictures:
        watch.picture(picture, now)
        states.append(watch.health(now).state)
        now += period
    return states, now


def test_a_camera_that_has_sent_nothing_is_starting():
    assert _watch().health(1.0).state is CameraState.STARTING


def test_a_noisy_still_scene_is_live():
    states, _ = _feed(_watch(), [_picture(s) for s in range(80)], 0.1)
    assert set(states) == {CameraState.LIVE}


def test_equal_pictures_freeze_within_five_seconds_and_thaw_at_once():
    watch = _watch()
    _, now = _feed(watch, [_picture(s) for s in range(10)], 0.1)
    states, later = _feed(watch, [_picture(9)] * 50, now)
    assert states[-1] is CameraState.FROZEN
    assert states.index(CameraState.FROZEN) * 0.1 <= 5.0
    states, _ = _feed(watch, [_picture(99)], later)
    assert states == [CameraState.LIVE]


def test_a_frozen_picture_that_is_encoded_anew_is_frozen_too():
    """Key frames every second differ from the frames between them, but they come back."""
    key, between = _picture(1), _picture(2)
    watch = _watch()
    _, now = _feed(watch, [_picture(s) for s in range(10)], 0.1)
    states, _ = _feed(watch, ([key] + [between] * 9) * 6, now)
    assert states[-1] is CameraState.FROZEN
    assert states.index(CameraState.FROZEN) * 0.1 <= 5.0


def test_a_black_picture_is_black_within_five_seconds_though_it_has_noise():
    watch = _watch()
    _, now = _feed(watch, [_picture(s) for s in range(10)], 0.1)
    black = [_picture(s, level=-300) for s in range(50)]
    black = [b + np.abs(NOISES[s]).astype(np.uint8) for s, b in enumerate(black)]
    states, later = _feed(watch, black, now)
    assert states[-1] is CameraState.BLACK
    assert states.index(CameraState.BLACK) * 0.1 <= 5.0
    states, _ = _feed(watch, [_picture(7)], later)
    assert states == [CameraState.LIVE]


def test_a_night_with_one_lamp_is_not_black():
    night = np.full_like(SCENE, 4)
    night[100:140, 200:240] = 220
    states, _ = _feed(_watch(), [_picture(s, scene=night) for s in range(60)], 0.1)
    assert CameraState.BLACK not in states


def test_silence_is_a_stall_within_its_limit():
    watch = _watch()
    watch.picture(_picture(1), 1.0)
    assert watch.health(5.0).state is CameraState.LIVE
    assert watch.health(5.9).state is CameraState.STALLED
    watch.picture(_picture(2), 6.5)
    assert watch.health(6.5).state is CameraState.LIVE


def test_a_camera_that_connects_but_never_sends_is_stalled():
    assert _watch().health(4.9).state is CameraState.STALLED


def test_a_lost_camera_does_not_become_stalled_by_waiting():
    watch = _watch()
    watch.picture(_picture(1), 1.0)
    watch.lost(2.0)
    health = watch.health(30.0)
    assert (health.state, health.since_mono) == (CameraState.LOST, 2.0)


def test_a_clip_may_hold_still():
    states, _ = _feed(_watch(live=False), [_picture()] * 100, 0.1)
    assert set(states) == {CameraState.LIVE}


def test_another_size_is_counted_and_shown():
    watch = _watch()
    watch.picture(_picture(1), 0.1)
    watch.picture(_picture(1)[:180, :320], 0.2)
    assert watch.size_changes == 1
    assert (watch.health(0.2).width, watch.health(0.2).height) == (320, 180)


def test_a_jump_of_the_whole_scene_is_counted_and_a_passing_car_is_not():
    watch = _watch()
    watch.picture(_picture(1), 0.1)
    car = _picture(2)
    car[150:250, 0:90] = 30  # a car drives in at the edge
    watch.picture(car, 0.2)
    watch.picture(_picture(3, level=40), 0.3)  # the light changes
    assert watch.jumps == 0
    watch.picture(np.ascontiguousarray(_picture(4)[::-1, ::-1]), 0.4)
    assert watch.jumps == 1
