"""`postern retention prove`: that nothing is kept too long, shown from the files themselves.

Prints each class's oldest read against its limit and whether every receipt of a destroyed volume
holds. With `--canary TEXT`, the plate of a test drive, it also looks for that text in every file of
the state and the run folder. Exit status 0 where everything is kept, 1 otherwise. `--json` for an
auditor's own tools. No plate is shown.
"""

from __future__ import annotations

import argparse
import json

from appliance import codec
from appliance.config import Config
from appliance.errors import RecordError
from appliance.records import prove, times
from appliance.records.program import quiet_cipher
from appliance.records.prove import Searched, Standing


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = __doc__
    parser.add_argument("what", choices=("prove",), help="look at every file and every receipt")
    parser.add_argument("--canary", metavar="TEXT", help="a test drive's plate that must be gone")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace, config: Config) -> int:
    """Raises VaultError where a key is missing, RecordError where the journal is."""
    quiet_cipher()
    standing = prove.examine(config, times.moment(), times.boot())
    searched = _searched(args.canary, config) if args.canary is not None else None
    kept = standing.kept and (searched is None or searched.clean)
    if args.json:
        told = {**codec.encode(standing), "canary": codec.encode(searched), "kept": kept}
        print(json.dumps(told, indent=2))
    else:
        print(_as_text(standing, searched, kept=kept))
    return 0 if kept else 1


def _searched(canary: str, config: Config) -> Searched:
    try:
        return prove.search((config.device.state_dir, config.device.run_dir), canary)
    except ValueError as cause:
        raise RecordError(str(cause), next_step="Drive with a longer invented plate") from cause


def _as_text(standing: Standing, searched: Searched | None, *, kept: bool) -> str:
    lines = [f"policy        version {standing.policy_version}, clock {standing.clock}"]
    lines += [
        f"{each.read_class:<13} {each.reads} held, limit {each.limit_h:g} h, oldest"
        f" {each.oldest_at or '-'}, {each.late} past the limit"
        for each in standing.classes
    ]
    lines.append(
        f"volumes       {standing.volumes} open{_named('do not open', standing.unreadable)}"
    )
    if standing.set_aside:
        lines.append(
            f"set aside     {len(standing.set_aside)}"
            f"{_named('past their limit', standing.late_set_aside)}"
        )
    lines.append(
        f"receipts      {standing.receipts}{_named('do not hold', standing.bad_receipts)}"
    )
    if searched is not None:
        lines.append(
            f"canary        looked for in {searched.files} files, {searched.size} bytes"
            f"{_named('hold it', searched.found)}{_named('could not be read', searched.unread)}"
        )
    return "\n".join([*lines, "Kept." if kept else "NOT KEPT."])


def _named(what: str, names: tuple[str, ...]) -> str:
    return f"; {len(names)} {what}: {', '.join(names)}" if names else ""
