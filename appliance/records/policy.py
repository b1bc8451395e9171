"""The policy in force, read from site.db, which the console alone writes.

``PRAGMA data_version`` tells cheaply whether another program changed the file since the last look;
a replaced file is seen by its inode. Where a reload fails the last good policy stays in force and
an issue says so; where none was ever read there is none, and nothing is stored.

Any thread.
"""

from __future__ import annotations

import contextlib
import logging
import threading

import sqlcipher3

from appliance import clock, database, site
from appliance.config import Config
from appliance.errors import VaultError
from appliance.records.issues import Issues
from appliance.values import PublishedPolicy

logger = logging.getLogger(__name__)

_TRY_AGAIN_S = 1.0


class PolicyWatch:
    """Answers which policy is in force now."""

    def __init__(self, config: Config, issues: Issues) -> None:
        self._config = config
        self._issues = issues
        self._lock = threading.Lock()
        self._connection: database.Connection | None = None
        self._seen: tuple[int, int] | None = None  # inode, data_version
        self._policy: PublishedPolicy | None = None
        self._failed_mono: float | None = None

    def current(self) -> PublishedPolicy | None:
        """The published policy, or None while there is none (or no site yet)."""
        with self._lock:
            try:
                self._look()
            except (
                sqlcipher3.Error,
                VaultError,
                OSError,
                ValueError,
                KeyError,
                TypeError,
            ) as cause:
                self._failed(cause)
            return self._policy

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _look(self) -> None:
        if self._failed_mono is not None and clock.mono() - self._failed_mono < _TRY_AGAIN_S:
            return
        if not self._config.site_db.exists():
            return
        inode = self._config.site_db.stat().st_ino
        if self._connection is not None and self._seen is not None and self._seen[0] != inode:
            self._drop()
        if self._connection is None:
            self._connection = site.open_reader(self._config)
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if self._seen != (inode, version):
            self._policy = site.published(self._connection)
            self._seen = (inode, version)
            logger.info("policy read version=%d", self._policy.version if self._policy else 0)
        self._failed_mono = None
        self._issues.clear("site_unreadable")

    def _failed(self, cause: Exception) -> None:
        self._drop()
        self._failed_mono = clock.mono()
        new = self._issues.report(
            "site_unreadable",
            "The site's settings cannot be read; the last known policy applies",
            "See OPERATIONS, 'A damaged file'",
        )
        if new:
            logger.error("policy unreadable error=%s", type(cause).__name__)

    def _drop(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlcipher3.Error):
                self._connection.close()
        self._connection, self._seen = None, None
