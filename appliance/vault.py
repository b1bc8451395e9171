"""Where each program finds its keys. Making, wrapping and rotating them is ``records.keys``.

Each secret is its own 32 random bytes in its own file, so that a program is given only what it
needs: ``site`` opens site.db (console writes; gate, records, uplink read), ``session`` signs the
console's cookies, ``reads`` wraps the volumes' keys and ``device`` signs receipts and journal heads
(both: records alone). ``controller`` is shared with one barrier controller and is made when that
is commissioned, never by itself (gate alone). On a unit the files come from its credential folder
(``$CREDENTIALS_DIRECTORY``, systemd.exec(5)), which systemd fills from the sealed ``<name>.cred``;
the terminal's commands open those themselves (``sealing``). On a desk they are 0600 files made at
first run.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from appliance import sealing
from appliance.config import Config
from appliance.errors import VaultError

NAMES = ("site", "session", "reads", "device")
_BYTES = 32
_CONTROLLER = "controller"


def key(config: Config, name: str) -> bytes:
    """The 32 bytes of one secret. Raises VaultError where it is missing, damaged or too open."""
    return _read(
        _path(config, name), name, missing="Run `postern setup` once on this machine",
        damaged="Restore it from the backup; without it the data stays closed",
    )


def place(config: Config, name: str) -> Path:
    """The file that secret is read from, also where it does not exist yet."""
    return _path(config, name)


def names(config: Config) -> tuple[str, ...]:
    """The secrets this unit holds, the controller's too where there is one."""
    return (*NAMES, _CONTROLLER) if has_controller_key(config) else NAMES


def controller_key(config: Config) -> bytes:
    """The key shared with the barrier controller. Raises VaultError as ``key`` does."""
    again = "Run `postern controller provision PORT`"
    return _read(_path(config, _CONTROLLER), _CONTROLLER, missing=again, damaged=again)


def has_controller_key(config: Config) -> bool:
    """A controller was commissioned by this box."""
    return _path(config, _CONTROLLER).exists()


def controller_key_is_fixed(config: Config) -> bool:
    """It comes from the unit's credentials, so that a new one here is not the one in force."""
    return _path(config, _CONTROLLER).parent != _folder(config)


def keep_controller_key(config: Config, secret: bytes) -> None:
    """Replaces the controller's key in one step: after a power cut it is the old or the new one.

    Raises VaultError where it is not 32 bytes or cannot be written.
    """
    _write(_folder(config) / f"{_CONTROLLER}.key", secret)


def pending_controller_key(config: Config, serial: str) -> bytes | None:
    """The key promised to the controller with that serial number and not confirmed yet."""
    path = _pending(config, serial)
    if not path.exists():
        return None
    return _read(path, _CONTROLLER, missing="", damaged=f"Delete {path.name} and begin anew")


def promise_controller_key(config: Config, serial: str) -> bytes:
    """A fresh key for that controller, written down before it is told to anyone.

    Asked again before it is confirmed, it is the same key: a half-keyed controller stays ours.
    """
    promised = pending_controller_key(config, serial)
    if promised is None:
        promised = secrets.token_bytes(_BYTES)
        _write(_pending(config, serial), promised)
    return promised


def confirm_controller_key(config: Config, serial: str) -> None:
    """The controller holds the promised key: from now on it is the one in force."""
    promised = pending_controller_key(config, serial)
    if promised is not None:
        keep_controller_key(config, promised)
        _pending(config, serial).unlink(missing_ok=True)


def make_missing(config: Config) -> tuple[str, ...]:
    """Makes the keys that do not exist yet; an existing key is never replaced.

    Returns the names of the keys it made.
    """
    folder = _folder(config)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = []
    for name in NAMES:
        if (folder / f"{name}.cred").exists():
            continue
        with contextlib.suppress(FileExistsError):
            handle = os.open(folder / f"{name}.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(_BYTES))
                file.flush()
                os.fsync(file.fileno())
            made.append(name)
    return tuple(made)


def _read(path: Path, name: str, *, missing: str, damaged: str) -> bytes:
    try:
        mode = path.stat().st_mode & 0o077
        data = path.read_bytes()
    except OSError as cause:
        raise VaultError(f"the {name} key is missing", next_step=missing) from cause
    if mode:
        raise VaultError(
            f"the {name} key can be read by others", next_step=f"chmod 600 {path.name} and look why"
        )
    if path.suffix == ".cred":
        data = sealing.unsealed(path, name)
    if len(data) != _BYTES:
        raise VaultError(f"the {name} key is damaged", next_step=damaged)
    return data


def _write(path: Path, secret: bytes) -> None:
    """Whole or not at all: a new file, flushed, then renamed over the old one."""
    if len(secret) != _BYTES:
        raise VaultError("a controller's key has 32 bytes")
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            if os.geteuid() == 0:  # an installer with sudo: the gate's own user must read it
                owner = path.parent.stat()
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as cause:
        fresh.unlink(missing_ok=True)
        raise VaultError(
            "a key could not be written", next_step="Look at the disk and the folder's owner"
        ) from cause


def _folder(config: Config) -> Path:
    return config.device.state_dir / "keys"


def _pending(config: Config, serial: str) -> Path:
    """``serial`` is the chip's own number in hex digits."""
    return _folder(config) / f"{_CONTROLLER}-{serial}.new"


def _path(config: Config, name: str) -> Path:
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and (Path(credentials) / f"{name}.key").exists():
        return Path(credentials) / f"{name}.key"
    plain, sealed = (_folder(config) / f"{name}.{kind}" for kind in ("key", "cred"))
    return sealed if sealed.exists() and not plain.exists() else plain
