"""A whole gate whose barrier writes every opening down; the kill test's victim.

    python -m tests.gate.victim STATE_DIR RUN_DIR OPENINGS_FILE
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from appliance import logs
from appliance.config import Config, Device
from appliance.gate.program import Gate
from tests.fakes.barrier import Recorder


class Counted(Recorder):
    """Each opening it is told of becomes a line of the file, in one write."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def open(
        self, order_id: str, pulse_ms: int, *, life_s: float, automatic: bool = False
    ) -> None:
        os.write(self._file, f"{order_id}\n".encode())


if __name__ == "__main__":
    state_dir, run_dir, openings = sys.argv[1:]
    logs.start("gate")
    config = Config(device=Device(state_dir=Path(state_dir), run_dir=Path(run_dir)))
    Gate(config, Counted(openings)).run(threading.Event().wait)
