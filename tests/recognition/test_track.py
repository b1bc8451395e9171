"""One car is one track, two cars are two."""

from appliance.recognition.track import Tracker
from tests.fakes.cars import glimpse


def _drive(tracker, written, start, seconds, x=100.0, speed=120.0, width=90.0, grow=20.0):
    """A plate on its way through the picture, ten frames a second; returns where it got to."""
    every = 0.1
    steps = round(seconds / every)
    for step in range(steps):
        at = start + step * every
        tracker.see([glimpse(written, at, x + speed * step * every, 200,
                             width + grow * step * every)], at)
    return x + speed * seconds


def _tracker():
    return Tracker("run", visit_end_s=3.0)


def test_a_moving_car_is_one_track():
    tracker = _tracker()
    _drive(tracker, "PSTN101", 0.0, 3.0)
    assert [t.name for t in tracker.tracks] == ["run-1"]
    assert tracker.tracks[0].seen == 30


def test_a_gap_of_a_second_and_a_half_does_not_make_a_second_car():
    tracker = _tracker()
    x = _drive(tracker, "PSTN101", 0.0, 1.0)
    _drive(tracker, "PSTN101", 2.5, 1.0, x=x + 180, width=140)
    assert len(tracker.tracks) == 1


def test_a_gap_with_a_misread_after_it_is_still_one_car():
    tracker = _tracker()
    x = _drive(tracker, "PSTN101", 0.0, 1.0)
    at = 2.3
    tracker.see([glimpse("P5TM10", at, x + 140, 200, 130, score=0.5)], at)
    assert len(tracker.tracks) == 1


def test_a_car_that_follows_closely_is_another_track():
    tracker = _tracker()
    _drive(tracker, "PSTN101", 0.0, 1.0, speed=20)
    _drive(tracker, "XWK777", 1.2, 1.0, x=110, speed=20)
    assert [t.glimpses[0].text.text for t in tracker.tracks] == ["PSTN101", "XWK777"]


def test_two_cars_side_by_side_are_two_tracks_all_the_way():
    tracker = _tracker()
    for step in range(20):
        at = 0.1 * step
        pair = [glimpse("PSTN101", at, 100 + 5 * step), glimpse("PSTN102", at, 400 - 5 * step)]
        tracker.see(pair if step % 2 else pair[::-1], at)
    texts = [{g.text.text for g in t.glimpses} for t in tracker.tracks]
    assert sorted(texts, key=min) == [{"PSTN101"}, {"PSTN102"}]


def test_the_same_plate_far_off_within_the_visit_is_the_same_car():
    tracker = _tracker()
    _drive(tracker, "PSTN101", 0.0, 1.0, x=100, speed=0)
    tracker.see([glimpse("PSTN101", 2.0, 500, 40, 90)], 2.0)
    assert len(tracker.tracks) == 1


def test_the_same_plate_after_the_visit_is_a_new_visit():
    tracker = _tracker()
    _drive(tracker, "PSTN101", 0.0, 1.0)
    assert [t.name for t in tracker.end_old(4.0)] == ["run-1"]
    tracker.see([glimpse("PSTN101", 4.5)], 4.5)
    assert [t.name for t in tracker.tracks] == ["run-2"]


def test_a_visit_ends_only_when_its_time_is_over():
    tracker = _tracker()
    tracker.see([glimpse("PSTN101", 1.0)], 1.0)
    assert tracker.end_old(3.9) == []
    assert len(tracker.end_old(4.0)) == 1


def test_a_long_visit_keeps_a_bounded_memory_and_its_beginning():
    tracker = _tracker()
    _drive(tracker, "PSTN101", 0.0, 60.0, speed=0, grow=0)
    (track,) = tracker.tracks
    assert track.seen == 600
    assert len(track.glimpses) <= 40
    assert len(track.path) <= 64
    assert track.path[0].at_mono == track.first_mono == 0.0
