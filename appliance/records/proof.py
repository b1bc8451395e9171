"""Proves a journal whole, or names the first entry that is not and why.

The rules, each a sentence
1. Every page of the file carries SQLCipher's own MAC, and all of them fit.
2. Entries are numbered 1, 2, 3 ... without a gap.
3. An entry's ``prev_hash`` is the hash of the entry before it; the first names GENESIS.
4. An entry's hash is the hash of its content, and its seal this unit's MAC of that hash.
5. Signed heads are numbered without a gap, carry the signature this unit had at that time
   (``identity``: each change is signed by the old and the new), and name entries that stand as
   they stood when signed.
6. The anchor is there and signed by this unit, and the entry and heads it names are there too.
   Entries after it are what a crash between the two writes leaves, not tampering.

What no rule can see: an owner who holds the device key may write a new history, and database and
anchor put back together from one older copy agree with each other. The witness against both is a
signed head kept elsewhere, printed or sent; THREATS says so.

Reads only, and may run beside the writer: the anchor is read before the database's snapshot is
taken, so the snapshot must hold what the anchor names.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlcipher3

from appliance import database
from appliance.errors import VaultError
from appliance.records import identity
from appliance.records.chain import GENESIS, Anchor, Head, entry_from, hashed, read_anchor
from appliance.records.keys import DeviceKeys, signed_by
from appliance.values import JournalEntry

DATABASE = "journal.db"
ANCHOR = "journal.anchor"


@dataclass(frozen=True, slots=True)
class Proof:
    """What an examination found."""

    entries: int
    """Entries found right before the first bad one."""
    first_at: str
    last_at: str
    heads: int
    first_bad: int | None = None
    """Number of the first entry that is wrong or missing; None where the journal is whole."""
    why: str = ""
    missing: tuple[int, int] | None = None
    """First and last number of the gap, where entries are missing."""

    @property
    def whole(self) -> bool:
        return self.first_bad is None


@dataclass
class _Finding:
    """What has been found so far; filled by the examination, read by `prove`."""

    entries: int = 0
    first_at: str = ""
    last_at: str = ""
    heads: int = 0
    last_hash: str = GENESIS

    def proof(self, broken: _Broken | None = None) -> Proof:
        found = (self.entries, self.first_at, self.last_at, self.heads)
        return Proof(*found, broken.seq, broken.why, broken.missing) if broken else Proof(*found)


class _Broken(Exception):
    """The first rule that does not hold."""

    def __init__(self, seq: int, why: str, missing: tuple[int, int] | None = None) -> None:
        super().__init__(why)
        self.seq, self.why, self.missing = seq, why, missing


def prove(folder: Path, keys: DeviceKeys) -> Proof:
    """Examines the journal of that folder. Never raises for what it finds there."""
    finding = _Finding()
    try:
        anchor = read_anchor(folder / ANCHOR, keys.public)
        if anchor is None:
            raise _Broken(1, "the anchor is missing or was not signed by this unit")
        if (folder / DATABASE).exists():
            _examine(folder / DATABASE, keys, anchor, finding)
        elif anchor.seq:
            raise _gap(1, anchor.seq)
    except _Broken as broken:
        return finding.proof(broken)
    except (sqlcipher3.DatabaseError, VaultError, IndexError):
        return finding.proof(_Broken(finding.entries + 1, "the file is damaged or not this unit's"))
    return finding.proof()


def _examine(path: Path, keys: DeviceKeys, anchor: Anchor, finding: _Finding) -> None:
    """All rules; of several that do not hold, the one with the earliest entry is raised."""
    connection = database.open_encrypted(path, keys.journal, read_only=True)
    with contextlib.closing(connection):
        connection.execute("BEGIN")
        heads: list[Head] = []
        flaws: list[_Broken] = []
        try:
            heads = _heads(connection, _identities(connection, keys))
        except _Broken as broken:
            flaws.append(broken)
        try:
            _walk(connection, keys, anchor, heads, finding)
        except _Broken as broken:
            flaws.append(broken)
        if flaws:
            raise min(flaws, key=lambda flaw: flaw.seq)
        if anchor.heads > len(heads):
            raise _Broken(finding.entries, "a signed head is missing")
        _pages(connection, finding)


def _walk(
    connection: database.Connection,
    keys: DeviceKeys,
    anchor: Anchor,
    heads: list[Head],
    finding: _Finding,
) -> None:
    """Rules 2 to 4, and that what was signed or anchored stands."""
    signed = {head.seq: head for head in heads}
    for row in connection.execute("SELECT * FROM entries ORDER BY seq"):
        entry = _entry(row, keys, finding)
        for stated in (
            signed.pop(entry.seq, None),
            anchor if anchor.seq == entry.seq else None,
        ):
            if stated is not None and stated.hash != entry.hash:
                raise _Broken(entry.seq, f"entry {entry.seq} is not the one that was signed")
        finding.entries, finding.last_hash = entry.seq, entry.hash
        finding.first_at = finding.first_at or row["at"]
        finding.last_at = row["at"]
    finding.heads = len(heads)
    promised = max([anchor.seq, *signed])
    if promised > finding.entries:
        raise _gap(finding.entries + 1, promised)


def _entry(row: Any, keys: DeviceKeys, finding: _Finding) -> JournalEntry:
    """Rules 2 to 4 for one row, which must be the next."""
    seq, expected = row["seq"], finding.entries + 1
    if seq > expected:
        raise _gap(expected, seq - 1)
    if seq < expected:
        raise _Broken(seq, f"entry {seq} stands where none may")
    try:
        entry = entry_from(row)
    except ValueError as cause:
        raise _Broken(seq, f"entry {seq} was changed: a field cannot be read") from cause
    if hashed(entry).hash != entry.hash:
        raise _Broken(seq, f"entry {seq} was changed: its hash is not that of its content")
    if entry.prev_hash != finding.last_hash:
        raise _Broken(seq, f"entry {seq} does not follow the entry before it")
    if row["seal"] != keys.mac(entry.hash.encode()):
        raise _Broken(seq, f"entry {seq} was not written by this unit")
    return entry


def _identities(
    connection: database.Connection, keys: DeviceKeys
) -> tuple[identity.Identity, ...]:
    changes = []
    for row in connection.execute(
        "SELECT * FROM entries WHERE action = ? ORDER BY seq", (identity.ACTION,)
    ):
        try:
            changes.append(entry_from(row))
        except ValueError as cause:
            seq = row["seq"]
            raise _Broken(seq, f"entry {seq} was changed: a field cannot be read") from cause
    try:
        return identity.identities(changes, keys.public)
    except identity.BadChange as bad:
        raise _Broken(bad.seq, f"entry {bad.seq} changes the signature without both") from bad


def _heads(
    connection: database.Connection, known: tuple[identity.Identity, ...]
) -> list[Head]:
    """Rule 5, less the comparison with the entries."""
    heads = [
        Head(*row)
        for row in connection.execute(
            "SELECT number, seq, hash, at, signature FROM heads ORDER BY number"
        )
    ]
    for expected, head in enumerate(heads, start=1):
        if head.number != expected:
            raise _Broken(head.seq, "a signed head is missing")
        signers = [each.public for each in known if each.may_sign(head.seq)]
        if not any(signed_by(public, head.signature, head.message()) for public in signers):
            raise _Broken(head.seq, f"the signed head at entry {head.seq} was changed")
    return heads


def _pages(connection: database.Connection, finding: _Finding) -> None:
    """Rule 1. Asked twice: beside a running writer a page may be caught half written."""
    if all(list(_bad_pages(connection)) for _ in range(2)):
        raise _Broken(finding.entries + 1, "a page of the file was changed")


def _bad_pages(connection: database.Connection) -> Iterator[Any]:
    return iter(connection.execute("PRAGMA cipher_integrity_check").fetchall())


def _gap(first: int, last: int) -> _Broken:
    many = f"entries {first} to {last} are missing" if last > first else f"entry {first} is missing"
    return _Broken(first, many, (first, last))
