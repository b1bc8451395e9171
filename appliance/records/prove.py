"""Shows from the files themselves that nothing is kept too long (`postern retention prove`).

What is shown, each a sentence
1. For each class of reads: how many are held, the oldest, and how many are past their limit by more
   than two sweeps.
2. Every volume opens with its key, and what was set aside damaged is not past its limit either.
3. Every receipt was signed by this unit, and no volume that has one is still there.
4. A canary (the plate of a test drive) stands in no file below the state and the run folder: not
   plainly, in UTF-16, in base64 or hex, nor backwards.

Rule 4 looks at raw bytes only. Whether a plate is held *encrypted* is a look-up, and a look-up is
asked of records, which journals it. Reads beside a running product; changes nothing.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlcipher3

from appliance import clock, database, site, vault
from appliance.config import Config
from appliance.errors import RecordError, VaultError
from appliance.records import spans
from appliance.records.classes import ReadClass, limits
from appliance.records.destruction import ACTION, receipt_holds
from appliance.records.identity import BadChange, publics
from appliance.records.issues import Issues
from appliance.records.journal import Journal
from appliance.records.keys import VolumeKeys, device_keys
from appliance.records.proof import DATABASE
from appliance.records.retention import DUE, due, sweep_every_s
from appliance.records.times import Moment, from_ms
from appliance.records.volume import Volume
from appliance.values import ClockQuality, PublishedPolicy

SHORTEST_CANARY = 6
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class ClassHeld:
    """What is held of one class."""

    read_class: str
    limit_h: float
    reads: int
    oldest_at: str
    late: int
    """Reads past their limit by more than two sweeps."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the files say."""

    clock: ClockQuality
    policy_version: int
    classes: tuple[ClassHeld, ...]
    volumes: int
    unreadable: tuple[str, ...]
    """Volumes that did not open."""
    set_aside: tuple[str, ...]
    late_set_aside: tuple[str, ...]
    receipts: int
    bad_receipts: tuple[str, ...]
    """Volumes whose receipt this unit did not sign, or that are still there."""

    @property
    def kept(self) -> bool:
        """Whether every rule was found kept; a doubtful clock can show nothing."""
        wrong = (*self.unreadable, *self.late_set_aside, *self.bad_receipts)
        late = any(each.late for each in self.classes)
        return self.clock is not ClockQuality.UNKNOWN and not wrong and not late


@dataclass(frozen=True, slots=True)
class Searched:
    """Where a canary was looked for."""

    files: int
    size: int
    found: tuple[str, ...]
    unread: tuple[str, ...]
    """Files that could not be read: of them nothing is shown."""

    @property
    def clean(self) -> bool:
        return not self.found and not self.unread


def examine(config: Config, now: Moment, boot: str) -> Standing:
    """Rules 1 to 3. Raises VaultError without the keys, RecordError without the journal."""
    root = config.device.state_dir / "records"
    policy = _policy(config)
    keep = limits(policy)
    slack = timedelta(seconds=2 * sweep_every_s(policy))
    opened, unreadable = _volumes(root, VolumeKeys(root / "keys", vault.key(config, "reads")))
    late = Moment(now.at - slack, now.mono - slack.total_seconds(), now.clock)
    counted = [_held(volume, due(keep, late, boot)) for volume in opened]
    aside = _set_aside(root)
    receipts, bad = _receipts(config, {volume.fingerprint for volume in opened})
    return Standing(
        clock=now.clock,
        policy_version=policy.version if policy else 0,
        classes=tuple(_summed(c, keep.of(c), counted) for c in ReadClass),
        volumes=len(opened),
        unreadable=unreadable,
        set_aside=aside,
        late_set_aside=tuple(n for n in aside if spans.ends_at(n) + keep.longest <= late.at),
        receipts=receipts,
        bad_receipts=bad,
    )


def search(folders: Iterable[Path], canary: str) -> Searched:
    """Rule 4. Raises ValueError for a canary so short that chance would find it."""
    if len(canary) < SHORTEST_CANARY:
        raise ValueError(f"a canary needs {SHORTEST_CANARY} characters or more")
    wanted = spellings(canary)
    files = size = 0
    found, unread = [], []
    for path in (p for folder in folders for p in sorted(folder.rglob("*"))):
        if path.is_symlink() or not path.is_file():
            continue
        files += 1
        try:
            size += path.stat().st_size
            if any(w in path.name.encode() for w in wanted) or _holds(path, wanted):
                found.append(path.name)
        except FileNotFoundError:
            files -= 1  # went away meanwhile, as logs of a database do
        except OSError:
            unread.append(path.name)
    return Searched(files, size, tuple(found), tuple(unread))


def spellings(canary: str) -> tuple[bytes, ...]:
    """Every form in which the text could lie in a file."""
    forms: dict[bytes, None] = {}
    for text in (canary, canary.upper(), canary.lower()):
        plain = text.encode()
        wide = (text.encode("utf-16-le"), text.encode("utf-16-be"))
        coded = (plain.hex().encode(), plain.hex().upper().encode())
        for form in (plain, plain[::-1], *wide, *coded, *_base64(plain)):
            forms[form] = None
    return tuple(forms)


def _base64(plain: bytes) -> list[bytes]:
    """The middle of the text's base64 at each of the three ways it may fall."""
    found = []
    for before, skip in ((0, 0), (1, 2), (2, 3)):
        whole = (before + len(plain)) * 8 // 6
        found.append(base64.b64encode(b"\0" * before + plain)[skip:whole])
    return found


def _holds(path: Path, wanted: tuple[bytes, ...]) -> bool:
    overlap = max(map(len, wanted)) - 1
    tail = b""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            block = tail + piece
            if any(w in block for w in wanted):
                return True
            tail = block[-overlap:]
    return False


def _policy(config: Config) -> PublishedPolicy | None:
    """As records itself: without a readable policy the ceiling holds."""
    if not config.site_db.exists():
        return None
    with contextlib.closing(site.open_reader(config)) as connection:
        return site.published(connection)


def _volumes(root: Path, keys: VolumeKeys) -> tuple[list[Volume], tuple[str, ...]]:
    opened, unreadable = [], []
    for path in sorted((root / "reads").glob("*.db")):
        try:
            volume = Volume(path.stem, path, keys.load(path.stem))
            with volume.reading() as connection:
                connection.execute("SELECT class FROM reads LIMIT 1").fetchone()
            opened.append(volume)
        except (VaultError, sqlcipher3.Error):
            unreadable.append(path.stem)
    return opened, tuple(unreadable)


def _held(volume: Volume, late: dict[str, Any]) -> dict[str, tuple[int, int | None, int]]:
    """Class -> how many, the oldest (ms), how many late."""

    def each(connection: database.Connection) -> list[Any]:
        return list(
            connection.execute(
                f"SELECT class, count(*) AS reads, min(counts_from_ms) AS oldest,"  # noqa: S608
                f" sum({DUE}) AS late FROM reads GROUP BY class",
                late,
            )
        )

    with contextlib.closing(volume), volume.reading() as connection:
        return {r["class"]: (r["reads"], r["oldest"], r["late"]) for r in each(connection)}


def _summed(
    read_class: ReadClass, limit: timedelta, counted: list[dict[str, tuple[int, int | None, int]]]
) -> ClassHeld:
    found = [c[read_class.value] for c in counted if read_class.value in c]
    oldest = min((o for _, o, _ in found if o is not None), default=None)
    return ClassHeld(
        read_class=read_class.value,
        limit_h=round(limit.total_seconds() / 3600, 4),
        reads=sum(n for n, _, _ in found),
        oldest_at=clock.iso(from_ms(oldest)) if oldest is not None else "",
        late=sum(late for _, _, late in found),
    )


def _set_aside(root: Path) -> tuple[str, ...]:
    names = {p.name.split(".")[0] for p in (root / "reads").glob("*.damaged")}
    return tuple(sorted(n for n in names if spans.is_name(n)))


def _receipts(config: Config, living: set[str]) -> tuple[int, tuple[str, ...]]:
    """How many there are, and the volumes of those that do not hold."""
    keys = device_keys(config)
    folder = config.device.state_dir / "records" / "journal"
    if not (folder / DATABASE).exists():
        raise RecordError(
            "there is no journal here",
            next_step="Start the programs once; if they ran here before, somebody took it away",
        )
    journal = Journal(folder, keys, Issues())
    try:
        signers = publics(journal.all_of("keys_rotated"), keys.public)
    except BadChange:
        return 0, ("all: a change of this unit's identity is not signed",)
    receipts = [json.loads(entry.query) for entry in journal.all_of(ACTION)]
    bad = [
        str(r.get("volume"))
        for r in receipts
        if r.get("fingerprint") in living or not any(receipt_holds(r, s) for s in signers)
    ]
    return len(receipts), tuple(bad)
