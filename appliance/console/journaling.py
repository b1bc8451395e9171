"""The console's own acts, journaled through records before they take effect.

Two kinds
- ``must``: changes of grants, people, policy and any view of a plate. No entry, no act.
- ``may_wait``: sign-in, failed sign-in, sign-out, training, set-up. A guard must be able to reach
  the gate's buttons while records is down, so these wait in memory (at most 1,000) and are written
  as soon as records answers, each with the time it happened. What waits is lost if this program
  dies first; the gate's own orders are journaled by the gate.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Mapping
from datetime import datetime

from appliance import clock, ipc
from appliance.console.programs import RECORDS, Programs, Who
from appliance.errors import IpcError

logger = logging.getLogger(__name__)

LONGEST_QUEUE = 1000
Query = Mapping[str, str | int | float | bool]


class Journal:
    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self._waiting: deque[tuple[Who, str, dict[str, object], int]] = deque(maxlen=LONGEST_QUEUE)
        self._lock = threading.Lock()
        self._stop = threading.Event()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def must(self, who: Who, action: str, query: Query | None = None, rows: int = 0) -> None:
        """Raises IpcError where the entry is not on disk: the act must not happen."""
        self.flush()
        self._programs.ask(RECORDS, "journal", who, action=action, query=dict(query or {}),
                           rows=rows)

    def may_wait(self, who: Who, action: str, now: datetime, query: Query | None = None) -> None:
        """Writes the entry now, or keeps it until records answers."""
        asked: dict[str, object] = dict(query or {})
        if self.flush():
            try:
                self._programs.ask(RECORDS, "journal", who, action=action, query=asked, rows=0)
            except ipc.Refused as refusal:
                logger.error("journal refused action=%s key=%s", action,
                             refusal.fields.get("refused_key", ""))
            except IpcError:
                pass
            else:
                return
        with self._lock:
            self._waiting.append((who, action, {**asked, "happened_at": clock.iso(now)}, 0))

    def flush(self) -> bool:
        """Writes what waits, oldest first; False where records does not take it."""
        with self._lock:
            while self._waiting:
                who, action, query, rows = self._waiting[0]
                try:
                    self._programs.ask(RECORDS, "journal", who, action=action, query=query,
                                       rows=rows)
                except IpcError:
                    return False
                self._waiting.popleft()
        return True

    def start(self, every_s: float = 5.0) -> None:
        """Keeps trying in the background until ``stop``."""
        threading.Thread(target=self._run, args=(every_s,), name="journal", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self, every_s: float) -> None:
        while not self._stop.wait(every_s):
            self.flush()
