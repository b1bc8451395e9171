"""Who this unit was when it signed: its signing keys, each vouched for by the one before it.

- A change of the ``device`` secret is an entry of the journal. It names the old and the new public
  key and the entry the journal ended with, and both keys sign that.
- The chain is followed backwards from the key in force, which whoever verifies must know from
  elsewhere (a printed head, the hand-over sheet): each link makes the key before it known.
- A key may sign heads from the entry before its own beginning (the day may end right there) to the
  entry before the next change. What an old key signs after that counts for nothing.

A stolen old key can sign no new history after the change; what it signed before cannot be told from
what this unit signed then. That is why the change names the last entry: later forgeries of the time
before do not lead to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from appliance.records.chain import canonical
from appliance.records.keys import DeviceKeys, signed_by
from appliance.values import JournalEntry

ACTION = "keys_rotated"


class BadChange(Exception):
    """The entry that claims a change of identity is not signed by both."""

    def __init__(self, seq: int) -> None:
        super().__init__(f"entry {seq}")
        self.seq = seq


@dataclass(frozen=True, slots=True)
class Identity:
    """One signing key and the entries it stood for."""

    public: bytes
    first: int = 1
    last: int | None = None
    """None: in force."""

    def may_sign(self, head_seq: int) -> bool:
        return self.first - 1 <= head_seq and (self.last is None or head_seq <= self.last)


def statement(old: DeviceKeys, new: DeviceKeys, seq: int, entry_hash: str) -> dict[str, Any]:
    """What is journaled of a change, after that last entry; signed by both."""
    told = _told(old.public.hex(), new.public.hex(), seq, entry_hash)
    message = canonical(told)
    return {**told, "by_old": old.sign(message), "by_new": new.sign(message)}


def identities(entries: Iterable[JournalEntry], public: bytes) -> tuple[Identity, ...]:
    """Every key of this unit, the one in force last. Raises BadChange."""
    found, last, current = [], None, public
    for entry in sorted(entries, key=lambda e: e.seq, reverse=True):
        query = _query(entry)
        if query.get("which") != "device":
            continue
        told = _told(str(query.get("old")), current.hex(), entry.seq - 1, entry.prev_hash)
        signatures = {"by_old": query.get("by_old"), "by_new": query.get("by_new")}
        if {**told, **signatures} != query or not _signed(told, signatures):
            raise BadChange(entry.seq)
        found.append(Identity(current, entry.seq, last))
        last, current = entry.seq - 1, bytes.fromhex(told["old"])
    return (*reversed([*found, Identity(current, 1, last)]),)


def publics(entries: Iterable[JournalEntry], public: bytes) -> tuple[bytes, ...]:
    """The public keys alone, for receipts, which carry their own time. Raises BadChange."""
    return tuple(each.public for each in identities(entries, public))


def _told(old: str, new: str, seq: int, entry_hash: str) -> dict[str, Any]:
    return {
        "postern": "identity change",
        "which": "device",
        "old": old,
        "new": new,
        "after_seq": seq,
        "after_hash": entry_hash,
    }


def _signed(told: dict[str, Any], signatures: dict[str, Any]) -> bool:
    message = canonical(told)
    try:
        pairs = [(bytes.fromhex(told[k]), str(signatures[f"by_{k}"])) for k in ("old", "new")]
    except ValueError:
        return False
    return all(signed_by(public, signature, message) for public, signature in pairs)


def _query(entry: JournalEntry) -> dict[str, Any]:
    try:
        query = json.loads(entry.query)
    except ValueError:
        query = None
    if not isinstance(query, dict):
        raise BadChange(entry.seq)
    return query
