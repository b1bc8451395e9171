"""Keys, encrypted databases and the site."""

from __future__ import annotations

import contextlib
import json
import stat
from datetime import UTC, datetime, timedelta

import pytest

from appliance import clock, database, plates, site, vault
from appliance.errors import VaultError
from appliance.values import ClockQuality, GrantKind, Purpose, SecondFactor, WeeklyHours

BODY = {
    "site_name": "Example Court",
    "site_zone": "America/Chicago",
    "jurisdiction": "us-il",
    "purposes": ["access_control", "incident"],
    "kept_hours_matched": 24,
    "kept_hours_unmatched": 168,
}


def test_keys_are_made_once_each_its_own_and_closed_to_others(box):
    first = {name: vault.key(box, name) for name in vault.NAMES}
    assert len(set(first.values())) == 4
    assert vault.make_missing(box) == ()
    assert {name: vault.key(box, name) for name in vault.NAMES} == first
    for file in (box.device.state_dir / "keys").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_missing_damaged_or_open_key_is_refused(box):
    file = box.device.state_dir / "keys" / "site.key"
    file.chmod(0o644)
    with pytest.raises(VaultError, match="read by others"):
        vault.key(box, "site")
    file.chmod(0o600)
    file.write_bytes(b"short")
    with pytest.raises(VaultError, match="damaged"):
        vault.key(box, "site")
    file.unlink()
    with pytest.raises(VaultError, match="missing"):
        vault.key(box, "site")


def test_a_systemd_credential_is_preferred(box, tmp_path, monkeypatch):
    credential = tmp_path / "site.key"
    credential.write_bytes(b"c" * 32)
    credential.chmod(0o600)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert vault.key(box, "site") == b"c" * 32
    assert vault.key(box, "reads") != b"c" * 32


def test_a_database_holds_no_plaintext_and_opens_only_with_its_key(tmp_path):
    path = tmp_path / "x.db"
    connection = database.open_encrypted(path, b"k" * 32)
    connection.execute("CREATE TABLE t (word TEXT) STRICT")
    connection.execute("INSERT INTO t VALUES ('CANARYWORD')")
    files = [f.read_bytes() for f in tmp_path.iterdir()]
    assert len(files) >= 2, "the write-ahead log must have been looked at as well"
    assert not any(b"CANARYWORD" in f or b"SQLite format" in f for f in files)
    connection.close()
    with pytest.raises(VaultError):
        database.open_encrypted(path, b"x" * 32)


def test_a_transaction_is_all_or_nothing(tmp_path):
    connection = database.open_encrypted(tmp_path / "x.db", b"k" * 32)
    connection.execute("CREATE TABLE t (n INTEGER) STRICT")
    with pytest.raises(RuntimeError), database.atomic(connection):
        connection.execute("INSERT INTO t VALUES (1)")
        raise RuntimeError
    assert connection.execute("SELECT count(*) FROM t").fetchone()[0] == 0


def test_migrations_are_applied_once_and_only_the_new_ones(tmp_path):
    connection = database.open_encrypted(tmp_path / "x.db", b"k" * 32)
    assert database.migrate(connection, ["CREATE TABLE a (n INTEGER) STRICT"]) == 1
    steps = ["CREATE TABLE a (n INTEGER) STRICT", "CREATE TABLE b (n INTEGER) STRICT"]
    assert database.migrate(connection, steps) == 2
    assert database.migrate(connection, steps) == 2
    assert {"a", "b"} <= set(database.tables(connection).table_names())


def test_a_failed_migration_leaves_no_half(tmp_path):
    connection = database.open_encrypted(tmp_path / "x.db", b"k" * 32)
    with pytest.raises(Exception, match="syntax"):
        database.migrate(connection, ["CREATE TABLE a (n INTEGER) STRICT;\nCREATE NONSENSE"])
    assert database.tables(connection).table_names() == []
    assert connection.execute("PRAGMA user_version").fetchone()[0] == 0


def test_an_unpublished_site_has_no_policy(box):
    with contextlib.closing(site.open_writer(box)) as connection:
        assert site.published(connection) is None
        assert site.snapshot(connection).version == 0


def test_a_published_policy_and_its_grants_are_read_back(box):
    with contextlib.closing(site.open_writer(box)) as writer:
        assert site.publish(writer, BODY, "demo") == 1
        assert site.publish(writer, {**BODY, "kept_hours_matched": 12}, "demo") == 2
        writer.execute(
            "INSERT INTO grants (kind, plate, label, unit, from_at, hours, lanes, made_at, made_by)"
            " VALUES ('visitor', 'PSTN101', '', '4B', ?, ?, ?, ?, 'demo')",
            (
                clock.iso(datetime(2026, 5, 1, tzinfo=UTC)),
                json.dumps([{"days": [0, 1], "from_minute": 480, "until_minute": 1020}]),
                '["main"]',
                clock.iso(clock.utc_now()),
            ),
        )
        writer.execute(
            "INSERT INTO grants (kind, plate, made_at, made_by, ended_at)"
            " VALUES ('allow', 'GONE1', 'x', 'demo', 'x')"
        )
    with contextlib.closing(site.open_reader(box)) as reader:
        policy, snapshot = site.published(reader), site.snapshot(reader)
        with pytest.raises(Exception, match="readonly"):
            reader.execute("DELETE FROM grants")
    assert policy is not None
    assert (policy.version, policy.kept_hours_matched) == (2, 12.0)
    assert policy.purposes == (Purpose.ACCESS_CONTROL, Purpose.INCIDENT)
    (grant,) = snapshot.grants
    assert (grant.kind, grant.plate, grant.label) == (GrantKind.VISITOR, "PSTN101", "4B")
    assert grant.hours == (WeeklyHours((0, 1), 480, 1020),)
    assert grant.lanes == ("main",)


def _first_release(box) -> None:
    """A site as the first release left it: grants without a second factor."""
    path = box.site_db
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(database.open_encrypted(path, vault.key(box, "site"))) as connection:
        database.migrate(connection, site.STEPS[:1])
        connection.execute(
            "INSERT INTO grants (kind, plate, made_at, made_by)"
            " VALUES ('allow', 'PSTN101', 'x', 'a')"
        )


def test_an_older_site_is_read_before_and_after_it_is_brought_up_to_date(box):
    _first_release(box)
    with contextlib.closing(site.open_reader(box)) as reader:
        (before,) = site.snapshot(reader).grants
    with contextlib.closing(site.open_writer(box)) as writer:
        (after,) = site.snapshot(writer).grants
        writer.execute("UPDATE grants SET second_factor = 'code', code_mac = 'a$b'")
        (asking,) = site.snapshot(writer).grants
    assert before == after
    assert (after.second_factor, after.code_mac) == (SecondFactor.NONE, "")
    assert (asking.second_factor, asking.code_mac) == (SecondFactor.CODE, "a$b")


def test_a_second_factor_that_nobody_knows_is_not_taken_for_none(box):
    _first_release(box)
    with contextlib.closing(site.open_writer(box)) as writer:
        writer.execute("UPDATE grants SET second_factor = 'retina'")
        with pytest.raises(ValueError, match="retina"):
            site.snapshot(writer)


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("pstn 101", "PSTN101"),
        ("B-MW 12", "BMW12"),
        ("ÄÖ·12", "AO12"),
        ("１２AB", "12AB"),
    ],
)
def test_a_plate_is_compared_without_case_gaps_and_accents(written, compared):
    assert plates.normalise(written) == compared


@pytest.mark.parametrize("written", ["", "-", "A", "ABCDEFGHIJKLM", "；；"])
def test_what_is_no_plate_is_refused(written):
    with pytest.raises(plates.PlateRefused):
        plates.normalise(written)


def test_times_are_utc_with_a_z_and_a_naive_one_is_refused():
    at = datetime(2026, 7, 1, 12, 0, 0, 123456, tzinfo=UTC) + timedelta(hours=1)
    assert clock.iso(at) == "2026-07-01T13:00:00.123Z"
    assert clock.from_iso(clock.iso(at)) == at.replace(microsecond=123000)
    with pytest.raises(ValueError, match="zone"):
        clock.from_iso("2026-07-01T13:00:00")


def test_the_clock_says_what_it_is_worth(monkeypatch):
    monkeypatch.delenv("POSTERN_CLOCK", raising=False)
    assert clock.quality() in ClockQuality
    monkeypatch.setattr(clock, "_timex_status", lambda: 0x40)
    assert clock.quality() is ClockQuality.FREE
    monkeypatch.setattr(clock, "_timex_status", lambda: 0)
    assert clock.quality() is ClockQuality.SYNCED
    monkeypatch.setattr(clock, "_timex_status", lambda: None)
    assert clock.quality() is ClockQuality.FREE
    monkeypatch.setattr(clock, "utc_now", lambda: datetime(1970, 1, 2, tzinfo=UTC))
    assert clock.quality() is ClockQuality.UNKNOWN
