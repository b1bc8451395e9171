"""`postern journal verify`: is the record of who looked at what whole?

Works with the programs running or stopped, and only reads. Exit status 0 where the journal is
whole, 1 where it is broken or cannot be examined. `--json` prints one object.
"""

from __future__ import annotations

import argparse
import json

from appliance import codec
from appliance.config import Config
from appliance.records import proof
from appliance.records.keys import device_keys
from appliance.records.program import quiet_cipher


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = __doc__
    parser.add_argument("what", choices=("verify",), help="recompute the whole chain")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace, config: Config) -> int:
    """Raises VaultError where this unit's key is missing."""
    quiet_cipher()
    keys = device_keys(config)
    found = proof.prove(config.device.state_dir / "records" / "journal", keys)
    if args.json:
        told = {**codec.encode(found), "whole": found.whole, "public_key": keys.public.hex()}
        print(json.dumps(told, indent=2))
    else:
        print(_as_text(found, keys.public.hex()))
    return 0 if found.whole else 1


def _as_text(found: proof.Proof, public_key: str) -> str:
    lines = [
        f"entries       {found.entries}",
        f"first, last   {found.first_at or '-'}  {found.last_at or '-'}",
        f"signed heads  {found.heads}",
        f"signed by     {public_key}",
    ]
    if found.whole:
        return "\n".join([*lines, "The journal is whole."])
    gap = f" (missing: {found.missing[0]} to {found.missing[1]})" if found.missing else ""
    return "\n".join([*lines, f"BROKEN at entry {found.first_bad}: {found.why}{gap}"])
