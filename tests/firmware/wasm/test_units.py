"""The pure modules pass their tests inside MicroPython too, where they will live."""

from __future__ import annotations

import re

import pytest

from tests.firmware.wasm.node import FIRMWARE, HERE, run

pytestmark = pytest.mark.firmware


def test_frame_link_and_safety_hold_inside_micropython():
    printed = run(
        HERE / "inside_units.py",
        (HERE / "bench_board.py", "/lib/bench_board.py"),
        (FIRMWARE / "vectors.json", "/lib/vectors.json"),
    )
    print(printed[-300:])
    ran, failed = map(int, re.findall(r"ran (\d+) failed (\d+)", printed)[0])
    assert failed == 0, printed
    assert ran >= 17
