"""The evidence bundle: one sealed file, made to be handed over and examined anywhere.

The form, from the first byte to the last
    MAGIC | length of the header | header | signature | chunks | length of the log | log | signature
- A length is written twice, the second time inverted, so that a flipped bit is no lost tail.
- The header is canonical JSON: which export, when made, the passphrase's Argon2id cost and salt,
  how many bytes are sealed, the SHA-256 of every chunk, this unit's public key, the log's public
  key. It is signed by this unit (Ed25519). It names no plate and no person.
- The chunks are AES-256-GCM under the key the passphrase gives (Argon2id, RFC 9106), the nonce the
  chunk's number, the export's name bound in.
- Sealed inside is a row of entries, each ``length of name | length | name | content``. The last is
  ``manifest.json``: it lists every other entry with its SHA-256, says who released and who received
  it, and is signed by this unit too.
- The log of openings is signed by a key of its own that lies sealed inside: only who has the
  passphrase can write it, everybody can check it.

The whole file is covered by the two signatures: no byte is free. Reading it is the room
``appliance.evidence``, which needs nothing of a unit. Any thread.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance import clock, codec
from appliance.errors import RecordError
from appliance.records.chain import canonical
from appliance.records.keys import DeviceKeys

MAGIC = b"PSTNEVD1"
CHUNK = 65_536
TAG = 16
LENGTH = struct.Struct(">II")
ENTRY = struct.Struct(">HQ")
MANIFEST = "manifest.json"
LOG_KEY = "log.key"
SHORTEST_PASSPHRASE = 12
_LONGEST_PASSPHRASE = 200


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess at the passphrase costs (Argon2id, one lane)."""

    memory_kib: int
    passes: int


COST = Cost(memory_kib=19_456, passes=4)
"""Twice OWASP's least at that memory; more would not fit this program's 60 MB beside its work."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """The finished file."""

    size: int
    sha256: str


class PassphraseRefused(RecordError):
    key = "passphrase_refused"


def check_passphrase(passphrase: object) -> str:
    """Raises PassphraseRefused."""
    if not isinstance(passphrase, str) or not (
        SHORTEST_PASSPHRASE <= len(passphrase.strip()) <= _LONGEST_PASSPHRASE
    ):
        raise PassphraseRefused(
            "the passphrase is too short or too long",
            next_step=f"The officer chooses at least {SHORTEST_PASSPHRASE} characters",
        )
    return passphrase.strip()


def derive(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    """The 32 bytes that open a bundle."""
    return hash_secret_raw(passphrase.encode(), salt, cost.passes, cost.memory_kib, 1, 32, Type.ID)


def key_fingerprint(public_key: bytes) -> str:
    """A public key's short name, as the custody sheet prints it and `verify` shows it."""
    digest = hashlib.sha256(public_key).hexdigest()[:32]
    return " ".join(digest[at : at + 4] for at in range(0, 32, 4))


def bound(export: str, number: int) -> bytes:
    """What a chunk is tied to beside its key."""
    return canonical({"postern": "evidence chunk", "export": export, "number": number})


def nonce(number: int) -> bytes:
    """A bundle's key is used for it alone, so a number is never used twice."""
    return number.to_bytes(12, "big")


def length(content: bytes) -> bytes:
    return LENGTH.pack(len(content), len(content) ^ 0xFFFF_FFFF)


def log_message(sealed_by: bytes, log: bytes) -> bytes:
    """What the log's signature covers: which bundle, and the whole log."""
    return b"postern evidence openings\n" + sealed_by + log


def log_section(sealed_by: bytes, log: bytes, signer: Ed25519PrivateKey) -> bytes:
    """The last part of the file."""
    return length(log) + log + signer.sign(log_message(sealed_by, log))


class Sealer:
    """Takes the entries one by one, so that no export needs room for all of them at once.

    ``spool`` is an empty file, open for reading and writing; it receives sealed chunks only.
    """

    def __init__(self, spool: BinaryIO, export: str, passphrase: str, cost: Cost = COST) -> None:
        self._spool = spool
        self._export = export
        self._cost = cost
        self._salt = secrets.token_bytes(16)
        self._cipher = AESGCM(derive(passphrase, self._salt, cost))
        self._waiting = bytearray()
        self._size = 0
        self._chunks: list[str] = []
        self._entries: list[dict[str, Any]] = []
        self._log_signer = Ed25519PrivateKey.generate()
        self.add(LOG_KEY, self._log_signer.private_bytes_raw())

    def add(self, name: str, content: bytes) -> None:
        """One entry, under a name no other entry has."""
        if name in {MANIFEST, *(entry["name"] for entry in self._entries)}:
            raise RecordError("an entry stands in the bundle twice")
        sha256 = hashlib.sha256(content).hexdigest()
        self._entries.append({"name": name, "size": len(content), "sha256": sha256})
        self._take(name, content)

    def finish(
        self, out: BinaryIO, told: dict[str, Any], keys: DeviceKeys, made_at: datetime
    ) -> Sealed:
        """Seals the manifest, of which ``told`` is a part, and writes the whole file."""
        named = {"export": self._export, "public_key": keys.public.hex(), "log_key": self._log_key}
        manifest = {**told, **named, "postern": "evidence manifest", "entries": self._entries}
        manifest["signature"] = keys.sign(canonical(manifest))
        self._take(MANIFEST, canonical(manifest))
        self._seal(len(self._waiting))
        header = canonical(
            {
                **named,
                "postern": "evidence bundle",
                "made_at": clock.iso(made_at),
                "cost": codec.encode(self._cost),
                "salt": self._salt.hex(),
                "size": self._size,
                "chunks": self._chunks,
            }
        )
        signature = keys.signer.sign(header)
        written = _Written(out)
        written.add(MAGIC + length(header) + header + signature)
        self._spool.seek(0)
        while part := self._spool.read(CHUNK):
            written.add(part)
        written.add(log_section(signature, canonical({"openings": []}), self._log_signer))
        return Sealed(written.size, written.sha256.hexdigest())

    @property
    def _log_key(self) -> str:
        return self._log_signer.public_key().public_bytes_raw().hex()

    def _take(self, name: str, content: bytes) -> None:
        spelled = name.encode()
        for part in (ENTRY.pack(len(spelled), len(content)), spelled, content):
            self._size += len(part)
            self._waiting += part
        while len(self._waiting) > CHUNK:
            self._seal(CHUNK)

    def _seal(self, size: int) -> None:
        number = len(self._chunks)
        content = bytes(self._waiting[:size])
        del self._waiting[:size]
        sealed = self._cipher.encrypt(nonce(number), content, bound(self._export, number))
        self._chunks.append(hashlib.sha256(sealed).hexdigest())
        self._spool.write(sealed)


class _Written:
    """Counts and hashes what goes out."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.size = 0
        self.sha256 = hashlib.sha256()

    def add(self, part: bytes) -> None:
        self._out.write(part)
        self.size += len(part)
        self.sha256.update(part)
