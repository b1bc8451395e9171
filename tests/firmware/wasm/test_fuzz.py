"""Ten million hostile bytes into the firmware in real MicroPython: nothing closes or grows."""

from __future__ import annotations

import re

import pytest

from tests.firmware.wasm.node import HERE, run

pytestmark = pytest.mark.firmware

BYTES = 10_000_000
GROWS_AT_MOST = 2048  # the last frame and the last events; a leak of one byte a frame is 20,000


def test_ten_million_hostile_bytes_close_no_contact_and_keep_no_memory(tmp_path):
    size = tmp_path / "fuzz_size.py"
    size.write_text(f"BYTES = {BYTES}\n")
    printed = run(
        HERE / "inside_fuzz.py",
        (HERE / "bench_board.py", "/lib/bench_board.py"),
        (size, "/lib/fuzz_size.py"),
        limit_s=1800,
    )
    print(printed)
    told = {name: int(value) for name, value in re.findall(r"(\w+) (\d+)", printed)}
    before, after = map(int, re.findall(r"memory (\d+) (\d+)", printed)[0])
    assert told["bytes"] >= BYTES
    assert told["closings"] == 0
    assert after - before < GROWS_AT_MOST
    assert told["noise"] > 1000
    assert told["forged"] > 1000
    assert told["answers"] > 100, "the session lived through it"
