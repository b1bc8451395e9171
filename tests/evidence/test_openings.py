"""Whoever opens a bundle is in its log first."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.evidence import openings
from appliance.evidence.openings import log_opening
from appliance.evidence.verify import BundleRefused, Opening, Verdict, contents, examine
from tests.evidence.making import ENTRIES, PASSPHRASE, sealed

SAME = Opening("Det. Example", "Example PD", "2026-11-22T09:00:00.000Z")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "one.pstn"
    path.write_bytes(sealed())
    return path


def _key(path: Path) -> bytes:
    data = path.read_bytes()
    return contents(data, examine(data), PASSPHRASE).log_key


def test_openings_add_up_and_the_seal_holds(file):
    before = file.read_bytes()
    log_opening(file, _key(file), SAME)
    log_opening(file, _key(file), Opening("Ms. Second", "Example DA", SAME.at))
    outside = examine(file.read_bytes())
    assert outside.verdict is Verdict.WHOLE
    assert [o.name for o in outside.openings] == ["Det. Example", "Ms. Second"]
    assert contents(file.read_bytes(), outside, PASSPHRASE).entries == ENTRIES
    assert file.read_bytes()[: outside.sealed_until] == before[: outside.sealed_until]


def test_a_changed_or_shortened_log_is_found(file):
    log_opening(file, _key(file), SAME)
    data = file.read_bytes()
    at = data.index(b"Det. Example")
    assert examine(data[:at] + b"X" + data[at + 1 :]).verdict is Verdict.TAMPERED
    assert examine(data[:-64]).verdict is Verdict.INCOMPLETE
    assert examine(data + data[-100:]).verdict is Verdict.TAMPERED


def test_who_has_no_passphrase_cannot_write_the_log(file):
    log_opening(file, bytes(32), SAME)
    assert examine(file.read_bytes()).verdict is Verdict.TAMPERED


@pytest.mark.parametrize("who", [("", "Example PD"), ("Det. Example", "x"), ("x" * 121, "Ex PD")])
def test_nobody_opens_without_a_name_and_an_agency(file, who):
    with pytest.raises(BundleRefused, match="name"):
        log_opening(file, _key(file), Opening(*who, SAME.at))


def test_a_bundle_that_cannot_be_written_cannot_be_opened(file, monkeypatch):
    key = _key(file)

    def full(path: Path, data: bytes) -> None:
        raise OSError("read-only")

    monkeypatch.setattr(openings.files, "replace", full)
    with pytest.raises(BundleRefused, match="cannot be logged"):
        log_opening(file, key, SAME)


def test_a_broken_bundle_takes_no_opening(file, monkeypatch):
    key = _key(file)
    monkeypatch.setattr(openings, "MOST", 0)
    with pytest.raises(BundleRefused, match="not whole"):
        log_opening(file, key, SAME)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(BundleRefused, match="not whole"):
        log_opening(file, key, SAME)
