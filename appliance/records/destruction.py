"""Destroys a volume and leaves a signed receipt, also when killed between any two steps.

The steps, in this order
1. A note of intent is written beside the volumes: which volume, how many reads it ever kept, its
   key's fingerprint. (On a full disk the note may fail; destroying frees the room, so it goes on
   and the note is written right after.)
2. The key file is overwritten, synced and unlinked: from here nobody can read the volume.
3. Its database files are unlinked.
4. The receipt, signed by this unit, is written to the journal.
5. The note is removed.
At the next start, or sweep, every note that is still there is carried through from step 2. While
the journal is down the notes wait; the reads do not.

The caller holds ``Volumes.lock`` for steps 1 to 3 (`destroy`), not for the rest (`settle`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from appliance import clock
from appliance.errors import RecordError
from appliance.records import files
from appliance.records.access import SYSTEM
from appliance.records.chain import canonical
from appliance.records.journal import Act, Journal
from appliance.records.keys import DeviceKeys, VolumeKeys, signed_by
from appliance.records.times import Moment
from appliance.records.volumes import Volume

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
    data_files: tuple[str, ...]


def receipt_message(receipt: dict[str, Any]) -> bytes:
    """What a receipt's signature covers: all of it but the signature."""
    return canonical({k: v for k, v in receipt.items() if k != "signature"})


def receipt_holds(receipt: dict[str, Any], public: bytes) -> bool:
    """Whether this unit signed the receipt as it stands."""
    return signed_by(public, str(receipt.get("signature", "")), receipt_message(receipt))


class Destroyer:
    """``step`` is called with the name of each step before it is taken; tests stop it there."""

    def __init__(self, folder: Path, journal: Journal, keys: DeviceKeys,
                 step: Callable[[str], None] = lambda _: None) -> None:
        self.folder = files.make_folder(folder)
        self._journal = journal
        self._keys = keys
        self._step = step

    def destroy(self, intent: Intent) -> None:
        """Steps 1 to 3. Raises OSError where key or data could not be removed."""
        note = self.folder / f"{intent.volume}.{intent.fingerprint[:12]}.json"
        data = canonical(asdict(intent))
        self._step("note")
        try:
            files.replace(note, data)
        except OSError:
            logger.error("destruction note not written, going on volume=%s", intent.volume)
        self._remove(intent)
        if not note.exists():
            files.replace(note, data)

    def carry_through(self) -> None:
        """Removes what earlier notes name; before the volumes are opened."""
        for note in self._notes():
            self._remove(_intent(note))

    def settle(self, now: Moment) -> int:
        """Steps 4 and 5 for every note; returns how many. Raises RecordError: they wait."""
        notes = self._notes()
        for note in notes:
            intent = _intent(note)
            if not self._receipted(intent):
                self._step("receipt")
                self._journal.append(Act(SYSTEM, ACTION, self._receipt(intent, now),
                                         intent.reads or 0), now)
            self._step("settled")
            files.unlink_all((note,))
            logger.info("volume destroyed volume=%s", intent.volume)
        return len(notes)

    def receipts(self) -> list[dict[str, Any]]:
        """Every receipt, newest first. Raises RecordError."""
        return [json.loads(entry.query) for entry in self._journal.all_of(ACTION)]

    def _remove(self, intent: Intent) -> None:
        self._step("key")
        for key in intent.key_files:
            files.shred(Path(key))
        self._step("data")
        files.unlink_all(tuple(Path(p) for p in intent.data_files))

    def _receipt(self, intent: Intent, now: Moment) -> dict[str, Any]:
        receipt: dict[str, Any] = {
            "postern": "destruction receipt",
            "volume": intent.volume,
            "reads": intent.reads,
            "destroyed_at": clock.iso(now.at),
            "clock": now.clock.value,
            "fingerprint": intent.fingerprint,
        }
        return {**receipt, "signature": self._keys.sign(receipt_message(receipt))}

    def _receipted(self, intent: Intent) -> bool:
        """Killed between steps 4 and 5: the receipt stands already."""
        return any(
            r["volume"] == intent.volume and r["fingerprint"] == intent.fingerprint
            for r in self.receipts()
        )

    def _notes(self) -> list[Path]:
        return sorted(self.folder.glob("*.json"))


def of_volume(volume: Volume, keys: VolumeKeys) -> Intent:
    return Intent(volume.name, volume.reads_ever, volume.fingerprint,
                  (str(keys.path(volume.name)),), tuple(str(p) for p in volume.files))


def of_damaged(day: str, found: tuple[Path, ...]) -> Intent:
    """What was set aside: its fingerprint is not known, so its file names stand in."""
    keys = tuple(str(p) for p in found if ".key." in p.name)
    data = tuple(str(p) for p in found if ".key." not in p.name)
    return Intent(day, None, "damaged " + " ".join(p.name for p in found), keys, data)


def _intent(note: Path) -> Intent:
    """Raises RecordError for a note nobody here wrote."""
    try:
        told = json.loads(note.read_bytes())
        return Intent(told["volume"], told["reads"], told["fingerprint"],
                      tuple(told["key_files"]), tuple(told["data_files"]))
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise RecordError("a destruction note is damaged") from cause
