"""`postern decide PLATE`: what the gate would do with this plate, when and why. Opens nothing.

Reads the site's grants and policy as the gate does, makes up the read that the options describe and
shows every rule tried, in order. Exit status 0 for an opening, 3 for ask the guard, 4 for closed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from datetime import datetime

from appliance import clock, codec, plates, site
from appliance.config import Config
from appliance.decision.policy import decide
from appliance.decision.situation import Situation
from appliance.decision.snapshot import IndexedPolicy, SnapshotRefused, indexed
from appliance.errors import ConfigError
from appliance.values import ClockQuality, Decision, Direction, Reason, Sighting, Verdict

EXIT = {Verdict.OPEN: 0, Verdict.ASK_GUARD: 3, Verdict.STAY_CLOSED: 4}

VERDICTS = {
    Verdict.OPEN: "The gate opens.",
    Verdict.ASK_GUARD: "The gate stays closed and asks the guard.",
    Verdict.STAY_CLOSED: "The gate stays closed.",
}

REASONS = {
    Reason.GRANTED: "An entry of the allow list names this plate, here and at this time.",
    Reason.VISITOR_GRANTED: "A visitor entry names this plate, here and at this time.",
    Reason.LOOKALIKE_GRANTED: "One doubtful character aside this is a listed plate, and no other "
    "entry looks like it.",
    Reason.MANUAL: "A person opened.",
    Reason.BLOCKED: "The plate is blocked.",
    Reason.LOOKS_BLOCKED: "A blocked plate looks like this one.",
    Reason.NOT_LISTED: "No entry names this plate.",
    Reason.OUTSIDE_HOURS: "An entry names this plate, but not at this hour.",
    Reason.NOT_YET_VALID: "An entry names this plate, but it begins later.",
    Reason.EXPIRED: "An entry named this plate, but it has ended.",
    Reason.WRONG_LANE: "This is not the lane the plate may use.",
    Reason.NEAR_MISS: "The read is close to a listed plate, but not safely so.",
    Reason.TOO_FEW_GLIMPSES: "Too few pictures agree on the plate.",
    Reason.LOW_SCORE: "The read is too doubtful to act on.",
    Reason.TOO_OLD: "The sighting is too old to act on.",
    Reason.WRONG_DIRECTION: "The car travels against the way this gate lets through.",
    Reason.NO_POLICY: "No policy is published, so nothing happens by itself.",
    Reason.NO_RECORDS: "Records cannot be kept, so nothing opens by itself.",
    Reason.NO_PRESENCE: "No car stands on the loop before the barrier.",
    Reason.NEEDS_CODE: "The entry asks for a code besides the plate.",
    Reason.NEEDS_RESIDENT: "The entry asks for a resident's yes besides the plate.",
    Reason.CLOCK_UNTRUSTED: "The entry depends on the time, and the clock may be wrong.",
    Reason.LOOKUP_FAILED: "The rules could not be applied, so the gate stays closed.",
}

RULES = {
    "policy": "a policy is published",
    "block": "the plate is not blocked",
    "near_block": "no blocked plate looks like it",
    "fresh": "the sighting is fresh",
    "direction": "this lane, and not against its way",
    "glimpses": "enough pictures agree",
    "score": "the read is good on the whole",
    "weakest": "no character is too weak",
    "listed": "an entry names the plate",
    "lookalike": "listed to the letter, or safely alike",
    "lane": "the entry is for this lane",
    "clock": "the clock is good enough for the entry",
    "begun": "the entry has begun",
    "not_ended": "the entry has not ended",
    "hours": "the entry's hours include this one",
    "records": "the passage can be recorded",
    "presence": "a car stands on the loop, where that is asked",
    "second_factor": "the code or the yes was given, where the entry asks for it",
    "lookup": "the rules could be applied",
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plate", metavar="PLATE", help="as the camera would read it")
    parser.add_argument(
        "--at", metavar="TIME", help="ISO 8601; without a zone the site's own clock; default: now"
    )
    parser.add_argument("--lane", help="default: the lane of the settings file")
    parser.add_argument("--direction", choices=[d.value for d in Direction], default="in")
    parser.add_argument(
        "--score",
        type=_share,
        default=0.95,
        metavar="0..1",
        help="chance that the whole plate is right (default 0.95)",
    )
    parser.add_argument(
        "--weakest",
        type=_share,
        default=0.95,
        metavar="0..1",
        help="score of the weakest character (default 0.95)",
    )
    parser.add_argument(
        "--doubt",
        type=int,
        metavar="N",
        help="which character is the weakest, from 1; default: the last",
    )
    parser.add_argument(
        "--glimpses", type=int, default=3, metavar="N", help="pictures that agree (default 3)"
    )
    parser.add_argument(
        "--clock",
        choices=[q.value for q in ClockQuality],
        default="synced",
        help="what the clock is worth (default synced)",
    )
    parser.add_argument(
        "--without-records", action="store_true", help="as if passages could not be kept"
    )
    parser.add_argument("--json", action="store_true", help="the decision as one JSON object")


def run(args: argparse.Namespace, config: Config) -> int:
    """Raises VaultError where there is no site, ConfigError for a wrong option."""
    policy = _policy(config)
    at = _moment(args.at, policy)
    lane = args.lane if args.lane is not None else config.device.lane
    situation = Situation(
        now_mono=0.0,
        now_at=at,
        clock=ClockQuality(args.clock),
        lane=lane,
        direction=config.barrier.direction,
        records_ok=not args.without_records,
    )
    sighting = _sighting(args, at, lane)
    decision = decide(sighting, policy, situation)
    if args.json:
        print(json.dumps(codec.encode(decision), indent=2))
    else:
        print(card(decision, sighting, policy))
    return EXIT[decision.verdict]


def card(decision: Decision, sighting: Sighting, policy: IndexedPolicy) -> str:
    """The decision as a person reads it; the last rule tried is the one that decided."""
    local = decision.decided_at.astimezone(policy.zone)
    lines = [
        f"{sighting.plate} at {local:%A %Y-%m-%d %H:%M %Z}, lane {sighting.lane}, "
        f"policy version {decision.policy_version}",
        "",
    ]
    for number, tried in enumerate(decision.rules, start=1):
        tick = "\N{CHECK MARK}" if tried.held else "\N{BALLOT X}"
        note = f"  ({tried.note})" if tried.note else ""
        lines.append(f" {tick} {number:>2}. {RULES.get(tried.rule, tried.rule)}{note}")
    lines += ["", f"{VERDICTS[decision.verdict]} {REASONS[decision.reason]}"]
    if decision.grant_id is not None:
        label = f", {decision.grant_label}" if decision.grant_label else ""
        lines.append(f"Entry {decision.grant_id}: {decision.grant_plate}{label}")
    return "\n".join(lines)


def _policy(config: Config) -> IndexedPolicy:
    with contextlib.closing(site.open_reader(config)) as connection:
        try:
            return indexed(site.snapshot(connection))
        except SnapshotRefused as cause:
            raise ConfigError(
                f"the site's policy cannot be applied: {cause}",
                next_step="Mend that entry in the console",
            ) from cause


def _moment(written: str | None, policy: IndexedPolicy) -> datetime:
    if written is None:
        return clock.utc_now()
    try:
        at = datetime.fromisoformat(written.replace("Z", "+00:00"))
    except ValueError as cause:
        raise ConfigError("--at is not a time", next_step="Write 2026-12-24T18:30") from cause
    return at if at.tzinfo is not None else at.replace(tzinfo=policy.zone)


def _sighting(args: argparse.Namespace, at: datetime, lane: str) -> Sighting:
    plate = plates.normalise(args.plate)
    place = (args.doubt or len(plate)) - 1
    if not 0 <= place < len(plate):
        raise ConfigError(f"--doubt counts the characters from 1 to {len(plate)}")
    scores = tuple(
        args.weakest if i == place else max(args.score, args.weakest) for i in range(len(plate))
    )
    return Sighting(
        track="decide",
        revision=1,
        lane=lane,
        plate=plate,
        raw_plate=plate,
        score=args.score,
        char_scores=scores,
        agreeing=args.glimpses,
        glimpses=args.glimpses,
        first_mono=0.0,
        last_mono=0.0,
        direction=Direction(args.direction),
        seen_at=at,
        clock=ClockQuality(args.clock),
    )


def _share(written: str) -> float:
    value = float(written)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("must lie between 0 and 1")
    return value
