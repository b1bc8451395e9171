"""The log inside a bundle: who opened it, by name, agency, date and time.

The rules, each a sentence
1. Nothing is shown before the opening is in the file and on the disk; where the file cannot be
   written (a read-only medium) it cannot be opened.
2. The bundle is examined again right before, under a lock on its folder, so that two people who
   open it at once are both in the log.
3. The new file takes the old one's place in one step: a power cut leaves one of the two, whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance import codec
from appliance.evidence.verify import BundleRefused, Opening, Verdict, examine
from appliance.records import bundle, files
from appliance.records.chain import canonical

LONGEST = 120
MOST = 10_000


def log_opening(path: Path, log_key: bytes, opening: Opening) -> None:
    """Adds the opening. Raises BundleRefused: then nothing may be shown."""
    for text in (opening.name, opening.agency):
        if not 2 <= len(text) <= LONGEST:
            raise BundleRefused("who opens a bundle gives name and agency")
    try:
        with _alone(path.parent):
            data = path.read_bytes()
            outside = examine(data)
            if outside.verdict is not Verdict.WHOLE or len(outside.openings) >= MOST:
                raise BundleRefused("the bundle is not whole", next_step=outside.why)
            openings = [codec.encode(o) for o in (*outside.openings, opening)]
            log = canonical({"openings": openings})
            signer = Ed25519PrivateKey.from_private_bytes(log_key)
            section = bundle.log_section(outside.signature, log, signer)
            files.replace(path, data[: outside.sealed_until] + section)
    except OSError as cause:
        raise BundleRefused(
            "the opening cannot be logged, so nothing is shown",
            next_step="Copy the bundle into a folder you may write to",
        ) from cause


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
