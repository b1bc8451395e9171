"""One slot between the camera's thread and the reader's: the newest item wins, the rest is counted.

A queue would hand the reader old cars after every busy second; a gate wants the newest picture.
``put`` never waits. Threads: any.
"""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds at most one item."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._dropped = 0

    def put(self, item: T) -> None:
        """Replaces an item nobody took yet and counts it as dropped."""
        with self._changed:
            self._dropped += self._item is not None
            self._item = item
            self._changed.notify()

    def take(self, timeout_s: float) -> T | None:
        """The newest item, at most once; None where none came within ``timeout_s``."""
        with self._changed:
            if self._item is None:
                self._changed.wait(timeout_s)
            item, self._item = self._item, None
            return item

    @property
    def dropped(self) -> int:
        """Items that were replaced before anybody took them."""
        with self._changed:
            return self._dropped
