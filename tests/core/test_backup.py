"""The site out of one machine and into another; never a read, never a key."""

from __future__ import annotations

import contextlib
import json
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance import backup, container, database, site, vault
from appliance.backup import BackupError
from appliance.config import Config, Device
from tests.core.test_store import BODY
from tests.records.killing import cuts

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
CHEAP = container.Cost(1, 8, 1)
WORDS = "correct horse battery staple"
WITNESS = {"public_key": "ab" * 32, "heads": [{"number": 1}], "last": {"number": 1}}
ROWS = {
    "people": "(id, username, name, role, password_hash, made_at)"
              " VALUES (7, 'mara', 'M', 'manager', 'h', 'x')",
    "sessions": "(token_hash, person_id, made_at, seen_at) VALUES ('t', 7, 'x', 'x')",
    "codes": "(code_hash, role, made_at, made_by, expires_at) VALUES ('c', 'guard', 'x', 'x', 'x')",
    "trainings": "(person_id, module, policy_version, passed_at) VALUES (7, 'privacy', 1, 'x')",
    "grants": "(kind, plate, made_at, made_by, second_factor, code_mac)"
              " VALUES ('allow', 'PSTN101', 'x', 'mara', 'code', 'a$b')",
    "settings": "VALUES ('k', 'v')",
    "commissionings": "(number, begun_at, begun_by, basis, attempt) VALUES (1, 'x', 'x', '{}', '')",
}


@pytest.fixture
def lived_in(box):
    with contextlib.closing(site.open_writer(box)) as connection:
        site.publish(connection, BODY, "mara")
        for table, values in ROWS.items():
            connection.execute(f"INSERT INTO {table} {values}")
    return box


@pytest.fixture
def other():
    with tempfile.TemporaryDirectory(prefix="pstn-") as folder:
        config = Config(device=Device(state_dir=Path(folder, "s"), run_dir=Path(folder, "r")))
        vault.make_missing(config)
        yield config


def moved(box):
    return backup.read(backup.write(backup.take(box, NOW, WITNESS), WORDS, CHEAP), WORDS)


def contents(config):
    with contextlib.closing(site.open_reader(config)) as connection:
        return {name: [tuple(r) for r in connection.execute(f"SELECT * FROM {name}").fetchall()]
                for name in [*ROWS, "policy_versions"]}


def test_a_site_is_the_same_on_another_machine_but_for_who_is_signed_in(lived_in, other):
    found = moved(lived_in)
    assert (found.site_name, found.made_at, found.journal) == ("Example Court", NOW, WITNESS)
    backup.put_in_place(other, backup.build(other, found))
    before, after = contents(lived_in), contents(other)
    assert after["sessions"] == after["codes"] == []
    assert {k: v for k, v in after.items() if v} == {
        k: v for k, v in before.items() if k not in ("sessions", "codes")}
    with contextlib.closing(site.open_reader(other)) as connection:
        assert site.snapshot(connection).grants[0].plate == "PSTN101"
    assert vault.key(other, "site") != vault.key(lived_in, "site")


def test_exactly_these_tables_travel(lived_in):
    """A new table of the site must be looked at here: does it name a read?"""
    assert set(moved(lived_in).counts) == {
        "commissionings", "grants", "people", "policy_versions", "settings", "trainings"}


def test_no_key_travels(lived_in):
    told = json.dumps(moved(lived_in).tables)
    assert not [n for n in vault.NAMES if vault.key(lived_in, n).hex() in told]


def test_codes_that_will_be_void_are_counted(lived_in):
    assert moved(lived_in).void_codes == 1


def test_what_is_replaced_stays_beside(lived_in, other):
    with contextlib.closing(site.open_writer(other)) as connection:
        connection.execute("INSERT INTO settings VALUES ('old', 'one')")
    for _ in range(2):
        backup.put_in_place(other, backup.build(other, moved(lived_in)))
    before = other.site_db.with_name("site.db.before")
    with contextlib.closing(database.open_encrypted(before, vault.key(other, "site"))) as there:
        assert there.execute("SELECT count(*) FROM people").fetchone()[0] == 1
    assert contents(other)["grants"]
    assert {p.name for p in other.site_db.parent.iterdir()} <= {
        "site.db", "site.db.before", "site.db-wal", "site.db-shm", "site.db.before-wal",
        "site.db.before-shm"}


def test_a_machine_is_inhabited_once_somebody_lives_there(lived_in, other):
    assert not backup.inhabited(other)
    site.open_writer(other).close()
    assert not backup.inhabited(other)
    assert backup.inhabited(lived_in)
    other.site_db.unlink()
    with contextlib.closing(database.open_encrypted(other.site_db, vault.key(other, "site"))):
        pass
    assert not backup.inhabited(other)


def test_a_backup_of_the_first_release_is_brought_up_to_date(box, other):
    box.site_db.parent.mkdir(parents=True)
    with contextlib.closing(database.open_encrypted(box.site_db, vault.key(box, "site"))) as old:
        database.migrate(old, site.STEPS[:1])
        old.execute("INSERT INTO grants (kind, plate, made_at, made_by)"
                    " VALUES ('allow', 'PSTN101', 'x', 'a')")
    found = moved(box)
    assert (found.schema, found.site_name, found.void_codes) == (1, "", 0)
    backup.put_in_place(other, backup.build(other, found))
    with contextlib.closing(site.open_reader(other)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(site.STEPS)
        assert site.snapshot(connection).grants[0].code_mac == ""


@pytest.mark.parametrize("change", [{"schema": 99}, {"format": 2}])
def test_a_backup_of_a_newer_version_is_refused(lived_in, change):
    told = json.loads(container.unpack(
        backup.write(backup.take(lived_in, NOW, {}), WORDS, CHEAP), WORDS, backup.KIND))
    data = container.pack(json.dumps({**told, **change}).encode(), WORDS, backup.KIND, CHEAP)
    with pytest.raises(BackupError, match="newer"):
        backup.read(data, WORDS)


@pytest.mark.parametrize("tables", [
    {"reads": [{"plate": "PSTN101"}]},
    {"grants": [{"no_such": 1}]},
    {"grants": [{'x") VALUES (1); --': 1}]},
    {"grants": [{"id": 1, "kind": "king", "plate": "PSTN101", "made_at": "x", "made_by": "x"}]},
    {"trainings": [{"person_id": 99, "module": "m", "policy_version": 1, "passed_at": "x"}]},
])
def test_a_content_that_does_not_fit_leaves_the_site_as_it_was(lived_in, other, tables):
    with contextlib.closing(site.open_writer(other)) as connection:
        connection.execute("INSERT INTO settings VALUES ('mine', 'v')")
    with pytest.raises(BackupError, match="fit together"):
        backup.build(other, replace(moved(lived_in), tables=tables))
    assert contents(other)["settings"] == [("mine", "v")]
    assert not other.site_db.with_name("site.db.restored").exists()


def test_a_kill_while_a_site_is_replaced_leaves_the_old_or_the_new_one_whole(lived_in, other):
    with contextlib.closing(site.open_writer(other)) as connection:
        connection.execute("INSERT INTO settings VALUES ('mine', 'v')")
    found, saved = moved(lived_in), other.site_db.read_bytes()

    def put_back():
        for path in other.site_db.parent.iterdir():
            path.unlink()
        other.site_db.write_bytes(saved)

    seen = set()
    for _ in cuts(lambda: backup.put_in_place(other, backup.build(other, found)), put_back):
        seen.add(contents(other)["settings"][0])
    assert seen == {("mine", "v"), ("k", "v")}
