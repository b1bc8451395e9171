"""The chain of custody: who released, carried out, received and handed on, from the journal alone.

The sheet is a page to print and sign; it names people, the instrument and the seal, and no plate.
The bundle carries it as it was when sealed; later transfers are in the journal and on paper.
"""

from __future__ import annotations

import html
import json
from typing import Any

from appliance import clock
from appliance.records.journal import Journal
from appliance.records.releases import CAVEAT, HANDLING
from appliance.values import JournalEntry

ACTIONS = ("evidence_released", "evidence_exported", "custody_noted")
_EMPTY_LINES = 6
_LABELS = {
    "export": "Export",
    "reads": "Reads in the bundle",
    "exception": "Exception used",
    "officer": "Officer",
    "agency": "Agency",
    "badge": "Badge",
    "contact": "Contact",
    "instrument": "Legal instrument",
    "instrument_no": "Number of the instrument",
    "case_no": "Case",
    "alert_no": "The agency's alert",
    "statement": "Declaration of the officer from another state",
    "released_by": "Released by",
    "carried_out_by": "Carried out by",
    "site": "Site",
    "policy_version": "Policy version in force",
    "made_at": "Made at (UTC)",
    "clock": "Worth of that clock",
    "fingerprint": "Fingerprint of this gate's key",
}


def entries_of(journal: Journal, export: str) -> list[JournalEntry]:
    """Every entry of that export, its release first. Raises RecordError."""
    found: list[JournalEntry] = []
    release = ""
    for action in ("custody_noted", "evidence_exported"):
        for entry in journal.all_of(action):
            told = json.loads(entry.query)
            if told.get("export") == export and "refused" not in told:
                found.append(entry)
                release = str(told.get("release", release))
    for entry in journal.all_of("evidence_released") if release else []:
        if json.loads(entry.query).get("release") == release:
            found.append(entry)
    return sorted(found, key=lambda entry: entry.seq)


def trail(entries: list[JournalEntry]) -> list[dict[str, Any]]:
    """The entries as a list shows them: no code, no plate."""
    return [
        {
            **{k: v for k, v in json.loads(e.query).items() if k not in ("code_mac", "reads")},
            "seq": e.seq,
            "at": clock.iso(e.at),
            "action": e.action,
            "by": e.actor,
            "organisation": e.organisation,
            "reason": e.reason,
        }
        for e in entries
    ]


def exports(journal: Journal) -> list[str]:
    """Every export there ever was, newest first. Raises RecordError."""
    told = [json.loads(entry.query) for entry in journal.all_of("evidence_exported")]
    return [t["export"] for t in told if "refused" not in t]


def sheet(told: dict[str, Any]) -> bytes:
    """The custody sheet as a page to print. ``told``: the keys of the labels above."""
    rows = "".join(
        f"<tr><th>{html.escape(label)}</th><td>{html.escape(str(told[key]))}</td></tr>"
        for key, label in _LABELS.items()
        if told.get(key) not in (None, "")
    )
    head = "<tr><th>Date, time</th><th>Place</th><th>From</th><th>To</th><th>Purpose</th></tr>"
    lines = "<tr class=line><td></td><td></td><td></td><td></td><td></td></tr>" * _EMPTY_LINES
    page = (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Custody sheet</title><style>"
        "body{font:11pt sans-serif;max-width:19cm;margin:1cm auto}table{width:100%;"
        "border-collapse:collapse;margin:0 0 1em}th,td{border:1px solid #555;padding:.3em;"
        "text-align:left;vertical-align:top}.line td{height:2.2em}</style>"
        f"<h1>Custody sheet</h1><table>{rows}</table>"
        f"<p>{html.escape(CAVEAT)}</p><p>{html.escape(HANDLING)}</p>"
        "<p>SHA-256 of the sealed file (told when it was handed out): ____________________</p>"
        f"<h2>Transfers</h2><table>{head}{lines}</table>"
        "<p>Received, terms accepted (name, date, signature): ____________________</p></html>"
    )
    return page.encode()
