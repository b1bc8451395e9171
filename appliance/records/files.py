"""Files whose loss or survival matters: written whole and on disk, or destroyed.

Every function returns only after the disk was told to keep the result (fsync of file and folder).
What root writes here belongs to the folder's owner, so that the programs can still read it.
On flash an overwrite may leave the old cells behind; what protects a destroyed key there is that
it was wrapped (``keys``), which THREATS says plainly.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import BinaryIO


def make_folder(folder: Path) -> Path:
    """The folder, for this user alone; its own entry is on disk too."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True, mode=0o700)
        give_to_owner(folder)
        sync_folder(folder.parent)
    return folder


def write_new(path: Path, data: bytes) -> None:
    """Writes a file that must not exist yet, mode 0600. Raises FileExistsError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        _flush(file, data)
    give_to_owner(path)
    sync_folder(path.parent)


def replace(path: Path, data: bytes) -> None:
    """Puts the new content in the place of the old: a reader finds one of the two, whole."""
    fresh = path.with_name(path.name + ".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        _flush(file, data)
    give_to_owner(fresh)
    fresh.replace(path)
    sync_folder(path.parent)


def shred(path: Path) -> None:
    """Overwrites the file with random bytes and unlinks it; a missing file is already shredded."""
    with contextlib.suppress(FileNotFoundError):
        with path.open("r+b") as file:
            _flush(file, secrets.token_bytes(path.stat().st_size))
        path.unlink()
        sync_folder(path.parent)


def unlink_all(paths: tuple[Path, ...]) -> None:
    """Removes the files that exist."""
    for path in paths:
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in paths}:
        sync_folder(folder)


def give_to_owner(path: Path) -> None:
    """Run by root, the path becomes its folder's owner's; run by anybody else, it is so already."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _flush(file: BinaryIO, data: bytes) -> None:
    file.write(data)
    file.flush()
    os.fsync(file.fileno())
