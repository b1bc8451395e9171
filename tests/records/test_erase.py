"""After the erasure nothing on the disk can be read, whatever key somebody kept a copy of."""

from __future__ import annotations

import contextlib
import json
import shutil

import pytest
import sqlcipher3

from appliance import database, site, vault
from appliance.records import erase
from appliance.records.chain import canonical
from appliance.records.keys import VolumeKeys, device_keys, signed_by, wrapped_files
from appliance.records.times import Moment
from appliance.values import ClockQuality
from tests.records.killing import cuts
from tests.records.room import NOON, Room

CANARY = "PSTN777"
NOW = Moment(NOON, 5.0, ClockQuality.SYNCED)


@pytest.fixture
def full(box):
    """A box at rest with a read, a list entry and a hold."""
    room = Room(box)
    room.publish()
    room.start()
    room.see("a", CANARY)
    room.plates(plate=CANARY)
    room.stop()
    with contextlib.closing(site.open_writer(box)) as connection:
        connection.execute("INSERT INTO grants (kind, plate, made_at, made_by)"
                           f" VALUES ('allow', '{CANARY}', 'x', 'x')")
    box.device.run_dir.joinpath("orders.ledger").write_bytes(b"ring")
    return box


def everything(root):
    return [p for p in root.rglob("*") if p.is_file() or p.is_symlink()]


def test_nothing_is_left(full):
    state = full.device.state_dir
    (state / "link").symlink_to("/etc/hostname")
    (state / "uplink").mkdir()
    (state / "uplink" / "big.db").write_bytes(b"x" * (1 << 20) + b"y")
    done = erase.erase(full)
    assert everything(state) == []
    assert [p.name for p in state.iterdir()] == []
    assert everything(full.device.run_dir) == []
    assert done.left == ()
    assert done.keys >= 5
    assert erase.erase(full) == erase.Erased(0, 0)


def test_with_every_block_of_the_disk_and_no_key_nothing_can_be_read(full, tmp_path):
    """A forensic look: each file's blocks have a second name before they are unlinked."""
    state, blocks = full.device.state_dir, tmp_path / "blocks"
    blocks.mkdir()
    secrets = [vault.key(full, name) for name in vault.NAMES]
    for n, path in enumerate(everything(state)):
        (blocks / f"{n}{''.join(path.suffixes[-1:])}").hardlink_to(path)
    erase.erase(full)
    left = {p: p.read_bytes() for p in everything(blocks)}
    assert not [p for p, data in left.items() if CANARY.encode() in data]
    assert not [p for p, data in left.items() for s in secrets if s in data or
                s.hex().encode() in data]
    assert wrapped_files(blocks) == []
    candidates = [data[:32] for data in left.values()]
    for path in blocks.glob("*.db"):
        for key in candidates:
            with pytest.raises((Exception, sqlcipher3.Error)):
                database.open_encrypted(path, key)


def test_a_killed_erasure_has_destroyed_keys_first_and_is_asked_for_again(full, tmp_path):
    state, saved = full.device.state_dir, tmp_path / "saved"
    shutil.copytree(state, saved)

    def put_back():
        shutil.rmtree(state)
        shutil.copytree(saved, state)

    for _ in cuts(lambda: erase.erase(full), put_back, stride=3):
        unit = [p for p in everything(state) if p.parent.name == "keys" and
                p.parent.parent == state]
        if len(everything(state)) < len(everything(saved)) - len(vault.NAMES):
            assert unit == [], "a file fell before the last of the unit's keys"
        assert erase.erase(full).left == ()
        assert everything(state) == []


def test_what_resists_is_named_and_the_rest_goes(full, monkeypatch):
    from appliance.records import files

    real = files.shred

    def shred(path):
        if path.name == "site.key":
            raise PermissionError(1, "no")
        real(path)

    monkeypatch.setattr(files, "shred", shred)
    done = erase.erase(full)
    assert done.left == ("keys/site.key",)
    assert [p.name for p in everything(full.device.state_dir)] == ["site.key"]


def test_a_resisting_file_outside_the_state_folder_is_named_by_its_name(full, monkeypatch):
    from appliance.records import files

    def shred(path):
        if path.name == "orders.ledger":
            raise PermissionError(1, "no")
        path.unlink()

    monkeypatch.setattr(files, "shred", shred)
    assert erase.erase(full).left == ("orders.ledger",)


def test_a_hold_is_counted(full):
    assert erase.held(full) == 0
    folder = full.device.state_dir / "records" / "evidence" / "keys"
    VolumeKeys(folder, vault.key(full, "reads")).make("hold-1")
    assert erase.held(full) == 1


def test_the_statement_is_signed_and_names_no_plate(full):
    keys = device_keys(full)
    told = erase.statement(full, keys, "Pine Court", NOW)
    signature = told.pop("signature")
    assert signed_by(keys.public, signature, canonical(told))
    assert told["journal_seq"] >= 2
    assert told["wrapped_keys"] >= 1
    assert CANARY not in json.dumps(told)
    shutil.rmtree(full.device.state_dir / "records")
    bare = erase.statement(full, keys, "Pine Court", NOW)
    assert (bare["journal_seq"], bare["wrapped_keys"]) == (0, 0)
