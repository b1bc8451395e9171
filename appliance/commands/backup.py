"""`postern backup`: the site in one encrypted file, and back. Never a read, never a key.

    make FILE       people, lists, policy versions, trainings, commissionings, the journal's heads
    check FILE      opens it to the last byte and says what it holds; changes nothing
    restore FILE    that site onto this machine, under this machine's own keys

The passphrase is asked for (twice when made); where no terminal is, it is one line of standard
input. `--replace` restores over a site that is there; the old one stays as `site.db.before`.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path

from appliance import backup, clock, container, vault
from appliance.config import Config
from appliance.errors import ConfigError
from appliance.records import succession, terminal
from appliance.records.acts import Act
from appliance.records.program import quiet_cipher

SHORTEST_PASSPHRASE = 12
_LARGEST = 256 * 1024 * 1024


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = __doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    for name, sentence in (
        ("make", "the site into one encrypted file"),
        ("check", "what a file holds; changes nothing"),
        ("restore", "the site of a file onto this machine"),
    ):
        part = what.add_parser(name, help=sentence)
        part.add_argument("file", type=Path, metavar="FILE")
    part.add_argument("--replace", action="store_true", help="also over a site that is there")


def run(args: argparse.Namespace, config: Config) -> int:
    """Raises ApplianceError."""
    quiet_cipher()
    if args.what == "make":
        return _make(args.file, config)
    found = backup.read(_content(args.file), _passphrase("Passphrase"))
    print(_as_text(found))
    return 0 if args.what == "check" else _restore(args, config, found)


def _make(path: Path, config: Config) -> int:
    if path.exists():
        raise ConfigError(f"{path.name} exists already", next_step="Name a new file")
    passphrase = _new_passphrase()
    taken = backup.take(config, clock.utc_now(), terminal.witness(config))
    data = backup.write(taken, passphrase)
    terminal.tell(config, Act(terminal.who(), "backup_made", taken.counts))
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as cause:
        path.unlink(missing_ok=True)
        raise ConfigError(f"{path.name} cannot be written", next_step="Look at the disk") from cause
    print(_as_text(taken))
    print(f"written: {path}, {len(data)} bytes. Try it: `postern backup check {path}`")
    return 0


def _restore(args: argparse.Namespace, config: Config, found: backup.Backup) -> int:
    vault.make_missing(config)
    last = found.journal.get("last") or {}
    told = {
        "made_at": clock.iso(found.made_at),
        "from_key": found.journal.get("public_key", ""),
        "last_head": last.get("hash", ""),
        "last_head_seq": last.get("seq", 0),
    }
    with succession.standing_still(config, succession.KEYED):
        if backup.inhabited(config) and not args.replace:
            raise ConfigError(
                "this machine has a site already",
                next_step="Say --replace; the old one stays beside it as site.db.before",
            )
        built = backup.build(config, found)
        terminal.write(config, Act(terminal.who(), "backup_restored", told))
        backup.put_in_place(config, built)
    print("restored. Everybody signs in anew; start the programs.")
    if found.void_codes:
        print(f"{found.void_codes} codes at the gate are void: give new ones on the lists' page")
    return 0


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            raise container.NotOurs("this is no file of this kind", next_step="Name a backup")
        return path.read_bytes()
    except OSError as cause:
        raise ConfigError(f"{path.name} cannot be read", next_step="Name a backup") from cause


def _new_passphrase() -> str:
    first = _passphrase(f"A passphrase, {SHORTEST_PASSPHRASE} characters or more")
    if len(first) < SHORTEST_PASSPHRASE:
        raise ConfigError("the passphrase is too short", next_step="Take six random words")
    if sys.stdin.isatty() and _passphrase("The same again") != first:
        raise ConfigError("the two are not the same", next_step="Nothing was written")
    return first


def _passphrase(question: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"{question}: ")
    return sys.stdin.readline().rstrip("\n")


def _as_text(found: backup.Backup) -> str:
    counts = ", ".join(f"{name} {count}" for name, count in found.counts.items())
    heads = found.journal.get("heads", [])
    return "\n".join(
        [
            f"site     {found.site_name or '(no policy published)'}",
            f"made     {clock.iso(found.made_at)}",
            f"holds    {counts}",
            f"journal  {len(heads)} signed heads of {found.journal.get('public_key', '')[:16]}...",
        ]
    )
