"""Keys wrapped, files whole or gone."""

from __future__ import annotations

import pytest

from appliance import vault
from appliance.errors import VaultError
from appliance.records import files
from appliance.records.issues import Issues
from appliance.records.keys import VolumeKeys, device_keys, fingerprint, signed_by


@pytest.fixture
def keys(tmp_path) -> VolumeKeys:
    return VolumeKeys(tmp_path / "keys", b"w" * 32)


def test_a_key_lies_on_disk_only_wrapped(keys):
    key = keys.make("2026-11-21")
    data = keys.path("2026-11-21").read_bytes()
    assert key not in data
    assert key.hex().encode() not in data
    assert keys.load("2026-11-21") == key
    assert keys.path("2026-11-21").stat().st_mode & 0o777 == 0o600


def test_a_key_is_made_once(keys):
    keys.make("2026-11-21")
    with pytest.raises(FileExistsError):
        keys.make("2026-11-21")


@pytest.mark.parametrize("spoil", [0, 3, 4, 20, 40, 63])
def test_any_changed_byte_of_a_key_file_is_refused(keys, spoil):
    keys.make("2026-11-21")
    data = bytearray(keys.path("2026-11-21").read_bytes())
    data[spoil] ^= 1
    keys.path("2026-11-21").write_bytes(data)
    with pytest.raises(VaultError, match="damaged"):
        keys.load("2026-11-21")


def test_another_wrapping_key_opens_nothing(keys):
    keys.make("2026-11-21")
    with pytest.raises(VaultError, match="damaged"):
        VolumeKeys(keys.folder, b"v" * 32).load("2026-11-21")


def test_a_short_or_missing_key_file_is_refused(keys):
    with pytest.raises(VaultError, match="missing"):
        keys.load("2026-11-21")
    keys.path("2026-11-21").write_bytes(b"PVK1")
    with pytest.raises(VaultError, match="damaged"):
        keys.load("2026-11-21")


def test_a_destroyed_key_is_overwritten_before_it_is_unlinked(keys, tmp_path):
    keys.make("2026-11-21")
    path = keys.path("2026-11-21")
    wrapped = path.read_bytes()
    (tmp_path / "second name").hardlink_to(path)  # what a forensic look at the blocks would see
    keys.destroy("2026-11-21")
    keys.destroy("2026-11-21")
    assert not path.exists()
    left = (tmp_path / "second name").read_bytes()
    assert len(left) == len(wrapped)
    assert left != wrapped


def test_journal_seal_and_signature_have_keys_of_their_own(box):
    found = device_keys(box)
    secret = vault.key(box, "device")
    assert len({secret, found.journal, found.seal, found.signer.private_bytes_raw()}) == 4
    assert device_keys(box).public == found.public


def test_a_signature_holds_for_its_message_and_key_alone(box):
    keys = device_keys(box)
    signature = keys.sign(b"head")
    assert signed_by(keys.public, signature, b"head")
    assert not signed_by(keys.public, signature, b"tail")
    assert not signed_by(b"\1" * 32, signature, b"head")
    assert not signed_by(keys.public, "not hex", b"head")
    assert not signed_by(keys.public, signature.upper(), b"head")
    assert not signed_by(b"short", signature, b"head")


def test_fingerprints_differ_and_reveal_no_key():
    assert fingerprint(b"a" * 32) != fingerprint(b"b" * 32)
    assert (b"a" * 32).hex() not in fingerprint(b"a" * 32)


def test_a_replaced_file_is_one_of_the_two_whole(tmp_path):
    path = tmp_path / "anchor"
    files.replace(path, b"one")
    files.replace(path, b"two")
    assert path.read_bytes() == b"two"
    assert [p.name for p in tmp_path.iterdir()] == ["anchor"]


def test_unlinking_what_is_not_there_is_done_already(tmp_path):
    files.unlink_all((tmp_path / "a", tmp_path / "b"))
    files.shred(tmp_path / "a")


def test_an_issue_keeps_the_time_it_began():
    issues = Issues()
    assert issues.report("disk", "first", "do")
    since = issues.listed()[0]["since_mono"]
    assert not issues.report("disk", "second", "do")
    assert issues.listed() == [
        {"key": "disk", "since_mono": since, "message": "second", "next_step": "do"}
    ]
    issues.clear("disk")
    assert issues.listed() == []
