"""Runs a Python file in real MicroPython (wasm under Node) and gives back what it printed."""

from __future__ import annotations

import subprocess
from pathlib import Path

from appliance.scenario import yard_process

ROOT = Path(__file__).resolve().parents[3]
FIRMWARE = ROOT / "firmware"
HERE = Path(__file__).resolve().parent


def run(script: Path, *copies: tuple[Path, str], limit_s: float = 300) -> str:
    """``copies``: files and folders of this machine, and where the script finds them."""
    command = [yard_process.node(), str(FIRMWARE / "sim" / "run.mjs"), str(script)]
    for source, target in copies:
        command += ["--copy", f"{source}:{target}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout
