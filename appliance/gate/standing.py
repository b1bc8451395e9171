"""What stands around every decision: the policy in force and what the clock is worth.

1. The policy is loaded off the hot path: when the site's file changed (``PRAGMA data_version`` and
   the file itself, once a second) and when the console says so.
2. A load that fails leaves the last good policy in place and raises an issue.
3. Reading ``policy`` and ``clock_quality`` is reading an attribute: it never waits, opens or asks.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable

import sqlcipher3

from appliance import clock, database, site
from appliance.config import Config
from appliance.decision.snapshot import IndexedPolicy, indexed, nothing_published
from appliance.errors import ApplianceError
from appliance.gate.issues import Issues
from appliance.values import ClockQuality

logger = logging.getLogger(__name__)

_FileId = tuple[int, int]


class Standing:
    """Owns the read-only connection to the site's file. ``look`` runs once a second on one
    thread; ``reload`` may be called from any."""

    def __init__(
        self, config: Config, issues: Issues,
        clock_quality: Callable[[], ClockQuality] = clock.quality,
    ) -> None:
        self._config = config
        self._issues = issues
        self._ask_clock = clock_quality
        self._lock = threading.Lock()
        self._connection: database.Connection | None = None
        self._file_id: _FileId | None = None
        self._data_version = -1
        self.policy: IndexedPolicy = nothing_published(clock.mono())
        self.commissioned: dict[str, str] = {}
        """By controller, the digest of the settings it was last tested with."""
        self.clock_quality: ClockQuality = clock_quality()

    def look(self) -> None:
        """Asks the clock; loads the policy again where the file changed."""
        self.clock_quality = self._ask_clock()
        self._issues.set("clock_untrusted", self.clock_quality is ClockQuality.UNKNOWN)
        with self._lock:
            self._guarded(self._load_if_changed)

    def reload(self) -> int:
        """Loads now; returns the version in force afterwards."""
        with self._lock:
            self._guarded(self._load)
            return self.policy.snapshot.version

    def close(self) -> None:
        with self._lock:
            self._disconnect()

    def _guarded(self, load: Callable[[], None]) -> None:
        try:
            load()
        except (ApplianceError, sqlcipher3.Error, OSError, ValueError, TypeError,
                KeyError) as error:
            self._disconnect()
            never = self.policy.snapshot.version == 0
            if not self._issues.stands("no_policy" if never else "policy_stale"):
                logger.warning("policy not loaded error=%s", type(error).__name__)
            self._issues.set("policy_stale", not never)
        self._issues.set("no_policy", self.policy.snapshot.version == 0)

    def _load_if_changed(self) -> None:
        another_file = self._connection is None or self._file_id != self._identity()
        if another_file or self._version_of_data() != self._data_version:
            self._load()

    def _load(self) -> None:
        identity = self._identity()
        if self._connection is None or self._file_id != identity:
            self._disconnect()
            self._connection = site.open_reader(self._config)
            self._file_id = identity
        data_version = self._version_of_data()
        policy = indexed(site.snapshot(self._connection))
        self.policy, self._data_version = policy, data_version
        # A damaged test record must not keep a good policy out; nor may an older file without any.
        with contextlib.suppress(sqlcipher3.Error, ValueError, TypeError, KeyError):
            self.commissioned = site.commissioned_settings(self._connection)
        self._issues.set("policy_stale", False)
        logger.info(
            "policy loaded version=%d grants=%d", policy.snapshot.version,
            len(policy.snapshot.grants),
        )

    def _version_of_data(self) -> int:
        if self._connection is None:
            return -1
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _identity(self) -> _FileId:
        """Tells a file that was put in the place of another, as a restored backup is."""
        found = self._config.site_db.stat()
        return found.st_dev, found.st_ino

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlcipher3.Error):
                self._connection.close()
        self._connection = None
        self._file_id = None
