"""Every code of the product as a sentence a person reads, in the reader's language.

A test walks the enums: a new verdict, reason, purpose or role without words fails it. Words are
written here in English and translated in ``translations``; nothing else builds sentences from
codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from appliance.console.tongue import _l
from appliance.values import (
    CameraState,
    ClockQuality,
    Direction,
    GrantKind,
    Moved,
    Purpose,
    Reason,
    Role,
    SecondFactor,
    Verdict,
)

VERDICTS: Mapping[str, Any] = {
    Verdict.OPEN.value: _l("Opened"),
    Verdict.ASK_GUARD.value: _l("Asked the guard"),
    Verdict.STAY_CLOSED.value: _l("Stayed closed"),
}

NOW_VERDICTS: Mapping[str, Any] = {
    Verdict.OPEN.value: _l("Opens"),
    Verdict.ASK_GUARD.value: _l("Your decision"),
    Verdict.STAY_CLOSED.value: _l("Stays closed"),
}
"""The same at the desk, while the car stands there."""

REASONS: Mapping[str, Any] = {
    Reason.GRANTED.value: _l("An allow entry matches, here and now."),
    Reason.VISITOR_GRANTED.value: _l("A visitor pass matches, here and now."),
    Reason.LOOKALIKE_GRANTED.value: _l(
        "Only doubtful characters differ from an allow entry, and no other entry could be meant."),
    Reason.MANUAL.value: _l("A person opened the gate and gave a reason."),
    Reason.BLOCKED.value: _l("This plate is on the block list."),
    Reason.LOOKS_BLOCKED.value: _l("The read is close to a plate on the block list."),
    Reason.NOT_LISTED.value: _l("No entry names this plate."),
    Reason.OUTSIDE_HOURS.value: _l("An entry matches, but not at this hour."),
    Reason.NOT_YET_VALID.value: _l("An entry matches, but it begins later."),
    Reason.EXPIRED.value: _l("An entry matched until it ended."),
    Reason.WRONG_LANE.value: _l("An entry matches, but for another lane."),
    Reason.NEAR_MISS.value: _l("One look-alike character away from an entry: a person decides."),
    Reason.TOO_FEW_GLIMPSES.value: _l("Too few pictures agree so far."),
    Reason.LOW_SCORE.value: _l("The read is too doubtful to act on."),
    Reason.TOO_OLD.value: _l("The sighting reached the gate too late to act on."),
    Reason.WRONG_DIRECTION.value: _l("The car was leaving through an entry lane."),
    Reason.NO_POLICY.value: _l("No policy is published, so nothing opens by itself."),
    Reason.NO_RECORDS.value: _l("Records could not be kept, so nothing opens by itself."),
    Reason.NO_PRESENCE.value: _l(
        "Everything fits, but no car stands on the loop before the barrier."),
    Reason.NEEDS_CODE.value: _l("The entry asks for a code besides the plate."),
    Reason.NEEDS_RESIDENT.value: _l("The entry asks for the resident's yes besides the plate."),
    Reason.CLOCK_UNTRUSTED.value: _l("An hour decides, and the clock is not known to be right."),
    Reason.LOOKUP_FAILED.value: _l("The rules could not be applied, so the gate stayed closed."),
}

SHORT_REASONS: Mapping[str, Any] = {
    Reason.GRANTED.value: _l("allow entry"),
    Reason.VISITOR_GRANTED.value: _l("visitor pass"),
    Reason.LOOKALIKE_GRANTED.value: _l("allow entry, look-alike"),
    Reason.MANUAL.value: _l("by hand"),
    Reason.BLOCKED.value: _l("on the block list"),
    Reason.LOOKS_BLOCKED.value: _l("looks like a blocked plate"),
    Reason.NOT_LISTED.value: _l("not listed"),
    Reason.OUTSIDE_HOURS.value: _l("outside its hours"),
    Reason.NOT_YET_VALID.value: _l("not valid yet"),
    Reason.EXPIRED.value: _l("entry ended"),
    Reason.WRONG_LANE.value: _l("other lane"),
    Reason.NEAR_MISS.value: _l("near miss"),
    Reason.TOO_FEW_GLIMPSES.value: _l("too few pictures"),
    Reason.LOW_SCORE.value: _l("doubtful read"),
    Reason.TOO_OLD.value: _l("too late"),
    Reason.WRONG_DIRECTION.value: _l("leaving"),
    Reason.NO_POLICY.value: _l("no policy"),
    Reason.NO_RECORDS.value: _l("no records"),
    Reason.NO_PRESENCE.value: _l("no car on the loop"),
    Reason.NEEDS_CODE.value: _l("waits for a code"),
    Reason.NEEDS_RESIDENT.value: _l("waits for the resident"),
    Reason.CLOCK_UNTRUSTED.value: _l("clock not trusted"),
    Reason.LOOKUP_FAILED.value: _l("rules failed"),
}

PURPOSES: Mapping[str, Any] = {
    Purpose.ACCESS_CONTROL.value: _l("access control"),
    Purpose.VISITOR_QUERY.value: _l("visitor query"),
    Purpose.INCIDENT.value: _l("incident"),
    Purpose.RESIDENT_REQUEST.value: _l("resident's request"),
    Purpose.ACCURACY.value: _l("accuracy of reads"),
    Purpose.AUDIT.value: _l("audit"),
    Purpose.LEGAL_REQUEST.value: _l("legal request"),
}

PURPOSE_SENTENCES: Mapping[str, Any] = {
    Purpose.ACCESS_CONTROL.value: _l("Letting cars in and answering at the gate."),
    Purpose.VISITOR_QUERY.value: _l("Helping a visitor, vendor or resident who asks."),
    Purpose.INCIDENT.value: _l("Damage, theft or danger on the property."),
    Purpose.RESIDENT_REQUEST.value: _l("A person asks what is held about them."),
    Purpose.ACCURACY.value: _l("Finding and correcting wrong reads."),
    Purpose.AUDIT.value: _l("Checking that the policy is kept."),
    Purpose.LEGAL_REQUEST.value: _l("A police or court instrument."),
}

ROLES: Mapping[str, Any] = {
    Role.MANAGER.value: _l("manager"),
    Role.GUARD.value: _l("guard"),
    Role.AUDITOR.value: _l("auditor"),
    Role.INSTALLER.value: _l("installer"),
    Role.CUSTODIAN.value: _l("custodian"),
    "system": _l("the appliance"),
    "resident": _l("resident"),
}

ROLE_SENTENCES: Mapping[str, Any] = {
    Role.MANAGER.value: _l("Keeps the lists, invites people, publishes the policy."),
    Role.GUARD.value: _l("Works at the gate: sees who is there, opens with a reason."),
    Role.AUDITOR.value: _l("Checks the journal; sees reads only for an audit."),
    Role.INSTALLER.value: _l("Sets up and repairs; never sees a plate."),
    Role.CUSTODIAN.value: _l("Answers for the data by law; sees the journal, not the reads."),
}

KINDS: Mapping[str, Any] = {
    GrantKind.ALLOW.value: _l("allow"),
    GrantKind.VISITOR.value: _l("visitor"),
    GrantKind.BLOCK.value: _l("block"),
}

SECOND_FACTORS: Mapping[str, Any] = {
    SecondFactor.NONE.value: _l("none"),
    SecondFactor.CODE.value: _l("a code"),
    SecondFactor.RESIDENT.value: _l("the resident's yes"),
}

DIRECTIONS: Mapping[str, Any] = {
    Direction.IN.value: _l("in"),
    Direction.OUT.value: _l("out"),
    Direction.UNKNOWN.value: _l("direction unknown"),
}

MOVED: Mapping[str, Any] = {
    Moved.YES.value: _l("the barrier moved"),
    Moved.NO.value: _l("the barrier did not move"),
    Moved.UNKNOWN.value: _l("no sensor says whether it moved"),
}

CLOCKS: Mapping[str, Any] = {
    ClockQuality.SYNCED.value: _l("kept by a time server"),
    ClockQuality.FREE.value: _l("running on its own"),
    ClockQuality.UNKNOWN.value: _l("not known to be right"),
}

CAMERAS: Mapping[str, Any] = {
    CameraState.STARTING.value: _l("is starting"),
    CameraState.LIVE.value: _l("sees the lane"),
    CameraState.FROZEN.value: _l("shows the same picture for 5 seconds or more"),
    CameraState.BLACK.value: _l("sees only darkness"),
    CameraState.STALLED.value: _l("sends no picture"),
    CameraState.LOST.value: _l("cannot be reached; trying again"),
    CameraState.ENDED.value: _l("came to the end of its recording"),
    "unknown": _l("is not known"),
}

POSITIONS: Mapping[str, Any] = {
    "open": _l("open"), "closed": _l("closed"), "moving": _l("moving"), "unknown": _l("unknown"),
}

PROGRAMS: Mapping[str, Any] = {
    "vision": _l("Camera"),
    "gate": _l("Gate"),
    "records": _l("Records"),
    "console": _l("Console"),
    "uplink": _l("Connections"),
}

ACTIONS: Mapping[str, Any] = {
    "sign_in": _l("signed in"),
    "sign_in_failed": _l("failed to sign in"),
    "sign_out": _l("signed out"),
    "set_up": _l("set the site up"),
    "look_up": _l("searched the passages"),
    "view_passage": _l("opened a passage"),
    "view_at_gate": _l("saw the car at the gate"),
    "view_live": _l("watched the live picture"),
    "grant_added": _l("added an entry to a list"),
    "grant_changed": _l("changed an entry"),
    "grant_ended": _l("ended an entry"),
    "policy_published": _l("published a policy"),
    "person_invited": _l("invited a person"),
    "person_changed": _l("changed an account"),
    "training_passed": _l("passed a training module"),
    "open_once": _l("opened the gate once"),
    "hold_open": _l("held the gate open"),
    "release": _l("released the gate"),
    "retention": _l("deleted reads that reached their limit"),
    "volume_destroyed": _l("destroyed a volume of reads with its key"),
    "journal_viewed": _l("read the journal"),
    "verified": _l("verified the journal"),
    "started": _l("started"),
    "settings_changed": _l("changed the settings"),
    "controller_event": _l("the controller told something"),
    "second_factor": _l("entered a code at the gate"),
    "confirm": _l("said yes to the car at the gate"),
    "commissioned": _l("finished the pull-the-plug test"),
}

PERMISSIONS: Mapping[str, Any] = {
    "own": _l("own account, training, help"),
    "see_state": _l("state of gate and programs, without plates"),
    "watch": _l("live picture and the car at the gate"),
    "see_barrier": _l("the barrier and its controller"),
    "commission": _l("pull-the-plug test and simulated inputs"),
    "operate": _l("open, hold and release the gate"),
    "look_up": _l("passages and decision cards (auditors: for an audit only)"),
    "see_grants": _l("read the lists"),
    "edit_grants": _l("change the lists"),
    "see_policy": _l("read the policy"),
    "publish": _l("publish a policy"),
    "people": _l("invite and disable people"),
    "journal": _l("journal, verification, deletion receipts"),
}

DAYS = (_l("Monday"), _l("Tuesday"), _l("Wednesday"), _l("Thursday"), _l("Friday"),
        _l("Saturday"), _l("Sunday"))
SHORT_DAYS = (_l("Mon"), _l("Tue"), _l("Wed"), _l("Thu"), _l("Fri"), _l("Sat"), _l("Sun"))


def say(table: Mapping[str, Any], code: str | Enum) -> str:
    """The words of a code; a code of a newer program is shown with its underscores opened."""
    key = str(code.value) if isinstance(code, Enum) else str(code)
    return str(table[key]) if key in table else key.replace("_", " ")
