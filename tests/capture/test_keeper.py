"""The camera is kept open for ever. Sessions are real threads; time is a number."""

import threading

import numpy as np

from appliance import clock
from appliance.capture.keeper import Backoff, CameraKeeper
from appliance.capture.mailbox import Mailbox
from appliance.capture.source import Shot, SourceKind
from appliance.errors import CaptureError
from appliance.values import CameraState

LIMIT_S = 5.0


class FakeSource:
    """Sends what the script says: shots, an error, ``block`` for a read that hangs, ``end``."""

    kind = SourceKind.RTSP

    def __init__(self, *script, size=None):
        self._script = list(script)
        self._size = size
        self.released = threading.Event()
        self.closed = threading.Event()

    def open(self):
        if self._script and isinstance(self._script[0], str) and self._script[0] == "refuse":
            raise CaptureError("the camera stream cannot be opened")

    def read(self):
        step = self._script.pop(0) if self._script else "block"
        if isinstance(step, np.ndarray):
            return Shot(step, 0.0)
        if step == "end":
            return None
        if step == "block":
            self.released.wait(LIMIT_S)
        raise CaptureError("the camera sends no more pictures")

    def close(self):
        self.closed.set()

    def size_now(self):
        return self._size


def _shot(seed, size=(64, 96)):
    return np.random.default_rng(seed).integers(0, 255, (*size, 3), dtype=np.uint8)


def _keeper(*sources, kind=SourceKind.RTSP):
    mailbox, left = Mailbox(), list(sources)
    keeper = CameraKeeper(lambda: left.pop(0), mailbox, kind, 5.0, clock.mono())
    return keeper, mailbox


def _session_over(source):
    assert source.closed.wait(LIMIT_S)


def test_a_frame_reaches_the_mailbox_with_a_number_and_both_times():
    source = FakeSource(_shot(1))
    keeper, mailbox = _keeper(source)
    before = clock.mono()
    keeper.tick(before)
    frame = mailbox.take(LIMIT_S)
    assert frame.seq == 1
    assert before <= frame.taken_mono <= clock.mono()
    assert frame.taken_at.tzinfo is not None
    assert keeper.health(clock.mono()).state is CameraState.LIVE
    source.released.set()
    assert keeper.stop()


def test_a_refused_camera_is_lost_and_tried_again_after_the_wait():
    first, second = FakeSource("refuse"), FakeSource(_shot(1))
    keeper, mailbox = _keeper(first, second)
    now = clock.mono()
    keeper.tick(now)
    _session_over(first)
    assert keeper.tick(now).state is CameraState.LOST
    assert keeper.last_error is not None
    keeper.tick(now + 0.4)
    assert keeper.sessions == 1
    keeper.tick(now + 0.6)
    assert keeper.sessions == 2
    assert mailbox.take(LIMIT_S) is not None
    second.released.set()
    keeper.stop()


def test_a_camera_lost_in_mid_stream_is_told_and_reopened():
    first, second = FakeSource(_shot(1), "lose"), FakeSource(_shot(2))
    keeper, mailbox = _keeper(first, second)
    now = clock.mono()
    keeper.tick(now)
    _session_over(first)
    assert keeper.tick(now).state is CameraState.LOST
    mailbox.take(0)
    keeper.tick(now + 1)
    assert mailbox.take(LIMIT_S).seq == 2
    assert keeper.reconnects == 1
    second.released.set()
    keeper.stop()


def test_a_reader_that_hangs_is_abandoned_and_replaced_within_the_limit():
    stuck, fresh = FakeSource(_shot(1), "block"), FakeSource(_shot(2))
    keeper, mailbox = _keeper(stuck, fresh)
    keeper.tick(clock.mono())
    assert mailbox.take(LIMIT_S) is not None
    now = clock.mono()
    assert keeper.tick(now + 5.0).state is CameraState.STALLED
    keeper.tick(now + 5.6)
    assert keeper.sessions == 2
    assert not stuck.closed.is_set(), "the old thread is still inside its read"
    assert mailbox.take(LIMIT_S) is not None
    stuck.released.set()
    fresh.released.set()
    assert keeper.stop()


def test_a_picture_of_an_abandoned_session_is_not_used():
    stuck, fresh = FakeSource(_shot(1), "block", _shot(3)), FakeSource("block")
    keeper, mailbox = _keeper(stuck, fresh)
    keeper.tick(clock.mono())
    assert mailbox.take(LIMIT_S) is not None
    keeper.tick(clock.mono() + 5.0)
    stuck.released.set()
    _session_over(stuck)
    assert keeper.frames == 1
    fresh.released.set()
    keeper.stop()


def test_a_replay_at_its_end_stays_ended():
    source = FakeSource(_shot(1), "end")
    source.kind = SourceKind.FILE
    keeper, _ = _keeper(source, kind=SourceKind.FILE)
    now = clock.mono()
    keeper.tick(now)
    _session_over(source)
    assert keeper.tick(now).state is CameraState.ENDED
    keeper.tick(now + 100)
    assert keeper.sessions == 1


def test_another_size_in_mid_stream_begins_a_new_session():
    scene = np.kron(_shot(1, (9, 16)), np.ones((20, 20, 1), np.uint8))
    old = FakeSource(scene, np.ascontiguousarray(scene[::-1, ::-1]), "block")
    probe = FakeSource(size=(1280, 720))
    fresh = FakeSource(_shot(2))
    keeper, mailbox = _keeper(old, probe, fresh)
    keeper.tick(clock.mono())
    while keeper.frames < 2:
        assert mailbox.take(LIMIT_S) is not None
    now = clock.mono()
    keeper.tick(now)
    keeper._probe._thread.join(LIMIT_S)
    keeper.tick(now)
    assert keeper.sessions == 2
    old.released.set()
    fresh.released.set()
    keeper.stop()


def test_waits_double_to_their_limit_and_begin_again():
    backoff = Backoff(0.5, 15.0)
    assert [backoff.next_s() for _ in range(7)] == [0.5, 1, 2, 4, 8, 15, 15]
    backoff.reset()
    assert backoff.next_s() == 0.5
