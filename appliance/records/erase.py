"""Everything this unit holds, destroyed in one step: for hand-over and for disposal.

The order is the point: whatever happens halfway, what is left cannot be read.
1. Every key: the unit's own, sealed or plain, then every wrapped key of a volume or of evidence.
   Each is overwritten before it is unlinked.
2. Every other file of the state folder and of the folder of sockets; small ones are overwritten.
A killed erasure is simply asked for again; it needs no key and no readable file.

Before the first key falls this unit signs a statement of what is about to be destroyed. It names no
plate and no person, and outlives the unit on paper or wherever it is kept.

What is kept under a legal hold is not erased by accident: `held` tells, the caller asks.
On flash an overwrite may leave the old cells behind: THREATS, "Flash", says what that means.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance import clock
from appliance.config import Config
from appliance.records import files
from appliance.records.chain import canonical, read_anchor
from appliance.records.keys import DeviceKeys, wrapped_files
from appliance.records.proof import ANCHOR
from appliance.records.times import Moment

_OVERWRITTEN = 1 << 20
"""Larger files hold ciphertext alone, and their keys are gone by then."""


@dataclass(frozen=True, slots=True)
class Erased:
    keys: int
    files: int
    left: tuple[str, ...] = ()
    """What could not be removed, by its name below the state folder."""


def held(config: Config) -> int:
    """Holds that can still be opened: erasing one may break a preservation order."""
    return len(wrapped_files(config.device.state_dir / "records" / "evidence"))


def statement(config: Config, keys: DeviceKeys, site_name: str, now: Moment) -> dict[str, Any]:
    """What is about to be destroyed, signed by this unit."""
    root = config.device.state_dir / "records"
    anchor = read_anchor(root / "journal" / ANCHOR, keys.public)
    told: dict[str, Any] = {
        "postern": "erasure",
        "site": site_name,
        "at": clock.iso(now.at),
        "clock": now.clock.value,
        "wrapped_keys": len(wrapped_files(root)) if root.exists() else 0,
        "journal_seq": anchor.seq if anchor else 0,
        "journal_hash": anchor.hash if anchor else "",
        "public_key": keys.public.hex(),
    }
    return {**told, "signature": keys.sign(canonical(told))}


def erase(config: Config, step: Callable[[str], None] = lambda _: None) -> Erased:
    """Every program stands still meanwhile. Goes on past a file that resists, and names it."""
    root, left = config.device.state_dir, []
    unit_keys = [p for p in _files_below(root / "keys") if not p.is_symlink()]
    wrapped = wrapped_files(root) if root.exists() else []
    for path in (*unit_keys, *wrapped):
        step("key")
        if not _gone(path, overwrite=True):
            left.append(_shown(path, root))
    step("files")
    others = _files_below(root) + [
        p for p in _files_below(config.device.run_dir) if p.suffix != ".lock"
    ]
    for path in others:
        small = path.is_file() and not path.is_symlink() and path.stat().st_size <= _OVERWRITTEN
        if not _gone(path, overwrite=small) and _shown(path, root) not in left:
            left.append(_shown(path, root))
    step("folders")
    for folder, _, _ in os.walk(root, topdown=False):
        if folder != str(root) and not any(Path(folder).iterdir()):
            Path(folder).rmdir()
    done = len(unit_keys) + len(wrapped)
    return Erased(done, done + len(others), tuple(left))


def _files_below(root: Path) -> list[Path]:
    """Everything that is no folder; a link to a folder is a link and is not followed."""
    return [
        Path(folder, name)
        for folder, folders, names in os.walk(root)
        for name in (*names, *(f for f in folders if Path(folder, f).is_symlink()))
    ]


def _gone(path: Path, *, overwrite: bool) -> bool:
    try:
        if overwrite:
            files.shred(path)
        else:
            path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name
