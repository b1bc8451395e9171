"""The keys of this room: one random key a volume, and what is derived from the unit's secrets.

- A volume's key is 32 random bytes, kept in ``records/keys/<volume>.key`` wrapped by the ``reads``
  secret (AES-256-GCM, the volume's name as associated data, so that two files cannot be swapped).
  Destroying that small file is destroying the volume.
- The journal's database key, its seal and the signing key come from the ``device`` secret by HKDF
  (RFC 5869), each under its own label. From ``device`` and not from ``reads``: erasing or rotating
  the key of the reads must never take the record of who looked at them along.

Key material never reaches a log, an error text or an answer; a volume is named by its fingerprint.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from appliance import vault
from appliance.config import Config
from appliance.errors import VaultError
from appliance.records import files

_MAGIC = b"PVK1"
_NONCE = 12
_KEY = 32


@dataclass(frozen=True, slots=True)
class DeviceKeys:
    """What this unit signs, seals and locks its journal with."""

    journal: bytes
    """Key of journal.db."""
    seal: bytes
    """MAC key of each journal entry."""
    signer: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The 32 bytes an auditor checks signatures with."""
        return self.signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, message: bytes) -> str:
        """Ed25519 signature in hex."""
        return self.signer.sign(message).hex()

    def mac(self, message: bytes) -> str:
        """HMAC-SHA256 in hex."""
        return hmac.new(self.seal, message, hashlib.sha256).hexdigest()


def device_keys(config: Config) -> DeviceKeys:
    """Raises VaultError where the ``device`` secret is missing or damaged."""
    return keys_from(vault.key(config, "device"))


def keys_from(secret: bytes) -> DeviceKeys:
    """What a ``device`` secret gives, also one that is not in force yet."""
    return DeviceKeys(
        journal=_derive(secret, b"postern journal database 1"),
        seal=_derive(secret, b"postern journal seal 1"),
        signer=Ed25519PrivateKey.from_private_bytes(_derive(secret, b"postern signature 1")),
    )


def signed_by(public: bytes, signature: str, message: bytes) -> bool:
    """Whether the hex signature is that key's over that message; False for anything malformed.

    One spelling only, lower case: a changed letter is a change.
    """
    try:
        raw = bytes.fromhex(signature)
        Ed25519PublicKey.from_public_bytes(public).verify(raw, message)
    except (InvalidSignature, ValueError):
        return False
    return raw.hex() == signature


def fingerprint(key: bytes) -> str:
    """Names a key without revealing it: SHA-256 of 32 random bytes, in hex."""
    return hashlib.sha256(b"postern volume key " + key).hexdigest()


class VolumeKeys:
    """The folder of wrapped volume keys."""

    def __init__(self, folder: Path, wrapping_key: bytes) -> None:
        self.folder = files.make_folder(folder)
        self._wrap = AESGCM(wrapping_key)

    def path(self, volume: str) -> Path:
        return self.folder / f"{volume}.key"

    def make(self, volume: str) -> bytes:
        """A new random key, on disk before it returns. Raises FileExistsError."""
        key = secrets.token_bytes(_KEY)
        nonce = secrets.token_bytes(_NONCE)
        wrapped = self._wrap.encrypt(nonce, key, volume.encode())
        files.write_new(self.path(volume), _MAGIC + nonce + wrapped)
        return key

    def load(self, volume: str) -> bytes:
        """Raises VaultError where the file is missing, damaged, or another volume's."""
        step = "The reads of that day stay closed; see OPERATIONS, 'A damaged file'"
        try:
            data = self.path(volume).read_bytes()
        except OSError as cause:
            raise VaultError("a volume's key is missing", next_step=step) from cause
        nonce, wrapped = data[len(_MAGIC) : len(_MAGIC) + _NONCE], data[len(_MAGIC) + _NONCE :]
        try:
            if not data.startswith(_MAGIC):
                raise ValueError("not a key file")
            return self._wrap.decrypt(nonce, wrapped, volume.encode())
        except (InvalidTag, ValueError) as cause:
            raise VaultError("a volume's key is damaged", next_step=step) from cause

    def destroy(self, volume: str) -> None:
        """Overwrites and removes the key; done when it returns, also where it was done before."""
        files.shred(self.path(volume))


def wrapped_files(root: Path) -> list[Path]:
    """Every wrapped key below that folder, whoever keeps it there, set-aside ones too."""
    return [
        path
        for path in sorted(root.rglob("*.key*"))
        if path.is_file() and path.read_bytes()[: len(_MAGIC)] == _MAGIC
    ]


def rewrapped(path: Path, old: bytes, new: bytes) -> bytes | None:
    """The content of that key file under another wrapping key; None where ``old`` does not open it.

    The key inside stays the same, so no volume need be written anew.
    """
    data, volume = path.read_bytes(), path.name.split(".key")[0].encode()
    nonce, wrapped = data[len(_MAGIC) : len(_MAGIC) + _NONCE], data[len(_MAGIC) + _NONCE :]
    try:
        key = AESGCM(old).decrypt(nonce, wrapped, volume)
    except (InvalidTag, ValueError):
        return None
    fresh = secrets.token_bytes(_NONCE)
    return _MAGIC + fresh + AESGCM(new).encrypt(fresh, key, volume)


def _derive(secret: bytes, label: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY, salt=None, info=label).derive(secret)
