"""An encrypted file under a passphrase: what a backup travels in.

Layout: ``magic 8 | u32 length of the header | header, JSON | its SHA-256 | chunks``, big endian.
A chunk is ``u32 length | AES-256-GCM ciphertext``; at most 64 KiB of content each.

- The key is argon2id of passphrase and salt; its cost stands in the header, within bounds, so that
  a forged file cannot ask for all the memory there is (RFC 9106, second recommended choice).
- A chunk's nonce is its number and whether it is the last one, and the header is its associated
  data: chunks cannot be swapped, dropped, doubled or cut off. One key, one file: the salt is fresh.
- The header carries a check value of the key. So a wrong passphrase is told from a damaged file.

Each thing that can be wrong has its own error; nothing is returned before the last chunk is proven.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import struct
from dataclasses import dataclass
from typing import Any

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance.errors import ApplianceError

MAGIC = b"POSTERN\n"
VERSION = 1
CHUNK = 64 * 1024
_KEY, _SALT, _SUM, _TAG = 32, 16, 32, 16
_LENGTH = struct.Struct(">I")
_NONCE = struct.Struct(">QI")
_MOST_HEADER = 4096


class ContainerError(ApplianceError):
    """The file cannot be opened; nothing was changed."""

    key = "container"


class NotOurs(ContainerError):
    key = "container_not_ours"


class OtherVersion(ContainerError):
    key = "container_version"


class WrongPassphrase(ContainerError):
    key = "container_passphrase"


class CutOff(ContainerError):
    key = "container_cut_off"


class Damaged(ContainerError):
    key = "container_damaged"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess at the passphrase costs."""

    passes: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4

    @property
    def bearable(self) -> bool:
        return (
            1 <= self.passes <= 16
            and 8 * self.lanes <= self.memory_kib <= 1024 * 1024
            and 1 <= self.lanes <= 16
        )


def pack(content: bytes, passphrase: str, kind: str, cost: Cost | None = None) -> bytes:
    """The whole file. ``kind`` stands in the clear and is checked on opening."""
    cost, salt = cost or Cost(), os.urandom(_SALT)
    key = _derive(passphrase, salt, cost)
    header = json.dumps(
        {
            "version": VERSION,
            "kind": kind,
            "kdf": "argon2id",
            "passes": cost.passes,
            "memory_kib": cost.memory_kib,
            "lanes": cost.lanes,
            "salt": salt.hex(),
            "check": _check(key),
        },
        sort_keys=True,
    ).encode()
    cipher, summed = AESGCM(key), hashlib.sha256(header).digest()
    pieces = [content[at : at + CHUNK] for at in range(0, len(content), CHUNK)] or [b""]
    chunks = [
        cipher.encrypt(_nonce(n, n == len(pieces) - 1), piece, header)
        for n, piece in enumerate(pieces)
    ]
    body = b"".join(_LENGTH.pack(len(chunk)) + chunk for chunk in chunks)
    return MAGIC + _LENGTH.pack(len(header)) + header + summed + body


def unpack(data: bytes, passphrase: str, kind: str) -> bytes:
    """The content, proven to the last byte. Raises one of the errors above."""
    header, body = _header(data)
    told = _understood(header, kind)
    cost = Cost(told["passes"], told["memory_kib"], told["lanes"])
    key = _derive(passphrase, bytes.fromhex(told["salt"]), cost)
    if not hmac.compare_digest(_check(key), told["check"]):
        raise WrongPassphrase("the passphrase does not fit", next_step="Try again, mind capitals")
    cipher, content, number, last = AESGCM(key), [], 0, False
    while body:
        if last:
            raise Damaged("something follows the end of the file", next_step="Take another copy")
        if len(body) < _LENGTH.size:
            raise _cut()
        (length,) = _LENGTH.unpack_from(body)
        chunk, body = body[_LENGTH.size : _LENGTH.size + length], body[_LENGTH.size + length :]
        if length > CHUNK + _TAG:
            raise _damaged(number)
        if len(chunk) < length:
            raise _cut()
        piece, last = _opened(cipher, number, chunk, header)
        content.append(piece)
        number += 1
    if not last:
        raise _cut()
    return b"".join(content)


def _opened(cipher: AESGCM, number: int, chunk: bytes, header: bytes) -> tuple[bytes, bool]:
    for last in (False, True):
        try:
            return cipher.decrypt(_nonce(number, last), chunk, header), last
        except (InvalidTag, ValueError):
            continue
    raise _damaged(number)


def _header(data: bytes) -> tuple[bytes, bytes]:
    if data[: len(MAGIC)] != MAGIC[: len(data)] or not data:
        raise NotOurs("this is no file of this kind", next_step="Name a file that was made here")
    at = len(MAGIC) + _LENGTH.size
    if len(data) < at:
        raise _cut()
    (length,) = _LENGTH.unpack_from(data, len(MAGIC))
    if length > _MOST_HEADER:
        raise Damaged("the file's header is damaged", next_step="Take another copy of it")
    header, summed = data[at : at + length], data[at + length : at + length + _SUM]
    if len(summed) < _SUM:
        raise _cut()
    if hashlib.sha256(header).digest() != summed:
        raise Damaged("the file's header is damaged", next_step="Take another copy of it")
    return header, data[at + length + _SUM :]


def _understood(header: bytes, kind: str) -> dict[str, Any]:
    """The header's fields. Its sum fits, so what is odd here was written so."""
    odd = NotOurs("the file's header makes no sense", next_step="Name a file that was made here")
    try:
        told = json.loads(header)
        if told["version"] != VERSION:
            raise OtherVersion(
                f"the file is of version {int(told['version'])}, this software reads {VERSION}",
                next_step="Use the software of that version",
            )
        if told["kind"] != kind:
            raise NotOurs(f"this file is no {kind}", next_step=f"Name a {kind}")
        numbers = [told[name] for name in ("passes", "memory_kib", "lanes")]
        fits = told["kdf"] == "argon2id" and isinstance(told["check"], str)
        fits = fits and len(bytes.fromhex(told["salt"])) == _SALT
        if not fits or not all(type(n) is int for n in numbers) or not Cost(*numbers).bearable:
            raise odd
    except (ValueError, KeyError, TypeError) as cause:
        raise odd from cause
    return dict(told)


def _derive(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    return hash_secret_raw(
        passphrase.encode(), salt, time_cost=cost.passes, memory_cost=cost.memory_kib,
        parallelism=cost.lanes, hash_len=_KEY, type=Type.ID,
    )


def _check(key: bytes) -> str:
    return hmac.digest(key, b"postern container check", "sha256").hex()


def _nonce(number: int, last: bool) -> bytes:
    return _NONCE.pack(number, int(last))


def _damaged(number: int) -> Damaged:
    return Damaged(
        f"the file is damaged in part {number + 1}", next_step="Take another copy of it"
    )


def _cut() -> CutOff:
    return CutOff("the file ends too early", next_step="Copy it again, it is not whole")
