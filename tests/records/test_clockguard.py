"""When the wall clock may be believed for a deletion."""

from __future__ import annotations

from datetime import timedelta

import pytest

from appliance.records.clockguard import ClockGuard
from appliance.values import ClockQuality
from tests.records.room import NOON, Times


@pytest.fixture
def times():
    free = Times()
    free.clock = ClockQuality.FREE
    return free


def test_an_unknown_clock_is_never_believed(times):
    times.clock = ClockQuality.UNKNOWN
    guard = ClockGuard(NOON)
    assert not guard.allows(times())
    times.passes(days=9)
    assert not guard.allows(times())


def test_a_disciplined_clock_is_believed_even_after_a_leap(times):
    times.clock = ClockQuality.SYNCED
    assert ClockGuard(NOON - timedelta(days=900)).allows(times())
    assert ClockGuard(None).allows(times())


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_a_free_clock_within_a_day_is_believed(times, days):
    assert ClockGuard(NOON - timedelta(days=days)).allows(times())


@pytest.mark.parametrize("days", [-400, -1.01, 1.01, 400])
def test_a_free_clock_that_leapt_must_run_evenly_for_ten_minutes(times, days):
    guard = ClockGuard(NOON - timedelta(days=days))
    assert not guard.allows(times())
    times.passes(seconds=599)
    assert not guard.allows(times())
    times.passes(seconds=1)
    assert guard.allows(times())
    assert guard.last_at == times.at


def test_a_clock_that_leaps_again_starts_its_ten_minutes_again(times):
    guard = ClockGuard(NOON - timedelta(days=30))
    assert not guard.allows(times())
    times.passes(minutes=9)
    times.at += timedelta(hours=3)
    assert not guard.allows(times())
    times.passes(minutes=9)
    assert not guard.allows(times())
    times.passes(minutes=1)
    assert guard.allows(times())


def test_a_first_run_with_reads_waits_as_after_a_leap(times):
    assert not ClockGuard(None).allows(times())
