"""Acts of whoever sits at the machine's terminal, journaled whether records runs or not.

Where records runs, it writes the entry, for it alone writes the journal. Where it stands still, the
command writes it under the same lock that keeps records from starting meanwhile.
"""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
from typing import Any

from appliance import database, ipc
from appliance.config import Config
from appliance.errors import VaultError
from appliance.records import files, proof, succession
from appliance.records.access import LONGEST_REASON, Who
from appliance.records.acts import Act
from appliance.records.issues import Issues
from appliance.records.journal import Journal
from appliance.records.keys import device_keys
from appliance.records.times import Moment, moment


def who(reason: str = "") -> Who:
    """The operating system's name of the person: no account of the console stands behind it."""
    return Who(getpass.getuser(), "system", reason=reason[:LONGEST_REASON])


def tell(config: Config, act: Act) -> None:
    """The entry, on disk when this returns. Raises RecordError or IpcError: then do not act."""
    try:
        with succession.standing_still(config, ("records",)):
            write(config, act)
    except VaultError:
        if not config.socket("records").exists():
            raise
        fields = {**dataclasses.asdict(act.who), "action": act.action, "query": act.query}
        ipc.call(config.socket("records"), "journal", {**fields, "rows": act.rows})


def write(config: Config, act: Act, now: Moment | None = None) -> None:
    """The entry, by this process; the caller knows that records stands still."""
    folder = config.device.state_dir / "records" / "journal"
    with contextlib.closing(Journal(folder, device_keys(config), Issues())) as journal:
        journal.append(act, now or moment())
    files.give_to_owner(folder / proof.DATABASE)  # where root just made it


def witness(config: Config) -> dict[str, Any]:
    """This unit's public key, the signed heads of its journal and the last of them."""
    keys = device_keys(config)
    path = config.device.state_dir / "records" / "journal" / proof.DATABASE
    heads: list[dict[str, Any]] = []
    if path.exists():
        connection = database.open_encrypted(path, keys.journal, read_only=True)
        with contextlib.closing(connection):
            rows = connection.execute("SELECT * FROM heads ORDER BY number").fetchall()
            heads = [dict(zip(row.keys(), row, strict=True)) for row in rows]
    return {"public_key": keys.public.hex(), "heads": heads, "last": heads[-1] if heads else None}
