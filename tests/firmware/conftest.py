"""The firmware's pure modules on CPython, straight from ``firmware/``.

``POSTERN_MUTANT`` names one deliberate mistake of ``mutation.py``: the rules are then loaded with
it, and the run that follows has to fail.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.firmware.rig import Bench, Host

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
if str(FIRMWARE) not in sys.path:
    sys.path.append(str(FIRMWARE))  # last: its main and trace hide nobody's

if os.environ.get("POSTERN_MUTANT"):
    from tests.firmware import mutation

    mutation.plant(os.environ["POSTERN_MUTANT"])


@pytest.fixture
def bench() -> Bench:
    """A board on a bench, awake."""
    from tests.firmware.rig import Bench  # after the mistake was planted

    bench = Bench()
    bench.wake()
    return bench


@pytest.fixture
def host(bench: Bench) -> Host:
    """A host that greeted it and kept what it told."""
    from tests.firmware.rig import Host

    host = Host(bench)
    host.greet()
    host.keep_all()
    return host
