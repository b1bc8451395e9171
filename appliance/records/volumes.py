"""The reads: one encrypted file a UTC day, each with a key of its own (ADR 0005).

- ``reads/2026-11-21.db`` is a SQLCipher database, its key lies wrapped in ``keys/2026-11-21.key``.
  The key is on disk before the database, so a crash leaves no file that nobody can open.
- One writer: whoever writes holds ``Volumes.lock``. Readers use read-only connections from a small
  pool, so a long look-up never keeps a car's record waiting.
- A volume that cannot be opened is set aside as ``*.damaged`` and reported; a fresh one takes its
  place and the gate goes on. What was set aside is destroyed at its limit like any other.

Any thread.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import sqlcipher3

from appliance import database, vault
from appliance.config import Config
from appliance.errors import RecordError, VaultError
from appliance.records import files
from appliance.records.issues import Issues
from appliance.records.keys import VolumeKeys
from appliance.records.volume import Volume, is_damage

logger = logging.getLogger(__name__)

T = TypeVar("T")

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Volumes:
    """All volumes of this unit."""

    def __init__(self, folder: Path, keys: VolumeKeys, issues: Issues) -> None:
        self.folder = files.make_folder(folder)
        self.keys = keys
        self.lock = threading.RLock()
        """Held by whoever writes to any volume."""
        self._issues = issues
        self._open: dict[str, Volume] = {}

    def load(self) -> None:
        """Opens every volume once. A damaged one is set aside, the others go on."""
        with self.lock:
            for path in sorted(self.folder.glob("*.db")):
                if _DAY.fullmatch(path.stem):
                    self._load(path.stem)

    def newest_first(self, first: str = "", last: str = "9") -> list[Volume]:
        """The volumes of the days from first to last, both included."""
        found = [v for v in list(self._open.values()) if first <= v.name <= last]
        return sorted(found, key=lambda v: v.name, reverse=True)

    def named(self, name: str) -> Volume | None:
        return self._open.get(name)

    def for_keeping(self, name: str) -> Volume:
        """The volume of that day, made where there is none. The caller holds ``lock``.

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
        """What was set aside: day -> key files first, then data files."""
        found: dict[str, tuple[Path, ...]] = {}
        for folder in (self.keys.folder, self.folder):
            for path in sorted(folder.glob("*.damaged")):
                found[path.name[:10]] = (*found.get(path.name[:10], ()), path)
        return found

    def rest_before(self, name: str) -> None:
        """Closes the writing connections of days before that one: each costs a megabyte."""
        with self.lock:
            for volume in self.newest_first(last=name):
                if volume.name < name:
                    volume.rest()

    def close(self) -> None:
        with self.lock:
            for volume in self._open.values():
                volume.close()

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
