"""`postern keys`: where this machine's keys lie, new ones for old, and the end of everything.

    status             of every key: where it lies, what that protects against, what it does not
    rotate WHICH       reads, device, site or session: a new key and all that lies under it
    seal               plain key files become sealed ones (systemd-creds: TPM2 where there is one)
    erase --everything destroys keys first, then every file: for hand-over and disposal

The programs that use a key must be stopped while it changes; the command says which. No key is ever
printed. What was interrupted is undone or finished at the next start of any program.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path

from appliance import sealing, site, vault
from appliance.config import Config
from appliance.errors import ConfigError, RecordError, VaultError
from appliance.records import erase, files, rotation, succession, terminal
from appliance.records.acts import Act
from appliance.records.keys import device_keys
from appliance.records.program import quiet_cipher
from appliance.records.times import moment
from appliance.sealing import Worth

_UNNAMED = "ERASE"
_PLACES = {
    "credential": "a service's credential: in memory only, given by systemd at start",
    Worth.HOST_AND_TPM2.value: "sealed to this machine's TPM2 and its own secret: the card alone,"
    " or a copy of it, opens nothing; who runs this machine as root can",
    Worth.TPM2.value: "sealed to this machine's TPM2: the card alone opens nothing; the whole box"
    " does, started as it is",
    Worth.HOST.value: "sealed to the machine's own secret, which lies on the same card in"
    " /var/lib/systemd: a copy of the data folder opens nothing, the whole card does",
    Worth.NOTHING.value: "SEALED TO NOTHING: whoever has the file has the key",
    Worth.UNKNOWN.value: "sealed in a way this version does not know",
    "file": "a plain 0600 file beside the data: whoever has the card has the key",
    "missing": "MISSING",
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = __doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    status = what.add_parser("status", help="where each key lies and what that is worth")
    status.add_argument("--json", action="store_true", help="one JSON object")
    turn = what.add_parser("rotate", help="a new key and all that lies under it")
    turn.add_argument("which", choices=tuple(succession.USERS))
    turn.add_argument("--reason", default="", help="kept in the journal")
    what.add_parser("seal", help="plain key files become sealed ones")
    gone = what.add_parser("erase", help="destroy everything this unit holds")
    gone.add_argument("--everything", action="store_true", required=True)
    gone.add_argument("--yes-erase", metavar="NAME", help="the site's name, instead of typing it")
    gone.add_argument("--despite-holds", action="store_true", help="also what a hold preserves")
    gone.add_argument("--statement", type=Path, metavar="FILE", help="keep the statement there")


def run(args: argparse.Namespace, config: Config) -> int:
    """Raises ApplianceError."""
    quiet_cipher()
    if args.what == "status":
        return _status(args, config)
    if args.what == "rotate":
        return _rotate(args, config)
    return _seal(config) if args.what == "seal" else _erase(args, config)


def found(config: Config) -> list[dict[str, str]]:
    """Each key: its name, the kind of place it lies in, and what that is worth."""
    return [
        {"name": name, "place": (kind := _kind(config, name)), "worth": _PLACES[kind]}
        for name in vault.names(config)
    ]


def _kind(config: Config, name: str) -> str:
    path = vault.place(config, name)
    if not path.exists():
        return "missing"
    if path.parent != config.device.state_dir / "keys":
        return "credential"
    return sealing.worth(path).value if path.suffix == ".cred" else "file"


def _status(args: argparse.Namespace, config: Config) -> int:
    known = found(config)
    if args.json:
        print(json.dumps({"keys": known}, indent=2))
    else:
        for each in known:
            print(f"{each['name']:<11} {each['worth']}")
        print("Nothing of this protects a running, unlocked box from its root.")
    return 1 if any(each["place"] == "missing" for each in known) else 0


def _rotate(args: argparse.Namespace, config: Config) -> int:
    who = terminal.who(args.reason)
    with succession.standing_still(config, succession.USERS[args.which]):
        done = rotation.rotate(config, args.which, who, moment())
    said = {
        "reads": "keys of volumes wrapped anew",
        "device": "entries of the journal under new seals; print a signed head with the new key",
        "site": "entries of the lists in the site's file, written anew",
        "session": "sessions ended; every resident's link is void as well",
    }
    print(f"{done.which}: {done.moved} {said[done.which]}")
    if done.left and done.which == "reads":
        print(f"{done.left} key files could not be opened before and were left as they were")
    if done.left and done.which == "site":
        print(f"{done.left} codes at the gate are void: give new ones on the lists' page")
    print("Start the programs again.")
    return 0


def _seal(config: Config) -> int:
    """Sealed, opened again and compared before the plain file is destroyed."""
    folder = config.device.state_dir / "keys"
    with succession.standing_still(config, succession.KEYED):
        for name in vault.names(config):
            plain, sealed = folder / f"{name}.key", folder / f"{name}.cred"
            if not plain.exists():
                continue
            secret = plain.read_bytes()
            files.replace(sealed, sealing.sealed(name, secret))
            if sealing.unsealed(sealed, name) != secret or sealing.worth(sealed) is Worth.NOTHING:
                sealed.unlink()
                raise VaultError(f"the {name} key cannot be sealed here", next_step="It stays")
            files.shred(plain)
            print(f"{name:<11} {_PLACES[sealing.worth(sealed).value]}")
    return 0


def _erase(args: argparse.Namespace, config: Config) -> int:
    with succession.standing_still(config, succession.KEYED):
        name = _site_name(config) or _UNNAMED
        kept = erase.held(config)
        if kept and not args.despite_holds:
            raise RecordError(
                f"{kept} holds keep reads here",
                next_step="End the holds on the console, or say --despite-holds and answer for it",
            )
        print(f"This destroys everything {name!r} holds: reads, people, lists, policy, journal,\n"
              "evidence and every key. No backup of the reads exists. Nothing brings it back.")
        typed = args.yes_erase if args.yes_erase is not None else _asked("Type the site's name")
        if typed != name:
            raise ConfigError("that is not the site's name", next_step="Nothing was erased")
        _state(args, config, name)
        done = erase.erase(config)
    print(f"erased: {done.keys} keys overwritten and unlinked first, {done.files} files in all")
    for each in done.left:
        print(f"NOT REMOVED: {each}")
    print("On a memory card or SSD an overwrite may leave old cells that only the maker's own\n"
          "erase command or the shredder reaches. Without a key they are noise; a plain key file\n"
          "(see `postern keys status` before) may itself be such a cell: then destroy the card.\n"
          "Sealed keys: clear the TPM2 in the firmware as well. Backups and exports elsewhere\n"
          "are not touched; a barrier controller keeps its own key until it is provisioned anew.")
    return 1 if done.left else 0


def _state(args: argparse.Namespace, config: Config, name: str) -> None:
    """The signed statement, printed before anything falls; the journal's last entry with it."""
    try:
        keys, now = device_keys(config), moment()
        with contextlib.suppress(RecordError):
            terminal.write(config, Act(terminal.who(), "erased", {"site": name}))
        told = json.dumps(erase.statement(config, keys, name, now), indent=2)
    except VaultError:
        told = "no statement: this unit's own key is gone already"
    print(told)
    if args.statement:
        args.statement.write_text(told + "\n", encoding="utf-8")


def _site_name(config: Config) -> str:
    """Empty where no policy was ever published or nothing can be read any more."""
    if not config.site_db.exists():
        return ""
    try:
        with contextlib.closing(site.open_reader(config)) as connection:
            policy = site.published(connection)
    except (VaultError, ValueError, KeyError):
        return ""
    return policy.site_name if policy else ""


def _asked(question: str) -> str:
    print(f"{question}: ", end="", flush=True)
    return sys.stdin.readline().rstrip("\n")
