"""`postern keys`: says where keys lie, changes them, ends everything; asks first."""

from __future__ import annotations

import io
import json
import os

import pytest

from appliance import site, vault
from appliance.__main__ import main
from appliance.records.chain import canonical
from appliance.records.keys import VolumeKeys, signed_by
from appliance.records.program import Records
from appliance.records.succession import enter
from tests.core.test_sealing import creds  # noqa: F401 - a fixture
from tests.records.room import Room


@pytest.fixture
def postern(box, tmp_path, monkeypatch):
    settings = tmp_path / "postern.toml"
    settings.write_text(
        f'[device]\nstate_dir = "{box.device.state_dir}"\nrun_dir = "{box.device.run_dir}"\n')

    def run(*words, typed=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        return main(["--config", str(settings), "keys", *words])

    return run


@pytest.fixture
def lived_in(box):
    room = Room(box)
    room.publish()
    room.start()
    room.see("a", "PSTN101")
    room.stop()
    return box


def test_status_says_that_a_desk_protects_nothing_from_whoever_has_the_card(box, postern, capsys):
    assert postern("status") == 0
    shown = capsys.readouterr().out
    assert shown.count("whoever has the card has the key") == 4
    assert not [n for n in vault.NAMES if vault.key(box, n).hex() in shown]
    vault.keep_controller_key(box, b"c" * 32)
    (box.device.state_dir / "keys" / "reads.key").unlink()
    assert postern("status", "--json") == 1
    told = {k["name"]: k["place"] for k in json.loads(capsys.readouterr().out)["keys"]}
    assert told == {"site": "file", "session": "file", "reads": "missing", "device": "file",
                    "controller": "file"}


def test_status_of_a_service_names_its_credentials(box, postern, capsys, tmp_path, monkeypatch):
    (tmp_path / "site.key").write_bytes(b"c" * 32)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert postern("status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["keys"][0]["place"] == "credential"


@pytest.mark.parametrize("which", ["reads", "device", "site", "session"])
def test_a_key_is_changed_and_the_programs_go_on(lived_in, postern, capsys, which):
    old = vault.key(lived_in, which)
    assert postern("rotate", which, "--reason", "somebody left") == 0
    assert vault.key(lived_in, which) != old
    shown = capsys.readouterr().out
    assert shown.startswith(f"{which}: ")
    assert vault.key(lived_in, which).hex() not in shown
    room = Room(lived_in)
    room.start()
    assert room.plates(plate="PSTN*") == ["PSTN101"]
    (entry,) = room.entries(action="keys_rotated")
    assert (entry["reason"], entry["role"]) == ("somebody left", "system")
    assert room.prove().whole
    room.stop()


def test_what_a_change_left_behind_is_said(lived_in, postern, capsys):
    (lived_in.device.state_dir / "records" / "keys" / "x.key").write_bytes(b"PVK1" + b"x" * 60)
    assert postern("rotate", "reads") == 0
    assert "1 key files could not be opened" in capsys.readouterr().out
    connection = site.open_writer(lived_in)
    connection.execute("INSERT INTO grants (kind, plate, made_at, made_by, code_mac)"
                       " VALUES ('allow', 'PSTN101', 'x', 'x', 'a$b')")
    connection.close()
    assert postern("rotate", "site") == 0
    assert "1 codes at the gate are void" in capsys.readouterr().out


def test_nothing_is_changed_or_erased_while_a_program_runs(lived_in, postern, capsys):
    old = vault.key(lived_in, "reads")
    with enter(lived_in, "records"):
        assert postern("rotate", "reads") == 1
        assert postern("erase", "--everything", "--yes-erase", "Pine Court") == 1
    assert capsys.readouterr().err.count("running: records") == 2
    assert vault.key(lived_in, "reads") == old


def test_keys_are_sealed_and_changed_sealed(lived_in, postern, capsys, creds):  # noqa: F811
    before = {name: vault.key(lived_in, name) for name in vault.NAMES}
    assert postern("seal") == 0
    assert postern("seal") == 0
    folder = lived_in.device.state_dir / "keys"
    assert {p.name for p in folder.iterdir()} == {f"{n}.cred" for n in vault.NAMES}
    assert {name: vault.key(lived_in, name) for name in vault.NAMES} == before
    assert postern("status") == 0
    assert capsys.readouterr().out.count("the card alone,") == 8
    for which in vault.NAMES:
        assert postern("rotate", which) == 0
    assert {p.name for p in folder.iterdir()} == {f"{n}.cred" for n in vault.NAMES}
    assert not [n for n in vault.NAMES if vault.key(lived_in, n) == before[n]]
    Records(lived_in).stop()


def test_a_key_is_not_sealed_to_nothing(lived_in, postern, capsys, creds, monkeypatch):  # noqa: F811
    monkeypatch.setenv("SEAL", "058469daf6f54324800549da0f8ea2fb")
    assert postern("seal") == 1
    assert "cannot be sealed here" in capsys.readouterr().err
    assert {p.name for p in (lived_in.device.state_dir / "keys").iterdir()} == {
        f"{n}.key" for n in vault.NAMES}


def test_the_erasure_asks_for_the_sites_name_and_signs_what_it_does(
    lived_in, postern, capsys, tmp_path
):
    sheet = tmp_path / "statement.json"
    state = lived_in.device.state_dir
    assert postern("erase", "--everything", typed="pine court\n") == 1
    assert (state / "keys" / "site.key").exists()
    assert postern("erase", "--everything", "--statement", str(sheet), typed="Pine Court\n") == 0
    assert list(state.iterdir()) == []
    told = json.loads(sheet.read_text())
    signature = told.pop("signature")
    assert signed_by(bytes.fromhex(told["public_key"]), signature, canonical(told))
    shown = capsys.readouterr().out
    assert "may leave old cells" in shown
    assert "PSTN" not in shown


def test_the_erasure_refuses_while_something_is_held(lived_in, postern, capsys):
    folder = lived_in.device.state_dir / "records" / "evidence" / "keys"
    VolumeKeys(folder, vault.key(lived_in, "reads")).make("hold-1")
    assert postern("erase", "--everything", "--yes-erase", "Pine Court") == 1
    assert "1 holds" in capsys.readouterr().err
    assert postern("erase", "--everything", "--yes-erase", "Pine Court", "--despite-holds") == 0


@pytest.mark.parametrize("spoil", ["nothing published", "site lost", "keys lost"])
def test_a_unit_that_cannot_say_its_name_is_erased_all_the_same(box, postern, capsys, spoil):
    if spoil != "site lost":
        site.open_writer(box).close()
    if spoil == "keys lost":
        for path in (box.device.state_dir / "keys").iterdir():
            path.unlink()
    assert postern("erase", "--everything", "--yes-erase", "ERASE") == 0
    assert ("no statement" in capsys.readouterr().out) == (spoil == "keys lost")
    assert list(box.device.state_dir.iterdir()) == []


def test_a_file_that_resists_is_told(lived_in, postern, capsys, monkeypatch):
    from appliance.records import erase

    monkeypatch.setattr(erase, "erase", lambda config: erase.Erased(4, 9, ("keys/site.key",)))
    assert postern("erase", "--everything", "--yes-erase", "Pine Court") == 1
    assert "NOT REMOVED: keys/site.key" in capsys.readouterr().out


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_changes_still_belongs_to_the_programs_user(lived_in, postern):
    state, run_dir = lived_in.device.state_dir, lived_in.device.run_dir
    for path in [state, run_dir, *state.rglob("*")]:
        os.chown(path, 4711, 4712)
    for which in vault.NAMES:
        assert postern("rotate", which) == 0
    paths = [*state.rglob("*"), *run_dir.glob("*.lock")]
    assert not [p for p in paths if p.stat().st_uid != 4711]


def test_who_is_not_root_gives_nothing_away(lived_in, postern, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    monkeypatch.setattr("os.chown", None)
    assert postern("rotate", "session") == 0
