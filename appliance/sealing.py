"""Keys that lie on disk only sealed to this machine, by systemd-creds(1).

A sealed key is ``keys/<name>.cred`` beside where the plain one would lie. The unit's service reads
it through ``LoadCredentialEncrypted=<name>.key:...`` and never calls this module; here are the
terminal's commands, which run as root without a service's credentials.

What a seal is worth stands in the first 16 bytes of the file (creds-util.h of systemd): to the
TPM2 chip, to the machine's own secret on the same disk, to both, or to nothing at all. ``worth``
says which, so that nobody is told of a chip that is not there.
"""

from __future__ import annotations

import base64
import binascii
import subprocess
from enum import Enum
from pathlib import Path

from appliance.errors import VaultError

_WAIT_S = 30.0


class Worth(Enum):
    """What opens a sealed key, and so what its seal protects against."""

    TPM2 = "tpm2"
    HOST_AND_TPM2 = "host+tpm2"
    HOST = "host"
    NOTHING = "nothing"
    UNKNOWN = "unknown"


_KINDS = {
    "5a1c6a86df9d4096b1d5a65e0862f19a": Worth.HOST,
    "55b9ed1d38594d43a8319d2ebb332ac6": Worth.HOST,
    "0c7cc07b117645919c4b0bea08bc20fe": Worth.TPM2,
    "faf7eb9341e3412ca1a436f95a29362f": Worth.TPM2,
    "93a894094874449090caf2fc93cab553": Worth.HOST_AND_TPM2,
    "ef4ac13679a9480ea7db68897f9f165d": Worth.HOST_AND_TPM2,
    "af4950a849134eb1a73846304ff30c05": Worth.HOST_AND_TPM2,
    "adbc4ca3efb64201ba881b6f2e4095ea": Worth.HOST_AND_TPM2,
    "058469daf6f54324800549da0f8ea2fb": Worth.NOTHING,
}


def worth(path: Path) -> Worth:
    """What the seal of that file rests on; UNKNOWN for anything this version does not know."""
    try:
        head = base64.b64decode(b"".join(path.read_bytes().split())[:24], validate=True)
    except (OSError, binascii.Error):
        return Worth.UNKNOWN
    return _KINDS.get(head[:16].hex(), Worth.UNKNOWN)


def sealed(name: str, secret: bytes) -> bytes:
    """The secret sealed under the credential's name: to the TPM2 where there is one.

    Raises VaultError where it could only be sealed to nothing.
    """
    return _creds("encrypt", "--with-key=auto", f"--name={name}.key", given=secret)


def unsealed(path: Path, name: str) -> bytes:
    """Raises VaultError where this machine cannot open it."""
    return _creds("decrypt", f"--name={name}.key", given=path.read_bytes())


def _creds(*words: str, given: bytes) -> bytes:
    """Secrets travel by pipe alone, never as an argument or a file."""
    try:
        done = subprocess.run(
            ["systemd-creds", *words, "-", "-"], input=given, capture_output=True, check=True,
            timeout=_WAIT_S,
        )
    except (OSError, subprocess.SubprocessError) as cause:
        raise VaultError(
            f"systemd-creds could not {words[0]} a key",
            next_step="Run this as root on the unit itself; a seal opens on its own machine only",
        ) from cause
    return done.stdout
