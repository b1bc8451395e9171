"""The policy in force: loaded when it changes, kept when a load fails."""

from __future__ import annotations

import contextlib
import shutil

import pytest

from appliance import site
from appliance.gate.issues import Issues
from appliance.gate.standing import Standing
from appliance.values import ClockQuality
from tests.gate.making import allow, publish


@pytest.fixture
def standing(box):
    made = Standing(box, Issues(), lambda: ClockQuality.SYNCED)
    yield made
    made.close()


def _issues(standing) -> set[str]:
    return {issue["key"] for issue in standing._issues.listed()}


def _plates(standing) -> list[str]:
    return sorted(standing.policy.by_plate)


def test_before_the_set_up_there_is_no_policy_and_no_failure(standing, caplog):
    for _ in range(3):
        standing.look()
    assert standing.policy.snapshot.version == 0
    assert _issues(standing) == {"no_policy"}
    assert caplog.text.count("policy not loaded") == 1


def test_a_policy_published_later_is_found_at_the_next_look(box, standing):
    standing.look()
    publish(box, "PSTN101")
    standing.look()
    assert (standing.policy.snapshot.version, _plates(standing)) == (1, ["PSTN101"])
    assert _issues(standing) == set()


def test_a_change_is_found_at_the_next_look_and_nothing_is_loaded_without_one(box, standing):
    publish(box, "PSTN101")
    standing.look()
    before = standing.policy
    standing.look()
    assert standing.policy is before
    with contextlib.closing(site.open_writer(box)) as writer:
        allow(writer, "PSTN102")
        standing.look()
    assert _plates(standing) == ["PSTN101", "PSTN102"]


def test_the_console_may_ask_for_it_at_once(box, standing):
    publish(box, "PSTN101")
    assert standing.reload() == 1
    assert standing.reload() == 1
    assert _plates(standing) == ["PSTN101"]


def test_a_policy_that_cannot_be_understood_leaves_the_last_good_one(box, standing):
    publish(box, "PSTN101")
    standing.look()
    with contextlib.closing(site.open_writer(box)) as writer:
        allow(writer, "not normalised")
        standing.look()
        assert _plates(standing) == ["PSTN101"]
        assert _issues(standing) == {"policy_stale"}
        writer.execute("DELETE FROM grants WHERE plate = 'not normalised'")
        standing.look()
    assert _issues(standing) == set()


@pytest.mark.parametrize("broken", ["hours = '{'", "kind = 'vip'", "from_at = 'soon'",
                                    "hours = '[{\"days\": [0]}]'", "lanes = '3'"])
def test_no_broken_row_ever_replaces_a_good_policy(box, standing, broken):
    publish(box, "PSTN101")
    standing.look()
    with contextlib.closing(site.open_writer(box)) as writer:
        writer.execute(f"UPDATE grants SET {broken}")
        standing.look()
    assert _plates(standing) == ["PSTN101"]
    assert _issues(standing) == {"policy_stale"}


def test_a_damaged_file_leaves_the_last_good_policy(box, standing):
    publish(box, "PSTN101")
    standing.look()
    box.site_db.rename(box.site_db.with_suffix(".away"))
    standing.look()
    box.site_db.write_bytes(b"no database" * 1000)
    standing.look()
    assert _plates(standing) == ["PSTN101"]
    assert _issues(standing) == {"policy_stale"}


def test_a_restored_backup_is_noticed_though_its_version_may_be_the_same(box, standing):
    publish(box, "PSTN101")
    backup = box.site_db.with_suffix(".bak")
    shutil.copy(box.site_db, backup)
    with contextlib.closing(site.open_writer(box)) as writer:
        allow(writer, "PSTN102")
    standing.look()
    assert len(_plates(standing)) == 2
    for ending in ("-wal", "-shm"):
        box.site_db.with_name(box.site_db.name + ending).unlink(missing_ok=True)
    backup.rename(box.site_db)
    standing.look()
    assert _plates(standing) == ["PSTN101"]


def test_what_the_clock_is_worth_is_asked_at_every_look(box):
    worth = [ClockQuality.SYNCED, ClockQuality.UNKNOWN, ClockQuality.FREE]
    standing = Standing(box, Issues(), lambda: worth.pop(0))
    standing.look()
    assert standing.clock_quality is ClockQuality.UNKNOWN
    assert "clock_untrusted" in _issues(standing)
    standing.look()
    assert "clock_untrusted" not in _issues(standing)


def _test_passed(box, basis: str, *, passed: int = 1) -> None:
    with contextlib.closing(site.open_writer(box)) as connection, connection:
        connection.execute(
            "INSERT INTO commissionings (begun_at, begun_by, ended_at, passed, basis, attempt)"
            " VALUES ('2026-01-01T00:00:00Z', 'sam', '2026-01-01T01:00:00Z', ?, ?, '{}')",
            (passed, basis),
        )


def test_the_settings_of_the_last_passed_test_are_known_by_controller(box, standing):
    publish(box, "PSTN101")
    _test_passed(box, '{"serial": "a1", "settings": "d1"}')
    _test_passed(box, '{"serial": "a1", "settings": "d2"}')
    _test_passed(box, '{"serial": "a1", "settings": "d3"}', passed=0)
    _test_passed(box, '{"serial": "", "settings": "d4"}')
    standing.look()
    assert standing.commissioned == {"a1": "d2"}


@pytest.mark.parametrize("basis", ["no json", "[]", "{}", "5"])
def test_a_damaged_test_record_keeps_no_policy_out(box, standing, basis):
    publish(box, "PSTN101")
    _test_passed(box, basis)
    standing.look()
    assert (standing.policy.snapshot.version, _issues(standing)) == (1, set())
