"""What is told of a car, when, and with which picture."""

import cv2
import numpy as np

from appliance.recognition.picture import CROP_BYTES
from appliance.recognition.track import Tracker
from appliance.recognition.visits import Visits
from appliance.values import ClockQuality, Direction
from tests.fakes.cars import frame, glimpse


def _visits(visit_end_s=3.0):
    return Visits(Tracker("run", visit_end_s), "main", "towards", lambda: ClockQuality.SYNCED)


def _see(visits, written, step, width=110.0, score=0.97, x=250.0):
    at = 0.1 * step
    seen = [glimpse(written, at, x, 150, width, score, seq=step)] if written else []
    return visits.see(frame(step, at), seen)


def test_a_car_is_told_of_when_two_frames_agree():
    visits = _visits()
    assert _see(visits, "PSTN123", 0) == []
    (news,) = _see(visits, "PSTN123", 1)
    assert (news.track, news.revision, news.plate, news.agreeing) == ("run-1", 1, "PSTN123", 2)
    assert (news.lane, news.clock, news.final) == ("main", ClockQuality.SYNCED, False)


def test_revisions_rise_and_the_last_is_final():
    visits = _visits()
    told = [s for step in range(20) for s in _see(visits, "PSTN123", step, 80 + 4 * step)]
    told += visits.idle(60.0)
    assert [s.revision for s in told] == list(range(1, len(told) + 1))
    assert [s.final for s in told] == [False] * (len(told) - 1) + [True]
    assert told[-1].direction is Direction.IN
    assert told[-1].glimpses == told[-1].agreeing == 20
    assert len(told) < 12, "not a message for every frame"


def test_a_car_that_stays_is_told_of_once_a_second_while_it_is_seen():
    visits = _visits()
    told = [s for step in range(200) for s in _see(visits, "PSTN123", step)]
    settled = [s for s in told if s.agreeing > 5]
    gaps = [b.last_mono - a.last_mono for a, b in zip(settled, settled[1:], strict=False)]
    assert len(settled) >= 15
    assert all(0.99 < gap < 1.11 for gap in gaps)
    unseen = [s for step in range(200, 220) for s in _see(visits, "", step)]
    assert [s for s in unseen if not s.final] == []


def test_a_better_text_is_told_as_a_new_revision_of_the_same_track():
    visits = _visits()
    told = [s for step in range(3) for s in _see(visits, "P5TN123", step, 50, score=0.6)]
    told += [s for step in range(3, 9) for s in _see(visits, "PSTN123", step, 120)]
    assert told[0].plate == "P5TN123"
    assert told[-1].plate == "PSTN123"
    assert {s.track for s in told} == {"run-1"}


def test_the_end_comes_though_no_frame_does():
    visits = _visits()
    for step in range(3):
        _see(visits, "PSTN123", step)
    assert visits.idle(3.1) == []
    (last,) = visits.idle(3.3)
    assert last.final
    assert visits.alive == 0


def test_a_car_seen_sharply_once_is_told_of_at_its_end():
    visits = _visits()
    _see(visits, "PSTN123", 0, width=130, score=0.999)
    (last,) = visits.finish()
    assert (last.plate, last.agreeing, last.final, last.revision) == ("PSTN123", 1, True, 1)


def test_a_scrap_seen_once_is_counted_and_not_told():
    visits = _visits()
    _see(visits, "XY1ZZ", 0, width=40, score=0.4)
    assert visits.finish() == []
    assert visits.dropped == 1


def test_frames_that_never_agree_are_not_told_while_the_car_is_there():
    visits = _visits()
    told = [_see(visits, w, i, 60, 0.5) for i, w in enumerate(("PSTN123", "P5TM128", "R5TW723"))]
    assert told == [[], [], []]


def test_the_crop_is_a_jpeg_of_the_best_frame_within_its_limit():
    visits = _visits()
    told = [s for step in range(8) for s in _see(visits, "PSTN123", step, 60 + 20 * step)]
    crop = told[-1].crop_jpeg
    assert crop.startswith(b"\xff\xd8") and len(crop) <= CROP_BYTES
    picture = cv2.imdecode(np.frombuffer(crop, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] > 150, "from a late, large plate, at the frame's own resolution"


def test_notes_explain_the_vote_and_are_at_most_twelve():
    visits = _visits()
    told = [s for step in range(30) for s in _see(visits, "PSTN123", step, 80 + 3 * step)]
    notes = (told + visits.finish())[-1].notes
    assert len(notes) == 12
    assert notes[-1].text == "PSTN123"
    assert notes[-1].at_s == 2.9


def test_a_long_stay_counts_all_its_frames_though_it_keeps_a_few():
    visits = _visits()
    for step in range(200):
        _see(visits, "PSTN123", step)
    assert visits.settled
    (last,) = visits.finish()
    assert (last.glimpses, last.agreeing) == (200, 200)


def test_a_fresh_car_is_not_settled():
    visits = _visits()
    _see(visits, "PSTN123", 0)
    assert not visits.settled
