"""What the gate answered at its door, as values; what is missing becomes a calm default.

The sentences for these codes stand in ``words`` and ``barrier_words``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from appliance import codec, ipc
from appliance.console.reading import (
    Header,
    Issue,
    count,
    flag,
    issues,
    number,
    rows,
    table,
    text,
    texts,
)
from appliance.values import Decision, Sighting

INPUTS = ("entry_loop", "safety_loop", "photocell", "exit_request", "fire", "stop", "tamper")


@dataclass(frozen=True, slots=True)
class Controller:
    """Who answers at the other end of the barrier's line."""

    name: str
    serial: str
    firmware: str
    boot: int
    cause: str
    settings: str


@dataclass(frozen=True, slots=True)
class Abilities:
    """What this kind of controller can do."""

    position: bool
    inputs: bool
    timed_pulse: bool
    holds: bool
    authenticated: bool
    tells_events: bool
    warns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Barrier:
    driver: str
    state: str
    position: str
    inputs: Mapping[str, bool | None]
    """By name (``INPUTS``); None where one is not wired or not read."""
    contact: bool | None
    faults: tuple[str, ...]
    held_until_mono: float | None
    controller: Controller
    abilities: Abilities

    def held(self, now_mono: float) -> bool:
        return self.held_until_mono is not None and self.held_until_mono > now_mono

    def is_on(self, name: str) -> bool:
        return self.inputs.get(name) is True


@dataclass(frozen=True, slots=True)
class Event:
    """Something the controller told of its own accord."""

    boot: int
    number: int
    kind: str
    argument: str
    age_s: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """Cars counted by the loops, and how many of them the camera read."""

    since_mono: float | None
    entry_cycles: int
    passed_under: int
    read: int
    missed: int
    openings: int
    tailgates: int


@dataclass(frozen=True, slots=True)
class Waits:
    """The car at the gate waits for a second factor."""

    what: str
    """``code`` or ``resident``."""
    left_s: float
    grant_id: int | None


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate's state, without any plate."""

    barrier: Barrier
    camera: str
    records_ok: bool
    records_queued: int
    counts: Mapping[str, int]
    latency_ms: Mapping[str, float]
    policy_version: int
    started_mono: float | None
    at_gate_key: str
    """Changes when what stands at the gate changes; empty where nothing does. Tells no plate."""
    waits: Waits | None
    events: tuple[Event, ...]
    traffic: Traffic | None
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True)
class AtGate:
    """The car now at the gate; journaled by the gate before it was handed over."""

    sighting: Sighting | None
    decision: Decision | None
    crop: bytes


def gate(message: ipc.Message) -> Gate:
    h = message.header
    records, held = table(h, "records"), table(h, "at_gate")
    return Gate(
        barrier=_barrier(table(h, "barrier")),
        camera=_camera(h.get("camera")),
        records_ok=bool(records.get("ok", False)),
        records_queued=count(records, "queued"),
        counts={k: int(v) for k, v in table(h, "counts").items() if isinstance(v, int)},
        latency_ms={k: float(v) for k, v in table(h, "latency_ms").items()
                    if isinstance(v, int | float)},
        policy_version=count(h, "policy_version"),
        started_mono=number(h, "started_mono"),
        at_gate_key=text(held, "mark"),
        waits=_waits(held),
        events=tuple(
            Event(count(e, "boot"), count(e, "number"), text(e, "kind"), text(e, "argument"),
                  number(e, "age_s") or 0.0)
            for e in rows(h, "events")
        ),
        traffic=_traffic(h.get("traffic")),
        issues=issues("gate", h),
    )


def at_gate(message: ipc.Message) -> AtGate:
    """Raises IpcError where the car could not be understood."""
    held = message.header.get("at_gate")
    if not isinstance(held, Mapping):
        return AtGate(None, None, b"")
    sighting, decision = held.get("sighting"), held.get("decision")
    return AtGate(
        codec.decode(Sighting, sighting) if sighting else None,
        codec.decode(Decision, decision) if decision else None,
        message.blob,
    )


def _barrier(told: Header) -> Barrier:
    fault = text(told, "fault")
    return Barrier(
        driver=text(told, "driver"),
        state=text(told, "state"),
        position=text(told, "position") or "unknown",
        inputs={name: flag(told, name) for name in INPUTS},
        contact=flag(told, "contact"),
        faults=texts(told, "faults") or ((fault,) if fault else ()),
        held_until_mono=number(told, "held_until_mono"),
        controller=_controller(table(told, "controller")),
        abilities=_abilities(table(told, "capabilities")),
    )


def _controller(told: Header) -> Controller:
    return Controller(text(told, "name"), text(told, "serial"), text(told, "firmware"),
                      count(told, "boot"), text(told, "cause"), text(told, "settings"))


def _abilities(told: Header) -> Abilities:
    return Abilities(
        position=told.get("position") is True,
        inputs=told.get("inputs") is True,
        timed_pulse=told.get("timed_pulse") is True,
        holds=(number(told, "longest_lease_s") or 0.0) > 0,
        authenticated=told.get("authenticated") is True,
        tells_events=told.get("tells_events") is True,
        warns=texts(told, "warns"),
    )


def _waits(held: Header) -> Waits | None:
    what = text(held, "waits_for")
    if not what:
        return None
    return Waits(what, number(held, "waits_left_s") or 0.0, count(held, "waits_grant_id") or None)


def _traffic(told: object) -> Traffic | None:
    if not isinstance(told, Mapping):
        return None
    return Traffic(
        number(told, "since_mono"), count(told, "entry_cycles"), count(told, "passed_under"),
        count(told, "read"), count(told, "missed"), count(told, "openings"),
        count(told, "tailgates"),
    )


def _camera(told: object) -> str:
    if isinstance(told, Mapping):
        return text(told, "state") or "unknown"
    return str(told) if told else "unknown"
