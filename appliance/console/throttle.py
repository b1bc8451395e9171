"""Slows down who guesses: counts failures by key (an address) in memory.

Account lock-out stops guessing at one account; this stops one address trying many names or codes.
"""

from __future__ import annotations

import threading

FAILURES = 20
WINDOW_S = 600.0
LONGEST = 2000


class Throttle:
    def __init__(self, failures: int = FAILURES, window_s: float = WINDOW_S) -> None:
        self._failures = failures
        self._window_s = window_s
        self._seen: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    def failed(self, key: str, now_mono: float) -> None:
        with self._lock:
            if key not in self._seen and len(self._seen) >= LONGEST:
                self._seen.pop(next(iter(self._seen)))
            self._seen[key] = [*self._recent(key, now_mono), now_mono][-self._failures :]

    def must_wait(self, key: str, now_mono: float) -> bool:
        with self._lock:
            return len(self._recent(key, now_mono)) >= self._failures

    def _recent(self, key: str, now_mono: float) -> list[float]:
        return [at for at in self._seen.get(key, []) if now_mono - at < self._window_s]
