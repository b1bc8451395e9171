"""What is wrong with this program right now, in plain words, for `status` and the health page."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from appliance import clock


@dataclass(frozen=True, slots=True)
class Issue:
    """Something a person should know: never a plate, never a name."""

    key: str
    since_mono: float
    message: str
    next_step: str


class Issues:
    """The open issues of one program. Any thread."""

    def __init__(self) -> None:
        self._open: dict[str, Issue] = {}
        self._lock = threading.Lock()

    def report(self, key: str, message: str, next_step: str) -> bool:
        """Opens the issue; an open one keeps its time. True where it is new."""
        with self._lock:
            known = self._open.get(key)
            since = known.since_mono if known else clock.mono()
            self._open[key] = Issue(key, since, message, next_step)
            return known is None

    def clear(self, key: str) -> None:
        with self._lock:
            self._open.pop(key, None)

    def get(self, key: str) -> Issue | None:
        with self._lock:
            return self._open.get(key)

    def listed(self) -> list[dict[str, Any]]:
        """In the form `status` answers with, oldest first."""
        with self._lock:
            issues = sorted(self._open.values(), key=lambda i: i.since_mono)
        return [
            {
                "key": i.key,
                "since_mono": i.since_mono,
                "message": i.message,
                "next_step": i.next_step,
            }
            for i in issues
        ]
