"""New keys for old: everything opens after it, and after a kill anywhere in it."""

from __future__ import annotations

import contextlib
import json
import shutil

import pytest

from appliance import database, site, vault
from appliance.errors import RecordError, VaultError
from appliance.records import files, identity, proof, rotation
from appliance.records.access import Who
from appliance.records.acts import Act
from appliance.records.keys import VolumeKeys, device_keys, rewrapped, wrapped_files
from appliance.records.succession import USERS, Change, carry_through, standing_still
from appliance.records.times import Moment
from appliance.records.volumes import all_keys
from appliance.values import ClockQuality
from tests.records.killing import cuts, killed_before
from tests.records.room import NOON, Room

WHO = Who("root", "system", reason="yearly")
NOW = Moment(NOON, 5.0, ClockQuality.SYNCED)
KINDS = tuple(USERS)


@pytest.fixture
def held(box):
    """A box at rest with two reads, a person signed in, a grant with a code and a hold's key."""
    room = Room(box)
    room.publish()
    room.start()
    room.see("a", "PSTN101")
    room.times.passes(days=1)
    room.see("b", "PSTN102")
    room.plates(plate="PSTN101")  # the first entry of that day: a head is signed
    room.stop()
    VolumeKeys(box.device.state_dir / "records" / "evidence" / "keys", vault.key(box, "reads")
               ).make("hold-1")
    with contextlib.closing(site.open_writer(box)) as connection:
        connection.execute("INSERT INTO people (username, name, role, password_hash, made_at)"
                           " VALUES ('mara', 'M', 'manager', 'x', 'x')")
        connection.execute("INSERT INTO sessions (token_hash, person_id, made_at, seen_at)"
                           " VALUES ('t', 1, 'x', 'x')")
        connection.execute("INSERT INTO grants (kind, plate, made_at, made_by, second_factor,"
                           " code_mac) VALUES ('allow', 'PSTN101', 'x', 'x', 'code', 'a$b')")
    return box


def turn(box, which):
    with standing_still(box, USERS[which]):
        return rotation.rotate(box, which, WHO, NOW)


def opens(box) -> bool:
    """Everything there is can be read with the keys there are."""
    evidence = box.device.state_dir / "records" / "evidence" / "keys"
    VolumeKeys(evidence, vault.key(box, "reads")).load("hold-1")
    with contextlib.closing(site.open_reader(box)) as connection:
        (grants,) = connection.execute("SELECT count(*) FROM grants").fetchone()
    found = proof.prove(box.device.state_dir / "records" / "journal", device_keys(box))
    assert found.whole, found.why
    return all_keys(box) == {"a", "b"} and grants == 1 and len(vault.key(box, "session")) == 32


def told(box):
    path = box.device.state_dir / "records" / "journal" / proof.DATABASE
    with contextlib.closing(database.open_encrypted(path, device_keys(box).journal)) as connection:
        rows = connection.execute("SELECT * FROM entries WHERE action = 'keys_rotated'").fetchall()
    return [json.loads(row["query"]) for row in rows]


@pytest.mark.parametrize("which", KINDS)
def test_after_a_change_everything_opens_with_the_new_key_and_nothing_with_the_old(held, which):
    old, before = vault.key(held, which), device_keys(held)
    done = turn(held, which)
    assert vault.key(held, which) != old
    assert opens(held)
    assert {"reads": (3, 0), "device": (done.moved, 0), "site": (1, 1), "session": (1, 0)}[
        which] == (done.moved, done.left)
    (entry,) = told(held)
    assert entry["which"] == which
    assert old.hex() not in json.dumps(entry)
    keys = {p.name for p in (held.device.state_dir / "keys").iterdir()}
    assert keys == {f"{name}.key" for name in vault.NAMES}
    assert not [p for p in held.device.state_dir.rglob("*") if "next" in p.name]
    if which == "reads":
        root = held.device.state_dir / "records"
        assert not [p for p in wrapped_files(root) if rewrapped(p, old, old) is not None]
    if which == "site":
        with pytest.raises(VaultError):
            database.open_encrypted(held.site_db, old)
    if which == "device":
        folder = held.device.state_dir / "records" / "journal"
        assert not proof.prove(folder, before).whole
        with pytest.raises(VaultError):
            database.open_encrypted(folder / proof.DATABASE, before.journal)


@pytest.mark.parametrize(("which", "stride"), [
    *(pytest.param(which, 1, marks=pytest.mark.kills) for which in KINDS),
    ("reads", 9), ("device", 17), ("site", 7), ("session", 6),
])
def test_a_kill_before_any_change_of_the_disk_leaves_everything_openable(
    held, which, stride, tmp_path
):
    state, saved = held.device.state_dir, tmp_path / "saved"
    shutil.copytree(state, saved)
    old = vault.key(held, which)
    kept = changed = 0

    def put_back():
        shutil.rmtree(state)
        shutil.copytree(saved, state)

    for _ in cuts(lambda: turn(held, which), put_back, stride):
        carry_through(held)
        assert opens(held)
        names = {p.name for p in (state / "keys").iterdir()}
        assert names == {f"{name}.key" for name in vault.NAMES}
        kept, changed = (kept + 1, changed) if vault.key(held, which) == old else (
            kept, changed + 1)
        assert carry_through(held) == ()
    assert kept
    assert changed


@pytest.mark.kills
def test_a_kill_while_an_interrupted_change_is_carried_through_is_carried_through_too(
    held, tmp_path
):
    state, saved = held.device.state_dir, tmp_path / "saved"
    shutil.copytree(state, saved)
    number = 0
    while True:
        number += 3
        shutil.rmtree(state)
        shutil.copytree(saved, state)
        if not killed_before(number, lambda: turn(held, "reads")):
            break
        shutil.copytree(state, tmp_path / f"cut{number}")

        def put_back(cut=tmp_path / f"cut{number}"):
            shutil.rmtree(state)
            shutil.copytree(cut, state)

        for _ in cuts(lambda: carry_through(held), put_back):
            carry_through(held)
            assert opens(held)
    assert number > 9


def test_a_change_that_fails_is_undone_before_it_is_told(held, monkeypatch):
    old = {name: vault.key(held, name) for name in vault.NAMES}
    real = files.replace

    def full(path, data):
        if path.parent.name == "keys.next":
            raise OSError(28, "no space")
        real(path, data)

    monkeypatch.setattr(files, "replace", full)
    with pytest.raises(OSError, match="space"):
        turn(held, "reads")
    assert {name: vault.key(held, name) for name in vault.NAMES} == old
    assert carry_through(held) == ()
    assert told(held) == []
    assert opens(held)


def test_a_key_file_that_nobody_can_open_is_left_and_counted(held):
    path = held.device.state_dir / "records" / "keys" / "2026-01-01.key.1.damaged"
    path.write_bytes(b"PVK1" + b"x" * 60)
    assert turn(held, "reads").left == 1
    assert path.read_bytes() == b"PVK1" + b"x" * 60
    assert opens(held)


def test_a_site_that_was_never_set_up_gets_new_keys_all_the_same(box):
    for which in KINDS:
        old = vault.key(box, which)
        assert turn(box, which).moved in (0, 1, 2)
        assert vault.key(box, which) != old


def test_a_unit_without_a_journal_begins_one_with_its_change_of_identity(box):
    assert turn(box, "device").moved == 0
    found = proof.prove(box.device.state_dir / "records" / "journal", device_keys(box))
    assert (found.whole, found.entries) == (True, 1)


def test_a_journal_that_is_still_empty_is_taken_over(box):
    from appliance.records.journal import Journal

    folder = box.device.state_dir / "records" / "journal"
    journal = Journal(folder, device_keys(box), room_issues())
    journal.remember(kept=1)
    journal.close()
    turn(box, "device")
    journal = Journal(folder, device_keys(box), room_issues())
    assert journal.remembered("kept") == 1
    journal.close()
    assert proof.prove(folder, device_keys(box)).entries == 1


def test_of_two_wounds_the_earlier_is_named(held):
    turn(held, "device")
    folder = held.device.state_dir / "records" / "journal"
    with contextlib.closing(
        database.open_encrypted(folder / proof.DATABASE, device_keys(held).journal)
    ) as db:
        db.execute("UPDATE entries SET at = 'noon' WHERE action = 'keys_rotated'")
        rotated = proof.prove(folder, device_keys(held))
        db.execute("UPDATE entries SET actor = 'nobody' WHERE seq = 2")
        second = proof.prove(folder, device_keys(held))
        db.execute("UPDATE entries SET actor = 'nobody' WHERE seq = 1")
    assert "read" in rotated.why
    assert (rotated.first_bad or 0) > 2
    assert (second.first_bad, proof.prove(folder, device_keys(held)).first_bad) == (2, 1)


def test_a_journal_that_is_not_whole_is_taken_over_by_no_new_signature(held):
    path = held.device.state_dir / "records" / "journal" / proof.DATABASE
    with contextlib.closing(database.open_encrypted(path, device_keys(held).journal)) as db:
        db.execute("DELETE FROM entries WHERE seq = 1")
    old = vault.key(held, "device")
    with pytest.raises(RecordError, match="not whole"):
        turn(held, "device")
    assert vault.key(held, "device") == old


def test_the_program_goes_on_under_the_new_keys_and_old_heads_still_count(held):
    for which in KINDS:
        turn(held, which)
    turn(held, "device")
    room = Room(held)
    room.times.passes(days=3)
    room.start()
    room.see("c", "PSTN103")
    assert set(room.plates(plate="PSTN10?")) == {"PSTN101", "PSTN102", "PSTN103"}
    found = room.prove()
    assert found.whole, found.why
    assert found.heads >= 2
    entries = room.records.parts.journal.all_of(identity.ACTION)
    publics = identity.publics(entries, room.records.parts.keys.public)
    assert len(set(publics)) == 3
    assert publics[-1] == room.records.parts.keys.public
    room.stop()


def test_a_head_signed_by_the_old_key_after_its_time_counts_for_nothing(held):
    old, folder = device_keys(held), held.device.state_dir / "records" / "journal"
    turn(held, "device")
    turn(held, "session")  # one more entry, after the change
    with contextlib.closing(
        database.open_encrypted(folder / proof.DATABASE, device_keys(held).journal)
    ) as db:
        last = db.execute("SELECT * FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        (number,) = db.execute("SELECT count(*) + 1 FROM heads").fetchone()
        head = proof.Head(number, last["seq"], last["hash"], "2026-11-21T12:00:00.000Z", "")
        db.execute("INSERT INTO heads VALUES (?, ?, ?, ?, ?)",
                   (head.number, head.seq, head.hash, head.at, old.sign(head.message())))
    found = proof.prove(folder, device_keys(held))
    assert not found.whole
    assert "head" in found.why


@pytest.mark.parametrize("change", [
    {"old": "00" * 32}, {"by_old": "00" * 64}, {"by_new": "x"}, {"after_seq": 1},
    {"old": "no hex"}, {"which": "device", "more": 1}, {"old": None},
])
def test_a_change_of_identity_that_both_did_not_sign_is_named(held, change):
    from appliance.records.journal import Journal

    old, folder = device_keys(held), held.device.state_dir / "records" / "journal"
    journal = Journal(folder, old, room_issues())
    entry = journal.append(Act(WHO, "verified", {}), NOW)
    forged = {**identity.statement(old, old, entry.seq, entry.hash), **change}
    bad = journal.append(Act(WHO, identity.ACTION, forged), NOW)
    journal.close()
    found = proof.prove(folder, old)
    assert (found.first_bad, found.whole) == (bad.seq, False)
    assert "both" in found.why


def test_a_claim_of_a_change_that_is_no_object_is_named(held):
    from dataclasses import replace

    from appliance.records.journal import Journal

    journal = Journal(held.device.state_dir / "records" / "journal", device_keys(held),
                      room_issues())
    entry = journal.append(Act(WHO, identity.ACTION, {"which": "reads"}), NOW)
    journal.close()
    assert len(identity.identities([entry], b"p" * 32)) == 1
    for query in ("[]", "{"):
        with pytest.raises(identity.BadChange):
            identity.identities([replace(entry, query=query)], b"p" * 32)


def test_a_database_that_is_still_in_use_is_not_copied(held, tmp_path):
    key = vault.key(held, "site")
    using = database.open_encrypted(held.site_db, key)
    using.execute("SELECT * FROM grants").fetchall()
    with pytest.raises(VaultError, match="in use"):
        rotation.copy_under(held.site_db, key, tmp_path / "copy", b"n" * 32)
    using.close()
    with pytest.raises(VaultError, match="copied"):
        rotation.copy_under(held.site_db, key, tmp_path / "no" / "such" / "copy", b"n" * 32)


def test_a_credential_of_a_service_is_not_changed_from_inside_it(held, tmp_path, monkeypatch):
    credential = tmp_path / "session.key"
    credential.write_bytes(b"c" * 32)
    credential.chmod(0o600)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(VaultError, match="credentials"):
        Change(held, "session").begin({})


def room_issues():
    from appliance.records.issues import Issues

    return Issues()
