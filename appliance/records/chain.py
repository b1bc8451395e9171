"""The journal's hash chain: what an entry's hash covers, what is signed, what is anchored.

- An entry's hash is SHA-256 over the canonical JSON of all its fields, the hash before included.
- Its seal is this unit's MAC of that hash: whoever can write the file but holds no device key
  cannot append, even with every hash right.
- A head is a signed statement, once a day: at that time the journal ended with that entry.
- The anchor is a small signed file beside the database that names the last entry and head anybody
  was answered for. It lets a cut-off tail or an older copy of the database be seen.

``proof`` examines all of it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from appliance import clock, codec
from appliance.errors import IpcError
from appliance.records import files
from appliance.records.keys import DeviceKeys, signed_by
from appliance.values import ClockQuality, JournalEntry

GENESIS = "0" * 64
"""The hash before the first entry."""


@dataclass(frozen=True, slots=True)
class Head:
    """At that time the journal ended with that entry."""

    number: int
    seq: int
    hash: str
    at: str
    signature: str

    def message(self) -> bytes:
        return canonical(
            {
                "postern": "journal head",
                "number": self.number,
                "seq": self.seq,
                "hash": self.hash,
                "at": self.at,
            }
        )


@dataclass(frozen=True, slots=True)
class Anchor:
    """The last entry, and the number of signed heads, that somebody was answered for."""

    seq: int
    hash: str
    heads: int
    signature: str

    def message(self) -> bytes:
        return canonical(
            {"postern": "journal anchor", "seq": self.seq, "hash": self.hash, "heads": self.heads}
        )


def canonical(fields: dict[str, Any]) -> bytes:
    """One spelling of a JSON object: keys sorted, no spaces, UTF-8."""
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "replace")


def hashed(entry: JournalEntry) -> JournalEntry:
    """The entry with its hash, over every other field."""
    fields = codec.encode(entry)
    del fields["hash"]
    return replace(entry, hash=hashlib.sha256(canonical(fields)).hexdigest())


def entry_from(row: Any) -> JournalEntry:
    """A row of ``entries`` as its value. Raises ValueError where it cannot be one."""
    at = clock.from_iso(row["at"])
    if clock.iso(at) != row["at"]:
        raise ValueError("a time in another spelling than ours")
    return JournalEntry(
        seq=row["seq"],
        at=at,
        clock=ClockQuality(row["clock"]),
        actor=row["actor"],
        role=row["role"],
        organisation=row["organisation"],
        action=row["action"],
        purpose=row["purpose"],
        reason=row["reason"],
        query=row["query"],
        rows=row["rows"],
        prev_hash=row["prev_hash"],
        hash=row["hash"],
    )


def signed_head(keys: DeviceKeys, number: int, last: JournalEntry, at: datetime) -> Head:
    head = Head(number, last.seq, last.hash, clock.iso(at), "")
    return replace(head, signature=keys.sign(head.message()))


def write_anchor(path: Path, keys: DeviceKeys, seq: int, entry_hash: str, heads: int) -> None:
    """Replaces the anchor; on disk when it returns. Raises OSError."""
    anchor = Anchor(seq, entry_hash, heads, "")
    anchor = replace(anchor, signature=keys.sign(anchor.message()))
    files.replace(path, canonical(codec.encode(anchor)))


def read_anchor(path: Path, public: bytes) -> Anchor | None:
    """The anchor, or None where it is missing, damaged or not signed by this unit."""
    try:
        data = path.read_bytes()
        anchor = codec.decode(Anchor, json.loads(data))
    except (OSError, ValueError, IpcError):
        return None
    if data != canonical(codec.encode(anchor)):
        return None
    return anchor if signed_by(public, anchor.signature, anchor.message()) else None
