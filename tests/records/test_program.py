"""The program itself: started, stopped, killed under load, and asked from the command line."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from appliance import __main__ as postern
from appliance import codec, ipc
from appliance.errors import IpcError
from appliance.records import program
from appliance.records.proof import DATABASE, prove
from appliance.records.volumes import all_keys
from tests.records.room import Room, Times, passage

KILLS = int(os.environ.get("POSTERN_RECORD_KILLS", "10"))


def _settings(config) -> Path:
    path = config.device.run_dir / "postern.toml"
    path.write_text(
        f'[device]\nstate_dir = "{config.device.state_dir}"\nrun_dir = "{config.device.run_dir}"\n'
    )
    return path


def _start(config) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "appliance", "--config", str(_settings(config)), "run", "records"],
        stderr=subprocess.DEVNULL,
    )


def _answers(config, within_s: float = 20) -> dict:
    deadline = time.monotonic() + within_s
    while True:
        try:
            return ipc.call(config.socket("records"), "status").header
        except IpcError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


class _Load(threading.Thread):
    """Keeps passages without a pause and remembers which were acknowledged."""

    def __init__(self, config, first: int) -> None:
        super().__init__(daemon=True)
        self.config, self.first = config, first
        self.acknowledged: list[str] = []
        self.stopping = False

    def run(self) -> None:
        number, times = self.first, Times()
        sock = None
        while not self.stopping:
            number += 1
            key = f"load-{number}"
            told = {"verb": "keep", "passage": codec.encode(passage(key, "PSTN101", times))}
            try:
                sock = sock or ipc.connect(self.config.socket("records"))
                ipc.send(sock, told, b"x" * 6000)
                answer = ipc.receive(sock)
            except IpcError:
                answer = None
            if answer is None:
                if sock is not None:
                    sock.close()
                sock = None
                time.sleep(0.02)
            elif answer.header["ok"]:
                self.acknowledged.append(key)
        if sock is not None:
            sock.close()


@pytest.mark.system
def test_killed_under_load_nothing_acknowledged_is_lost(box):
    room = Room(box)
    room.publish()
    dice = random.Random(7)
    loads = [_Load(box, n * 1_000_000) for n in range(2)]
    process = _start(box)
    _answers(box)
    for load in loads:
        load.start()
    kills = 0
    while kills < KILLS:
        time.sleep(dice.uniform(0.05, 0.5))
        with contextlib.suppress(IpcError):
            ipc.call(box.socket("records"), "journal",
                     {"actor": "mara", "role": "manager", "action": "sign_in"})  # fmt: skip
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        process = _start(box)
        _answers(box)
    for load in loads:
        load.stopping = True
        load.join(10)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    acknowledged = {key for load in loads for key in load.acknowledged}
    assert len(acknowledged) > KILLS * 3
    assert acknowledged - all_keys(box) == set()
    found = prove(box.device.state_dir / "records" / "journal", program.device_keys(box))
    assert (found.whole, found.why) == (True, "")
    assert found.entries > KILLS


@pytest.mark.system
def test_the_program_answers_stays_small_and_stops_when_told(box):
    process = _start(box)
    status = _answers(box)
    assert status["pid"] == process.pid
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    rss_kb = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    assert rss_kb < 60_000
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def _main_in(config, monkeypatch, stop_after: int = 1):
    """Runs main here; its clockwork sends the signal a service manager would send."""
    swept = []

    def sweep(records):
        swept.append(records)
        if len(swept) >= stop_after:
            os.kill(os.getpid(), signal.SIGTERM)
        raise ValueError("a sweep that fails must not end the program")

    monkeypatch.setattr(program.Records, "sweep", sweep)
    monkeypatch.setattr(program, "sweep_every_s", lambda _: 0.01)
    before = [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)]
    try:
        return program.main(config), swept
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGINT), before, strict=True):
            signal.signal(number, handler)


def test_main_runs_until_it_is_told_to_stop(box, monkeypatch, caplog):
    caplog.set_level("INFO")
    status, swept = _main_in(box, monkeypatch, stop_after=2)
    assert status == 0
    assert len(swept) >= 2
    assert "sweep failed error=ValueError" in caplog.text


def test_main_without_keys_says_so_and_ends(tmp_path, monkeypatch, caplog):
    from appliance.config import Config, Device

    config = Config(device=Device(state_dir=tmp_path / "s", run_dir=tmp_path / "r"))
    assert _main_in(config, monkeypatch)[0] == 1
    assert "the device key is missing" in caplog.text


def test_a_start_is_journaled(room: Room):
    (entry,) = room.entries(action="started")
    assert (entry["actor"], entry["query"]) == ("system", '{"program":"records"}')


def test_verify_on_the_command_line_says_whole(room: Room, capsys):
    room.find()
    assert postern.main(["--config", str(_settings(room.config)), "journal", "verify"]) == 0
    told = capsys.readouterr().out
    assert "entries       2" in told
    assert "2026-11-21T12:00:00.000Z" in told
    assert "The journal is whole." in told


def test_verify_on_the_command_line_names_the_first_bad_entry_and_the_gap(room: Room, capsys):
    for _ in range(6):
        room.find()
    room.stop()
    with contextlib.closing(room.journal_db()) as connection:
        connection.execute("DELETE FROM entries WHERE seq IN (3, 4)")
    arguments = ["--config", str(_settings(room.config)), "journal", "verify"]
    assert postern.main(arguments) == 1
    told = capsys.readouterr().out
    assert "BROKEN at entry 3: entries 3 to 4 are missing (missing: 3 to 4)" in told
    assert postern.main([*arguments, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["whole"], found["first_bad"], found["missing"]) == (False, 3, [3, 4])
    with contextlib.closing(room.journal_db()) as connection:
        connection.execute("UPDATE entries SET actor = 'x' WHERE seq = 2")
    assert postern.main(arguments) == 1
    assert "BROKEN at entry 2: entry 2 was changed" in capsys.readouterr().out
    room.start()


def test_verify_on_the_command_line_changes_nothing(room: Room, capsys):
    room.stop()
    path = room.records.parts.journal.folder / DATABASE
    before = path.read_bytes()
    assert postern.main(["--config", str(_settings(room.config)), "journal", "verify"]) == 0
    assert path.read_bytes() == before
    room.start()


def test_a_proof_that_fails_does_not_end_the_program(box, monkeypatch, caplog):
    def prove(_):
        raise ValueError("once")

    monkeypatch.setattr(program.Records, "prove", prove)
    assert _main_in(box, monkeypatch, stop_after=3)[0] == 0
    assert "proof failed error=ValueError" in caplog.text
