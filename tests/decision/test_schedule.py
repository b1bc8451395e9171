"""Weekly hours on the site's wall clock, against a brute-force calendar of minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.decision import schedule
from appliance.values import WeeklyHours

CHICAGO = ZoneInfo("America/Chicago")
ZONES = [ZoneInfo(n) for n in ("America/Chicago", "Europe/Berlin", "Asia/Kolkata",
                               "Australia/Lord_Howe", "America/St_Johns", "UTC")]
SPANS = st.builds(
    WeeklyHours,
    days=st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True).map(tuple),
    from_minute=st.integers(0, 1439),
    until_minute=st.integers(0, 1440),
)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(
    lambda at: at.replace(tzinfo=UTC)
)
NEAR_CHANGES = st.tuples(
    st.sampled_from([datetime(2026, 3, 8, 8, tzinfo=UTC), datetime(2026, 11, 1, 7, tzinfo=UTC),
                     datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)]),
    st.integers(-240, 240),
).map(lambda pair: pair[0] + timedelta(minutes=pair[1]))


def _minutes_of_week(span: WeeklyHours) -> set[int]:
    """Every minute of the wall-clock week that a span covers, walked one by one."""
    length = span.until_minute - span.from_minute
    if length <= 0:
        length += 1440
    return {
        (day * 1440 + span.from_minute + step) % (7 * 1440)
        for day in span.days
        for step in range(length)
    }


@settings(max_examples=300)
@given(st.lists(SPANS, min_size=1, max_size=3), MOMENTS | NEAR_CHANGES, st.sampled_from(ZONES))
def test_every_moment_agrees_with_a_walk_over_the_minutes_of_the_week(spans, at, zone):
    local = at.astimezone(zone)
    minute = local.weekday() * 1440 + local.hour * 60 + local.minute
    expected = any(minute in _minutes_of_week(span) for span in spans)
    assert schedule.within(tuple(spans), at, zone) == expected


def _within(span: WeeklyHours, *utc: int) -> bool:
    return schedule.within((span,), datetime(*utc, tzinfo=UTC), CHICAGO)


def test_a_span_holds_from_its_first_minute_up_to_not_including_its_last():
    span = WeeklyHours((0,), 12 * 60, 13 * 60)
    assert not _within(span, 2026, 11, 23, 17, 59)
    assert _within(span, 2026, 11, 23, 18, 0)
    assert _within(span, 2026, 11, 23, 18, 59)
    assert not _within(span, 2026, 11, 23, 19, 0)


def test_a_night_span_belongs_to_the_day_on_which_it_begins():
    friday_night = WeeklyHours((4,), 22 * 60, 6 * 60)
    assert _within(friday_night, 2026, 11, 28, 4, 0)  # Friday 22:00
    assert _within(friday_night, 2026, 11, 28, 11, 59)  # Saturday 05:59
    assert not _within(friday_night, 2026, 11, 28, 12, 0)
    assert not _within(friday_night, 2026, 11, 27, 11, 0)  # Friday 05:00


def test_a_sunday_night_reaches_into_monday():
    assert _within(WeeklyHours((6,), 23 * 60, 60), 2026, 11, 23, 6, 30)  # Monday 00:30


def test_equal_minutes_are_a_whole_day():
    span = WeeklyHours((0,), 480, 480)
    assert _within(span, 2026, 11, 23, 14, 0)
    assert _within(span, 2026, 11, 24, 13, 59)
    assert not _within(span, 2026, 11, 24, 14, 0)


def test_midnight_may_be_written_as_minute_1440():
    span = WeeklyHours((0,), 0, 1440)
    assert _within(span, 2026, 11, 24, 5, 59)  # Monday 23:59
    assert not _within(span, 2026, 11, 24, 6, 0)


def test_the_hour_repeated_in_autumn_counts_twice():
    span = WeeklyHours((6,), 60, 120)  # Sunday 01:00 to 02:00
    assert _within(span, 2026, 11, 1, 6, 30)  # still summer time
    assert _within(span, 2026, 11, 1, 7, 30)  # the same hour again


def test_the_hour_skipped_in_spring_does_not_occur():
    span = WeeklyHours((6,), 120, 180)  # Sunday 02:00 to 03:00
    walked = [datetime(2026, 3, 8, 6, tzinfo=UTC) + timedelta(minutes=m) for m in range(240)]
    assert not any(schedule.within((span,), at, CHICAGO) for at in walked)


def test_no_spans_hold_at_no_time():
    assert not schedule.within((), datetime(2026, 11, 23, tzinfo=UTC), CHICAGO)


def test_a_time_without_its_zone_is_refused():
    with pytest.raises(ValueError):
        schedule.within((), datetime(2026, 11, 23), CHICAGO)


@pytest.mark.parametrize("span", [
    WeeklyHours((), 0, 60), WeeklyHours((7,), 0, 60), WeeklyHours((-1,), 0, 60),
    WeeklyHours((0,), -1, 60), WeeklyHours((0,), 1440, 60), WeeklyHours((0,), 0, 1441),
    WeeklyHours((0,), 0, -1),
])
def test_a_span_that_cannot_be_understood_says_why(span):
    assert schedule.refusal(span)


def test_a_sound_span_is_not_refused():
    assert schedule.refusal(WeeklyHours((0, 6), 0, 1440)) == ""
