"""`postern check` and `postern status`, as a person calls them."""

from __future__ import annotations

import json

import pytest

from appliance import ipc
from appliance.__main__ import main


def _settings(box, more=""):
    path = box.device.state_dir / "postern.toml"
    path.write_text(
        f'[device]\nstate_dir = "{box.device.state_dir}"\nrun_dir = "{box.device.run_dir}"\n{more}',
        encoding="utf-8",
    )
    return str(path)


def test_check_prints_every_section_with_what_is_in_force(box, capsys):
    assert main(["--config", _settings(box, "[camera]\nfps = 12\n"), "check"]) == 0
    told = capsys.readouterr().out
    assert "[camera]" in told and "[barrier]" in told
    assert any(line.split()[:2] == ["fps", "12.0"] for line in told.splitlines())


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("[camera]\nfsp = 12\n", "Did you mean 'fps'"),
        ('[uplink]\nmqtt_host = "8.8.8.8"\nmqtt_tls = false\n', "mqtt_tls"),
        ('[barrier]\ndriver = "lcus"\npresence_needed = true\n', "presence_needed"),
    ],
)
def test_check_refuses_a_wrong_file_and_says_what_to_do(box, capsys, more, says):
    assert main(["--config", _settings(box, more), "check", "--quiet"]) == 1
    assert says in capsys.readouterr().err


def test_status_tells_which_programs_are_down(box, capsys):
    gate = ipc.Server(
        box.socket("door"),
        {
            "status": lambda _: ipc.ok(
                {
                    "at_gate": {"mark": "x"},
                    "counts": {"opened": 3},
                    "latency_ms": {"decide_p50": 0.2},
                    "issues": [{"key": "vision_down", "message": "No word from the camera"}],
                }
            )
        },
    )
    gate.start()
    more = "[console]\nport = 1\n"
    assert main(["--config", _settings(box, more), "status", "--json"]) == 1
    state = json.loads(capsys.readouterr().out)
    assert state["programs"]["gate"]["up"] is True
    assert [n for n, p in state["programs"].items() if not p["up"]] == [
        "vision",
        "records",
        "uplink",
        "console",
    ]
    assert state["counts"] == {"opened": 3}
    assert state["issues"][0]["program"] == "gate"
    assert main(["--config", _settings(box, more), "status"]) == 1
    gate.stop()
    text = capsys.readouterr().out
    assert "records  DOWN" in text and "No word from the camera" in text


def test_a_missing_settings_file_is_one_clear_line(capsys):
    assert main(["--config", "/nonexistent/postern.toml", "check"]) == 1
    assert "no settings file" in capsys.readouterr().err
