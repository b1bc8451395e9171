"""`postern demo --controller firmware`: settings, key and a sixth program, or a clear no."""

from __future__ import annotations

import pytest

from appliance import config as settings
from appliance import vault
from appliance.commands import demo
from appliance.errors import BarrierError
from appliance.scenario import yard_process


@pytest.fixture
def with_node(monkeypatch):
    monkeypatch.setattr(yard_process, "node", lambda: "node")


def prepare(folder, controller):
    return settings.load(
        demo.prepare(folder, host="127.0.0.1", port=1, source="none.mp4", controller=controller)
    )


def test_the_demo_with_the_firmware_has_its_port_its_key_and_the_yard(tmp_path, with_node):
    config = prepare(tmp_path, "firmware")
    assert config.barrier.driver == "pico"
    assert config.barrier.port == str(config.device.run_dir / "controller")
    key = vault.controller_key(config)
    assert "[program:yard]" in demo.write_supervisor(config, tmp_path).read_text()
    assert vault.controller_key(prepare(tmp_path, "firmware")) == key, "a second start keeps it"


def test_the_usual_demo_has_five_programs_and_no_controller_key(tmp_path):
    config = prepare(tmp_path, "simulator")
    assert config.barrier.driver == "simulator"
    assert not vault.has_controller_key(config)
    written = demo.write_supervisor(config, tmp_path).read_text()
    assert written.count("[program:") == 5
    assert "yard" not in written


@pytest.mark.parametrize("missing", ["node", "package"])
def test_without_node_or_its_packages_the_next_step_is_named(tmp_path, monkeypatch, missing):
    if missing == "node":
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        monkeypatch.setattr(yard_process, "SIM", tmp_path)
    with pytest.raises(BarrierError, match=r"\.ci/setup yard"):
        prepare(tmp_path, "firmware")
    assert not (tmp_path / "postern.toml").exists()
