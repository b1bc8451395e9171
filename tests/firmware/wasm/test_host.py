"""The Node process as a board: its standard output is the wire and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from appliance.scenario import yard_process
from appliance.scenario.yard_wiring import settings_for_a_yard
from tests.firmware.wasm.node import FIRMWARE

pytestmark = pytest.mark.firmware

VECTORS = json.loads((FIRMWARE / "vectors.json").read_text())
FRAMES = {row["name"]: bytes.fromhex(row["line"]) for row in VECTORS["frames"]}


@pytest.fixture
def host(tmp_path):
    """Starts one; its settings are whole unless given."""

    def start(*options, settings=None):
        path = tmp_path / "gate.json"
        path.write_text(json.dumps(settings or settings_for_a_yard("bench", b"k" * 32)))
        command = [yard_process.node(), str(FIRMWARE / "sim" / "host.mjs"), "--settings", str(path)]
        process = subprocess.Popen(
            [*command, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        return process

    started: list[subprocess.Popen[bytes]] = []
    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_board_that_knows_nobody_asks_who_and_says_no_more(host):
    process = host()
    process.stdin.write(FRAMES["ping, nothing kept"])
    process.stdin.flush()
    assert process.stdout.read(len(FRAMES["who"])) == FRAMES["who"]
    process.stdin.close()
    assert process.wait(30) == 0
    assert process.stdout.read() == b""
    assert process.stderr.read() == b""


def test_the_end_of_the_wire_ends_the_process_in_order(host):
    process = host()
    process.stdin.close()
    assert process.wait(30) == 0


def test_a_termination_ends_the_process_in_order(host):
    process = host()
    process.stdin.write(FRAMES["ping, nothing kept"])
    process.stdin.flush()
    process.stdout.read(1)
    process.terminate()
    assert process.wait(30) == 0


def test_damaged_settings_are_told_on_standard_error_and_the_board_runs(host):
    process = host(settings={"name": "bench"})
    process.stdin.write(FRAMES["ping, nothing kept"])
    process.stdin.flush()
    assert process.stdout.read(len(FRAMES["who"])) == FRAMES["who"]
    process.stdin.close()
    assert process.wait(30) == 0
    assert b"settings:" in process.stderr.read()


def test_an_error_that_leaves_the_firmware_ends_the_process(host, tmp_path):
    folder = tmp_path / "firmware" / "gatepost"
    shutil.copytree(FIRMWARE / "gatepost", folder)
    post = folder / "post.py"
    text = post.read_text()
    assert "        board.feed()\n" in text
    post.write_text(text.replace("        board.feed()\n", "        raise ValueError\n"))
    process = host("--firmware", str(folder.parent))
    assert process.wait(30) == 70
    assert b"ValueError" in process.stderr.read()
