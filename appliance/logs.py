"""Operational logs: one line an event, event first, then key=value. Never a plate or a name.

The journal is data and lives in ``records``; this is only for the person who mends the box.
"""

from __future__ import annotations

import logging
import sys


def start(program: str, *, verbose: bool = False) -> None:
    """Sends this process's log to stderr, where systemd or supervisor keeps it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        logging.Formatter(f"%(asctime)s {program} %(levelname).1s %(name)s %(message)s")
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
