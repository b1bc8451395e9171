"""The reads: one encrypted file a UTC day or hour, each with a key of its own (ADR 0005).

- ``reads/2026-11-21.db`` is a SQLCipher database, its key lies wrapped in ``keys/2026-11-21.key``.
  The key is on disk before the database, so a crash leaves no file that nobody can open.
- Where any limit of the policy is under a day, volumes are made by the hour
  (``reads/2026-11-21T14.db``): a key's end may then follow a limit within the hour. Both kinds
  live side by side after the policy changed (``spans``).
- Every volume's pages are checked once after start (`check`).
- One writer: whoever writes holds ``Volumes.lock``. Readers use read-only connections from a small
  pool, so a long look-up never keeps a car's record waiting.
- A volume that cannot be opened is set aside as ``*.damaged`` and reported; a fresh one takes its
  place and the gate goes on. What was set aside is destroyed at its limit like any other.

Any thread.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import sqlcipher3

from appliance import database, vault
from appliance.config import Config
from appliance.errors import RecordError, VaultError
from appliance.records import files, spans
from appliance.records.issues import Issues
from appliance.records.keys import VolumeKeys
from appliance.records.volume import Volume, is_damage

logger = logging.getLogger(__name__)

T = TypeVar("T")

_WITH_READERS = 40
"""Volumes whose reading connections are kept: each costs some 300 kB (a month by the day fits)."""


class Volumes:
    """All volumes of this unit."""

    def __init__(self, folder: Path, keys: VolumeKeys, issues: Issues) -> None:
        self.folder = files.make_folder(folder)
        self.keys = keys
        self.lock = threading.RLock()
        """Held by whoever writes to any volume."""
        self._issues = issues
        self._open: dict[str, Volume] = {}
        self._asked: OrderedDict[str, None] = OrderedDict()  # most recently asked last
        self._asked_lock = threading.Lock()

    def load(self) -> None:
        """Opens every volume once. A damaged one is set aside, the others go on."""
        with self.lock:
            for path in sorted(self.folder.glob("*.db")):
                if spans.is_name(path.stem):
                    self._load(path.stem)

    def newest_first(self, first: str = "", last: str = "9") -> list[Volume]:
        """The volumes of the days from first to last, both included, those of hours too."""
        found = [v for v in list(self._open.values()) if first <= v.name[:10] <= last]
        return sorted(found, key=lambda v: v.name, reverse=True)

    def named(self, name: str) -> Volume | None:
        return self._open.get(name)

    def name_for(self, at: datetime, *, hourly: bool) -> str:
        """Which volume a read of that moment belongs to: a day that began in hours goes on so."""
        day = spans.day_of(at)
        by_hour = hourly or any(name.startswith(f"{day}T") for name in list(self._open))
        return spans.hour_of(at) if by_hour else day

    def for_keeping(self, name: str) -> Volume:
        """The volume of that name, made where there is none. The caller holds ``lock``.

        Raises RecordError where it can be neither opened nor made.
        """
        volume = self._open.get(name)
        if volume is None and self._path(name).exists():
            volume = self._load(name)
            if volume is None and self._path(name).exists():
                raise RecordError("a volume cannot be opened now", next_step="See the health page")
        return volume or self._make(name)

    def ask(
        self, volumes: list[Volume], question: Callable[[database.Connection], T]
    ) -> Iterator[tuple[Volume, T]]:
        """The answer of each volume; one that is gone or turns out damaged has none."""
        for volume in volumes:
            self._rest_readers(volume.name)
            try:
                with volume.reading() as connection:
                    answer = question(connection)
            except LookupError:
                continue
            except (sqlcipher3.Error, VaultError) as cause:
                if not is_damage(cause):
                    raise RecordError(
                        "the reads cannot be searched now",
                        next_step="Try again; see the health page",
                    ) from cause
                with self.lock:
                    self.set_aside(volume)
                continue
            yield volume, answer

    def set_aside(self, volume: Volume) -> None:
        """Puts a damaged volume out of the way. The caller holds ``lock``."""
        volume.close(gone=True)
        if self._open.get(volume.name) is volume:  # else another thread was first
            del self._open[volume.name]
            self._put_away(volume.name)

    def remove(self, volume: Volume) -> None:
        """Takes a volume out of use, for its destruction. The caller holds ``lock``."""
        self._open.pop(volume.name, None)
        volume.close(gone=True)

    def damaged(self) -> dict[str, tuple[Path, ...]]:
        """What was set aside: volume -> key files first, then data files."""
        found: dict[str, tuple[Path, ...]] = {}
        for folder in (self.keys.folder, self.folder):
            for path in sorted(folder.glob("*.damaged")):
                name = path.name.split(".")[0]
                if spans.is_name(name):
                    found[name] = (*found.get(name, ()), path)
        return found

    def check(self) -> int:
        """Reads every page of every volume; returns how many were whole.

        One that is not is set aside and reported. Takes as long as the disk takes, and no lock.
        """

        def whole(connection: database.Connection) -> bool:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()
            return bool(found and found[0] == "ok")

        sound = 0
        for volume, answer in self.ask(self.newest_first(), whole):
            if answer:
                sound += 1
            else:
                with self.lock:
                    self.set_aside(volume)
        return sound

    def rest_ended(self, now: datetime) -> None:
        """Closes the writing connections of volumes that ended a while ago: each costs a megabyte.

        The latest may still be written to: a car stands over midnight, or over the hour.
        """
        with self.lock:
            for volume in list(self._open.values()):
                grace = spans.HOUR if "T" in volume.name else spans.DAY
                if spans.ends_at(volume.name) + grace <= now:
                    volume.rest()

    def close(self) -> None:
        with self.lock:
            for volume in self._open.values():
                volume.close()

    def _rest_readers(self, name: str) -> None:
        """Closes the readers of whichever volume was asked longest ago, once there are many."""
        with self._asked_lock:
            self._asked[name] = None
            self._asked.move_to_end(name)
            oldest = self._asked.popitem(last=False)[0] if len(self._asked) > _WITH_READERS else ""
        volume = self._open.get(oldest)
        if volume is not None:
            volume.rest_readers()

    def _load(self, name: str) -> Volume | None:
        """The volume, or None where it was damaged and set aside. Raises RecordError."""
        try:
            volume = Volume(name, self._path(name), self.keys.load(name))
            volume.open()
        except (sqlcipher3.Error, VaultError) as cause:
            if not is_damage(cause):
                self._issues.report(
                    "volume_unreadable",
                    "A day's reads cannot be opened now",
                    "See OPERATIONS, 'A damaged file'",
                )
                logger.error("volume unreadable error=%s", type(cause).__name__)
            else:
                self._put_away(name)
            return None
        volume.rest()
        self._open[name] = volume
        return volume

    def _make(self, name: str) -> Volume:
        try:
            volume = Volume(name, self._path(name), self._key_for(name))
            volume.open()
            files.sync_folder(self.folder)
        except (sqlcipher3.Error, VaultError, OSError) as cause:
            raise RecordError("a volume cannot be made", next_step="See the health page") from cause
        self._open[name] = volume
        return volume

    def _key_for(self, name: str) -> bytes:
        """A new volume's key; one left by a crash before its database was made is used."""
        if self.keys.path(name).exists():
            with contextlib.suppress(VaultError):
                return self.keys.load(name)
            self._put_away(name)
        return self.keys.make(name)

    def _put_away(self, name: str) -> None:
        tails = ("", "-wal", "-shm")
        moves = [(self.folder / f"{name}.db{tail}") for tail in tails] + [self.keys.path(name)]
        number = 1 + max(
            (int(p.name.split(".")[-2]) for p in self.damaged().get(name, ())), default=0
        )
        for path in moves:
            if path.exists():
                path.rename(path.with_name(f"{path.name}.{number}.damaged"))
        files.sync_folder(self.folder)
        files.sync_folder(self.keys.folder)
        logger.error("volume set aside volume=%s", name)
        self._issues.report(
            "volume_damaged",
            "A day's reads are damaged and were set aside",
            "See OPERATIONS, 'A damaged file'; the gate goes on",
        )

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.db"


def all_keys(config: Config) -> set[str]:
    """The key of every passage held, read from the files themselves; for tests of durability."""
    root = config.device.state_dir / "records"
    keys = VolumeKeys(root / "keys", vault.key(config, "reads"))
    found: set[str] = set()
    for path in sorted((root / "reads").glob("*.db")):
        volume = Volume(path.stem, path, keys.load(path.stem))
        with volume.reading() as connection:
            found.update(row["key"] for row in connection.execute("SELECT key FROM reads"))
        volume.close()
    return found
