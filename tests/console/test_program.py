"""The program as it is started: one worker, no access log, ends when told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from appliance.commands import demo
from appliance.config import Config, Console, Device
from appliance.console.program import _Served


def test_one_worker_serves_so_that_one_process_writes_the_site(box):
    served = _Served(Config(device=box.device, console=Console(threads=5)))
    assert (served.cfg.workers, served.cfg.threads) == (1, 5)
    assert served.cfg.worker_class_str == "gthread"
    assert served.cfg.accesslog is None
    assert not served.cfg.preload_app


def test_without_keys_the_program_says_so_and_ends(tmp_path):
    from appliance.console import program

    config = Config(device=Device(state_dir=tmp_path / "s", run_dir=tmp_path / "r"))
    assert program.main(config) == 1


@pytest.mark.system
def test_it_serves_alone_and_ends_with_status_zero_when_told(box, tmp_path):
    port = demo.free_port()
    path = tmp_path / "p.toml"
    path.write_text(
        f'[device]\nstate_dir = "{box.device.state_dir}"\nrun_dir = "{box.device.run_dir}"\n'
        f"[console]\nport = {port}\n", encoding="utf-8")
    log = (tmp_path / "log").open("wb")
    console = subprocess.Popen(
        [sys.executable, "-m", "appliance", "--config", str(path), "run", "console"],
        stderr=log, stdout=log, env={**os.environ})
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                address = f"http://127.0.0.1:{port}/notice?canary=PSTN101"
                with urllib.request.urlopen(address, timeout=10) as page:
                    assert "Not one plate" in page.read().decode()
                break
            except OSError:
                assert time.monotonic() < deadline, (tmp_path / "log").read_text("utf-8")
                time.sleep(0.2)
        console.send_signal(signal.SIGTERM)
        assert console.wait(timeout=20) == 0
        assert "PSTN101" not in (tmp_path / "log").read_text("utf-8")
    finally:
        console.kill()
        log.close()
