"""What can be journaled, and which part of the journal can be asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from appliance.records.access import Who

ACTIONS = frozenset(
    {
        "sign_in",
        "sign_in_failed",
        "sign_out",
        "set_up",
        "look_up",
        "view_passage",
        "view_at_gate",
        "view_live",
        "grant_added",
        "grant_changed",
        "grant_ended",
        "policy_published",
        "person_invited",
        "person_changed",
        "training_passed",
        "open_once",
        "hold_open",
        "release",
        "second_factor",
        "confirm",
        "controller_event",
        "retention",
        "volume_destroyed",
        "journal_viewed",
        "verified",
        "started",
        "settings_changed",
        "commissioned",
    }
)
"""The closed list of actions; docs/SOCKETS.md names them too."""

TERMINAL = frozenset({"backup_made"})
"""Acts of the terminal that may happen beside a running records, so through its verb."""

AT_REST = frozenset({"keys_rotated", "erased", "backup_restored"})
"""Acts of the terminal while records stands still. No program can claim one through the verb: a
false ``keys_rotated`` would make the journal look forged."""

OWN = frozenset(
    {
        "hold_placed",
        "hold_approved",
        "hold_ended",
        "evidence_released",
        "evidence_exported",
        "custody_noted",
        "disk_low",
    }
)
"""Acts records alone journals: no other program can claim one through the verb ``journal``."""


@dataclass(frozen=True, slots=True)
class Act:
    """What is to be journaled."""

    who: Who
    action: str
    query: dict[str, Any] = field(default_factory=dict)
    rows: int = 0


@dataclass(frozen=True, slots=True)
class PageAsked:
    """Which part of the journal, newest first."""

    before_seq: int | None = None
    limit: int = 50
    action: str = ""
    actor: str = ""
