"""`postern evidence`: what an officer reads, and the exit status a script reads."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

import pytest

from appliance.__main__ import main
from appliance.evidence import viewer
from appliance.evidence.openings import log_opening
from appliance.evidence.verify import Opening, contents, examine
from tests.evidence.making import PASSPHRASE, sealed


@pytest.fixture
def file(tmp_path: Path, monkeypatch) -> Path:
    path = tmp_path / "one.pstn"
    path.write_bytes(sealed())
    monkeypatch.setattr(getpass, "getpass", lambda _: PASSPHRASE)
    return path


def test_a_whole_bundle_is_said_to_be_whole(file, capsys):
    data = file.read_bytes()
    key = contents(data, examine(data), PASSPHRASE).log_key
    log_opening(file, key, Opening("Det. Example", "Example PD", "2026-11-22T09:00:00.000Z"))
    assert main(["evidence", "verify", str(file)]) == 0
    told = capsys.readouterr().out
    for part in ("export-1", "Det. Example, Example PD", "Sgt. Example", "entries    3", "WHOLE."):
        assert part in told
    assert "PSTN101" not in told


def test_without_the_passphrase_the_outside_is_examined(file, capsys, monkeypatch):
    assert main(["evidence", "verify", "--outside", str(file)]) == 0
    assert "not examined" in capsys.readouterr().out
    monkeypatch.setattr(getpass, "getpass", lambda _: "")
    assert main(["evidence", "verify", str(file)]) == 0
    assert "not examined" in capsys.readouterr().out


def test_a_crash_and_tampering_have_their_own_words_and_status(file, capsys):
    data = file.read_bytes()
    file.write_bytes(data[:-1])
    assert main(["evidence", "verify", str(file)]) == 3
    assert "INCOMPLETE" in capsys.readouterr().out
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert main(["evidence", "verify", str(file)]) == 1
    assert "TAMPERED" in capsys.readouterr().out


def test_json_says_the_same(file, capsys):
    assert main(["evidence", "verify", "--json", str(file)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["entries_checked"]) == ("whole", 3)
    file.write_bytes(b"PSTN")
    assert main(["evidence", "verify", "--json", str(file)]) == 3
    assert json.loads(capsys.readouterr().out)["signed_by"] == ""


def test_another_gates_key_is_refused(file, capsys):
    mark = examine(file.read_bytes()).fingerprint
    asked = ["evidence", "verify", "--outside", str(file), "--signed-by"]
    assert main([*asked, mark]) == 0
    assert main([*asked, mark.replace(" ", "").upper()]) == 0
    assert main([*asked, "0000"]) == 1
    assert "another key" in capsys.readouterr().err


def test_a_wrong_passphrase_and_a_missing_file_are_told(file, capsys, monkeypatch):
    monkeypatch.setattr(getpass, "getpass", lambda _: "another passphrase")
    assert main(["evidence", "verify", str(file)]) == 1
    assert "does not open" in capsys.readouterr().err
    assert main(["evidence", "verify", str(file.parent / "none.pstn")]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_view_serves_the_file_on_the_port_that_was_asked_for(file, monkeypatch):
    served = []
    monkeypatch.setattr(viewer, "serve", lambda *asked: served.append(asked))
    assert main(["evidence", "view", str(file), "--port", "4001"]) == 0
    assert served == [(file, 4001)]
