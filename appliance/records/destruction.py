"""Destroys a volume and leaves a signed receipt, also when killed between any two steps.

The steps, in this order
1. A note of intent is written beside the volumes: which volume, how many reads it ever kept, its
   key's fingerprint. (On a full disk the note may fail; destroying frees the room, so it goes on
   and the note is written right after.)
2. The key file is overwritten, synced and unlinked: from here nobody can read the volume.
3. Its database files are unlinked, and the note says so.
4. The receipt, signed by this unit, is written to the journal.
5. The note is removed.
At the next start every note that is still there is carried on from where it stopped. While the
journal is down the notes wait for their receipt; the reads do not.

The caller holds ``Volumes.lock`` for steps 1 to 3 (`destroy`), not for the rest (`settle`).
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from appliance import clock, codec
from appliance.errors import IpcError
from appliance.records import files
from appliance.records.access import SYSTEM
from appliance.records.acts import Act
from appliance.records.chain import canonical
from appliance.records.journal import Journal
from appliance.records.keys import DeviceKeys, VolumeKeys, signed_by
from appliance.records.times import Moment
from appliance.records.volume import Volume
from appliance.records.volumes import Volumes

logger = logging.getLogger(__name__)

ACTION = "volume_destroyed"


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be destroyed."""

    volume: str
    reads: int | None
    """Reads ever kept in it; None where the volume was damaged and nobody can tell."""
    fingerprint: str
    key_files: tuple[str, ...]
    """Names in the folder of keys."""
    data_files: tuple[str, ...]
    """Names in the folder of volumes."""
    removed: bool = False
    """Steps 2 and 3 are done: a volume of that name is a newer one."""
    cause: str = "limit"
    """Why: its reads passed their limit, or the ``disk`` was full."""


def receipt_message(receipt: dict[str, Any]) -> bytes:
    """What a receipt's signature covers: all of it but the signature."""
    return canonical({k: v for k, v in receipt.items() if k != "signature"})


def receipt_holds(receipt: dict[str, Any], public: bytes) -> bool:
    """Whether this unit signed the receipt as it stands."""
    return signed_by(public, str(receipt.get("signature", "")), receipt_message(receipt))


class Destroyer:
    """``step`` is called with the name of each step before it is taken; tests stop it there."""

    def __init__(self, folder: Path, volumes: Volumes, journal: Journal, keys: DeviceKeys) -> None:
        self.folder = files.make_folder(folder)
        self.step: Callable[[str], None] = lambda _: None
        self._volumes = volumes
        self._journal = journal
        self._keys = keys

    def destroy(self, intent: Intent) -> None:
        """Steps 1 to 3. Raises OSError where key or data could not be removed."""
        note = self.folder / f"{intent.volume}.{intent.fingerprint[:12]}.json"
        self.step("note")
        try:
            _write(note, intent)
        except OSError:
            logger.error("destruction note not written, going on volume=%s", intent.volume)
        self._remove(note, intent)

    def carry_through(self) -> None:
        """Removes what notes of an interrupted run name; before any volume is opened."""
        for note, intent in self._notes():
            if not intent.removed:
                self._remove(note, intent)

    def settle(self, now: Moment) -> int:
        """Steps 4 and 5 for every note; returns how many. Raises RecordError: they wait."""
        settled = 0
        for note, intent in self._notes():
            if not intent.removed:
                continue  # a failing disk: the next start tries again
            if not self._receipted(intent):
                self.step("receipt")
                act = Act(SYSTEM, ACTION, self._receipt(intent, now), intent.reads or 0)
                self._journal.append(act, now)
            self.step("settled")
            files.unlink_all((note,))
            settled += 1
            logger.info("volume destroyed volume=%s", intent.volume)
        return settled

    def receipts(self) -> list[dict[str, Any]]:
        """Every receipt, newest first. Raises RecordError."""
        return [json.loads(entry.query) for entry in self._journal.all_of(ACTION)]

    def _remove(self, note: Path, intent: Intent) -> None:
        self.step("key")
        for name in intent.key_files:
            files.shred(self._volumes.keys.folder / Path(name).name)
        self.step("data")
        files.unlink_all(tuple(self._volumes.folder / Path(n).name for n in intent.data_files))
        self.step("removed")
        _write(note, replace(intent, removed=True))

    def _receipt(self, intent: Intent, now: Moment) -> dict[str, Any]:
        receipt: dict[str, Any] = {
            "postern": "destruction receipt",
            "volume": intent.volume,
            "reads": intent.reads,
            "destroyed_at": clock.iso(now.at),
            "clock": now.clock.value,
            "fingerprint": intent.fingerprint,
            "cause": intent.cause,
        }
        return {**receipt, "signature": self._keys.sign(receipt_message(receipt))}

    def _receipted(self, intent: Intent) -> bool:
        """Killed between steps 4 and 5: the receipt stands already."""
        return any(
            r["volume"] == intent.volume and r["fingerprint"] == intent.fingerprint
            for r in self.receipts()
        )

    def _notes(self) -> list[tuple[Path, Intent]]:
        notes = []
        for path in sorted(self.folder.glob("*.json")):
            try:
                notes.append((path, codec.decode(Intent, json.loads(path.read_bytes()))))
            except (ValueError, IpcError):
                path.rename(path.with_name(path.name + ".damaged"))
                logger.error("destruction note damaged, set aside")
        return notes


def of_volume(volume: Volume, keys: VolumeKeys, cause: str = "limit") -> Intent:
    return Intent(
        volume.name,
        volume.reads_ever,
        volume.fingerprint,
        (keys.path(volume.name).name,),
        tuple(p.name for p in volume.files),
        cause=cause,
    )


def of_damaged(name: str, found: tuple[Path, ...]) -> Intent:
    """What was set aside. Its key may be unreadable: the wrapped key and the names stand for it."""
    keys = tuple(p for p in found if ".key." in p.name)
    names = " ".join(p.name for p in found).encode()
    mark = hashlib.sha256(names + b"".join(p.read_bytes() for p in keys)).hexdigest()
    data = tuple(p.name for p in found if p not in keys)
    return Intent(name, None, mark, tuple(p.name for p in keys), data)


def _write(note: Path, intent: Intent) -> None:
    files.replace(note, canonical(codec.encode(intent)))
