"""One long random course, one digest: CPython and MicroPython agree on every output and byte."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.firmware.wasm.node import FIRMWARE, HERE, run

pytestmark = pytest.mark.firmware

STEPS = 120_000


def test_cpython_and_micropython_agree_on_every_output_and_every_byte(tmp_path):
    size = tmp_path / "trace_size.py"
    size.write_text(f"STEPS = {STEPS}\n")
    here = subprocess.run(
        [sys.executable, "trace.py", str(STEPS)], cwd=FIRMWARE, capture_output=True, text=True,
        check=True,
    ).stdout.split("\n")
    there = run(
        HERE / "inside_trace.py",
        (FIRMWARE / "trace.py", "/lib/trace.py"),
        (size, "/lib/trace_size.py"),
        limit_s=1800,
    ).split("\n")
    print(here, there)
    assert there[1] == "wrapped", "the tick counter went through its wrap"
    assert here[0] == there[0]
    assert here[1] == there[2]
    closings = int(here[0].split(", ")[1].split()[0])
    assert closings > 500, "a course on which nothing happens proves nothing"
