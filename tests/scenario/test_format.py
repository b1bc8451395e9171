"""A scenario file that is wrong in any way is refused with a sentence that says where."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.scenario import format as scenario_format
from appliance.scenario.plan import Body, FaultKind, Light, Scenario, Then, Way
from appliance.values import GrantKind, Reason

SMALL = """
[scenario]
name = "One car"
length_s = 20
[site]
name = "Elm Row"
zone = "America/Chicago"
[[grant]]
plate = "PSTN 101"
label = "Unit 1"
[[car]]
plate = "PSTN 101"
at_s = 0.5
expect = "granted"
"""


def test_a_small_scenario_is_read_with_its_defaults() -> None:
    scenario = scenario_format.parse(SMALL)

    (car,), (grant,) = scenario.cars, scenario.grants
    assert (car.plate, car.plate_text, car.way, car.light) == (
        "PSTN 101", "PSTN101", Way.IN, Light.DAY)
    assert (car.body, car.then, car.expect) == (Body.SALOON, Then.THROUGH, Reason.GRANTED)
    assert (grant.plate, grant.kind, grant.hours, grant.until_hours) == (
        "PSTN101", GrantKind.ALLOW, None, None)
    assert (scenario.fps, scenario.lane.name, scenario.faults) == (10.0, "main", ())


def test_faults_and_hours_are_read() -> None:
    text = SMALL.replace("[[car]]", 'hours_in_days = 2\nhours_from = "06:00"\n'
                         'hours_until = "06:30"\n[[fault]]\nkind = "loop_dead"\n'
                         "at_s = 1\nfor_s = 2\n[[car]]", 1)

    scenario = scenario_format.parse(text)

    hours = scenario.grants[0].hours
    assert hours is not None
    assert (hours.in_days, hours.from_minute, hours.until_minute) == (2, 360, 390)
    assert scenario.faults[0].kind is FaultKind.LOOP_DEAD


@pytest.mark.parametrize(("old", "new", "says"), [
    ("[scenario]", "[scenaro]", "needs scenario"),
    ("length_s = 20", "length_s = 2", "length_s must lie between 5 and 600"),
    ("length_s = 20", 'length_s = "20"', "length_s must be a number"),
    ("length_s = 20", "length_s = 6", r"\[\[car\]\] 1 is in the scene until"),
    ('name = "Elm Row"', 'name = ""', r"\[site\] name must be text"),
    ("America/Chicago", "America/Nowhere", "zone 'America/Nowhere' is not known"),
    ("America/Chicago", "../etc/passwd", "is not known"),
    ("at_s = 0.5", "at_s = 0.5\nligth = 'day'", "knows no key 'ligth'. Did you mean 'light'"),
    ("at_s = 0.5", "at_s = true", "at_s must be a number"),
    ("at_s = 0.5", "at_s = 0.5\nlight = 'noon'", "light must be one of day, dusk, night"),
    ("at_s = 0.5", "at_s = 0.5\nbody = 7", "body must be one of"),
    ("at_s = 0.5", "at_s = 0.5\ncolour = 'red'", "colour must be written #rrggbb"),
    ("at_s = 0.5", "at_s = 0.5\ncolour = '#12345g'", "colour must be written #rrggbb"),
    ('plate = "PSTN 101"\nat_s', 'plate = "-"\nat_s', "plate has 2 to 8 letters"),
    ('plate = "PSTN 101"\nat_s', 'plate = "PSTN 10111"\nat_s', "plate has 2 to 8 letters"),
    ('expect = "granted"', 'expect = "welcome"', "expect must be one of"),
    ('label = "Unit 1"', "", r"\[\[grant\]\] 1 needs label"),
    ('label = "Unit 1"', 'label = "a"\nhours_from = "6:7"\nhours_until = "07:00"', "time of day"),
    ('label = "Unit 1"', 'label = "a"\nhours_from = "24:00"\nhours_until = "07:00"', "time of day"),
    ('label = "Unit 1"', 'label = "a"\nhours_from = "06:60"\nhours_until = "07:00"', "time of day"),
    ('label = "Unit 1"', 'label = "a"\nhours_until = "07:00"', "knows no key 'hours_until'"),
    ("[[car]]", "[car]", r"\[\[car\]\] must be a list of tables"),
    ("[[car]]", '[[grant]]\nplate = "PSTN-101"\nlabel = "b"\n[[car]]', "repeats a plate"),
    ("[[car]]", "[lane]\nloop_from_m = 9\n[[car]]", "loop_from_m must be less"),
    ("[[car]]", "[site2]\n[[car]]", "knows no key 'site2'. Did you mean 'site'"),
    ("[scenario]", "[scenario", "is not TOML"),
])
def test_what_is_wrong_is_named(old: str, new: str, says: str) -> None:
    assert old in SMALL
    with pytest.raises(ConfigError, match=says):
        scenario_format.parse(SMALL.replace(old, new, 1))


def test_cars_may_not_touch() -> None:
    second = '\n[[car]]\nplate = "PSTN 202"\nat_s = 4\n'

    with pytest.raises(ConfigError, match=r"\[\[car\]\] 2 would touch the car before it"):
        scenario_format.parse(SMALL + second)


def test_cars_stand_in_the_order_in_which_they_come() -> None:
    second = '\n[[car]]\nplate = "PSTN 202"\nat_s = 0.1\n'

    with pytest.raises(ConfigError, match="comes before the car above it"):
        scenario_format.parse(SMALL + second)


def test_a_missing_file_is_a_settings_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none.toml could not be read"):
        scenario_format.load(tmp_path / "none.toml")


@pytest.fixture(scope="module")
def demo() -> Scenario:
    return scenario_format.load(scenario_format.DEMO)


def test_the_demo_plays_every_kind_of_visit(demo: Scenario) -> None:
    assert {car.expect for car in demo.cars} == {
        Reason.GRANTED, Reason.VISITOR_GRANTED, Reason.BLOCKED, Reason.OUTSIDE_HOURS,
        Reason.NOT_LISTED, Reason.WRONG_DIRECTION}
    assert {car.light for car in demo.cars} == set(Light)
    assert 75 <= demo.length_s <= 90
    assert demo.cars[0].at_s == 0


def test_the_demos_plates_cannot_be_taken_for_one_another(demo: Scenario) -> None:
    """A block grant also stops what is one sign away, so invented plates must lie apart."""
    texts = sorted({car.plate_text for car in demo.cars})
    for n, one in enumerate(texts):
        for other in texts[n + 1 :]:
            differing = sum(a != b for a, b in zip(one, other, strict=True))
            assert differing >= 4, (one, other)


def test_what_each_car_of_the_demo_expects_follows_from_the_grants(demo: Scenario) -> None:
    grants = {grant.plate: grant for grant in demo.grants}
    for car in demo.cars:
        grant = grants.get(car.plate_text)
        if car.expect is Reason.NOT_LISTED:
            assert grant is None
        else:
            assert grant is not None
            assert (grant.kind is GrantKind.BLOCK) == (car.expect is Reason.BLOCKED)
            assert (grant.kind is GrantKind.VISITOR) == (car.expect is Reason.VISITOR_GRANTED)
            assert (grant.hours is not None) == (car.expect is Reason.OUTSIDE_HOURS)
        assert (car.way is Way.OUT) == (car.expect is Reason.WRONG_DIRECTION)
