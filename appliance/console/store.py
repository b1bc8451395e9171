"""The one connection that writes ``site.db``, and the lock that makes its users take turns.

Threads: any request thread. A block of ``writing()`` is one transaction; ``row`` and ``rows`` read
under the same lock, so a request never sees half a change.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from appliance import database


class Store:
    """Takes over an open connection (``appliance.site.open_writer``)."""

    def __init__(self, connection: database.Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()

    def row(self, sql: str, *values: Any) -> Any:
        """The first row or None."""
        with self._lock:
            return self._connection.execute(sql, values).fetchone()

    def rows(self, sql: str, *values: Any) -> list[Any]:
        with self._lock:
            return list(self._connection.execute(sql, values).fetchall())

    @contextlib.contextmanager
    def reading(self) -> Iterator[database.Connection]:
        """The bare connection, for readers that want one (``appliance.site``)."""
        with self._lock:
            yield self._connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[database.Connection]:
        """One transaction; nothing is kept where the block raises."""
        with self._lock, database.atomic(self._connection):
            yield self._connection

    def close(self) -> None:
        with self._lock:
            self._connection.close()
