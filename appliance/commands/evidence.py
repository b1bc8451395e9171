"""`postern evidence verify FILE` and `view FILE`: examine or read a bundle, anywhere.

Needs the file and nothing of a unit: it runs on the officer's machine as well as on the gate.
`verify` says whole, incomplete (a crash or a broken copy) or tampered, and why; with the
passphrase it examines the manifest and every entry too. Exit status 0 whole, 1 tampered or refused,
3 incomplete. `view` serves the reads to a browser on this machine and logs each opening in the
file.
"""

from __future__ import annotations

import argparse
import getpass
import json
from pathlib import Path

from appliance import codec
from appliance.config import Config
from appliance.evidence.verify import BundleRefused, Contents, Outside, Verdict, contents, examine

_STATUS = {Verdict.WHOLE: 0, Verdict.TAMPERED: 1, Verdict.INCOMPLETE: 3}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = __doc__
    parser.add_argument("what", choices=("verify", "view"))
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--outside", action="store_true", help="do not ask for the passphrase")
    parser.add_argument("--signed-by", metavar="FINGERPRINT", help="the key on the custody sheet")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--port", type=int, default=0, help="of `view`; 0: any free one")


def run(args: argparse.Namespace, _: Config) -> int:
    """Raises BundleRefused for a file that cannot be read."""
    try:
        data = args.file.read_bytes()
    except OSError as cause:
        raise BundleRefused("the file cannot be read", next_step="Check its name") from cause
    if args.what == "view":
        from appliance.evidence import viewer

        viewer.serve(args.file, args.port)
        return 0
    return _verify(args, data)


def _verify(args: argparse.Namespace, data: bytes) -> int:
    outside, inside = examine(data), None
    if outside.verdict is Verdict.WHOLE:
        _check_signer(outside, args.signed_by)
        passphrase = "" if args.outside else getpass.getpass("Passphrase (empty: outside only): ")
        if passphrase:
            inside = contents(data, outside, passphrase.strip())
    print(_as_json(outside, inside) if args.json else _as_text(outside, inside))
    return _STATUS[outside.verdict]


def _check_signer(outside: Outside, expected: str | None) -> None:
    if expected and "".join(expected.split()).lower() != outside.fingerprint.replace(" ", ""):
        raise BundleRefused(
            "another key signed this bundle", next_step=f"Its key is {outside.fingerprint}"
        )


def _as_json(outside: Outside, inside: Contents | None) -> str:
    told = {
        "verdict": outside.verdict.value,
        "why": outside.why,
        "export": outside.header.export if outside.header else "",
        "signed_by": outside.fingerprint,
        "openings": [codec.encode(o) for o in outside.openings],
        "entries_checked": len(inside.entries) if inside else None,
        "manifest": inside.manifest if inside else None,
    }
    return json.dumps(told, indent=2, ensure_ascii=False)


def _as_text(outside: Outside, inside: Contents | None) -> str:
    if outside.header is None:
        word = "INCOMPLETE" if outside.verdict is Verdict.INCOMPLETE else "TAMPERED"
        return f"{word}: {outside.why}"
    lines = [
        f"export     {outside.header.export}, sealed {outside.header.made_at}",
        f"signed by  {outside.fingerprint}  (compare with the custody sheet)",
        *(f"opened     {o.at}  {o.name}, {o.agency}" for o in outside.openings),
    ]
    if inside is None:
        return "\n".join([*lines, "WHOLE from outside; the sealed entries were not examined."])
    released = inside.manifest.get("release", {})
    return "\n".join(
        [
            *lines,
            f"released   to {released.get('officer', '-')}, {released.get('agency', '-')}",
            f"entries    {len(inside.entries)}, all listed, all with the listed hash",
            "WHOLE.",
        ]
    )
