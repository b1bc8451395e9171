"""`postern backup`: out of one machine, into another, and nothing lost where it goes wrong."""

from __future__ import annotations

import contextlib
import io
import json
import os
import stat
import tempfile
from pathlib import Path

import pytest

from appliance import container, database, site, vault
from appliance.__main__ import main
from appliance.config import Config, Device
from appliance.errors import ConfigError
from appliance.records import proof
from appliance.records.keys import device_keys
from appliance.records.succession import enter
from tests.records.room import Room

WORDS = "correct horse battery staple\n"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch):
    """Guesses cost next to nothing here; test_container pins what they cost in truth."""
    real = container.Cost
    monkeypatch.setattr(container, "Cost", lambda *told: real(*(told or (1, 8, 1))))


def commander(config, folder, monkeypatch):
    settings = folder / f"{config.device.state_dir.parent.name}.toml"
    settings.write_text(f'[device]\nstate_dir = "{config.device.state_dir}"\n'
                        f'run_dir = "{config.device.run_dir}"\n')

    def run(*words, typed=WORDS):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        return main(["--config", str(settings), "backup", *(str(w) for w in words)])

    return run


@pytest.fixture
def room(box):
    """Running, with a read and a grant."""
    room = Room(box)
    room.publish()
    room.start()
    room.see("a", "PSTN777")
    room.times.passes(days=1)
    room.plates(plate="PSTN777")
    with contextlib.closing(site.open_writer(box)) as connection:
        connection.execute("INSERT INTO grants (kind, plate, made_at, made_by, code_mac)"
                           " VALUES ('allow', 'PSTN101', 'x', 'x', 'a$b')")
    yield room
    room.stop()


@pytest.fixture
def here(room, tmp_path, monkeypatch):
    return commander(room.config, tmp_path, monkeypatch)


@pytest.fixture
def other():
    """A machine fresh from its box: no key, no site."""
    with tempfile.TemporaryDirectory(prefix="pstn-") as folder:
        yield Config(device=Device(state_dir=Path(folder, "s"), run_dir=Path(folder, "r")))


@pytest.fixture
def there(other, tmp_path, monkeypatch):
    return commander(other, tmp_path, monkeypatch)


@pytest.fixture
def made(here, tmp_path):
    path = tmp_path / "site.backup"
    assert here("make", path) == 0
    return path


def grants(config):
    with contextlib.closing(site.open_reader(config)) as connection:
        return [g.plate for g in site.snapshot(connection).grants]


def told(config, action):
    path = config.device.state_dir / "records" / "journal" / proof.DATABASE
    with contextlib.closing(
        database.open_encrypted(path, device_keys(config).journal)
    ) as connection:
        asked = "SELECT query FROM entries WHERE action = ?"
        rows = connection.execute(asked, (action,)).fetchall()
    return [json.loads(row["query"]) for row in rows]


def test_a_site_moves_to_another_machine_with_keys_of_its_own(made, room, there, other, capsys):
    assert there("restore", made) == 0
    assert grants(other) == ["PSTN101"]
    shown = capsys.readouterr().out
    assert "1 codes at the gate are void" in shown
    assert "PSTN" not in shown
    assert not {vault.key(other, n) for n in vault.NAMES} & {
        vault.key(room.config, n) for n in vault.NAMES}
    (entry,) = told(other, "backup_restored")
    assert entry["from_key"] == device_keys(room.config).public.hex()
    assert entry["last_head_seq"] >= 1
    assert proof.prove(other.device.state_dir / "records" / "journal", device_keys(other)).whole
    started = Room(other)
    started.start()
    started.see("b", "PSTN101")
    assert started.plates(plate="PSTN*") == ["PSTN101"], "no read came along"
    started.stop()


def test_the_file_is_closed_to_others_and_holds_no_word_in_the_clear(made, room):
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    data = made.read_bytes()
    assert not [w for w in (b"PSTN", b"Pine", b"mara") if w in data]
    assert room.entries(action="backup_made")[0]["role"] == "system"


def test_a_backup_is_journaled_by_the_command_where_records_stands_still(
    box, tmp_path, monkeypatch
):
    site.open_writer(box).close()
    run = commander(box, tmp_path, monkeypatch)
    assert run("make", tmp_path / "b") == 0
    assert told(box, "backup_made") == [{"commissionings": 0, "grants": 0, "people": 0,
                                         "policy_versions": 0, "settings": 0, "trainings": 0}]


def test_no_entry_no_backup(room, here, tmp_path, capsys):
    room.break_journal()
    with enter(room.config, "records"):
        assert here("make", tmp_path / "b") == 1
    assert not (tmp_path / "b").exists()
    with enter(room.config, "records"):
        room.stop()
        room.config.socket("records").unlink(missing_ok=True)
        assert here("make", tmp_path / "b") == 1
    assert "running: records" in capsys.readouterr().err
    room.start()


def test_a_check_changes_nothing_and_says_what_is_there(made, there, other, capsys):
    capsys.readouterr()
    assert there("check", made) == 0
    shown = capsys.readouterr().out
    assert "Pine Court" in shown
    assert "grants 1" in shown
    assert "1 signed heads" in shown
    assert not other.device.state_dir.exists()


@pytest.mark.parametrize(("spoil", "typed", "said"), [
    (lambda d: d, "wrong words\n", "the passphrase does not fit"),
    (lambda d: b"not a backup at all", WORDS, "no file of this kind"),
    (lambda d: d[:-5], WORDS, "ends too early"),
    (lambda d: d[:-5] + b"xxxxx", WORDS, "damaged in part 1"),
    (lambda d: d[:20] + b"x" + d[21:], WORDS, "header is damaged"),
])
def test_what_is_wrong_has_its_own_sentence_and_nothing_is_lost(
    made, room, here, capsys, spoil, typed, said
):
    made.write_bytes(spoil(made.read_bytes()))
    room.stop()
    for verb in ("check", "restore"):
        assert here(verb, made, typed=typed) == 1
        assert said in capsys.readouterr().err
    assert grants(room.config) == ["PSTN101"]
    room.start()


def test_a_site_that_is_there_is_replaced_only_when_told_so(made, room, here, capsys):
    room.stop()
    with contextlib.closing(site.open_writer(room.config)) as connection:
        connection.execute("UPDATE grants SET plate = 'PSTN202'")
    assert here("restore", made) == 1
    assert "--replace" in capsys.readouterr().err
    assert grants(room.config) == ["PSTN202"]
    assert here("restore", made, "--replace") == 0
    assert grants(room.config) == ["PSTN101"]
    assert room.config.site_db.with_name("site.db.before").exists()
    room.start()


def test_nothing_is_restored_under_a_running_program(made, there, other, capsys):
    vault.make_missing(other)
    with enter(other, "gate"):
        assert there("restore", made) == 1
    assert "running: gate" in capsys.readouterr().err
    assert not other.site_db.exists()


def test_a_backup_is_never_written_over_a_file_nor_under_a_short_passphrase(
    made, here, tmp_path, capsys
):
    assert here("make", made) == 1
    assert here("make", tmp_path / "b", typed="short\n") == 1
    assert here("make", tmp_path / "no" / "such" / "b") == 1
    said = capsys.readouterr().err
    assert ("exists already" in said, "too short" in said, "cannot be written" in said) == (
        True, True, True)
    assert not (tmp_path / "b").exists()


def test_a_file_that_is_not_there_or_far_too_large_is_refused(there, tmp_path, capsys):
    assert there("check", tmp_path / "none") == 1
    with (tmp_path / "huge").open("wb") as file:
        os.truncate(file.fileno(), 300 * 1024 * 1024)
    assert there("check", tmp_path / "huge") == 1
    said = capsys.readouterr().err
    assert "cannot be read" in said
    assert "no file of this kind" in said


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_at_a_terminal_the_passphrase_is_asked_twice_and_not_echoed(monkeypatch):
    from appliance.commands import backup

    answers = iter(["correct horse battery", "correct house battery"])
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda _: next(answers))
    with pytest.raises(ConfigError, match="not the same"):
        backup._new_passphrase()
    monkeypatch.setattr("getpass.getpass", lambda _: "correct horse battery")
    assert backup._new_passphrase() == "correct horse battery"


def test_who_is_not_root_gives_nothing_away(room, here, there, tmp_path, capsys, monkeypatch):
    with contextlib.closing(site.open_writer(room.config)) as connection:
        connection.execute("DELETE FROM grants")
    assert here("make", tmp_path / "b") == 0
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    monkeypatch.setattr("os.chown", None)
    assert there("restore", tmp_path / "b") == 0
    assert "codes at the gate" not in capsys.readouterr().out


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_restores_belongs_to_the_programs_user(made, there, other):
    vault.make_missing(other)
    for path in [other.device.state_dir, *other.device.state_dir.rglob("*")]:
        os.chown(path, 4711, 4712)
    assert there("restore", made) == 0
    assert not [p for p in other.device.state_dir.rglob("*") if p.stat().st_uid != 4711]
