"""Who may change a key, and what a damaged trace of a change does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from appliance import vault
from appliance.__main__ import main
from appliance.errors import VaultError
from appliance.records.acts import AT_REST, TERMINAL
from appliance.records.succession import KEYED, Change, carry_through, enter, standing_still

ROOT = Path(__file__).resolve().parents[2]


def test_a_key_is_not_changed_while_a_program_that_uses_it_runs(box):
    with enter(box, "records"), enter(box, "records"), enter(box, "gate"):
        with standing_still(box, ("console",)):
            pass
        with pytest.raises(VaultError, match="gate, records"), standing_still(box, KEYED):
            pass
    with standing_still(box, KEYED):
        pass


def test_two_changes_do_not_meet(box):
    with (
        standing_still(box, ("console",)),
        pytest.raises(VaultError, match="just now"),
        standing_still(box, ("gate",)),
    ):
        pass


def test_a_lock_ends_with_its_holder_however_it_ends(box):
    child = os.fork()
    if child == 0:
        enter(box, "gate")
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    with standing_still(box, KEYED):
        pass


def test_a_program_waits_at_its_start_until_a_change_is_done(box):
    code = ("import sys; from pathlib import Path; from appliance.config import *;"
            "from appliance.records.succession import enter;"
            f"enter(Config(device=Device(state_dir=Path({str(box.device.state_dir)!r}),"
            f" run_dir=Path({str(box.device.run_dir)!r}))), 'gate'); print('in')")
    with standing_still(box, ("console",)):
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT)
        while not _waits(child.pid):
            assert child.poll() is None
            time.sleep(0.01)
    assert child.communicate(timeout=20)[0] == b"in\n"


def _waits(pid: int) -> bool:
    """The kernel lists a waiting lock with an arrow."""
    return any("->" in line and f" {pid} " in line
               for line in Path("/proc/locks").read_text().splitlines())


def test_an_interrupted_change_is_undone_when_a_program_starts(box):
    old = vault.key(box, "site")
    with standing_still(box, KEYED):
        Change(box, "site").begin({box.site_db.with_name("site.db.next"): box.site_db})
    assert (box.device.state_dir / "keys" / "site.new").exists()
    enter(box, "gate").close()
    assert not (box.device.state_dir / "keys" / "site.new").exists()
    assert vault.key(box, "site") == old


def test_a_change_killed_before_its_note_is_undone(box):
    old, new = vault.key(box, "reads"), box.device.state_dir / "keys" / "reads.new"
    new.write_bytes(b"n" * 32)
    assert carry_through(box) == ("reads",)
    assert (vault.key(box, "reads"), new.exists()) == (old, False)


def test_no_program_can_claim_an_act_of_the_terminal_that_happens_at_rest(room):
    who = {"actor": "console", "role": "system"}
    for action in AT_REST:
        assert room.refusal("journal", **who, action=action, query={}, rows=0) == "record"
    for action in TERMINAL:
        assert room.ask("journal", **who, action=action, query={}, rows=0).header["seq"]


def test_a_damaged_note_of_a_change_stops_rather_than_guesses(box):
    note = box.device.state_dir / "keys" / "reads.change"
    note.write_bytes(b"{}")
    with pytest.raises(VaultError, match="note"):
        carry_through(box)
    note.write_bytes(b'{"files": []}')
    assert carry_through(box) == ("reads",)


def test_a_program_is_run_under_its_lock(box, tmp_path, monkeypatch):
    settings = tmp_path / "postern.toml"
    settings.write_text(
        f'[device]\nstate_dir = "{box.device.state_dir}"\nrun_dir = "{box.device.run_dir}"\n')
    seen = []

    def program(config):
        try:
            with standing_still(config, KEYED):
                seen.append("")
        except VaultError as error:
            seen.append(str(error))
        return 0

    for name in ("records", "vision"):
        module = {"records": "appliance.records.program", "vision": "appliance.recognition.program"}
        monkeypatch.setattr(f"{module[name]}.main", program)
        assert main(["--config", str(settings), "run", name]) == 0
    assert "running: records" in seen[0]
    assert seen[1] == ""
