"""Examines an evidence bundle without the unit that made it.

The rules, each a sentence
1. Every byte stands under a signature: the header under the unit's, the chunks by their hashes in
   the header, the log of openings under the log's own key, which the header names. A byte more or
   less, or another, is found without the passphrase.
2. A file that ends too early, or whose end was never written and reads as zeros, while everything
   before is right, is ``incomplete``: that is what a crash or a broken copy leaves. It proves
   nothing missing was altered, so it is not whole either: ask for another copy and compare its
   SHA-256 with the custody sheet. Anything else that does not fit is ``tampered``.
3. With the passphrase the manifest is examined too: it carries the signature of the same unit and
   names the same export; every entry it lists is there, in its order, with its hash; an entry it
   does not list is refused.
4. A signature proves which key signed. That the key is the gate's own is seen by comparing its
   fingerprint with the custody sheet on paper or another receipt of that gate.

What no rule can see: a copy put back from before an opening has a log without that opening, and
who holds the passphrase could write another log. Reads only; any thread.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance import codec
from appliance.errors import ApplianceError, IpcError
from appliance.records import bundle
from appliance.records.bundle import CHUNK, ENTRY, LENGTH, LOG_KEY, MAGIC, MANIFEST, TAG, Cost
from appliance.records.chain import canonical
from appliance.records.keys import signed_by

_SIGNATURE = 64
_LARGEST_PART = 16_000_000
_HIGHEST = Cost(memory_kib=1_048_576, passes=64)
"""A bundle that asks for more is not ours, and would only exhaust the machine that looks at it."""


class Verdict(StrEnum):
    WHOLE = "whole"
    INCOMPLETE = "incomplete"  # ends too early; what is there is right
    TAMPERED = "tampered"


class BundleRefused(ApplianceError):
    key = "bundle_refused"


class WrongPassphrase(BundleRefused):
    key = "wrong_passphrase"


@dataclass(frozen=True, slots=True)
class Header:
    """The first part of a bundle, as `records.bundle` writes it."""

    postern: str
    export: str
    made_at: str
    cost: Cost
    salt: str
    size: int
    chunks: tuple[str, ...]
    public_key: str
    log_key: str


@dataclass(frozen=True, slots=True)
class Opening:
    """Who opened the bundle, and when by that machine's clock."""

    name: str
    agency: str
    at: str


@dataclass(frozen=True, slots=True)
class _Log:
    openings: tuple[Opening, ...]


@dataclass(frozen=True, slots=True)
class Outside:
    """What can be said without the passphrase."""

    verdict: Verdict
    why: str = ""
    header: Header | None = None
    openings: tuple[Opening, ...] = ()
    signature: bytes = b""
    """The unit's, over the header."""
    sealed_from: int = 0
    sealed_until: int = 0

    @property
    def fingerprint(self) -> str:
        """Names the unit that signed."""
        if self.header is None:
            return ""
        return bundle.key_fingerprint(bytes.fromhex(self.header.public_key))


@dataclass(frozen=True, slots=True)
class Contents:
    """What is sealed inside."""

    manifest: dict[str, Any]
    entries: dict[str, bytes]
    """Without the manifest and the log's key."""
    log_key: bytes


class _Wrong(Exception):
    """The first rule that does not hold."""


class _Short(_Wrong):
    """The file ends before it may."""


def examine(data: bytes) -> Outside:
    """Rules 1 and 2. Never raises for what it finds."""
    found = _judged(data)
    if found.verdict is Verdict.TAMPERED and data.endswith(bytes(16)):
        written = _judged(data.rstrip(b"\0"))
        if written.verdict is Verdict.INCOMPLETE:
            return Outside(Verdict.INCOMPLETE, "the end of the file was never written")
    return found


def contents(data: bytes, outside: Outside, passphrase: str) -> Contents:
    """Rule 3. Raises BundleRefused, WrongPassphrase; asks for a bundle that is whole outside."""
    header = outside.header
    if outside.verdict is not Verdict.WHOLE or header is None:
        raise BundleRefused("the bundle is not whole", next_step=outside.why)
    plain = _opened(data, outside, header, passphrase)
    try:
        entries = _entries(plain)
        manifest = json.loads(entries.pop(MANIFEST, b"null"))
        _match(manifest, entries, header)
        log_key = entries.pop(LOG_KEY)
    except (_Wrong, ValueError, KeyError, TypeError) as cause:
        why = str(cause) if isinstance(cause, _Wrong) else "the manifest cannot be understood"
        raise BundleRefused("the sealed part is not as it was listed", next_step=why) from cause
    return Contents(manifest, entries, log_key)


def _judged(data: bytes) -> Outside:
    try:
        return _outside(data)
    except _Short as short:
        return Outside(Verdict.INCOMPLETE, str(short))
    except (_Wrong, IpcError, ValueError, RecursionError) as wrong:
        why = str(wrong) if isinstance(wrong, _Wrong) else "a part of it cannot be understood"
        return Outside(Verdict.TAMPERED, why)


def _outside(data: bytes) -> Outside:
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise _Wrong("this is no evidence bundle")
    told, signature, at = _signed_part(data, len(MAGIC), "the header")
    header = codec.decode(Header, _canonical(told, "the header"))
    _check_header(header)
    if not _signed(header.public_key, signature, told):
        raise _Wrong("the header does not carry its unit's signature")
    sealed_from = at
    for number, expected in enumerate(header.chunks):
        left = header.size - number * CHUNK
        chunk = data[at : at + min(left, CHUNK) + TAG]
        if len(chunk) < min(left, CHUNK) + TAG:
            raise _Short(f"the file ends within sealed part {number + 1} of {len(header.chunks)}")
        if hashlib.sha256(chunk).hexdigest() != expected:
            raise _Wrong(f"sealed part {number + 1} of {len(header.chunks)} was changed")
        at += len(chunk)
    sealed_until = at
    log, log_signature, at = _signed_part(data, at, "the log of openings")
    if not _signed(header.log_key, log_signature, bundle.log_message(signature, log)):
        raise _Wrong("the log of openings was changed")
    openings = codec.decode(_Log, _canonical(log, "the log of openings")).openings
    if at != len(data):
        raise _Wrong("something was appended to the file")
    return Outside(Verdict.WHOLE, "", header, openings, signature, sealed_from, sealed_until)


def _signed_part(data: bytes, at: int, what: str) -> tuple[bytes, bytes, int]:
    """A part with its length before and its signature behind; and where the next begins."""
    if len(data) < at + LENGTH.size:
        raise _Short(f"the file ends before {what}")
    size, inverted = LENGTH.unpack_from(data, at)
    if size ^ 0xFFFF_FFFF != inverted or size > _LARGEST_PART:
        raise _Wrong(f"the length of {what} was changed")
    at += LENGTH.size
    end = at + size + _SIGNATURE
    if len(data) < end:
        raise _Short(f"the file ends within {what}")
    return data[at : at + size], data[at + size : end], end


def _canonical(told: bytes, what: str) -> dict[str, Any]:
    """One spelling only, so that no byte can change unseen."""
    value = json.loads(told)
    if not isinstance(value, dict) or canonical(value) != told:
        raise _Wrong(f"{what} is not spelled as a unit spells it")
    return value


def _check_header(header: Header) -> None:
    cost = header.cost
    if not (8 <= cost.memory_kib <= _HIGHEST.memory_kib and 1 <= cost.passes <= _HIGHEST.passes):
        raise _Wrong("the passphrase's cost is no unit's")
    if header.size < 1 or len(header.chunks) != -(-header.size // CHUNK):
        raise _Wrong("the header's sizes do not fit each other")
    if len(bytes.fromhex(header.salt)) < 8:
        raise _Wrong("the passphrase's salt is no unit's")


def _signed(public_key: str, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _opened(data: bytes, outside: Outside, header: Header, passphrase: str) -> bytes:
    cipher = AESGCM(bundle.derive(passphrase, bytes.fromhex(header.salt), header.cost))
    plain, at, number = bytearray(), outside.sealed_from, 0
    while at < outside.sealed_until:
        end = min(at + CHUNK + TAG, outside.sealed_until)
        try:
            tied = bundle.bound(header.export, number)
            plain += cipher.decrypt(bundle.nonce(number), data[at:end], tied)
        except InvalidTag as cause:
            raise WrongPassphrase(
                "this passphrase does not open the bundle", next_step="Ask the officer named in it"
            ) from cause
        at, number = end, number + 1
    return bytes(plain)


def _entries(plain: bytes) -> dict[str, bytes]:
    entries: dict[str, bytes] = {}
    at = 0
    while at < len(plain):
        if len(plain) - at < ENTRY.size:
            raise _Wrong("an entry is cut off")
        name_size, size = ENTRY.unpack_from(plain, at)
        at += ENTRY.size
        end = at + name_size + size
        if end > len(plain):
            raise _Wrong("an entry is cut off")
        name = plain[at : at + name_size].decode()
        if name in entries:
            raise _Wrong("an entry stands there twice")
        entries[name] = plain[at + name_size : end]
        at = end
    return entries


def _match(manifest: Any, entries: dict[str, bytes], header: Header) -> None:
    """Rule 3, without the manifest among the entries."""
    if not isinstance(manifest, dict):
        raise _Wrong("there is no manifest")
    signature = str(manifest.pop("signature", ""))
    if not signed_by(bytes.fromhex(header.public_key), signature, canonical(manifest)):
        raise _Wrong("the manifest does not carry the unit's signature")
    for name in ("export", "public_key", "log_key"):
        if manifest[name] != getattr(header, name):
            raise _Wrong("the manifest belongs to another bundle")
    listed = {entry["name"]: entry for entry in manifest["entries"]}
    for name in [*entries, *listed]:
        if name not in listed:
            raise _Wrong("an entry is there that the manifest does not list")
        if name not in entries:
            raise _Wrong("an entry the manifest lists is missing")
        if hashlib.sha256(entries[name]).hexdigest() != listed[name]["sha256"]:
            raise _Wrong("an entry is not the one the manifest lists")
    if list(listed) != list(entries):
        raise _Wrong("the entries are not in the order the manifest lists")
