"""A key and everything that lies under it are replaced together, or not at all.

The steps, each on disk before the next
1. The new key is written beside the old one (``<name>.new``).
2. A note says which files are to take whose place (``<name>.change``).
3. Whoever changes the key makes those files, readable with the new key.
4. The new key is renamed over the old one. This one step decides: before it all is as it was,
   after it the change is carried through.
5. The files are renamed into place, the old key is overwritten, the note removed.

A kill between any two steps leaves one of two states, told apart by ``<name>.new``: there, the
change is undone; gone, it is carried through. Every program does so before it opens anything.

Who may change a key: nobody while a program that uses it runs. A program holds a shared lock for as
long as it lives, also its workers; a change takes those locks alone, and a program that starts
meanwhile waits. The kernel ends a lock with its holder, so a kill leaves none behind.

Standard library and the vault alone. Any program, at its start; never while it serves.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

from appliance import sealing, vault
from appliance.config import Config
from appliance.errors import VaultError
from appliance.records import files as durable

KEYED = ("gate", "records", "console", "uplink")
"""The programs that hold a key."""
USERS = {
    "reads": ("records",),
    "device": ("records",),
    "session": ("console", "records"),
    "site": KEYED,
}
"""Which programs must stand still while that key changes. (``session``: records, for the entry.)"""
BYTES = 32


def enter(config: Config, program: str) -> IO[bytes]:
    """Carries an interrupted change through, then holds this program's lock until it is closed.

    Waits while a key is being changed.
    """
    with _locked(_gatepost(config), fcntl.LOCK_EX):
        carry_through(config)
        held = _open(_lock_of(config, program))
        fcntl.flock(held, fcntl.LOCK_SH)
        return held


@contextlib.contextmanager
def standing_still(config: Config, programs: tuple[str, ...]) -> Iterator[None]:
    """Nobody of these runs or starts inside the block. Raises VaultError naming who runs."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(_locked(_gatepost(config), fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError as cause:
            raise VaultError("a key is being changed just now", next_step="Try again") from cause
        carry_through(config)
        running = []
        for program in programs:
            try:
                lock = _locked(_lock_of(config, program), fcntl.LOCK_EX | fcntl.LOCK_NB)
                held.enter_context(lock)
            except BlockingIOError:
                running.append(program)
        if running:
            raise VaultError(
                f"running: {', '.join(running)}",
                next_step="Stop them first (systemctl stop, on a desk Ctrl-C), start them after",
            )
        yield


class Change:
    """One change of one key, inside ``standing_still``. ``step`` is told each step before it is
    taken; tests stop it there."""

    def __init__(
        self, config: Config, name: str, step: Callable[[str], None] = lambda _: None
    ) -> None:
        self._config = config
        self.name = name
        self.step = step
        self._place = vault.place(config, name)
        self._files = _Files(config, name)

    def begin(self, successors: Mapping[Path, Path]) -> bytes:
        """Steps 1 and 2; ``successors`` says which file will take the place of which.

        The new key. Raises VaultError where the key is not this machine's to change.
        """
        if self._place.parent != self._files.folder:
            raise VaultError(
                "this key comes from a service's credentials",
                next_step="Run the command outside the service, as root",
            )
        secret = secrets.token_bytes(BYTES)
        sealed = self._place.suffix == ".cred"
        root = self._config.device.state_dir
        note = {
            "files": [
                [str(fresh.relative_to(root)), str(old.relative_to(root))]
                for fresh, old in successors.items()
            ]
        }
        self.step("new key")
        durable.replace(self._files.new, sealing.sealed(self.name, secret) if sealed else secret)
        self.step("note")
        durable.replace(self._files.note, json.dumps(note).encode())
        self.step("successors")
        return secret

    def commit(self) -> None:
        """Steps 4 and 5."""
        self.step("keep old")
        self._files.old.unlink(missing_ok=True)
        self._files.old.hardlink_to(self._place)
        self.step("commit")
        self._files.new.replace(self._place)
        durable.sync_folder(self._files.folder)
        self.step("committed")
        _settle(self._config, self._files, self.step)


class _Files:
    """Where one change leaves its traces."""

    def __init__(self, config: Config, name: str) -> None:
        self.folder = config.device.state_dir / "keys"
        self.new = self.folder / f"{name}.new"
        self.note = self.folder / f"{name}.change"
        self.old = self.folder / f"{name}.old"


def carry_through(config: Config) -> tuple[str, ...]:
    """Undoes or finishes what was interrupted; returns the names of the keys concerned."""
    met = []
    for name in vault.NAMES:
        files = _Files(config, name)
        for path in (files.new, files.note):  # half written, so never in force
            durable.shred(path.with_name(path.name + ".new"))
        if files.new.exists():
            _undo(config, files)
        elif files.note.exists() or files.old.exists():
            _settle(config, files, lambda _: None)
        else:
            continue
        met.append(name)
    return tuple(met)


def _undo(config: Config, files: _Files) -> None:
    """Back to before. The new key goes last: it is what says that nothing was decided yet."""
    for fresh, _ in _named(config, files.note):
        fresh.unlink(missing_ok=True)
    files.old.unlink(missing_ok=True)  # a second name of the key in force: never overwritten
    files.note.unlink(missing_ok=True)
    durable.sync_folder(files.folder)
    durable.shred(files.new)


def _settle(config: Config, files: _Files, step: Callable[[str], None]) -> None:
    named = _named(config, files.note)
    for fresh, old in named:
        step("put in place")
        if fresh.exists():
            durable.give_to_owner(fresh)
            fresh.replace(old)
    for folder in {old.parent for _, old in named}:
        durable.sync_folder(folder)
    step("shred old")
    durable.shred(files.old)
    step("remove note")
    files.note.unlink(missing_ok=True)
    durable.sync_folder(files.folder)
    step("done")


def _named(config: Config, note: Path) -> list[tuple[Path, Path]]:
    """Successor and place, within the state folder. Raises VaultError for a damaged note."""
    root = config.device.state_dir
    try:
        told = json.loads(note.read_bytes())["files"]
        pairs = [(root / fresh, root / old) for fresh, old in told]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError) as cause:
        raise VaultError(
            "the note of a change of keys is damaged",
            next_step="Keep the folder `keys` as it is and see OPERATIONS, 'Keys'",
        ) from cause
    return pairs


def _gatepost(config: Config) -> Path:
    return config.device.run_dir / "keys.lock"


def _lock_of(config: Config, program: str) -> Path:
    return config.device.run_dir / f"{program}.lock"


def _open(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o660)
    durable.give_to_owner(path)
    return os.fdopen(handle, "r+b")


@contextlib.contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    with _open(path) as held:
        fcntl.flock(held, how)
        yield
