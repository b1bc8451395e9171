"""What people may see of the camera."""

import cv2
import numpy as np
import pytest

from appliance import clock, ipc
from appliance.recognition.view import CameraView, Issue, Now, ReaderView, View
from appliance.values import CameraState
from tests.fakes.cars import frame, glimpse


@pytest.fixture
def view(box):
    made = View(clock.mono())
    server = made.serve(box.socket("view"))
    yield made
    server.stop()


def _picture(box, width=1280):
    answer = ipc.call(box.socket("view"), "picture", {"width": width})
    return answer, cv2.imdecode(np.frombuffer(answer.blob, np.uint8), cv2.IMREAD_COLOR)


def test_without_a_picture_yet_the_answer_says_so(box, view):
    with pytest.raises(ipc.Refused, match="no picture yet"):
        ipc.call(box.socket("view"), "picture")
    status = ipc.call(box.socket("view"), "status").header
    assert status["camera"]["frame_age_s"] is None
    assert status["reader"]["ms_p50"] is None


def test_the_status_has_every_field_of_the_contract(box, view):
    issue = Issue("camera_lost", 1.0, "the camera cannot be reached", "Check its cable")
    camera = CameraView(CameraState.LOST, 1.0, "rtsp", 10, 2, 3)
    view.now_is(Now(camera, ReaderView(5, "int8", "litert", {"detector": "abc"}), 1, (issue,)))
    begun = clock.mono() - 1
    for i in range(11):
        view.saw(frame(i, begun + 0.1 * i), [], 20.0 + i)
    status = ipc.call(box.socket("view"), "status").header
    assert set(status["camera"]) == {
        "state", "since_mono", "source_kind", "width", "height", "fps", "frame_age_s", "frames",
        "dropped", "reconnects",
    }  # fmt: skip
    assert set(status["reader"]) >= {
        "looks", "ms_p50", "ms_p95", "precision", "runtime", "models"
    }  # fmt: skip
    assert {"tracks", "rss_mb", "pid", "started_mono"} <= set(status)
    assert status["issues"] == [
        {
            "key": "camera_lost",
            "since_mono": 1.0,
            "message": "the camera cannot be reached",
            "next_step": "Check its cable",
        }
    ]
    assert status["camera"]["fps"] == pytest.approx(10, abs=0.5)
    assert status["reader"]["ms_p50"] == 25.0


def test_the_picture_is_made_on_request_within_its_limits(box, view):
    noisy = frame(1, clock.mono(), size=(1920, 1080))
    noise = np.random.default_rng(0).integers(0, 255, noisy.pixels.shape, dtype=np.uint8)
    noisy.pixels[:] = noise
    view.saw(noisy, [], 20.0)
    answer, pixels = _picture(box)
    assert len(answer.blob) <= 150_000
    assert pixels.shape[1] <= 1280
    assert answer.header["age_s"] < 5


def test_a_smaller_picture_can_be_asked_for(box, view):
    view.saw(frame(1, clock.mono(), size=(1280, 720)), [], 20.0)
    assert _picture(box, 320)[1].shape == (180, 320, 3)


def test_plates_are_outlined_for_a_moment_only(box, view):
    now = clock.mono()
    seen = frame(1, now)
    view.saw(seen, [glimpse("PSTN123", now)], 20.0)
    assert _outlined(_picture(box)[1])
    view.saw(frame(2, now + 2), [], None)
    assert not _outlined(_picture(box)[1])


def test_the_held_frame_itself_is_not_drawn_on(box, view):
    now = clock.mono()
    seen = frame(1, now)
    before = seen.pixels.copy()
    view.saw(seen, [glimpse("PSTN123", now)], 20.0)
    _picture(box)
    assert (seen.pixels == before).all()


def _outlined(pixels):
    """Whether the outline's yellow is anywhere in a grey picture."""
    return bool((pixels[:, :, 2].astype(int) - pixels[:, :, 0] > 60).any())
