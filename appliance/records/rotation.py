"""Changes the keys of this unit, each with everything that lies under it (``succession``).

- ``reads``: every wrapped key below ``records`` is wrapped anew; the volumes stay as they are. A
  stolen copy of the old key opens only what was copied together with it.
- ``device``: a new signing identity, vouched for by the old one (``identity``), a new key for the
  journal's database and new seals. Only a journal that is whole is taken over.
- ``site``: ``site.db`` is written anew under the new key. Codes at the gate are digests under the
  old one and must be given out anew: the result says how many.
- ``session``: every session ends, and with the cookies' key every resident's link.

The entry of a change is on disk before the change is decided, as for every act. The programs
concerned stand still: `postern keys rotate` sees to it.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlcipher3

from appliance import clock, database, site, vault
from appliance.config import Config
from appliance.errors import ApplianceError, RecordError, VaultError
from appliance.records import files, identity, keys, proof, terminal
from appliance.records.access import Who
from appliance.records.acts import Act
from appliance.records.chain import GENESIS, write_anchor
from appliance.records.issues import Issues
from appliance.records.journal import Journal
from appliance.records.succession import Change, carry_through
from appliance.records.times import Moment

ACTION = identity.ACTION


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a change did, in numbers: ``moved`` volume keys, entries, grants or sessions."""

    which: str
    moved: int
    left: int = 0
    """reads: key files that could not be opened before and were left; site: codes to give anew."""


def rotate(
    config: Config, which: str, who: Who, now: Moment, step: Callable[[str], None] = lambda _: None
) -> Rotated:
    """Raises VaultError or RecordError: then nothing was changed."""
    change = Change(config, which, step)
    does = {"reads": _reads, "device": _device, "site": _site, "session": _session}[which]
    try:
        return does(config, change, who, now)
    except (ApplianceError, OSError):
        carry_through(config)  # undoes what was begun, before it is told
        raise


def name_of(which: str, secret: bytes) -> str:
    """Names a secret without revealing it."""
    return hashlib.sha256(f"postern {which} secret ".encode() + secret).hexdigest()[:16]


def _reads(config: Config, change: Change, who: Who, now: Moment) -> Rotated:
    root = config.device.state_dir / "records"
    beside = _fresh_folder(root / "keys.next")
    old, found = vault.key(config, "reads"), keys.wrapped_files(root)
    open_now = [path for path in found if keys.rewrapped(path, old, old) is not None]
    successors = {beside / f"{n}.key": path for n, path in enumerate(open_now)}
    new = change.begin(successors)
    for fresh, path in successors.items():
        change.step("rewrap")
        files.replace(fresh, keys.rewrapped(path, old, new) or b"")
    _tell(config, who, now, "reads", old, new)
    change.commit()
    shutil.rmtree(beside)
    return Rotated("reads", len(open_now), len(found) - len(open_now))


def _site(config: Config, change: Change, who: Who, now: Moment) -> Rotated:
    old, path = vault.key(config, "site"), config.site_db
    fresh = path.with_name(path.name + ".next")
    new = change.begin({fresh: path} if path.exists() else {})
    grants = codes = 0
    if path.exists():
        copy_under(path, old, fresh, new)
        with contextlib.closing(database.open_encrypted(fresh, new)) as copied:
            (grants,) = copied.execute("SELECT count(*) FROM grants").fetchone()
            (codes,) = copied.execute(
                "SELECT count(*) FROM grants WHERE code_mac <> '' AND ended_at IS NULL"
            ).fetchone()
    _tell(config, who, now, "site", old, new)
    change.commit()
    return Rotated("site", grants, codes)


def _session(config: Config, change: Change, who: Who, now: Moment) -> Rotated:
    old = vault.key(config, "session")
    new = change.begin({})
    _tell(config, who, now, "session", old, new)
    change.commit()
    if not config.site_db.exists():
        return Rotated("session", 0)
    with contextlib.closing(site.open_writer(config)) as connection:
        ended = connection.execute(
            "UPDATE sessions SET ended_at = ? WHERE ended_at IS NULL", (clock.iso(now.at),)
        )
        return Rotated("session", int(ended.rowcount))


def _device(config: Config, change: Change, who: Who, now: Moment) -> Rotated:
    old = keys.device_keys(config)
    folder = files.make_folder(config.device.state_dir / "records" / "journal")
    names = (proof.DATABASE, proof.ANCHOR)
    begun = any((folder / name).exists() for name in names)
    found = proof.prove(folder, old)
    if begun and not found.whole:
        raise RecordError(
            "the journal is not whole, so no new signature may take it over",
            next_step="Run `postern journal verify` and keep the files as they are",
        )
    beside = _fresh_folder(folder.with_name("journal.next"))
    new = keys.keys_from(change.begin({beside / name: folder / name for name in names}))
    seq, entry_hash = 0, GENESIS
    if (folder / proof.DATABASE).exists():
        copy_under(folder / proof.DATABASE, old.journal, beside / proof.DATABASE, new.journal)
        change.step("seals")
        seq, entry_hash = _seal_anew(beside, new)
    with contextlib.closing(Journal(beside, new, Issues())) as journal:
        change.step("statement")
        told = identity.statement(old, new, seq, entry_hash)
        journal.append(Act(who, ACTION, told), now)
    change.commit()
    shutil.rmtree(beside)
    return Rotated("device", found.entries)


def _seal_anew(folder: Path, new: keys.DeviceKeys) -> tuple[int, str]:
    """The copied journal under its new seals and anchor; hashes and heads stay as they are.

    Returns the number and hash of its last entry.
    """
    path = folder / proof.DATABASE
    with contextlib.closing(database.open_encrypted(path, new.journal)) as connection:
        with database.atomic(connection):
            rows = connection.execute("SELECT seq, hash FROM entries ORDER BY seq").fetchall()
            connection.executemany(
                "UPDATE entries SET seal = ? WHERE seq = ?",
                [(new.mac(row["hash"].encode()), row["seq"]) for row in rows],
            )
        (heads,) = connection.execute("SELECT count(*) FROM heads").fetchone()
    last = (int(rows[-1]["seq"]), str(rows[-1]["hash"])) if rows else (0, GENESIS)
    write_anchor(folder / proof.ANCHOR, new, *last, heads)
    return last


def copy_under(source: Path, key: bytes, target: Path, new_key: bytes) -> None:
    """A whole copy of an encrypted database under another key, read back before it returns.

    The source's write-ahead log is folded in and gone afterwards, so that no old log can meet the
    copy. Nobody else has it open. Raises VaultError.
    """
    for path in (target, *(target.with_name(target.name + tail) for tail in ("-wal", "-shm"))):
        path.unlink(missing_ok=True)
    try:
        with contextlib.closing(database.open_encrypted(source, key)) as old:
            (version,) = old.execute("PRAGMA user_version").fetchone()
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            old.execute(f"ATTACH ? AS fresh KEY \"x'{new_key.hex()}'\"", (str(target),))
            old.execute("SELECT sqlcipher_export('fresh')").fetchall()
            old.execute(f"PRAGMA fresh.user_version = {int(version)}")
            old.execute("DETACH fresh")
        with contextlib.closing(database.open_encrypted(target, new_key)) as copied:
            damage = copied.execute("PRAGMA cipher_integrity_check").fetchall()
    except sqlcipher3.Error as cause:
        raise VaultError("a database cannot be copied", next_step="Look at the disk") from cause
    if damage or source.with_name(source.name + "-wal").exists():
        raise VaultError("a database is in use or damaged", next_step="Stop every program first")
    files.sync_folder(target.parent)


def _tell(config: Config, who: Who, now: Moment, which: str, old: bytes, new: bytes) -> None:
    told = {"which": which, "old": name_of(which, old), "new": name_of(which, new)}
    terminal.write(config, Act(who, ACTION, told), now)


def _fresh_folder(folder: Path) -> Path:
    """Empty: what an undone change left there is worth nothing."""
    shutil.rmtree(folder, ignore_errors=True)
    return files.make_folder(folder)
