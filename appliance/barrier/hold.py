"""A hold-open lease, given to the controller piece by piece so that it dies with this program."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Hold:
    """One lease; a renewal extends it. Pieces are renewed when half of one has passed."""

    order_id: str
    until_mono: float
    longest_piece_s: float
    _piece_until_mono: float = 0.0
    _pieces: int = 0

    def lapsed(self, now_mono: float) -> bool:
        return now_mono >= self.until_mono

    def due(self, now_mono: float) -> bool:
        """True when the controller must be told again, and more of the lease is left to tell."""
        half_gone = self._piece_until_mono - now_mono <= self.longest_piece_s / 2
        return half_gone and self._piece_until_mono < self.until_mono

    def next_piece(self, now_mono: float) -> tuple[str, float]:
        """The id and length in s of the piece to send now."""
        return f"{self.order_id}.{self._pieces}", self._length_s(now_mono)

    def piece_sent(self, now_mono: float) -> None:
        self._piece_until_mono = now_mono + self._length_s(now_mono)
        self._pieces += 1

    def _length_s(self, now_mono: float) -> float:
        return min(self.longest_piece_s, self.until_mono - now_mono)
