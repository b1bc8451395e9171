"""What every room's tests share: a temporary box, and loud skips for what is not here."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import vault
from appliance.config import Config, Device

os.environ.setdefault("POSTERN_CLOCK", "synced")
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def box() -> Iterator[Config]:
    """A fresh box: keys made, nothing published. Its paths are short, as sockets need."""
    with tempfile.TemporaryDirectory(prefix="pstn-") as folder:
        config = Config(device=Device(state_dir=Path(folder, "s"), run_dir=Path(folder, "r")))
        config.device.run_dir.mkdir()
        vault.make_missing(config)
        yield config


@pytest.fixture(scope="session")
def shared() -> Path:
    """The evaluation pictures, which may never be in the repository."""
    folder = Path(os.environ.get("POSTERN_SHARED", ROOT.parent / "shared"))
    if not (folder / "plates" / "dev").is_dir():
        pytest.skip(
            "NOT RUN: the evaluation pictures are not here; set POSTERN_SHARED to their folder"
        )
    return folder
