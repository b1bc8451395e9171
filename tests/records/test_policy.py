"""Which policy is in force, through every trouble of site.db."""

from __future__ import annotations

import contextlib

import pytest

from appliance import clock, site
from appliance.records.issues import Issues
from appliance.records.policy import PolicyWatch
from tests.records.room import POLICY


@pytest.fixture
def watched(box, monkeypatch):
    """A watch over a box, its issues, and a monotonic clock to turn."""
    now = [100.0]
    monkeypatch.setattr(clock, "mono", lambda: now[0])
    issues = Issues()
    watch = PolicyWatch(box, issues)
    yield box, watch, issues, now
    watch.close()


def _publish(box, **changes):
    with contextlib.closing(site.open_writer(box)) as connection:
        site.publish(connection, {**POLICY, **changes}, "mara")


def test_without_a_site_there_is_no_policy_and_no_issue(watched):
    _, watch, issues, _ = watched
    assert watch.current() is None
    assert issues.listed() == []


def test_a_new_version_is_in_force_at_once(watched):
    box, watch, _, _ = watched
    _publish(box)
    assert watch.current().version == 1
    _publish(box, kept_hours_unmatched=1)
    assert (watch.current().version, watch.current().kept_hours_unmatched) == (2, 1.0)
    assert watch.current() is watch.current()


def test_a_file_put_in_its_place_is_noticed(watched, tmp_path):
    box, watch, _, _ = watched
    _publish(box)
    first = box.site_db.read_bytes()
    _publish(box)
    assert watch.current().version == 2
    older = tmp_path / "older.db"
    older.write_bytes(first)
    watch.close()
    for tail in ("-wal", "-shm"):
        box.site_db.with_name(box.site_db.name + tail).unlink(missing_ok=True)
    assert watch.current().version == 2
    older.replace(box.site_db)
    assert watch.current().version == 1


def test_a_policy_that_cannot_be_read_leaves_the_last_good_one_in_force(watched):
    box, watch, issues, now = watched
    _publish(box)
    assert watch.current().version == 1
    with contextlib.closing(site.open_writer(box)) as connection:
        connection.execute("INSERT INTO policy_versions VALUES (2, '{', 'a', 'b', 'c', 'd')")
    assert watch.current().version == 1
    assert [i["key"] for i in issues.listed()] == ["site_unreadable"]
    with contextlib.closing(site.open_writer(box)) as connection:
        connection.execute("DELETE FROM policy_versions WHERE version = 2")
    assert watch.current().version == 1
    assert issues.listed(), "asked again a second later, not at every request"
    now[0] += 1.5
    assert watch.current().version == 1
    assert issues.listed() == []


def test_a_file_that_is_no_database_is_an_issue_not_a_crash(watched):
    box, watch, issues, now = watched
    box.site_db.parent.mkdir(parents=True)
    box.site_db.write_bytes(b"nonsense" * 1000)
    assert watch.current() is None
    now[0] += 2
    assert watch.current() is None
    assert [i["key"] for i in issues.listed()] == ["site_unreadable"]
