"""Where each program finds its keys. Making, wrapping and rotating them is ``records.keys``.

Each secret is its own 32 random bytes in its own file, so that a program is given only what it
needs: ``site`` opens site.db (console writes; gate, records, uplink read), ``session`` signs the
console's cookies, ``reads`` wraps the volumes' keys and ``device`` signs receipts and journal heads
(both: records alone). On a unit the files come from its credential folder
(``$CREDENTIALS_DIRECTORY``, systemd.exec(5)); on a desk from 0600 files made at first run.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from appliance.config import Config
from appliance.errors import VaultError

NAMES = ("site", "session", "reads", "device")
_BYTES = 32


def key(config: Config, name: str) -> bytes:
    """The 32 bytes of one secret. Raises VaultError where it is missing, damaged or too open."""
    path = _path(config, name)
    try:
        mode = path.stat().st_mode & 0o077
        data = path.read_bytes()
    except OSError as cause:
        raise VaultError(
            f"the {name} key is missing", next_step="Run `postern setup` once on this machine"
        ) from cause
    if mode:
        raise VaultError(
            f"the {name} key can be read by others", next_step=f"chmod 600 {path.name} and look why"
        )
    if len(data) != _BYTES:
        raise VaultError(
            f"the {name} key is damaged",
            next_step="Restore it from the backup; without it the data stays closed",
        )
    return data


def make_missing(config: Config) -> tuple[str, ...]:
    """Makes the keys that do not exist yet; an existing key is never replaced.

    Returns the names of the keys it made.
    """
    folder = config.device.state_dir / "keys"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = []
    for name in NAMES:
        with contextlib.suppress(FileExistsError):
            handle = os.open(folder / f"{name}.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(_BYTES))
                file.flush()
                os.fsync(file.fileno())
            made.append(name)
    return tuple(made)


def _path(config: Config, name: str) -> Path:
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and (Path(credentials) / f"{name}.key").exists():
        return Path(credentials) / f"{name}.key"
    return config.device.state_dir / "keys" / f"{name}.key"
