"""Counts and latencies of the running gate: bounded, without a plate. Any thread."""

from __future__ import annotations

from collections import Counter, deque

_KEPT = 1000


class Ring:
    """The latest durations, in ms."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._latest: deque[float] = deque(maxlen=kept)

    def add(self, seconds: float) -> None:
        self._latest.append(seconds * 1000)

    def at(self, share: float) -> float | None:
        """The duration in ms that this share of the latest stayed within; None: none yet."""
        ordered = sorted(self._latest.copy())
        if not ordered:
            return None
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)


class Figures:
    """One gate's numbers since its start."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter(
            {"sightings": 0, "opened": 0, "manual": 0, "asked": 0, "refused": 0, "dropped": 0}
        )
        self.decided = Ring()
        self.ordered = Ring()

    def latency_ms(self) -> dict[str, float | None]:
        return {
            "decide_p50": self.decided.at(0.50),
            "decide_p99": self.decided.at(0.99),
            "order_p50": self.ordered.at(0.50),
            "order_p95": self.ordered.at(0.95),
        }
