"""How starved this machine is, so that deadlines of running programs are judged fairly."""

from __future__ import annotations

import subprocess
import sys
import time

QUIET_START_S = 0.7  # a bare start of the heaviest program's imports on a quiet 2-core machine


def slowness() -> float:
    """1.0 on a quiet machine; 3.0 where the same start takes three times as long."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import cv2, flask, sqlcipher3"], check=True)
    return max(1.0, (time.monotonic() - began) / QUIET_START_S)
