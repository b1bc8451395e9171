"""When the line looks, and what a whole replay gives."""

from appliance.capture.motion import MotionGate
from appliance.recognition.line import Line, run
from appliance.recognition.track import Tracker
from appliance.recognition.visits import Visits
from appliance.values import ClockQuality
from tests.fakes.cars import box, frame, glimpse


class ScriptedEyes:
    """Sees a plate in the frames between two times."""

    def __init__(self, written="PSTN123", from_s=0.0, until_s=0.0):
        self._written, self._from_s, self._until_s = written, from_s, until_s
        self.looked = []

    def look(self, seen, _motion=None):
        self.looked.append(round(seen.taken_mono, 2))
        if not self._from_s <= seen.taken_mono < self._until_s:
            return []
        return [glimpse(self._written, seen.taken_mono, seq=seen.seq)]


def _line(eyes):
    visits = Visits(Tracker("run", 3.0), "main", "towards", lambda: ClockQuality.SYNCED)
    return Line(MotionGate(), eyes, visits, 0.002)


def _still(seconds):
    return [frame(i, 0.1 * i) for i in range(round(10 * seconds))]


def test_an_empty_lane_is_looked_at_once_a_second():
    eyes = ScriptedEyes()
    list(run(_line(eyes), _still(4)))
    assert eyes.looked == [0.0, 1.0, 2.0, 3.0]


def test_motion_wakes_the_eyes_at_once():
    eyes = ScriptedEyes()
    frames = _still(0.5) + [frame(5 + i, 0.5 + 0.1 * i, plates=(box(100 + 40 * i, 80),))
                            for i in range(3)]
    list(run(_line(eyes), frames))
    assert eyes.looked == [0.0, 0.5, 0.6, 0.7]


def test_a_standing_car_is_still_looked_at_and_slower_once_it_is_certain():
    eyes = ScriptedEyes(until_s=6.0)
    list(run(_line(eyes), _still(6)))
    early = [t for t in eyes.looked if t < 0.85]
    late = [t for t in eyes.looked if 3 <= t < 5]
    assert len(early) == 9
    assert 4 <= len(late) <= 5


def test_a_source_that_ends_gives_one_car_and_its_last_word():
    told = list(run(_line(ScriptedEyes(from_s=1.0, until_s=3.0)), _still(4)))
    assert {s.track for s in told} == {"run-1"}
    assert [s.final for s in told].count(True) == 1 and told[-1].final


def test_a_car_that_leaves_is_final_before_the_source_ends():
    told = []
    line = _line(ScriptedEyes(from_s=0.0, until_s=1.0))
    for shot in _still(6):
        told += line.step(shot)
    assert told[-1].final


def test_an_empty_source_gives_nothing():
    assert list(run(_line(ScriptedEyes()), [])) == []
