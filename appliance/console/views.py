"""What a session is looking at now, in memory only and never for long.

A decision card and its picture are two requests but one look: the crop records handed over with the
card waits here for the picture's request. The same holds for the car at the gate, whose page is
drawn again when the barrier moves. Each look was journaled when it was fetched; nothing here is
answered to another session, and everything goes after ``LIFE_S`` or at sign-out.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from appliance.console.gate_answers import AtGate

LIFE_S = 120.0
LARGEST = 64
V = TypeVar("V")


class Shelf(Generic[V]):
    """At most ``LARGEST`` things, each for ``life_s`` seconds."""

    def __init__(self, life_s: float = LIFE_S, largest: int = LARGEST) -> None:
        self._life_s = life_s
        self._largest = largest
        self._held: OrderedDict[tuple[str, str], tuple[float, V]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, session: str, key: str, value: V, now_mono: float) -> None:
        with self._lock:
            self._held.pop((session, key), None)
            self._held[(session, key)] = (now_mono, value)
            while len(self._held) > self._largest:
                self._held.popitem(last=False)

    def get(self, session: str, key: str, now_mono: float) -> V | None:
        with self._lock:
            held = self._held.get((session, key))
            if held is None or now_mono - held[0] > self._life_s:
                self._held.pop((session, key), None)
                return None
            return held[1]

    def take(self, session: str, key: str, now_mono: float) -> V | None:
        """The thing, which is gone afterwards."""
        found = self.get(session, key, now_mono)
        with self._lock:
            self._held.pop((session, key), None)
        return found

    def forget(self, session: str) -> None:
        with self._lock:
            for key in [k for k in self._held if k[0] == session]:
                del self._held[key]


@dataclass(frozen=True, slots=True)
class SeenAtGate:
    """The car at the gate as this session saw it; ``key`` tells when it is another."""

    key: str
    car: AtGate


class Views:
    """The shelves of one console."""

    def __init__(self) -> None:
        self.crops: Shelf[bytes] = Shelf()
        self.at_gate: Shelf[SeenAtGate] = Shelf(life_s=600.0)
        self.searches: Shelf[str] = Shelf(life_s=1800.0, largest=256)
        """Plates searched for: they never stand in an address."""
        self.codes: Shelf[str] = Shelf(life_s=300.0)
        """A gate code made for an entry, until it was shown once."""
        self.live_since: Shelf[float] = Shelf(life_s=3600.0, largest=256)

    def keep_search(self, session: str, plate: str, now_mono: float) -> str:
        """Puts a searched plate away; returns the token that stands in the address instead."""
        token = secrets.token_urlsafe(6)
        self.searches.put(session, token, plate, now_mono)
        return token

    def forget(self, session: str) -> None:
        for shelf in (self.crops, self.at_gate, self.searches, self.codes, self.live_since):
            shelf.forget(session)
