"""The gate in one sentence, and how grave it is. What stands first is what a person must know."""

from __future__ import annotations

from appliance.console.gate_answers import Gate
from appliance.console.tongue import _


def sentence(gate: Gate | None, now_mono: float) -> str:
    """The answer to "what is the gate doing?", in one sentence."""
    if gate is None:
        return _("The gate program does not answer. The barrier's own buttons still work.")
    barrier = gate.barrier
    if barrier.is_on("stop") or barrier.state == "stopped_by_hand":
        return _("STOP is pressed. Nothing moves until it is released.")
    if barrier.is_on("fire") or barrier.state == "fire":
        return _("Fire: the gate is held open.")
    if barrier.state == "foreign":
        return _("The barrier's controller is not ours. The gate opens only by its own buttons.")
    if barrier.state == "lost":
        return _("The barrier's controller does not answer. Its own buttons still work.")
    if barrier.faults:
        return _("The barrier reports a fault. Look at it before you rely on it.")
    if barrier.held(now_mono):
        return _("The gate is held open for %(n)s more seconds.",
                 n=int((barrier.held_until_mono or 0.0) - now_mono) + 1)
    if gate.policy_version == 0:
        return _("The gate waits for a policy. Until one is published, nothing opens by itself.")
    if not gate.records_ok:
        return _("Records cannot be kept, so the gate opens only by hand.")
    if gate.camera not in ("live", "starting"):
        return _("The camera gives no useful picture, so the gate opens only by hand.")
    sentences = {
        "open": _("The gate is open."),
        "moving": _("The gate is moving."),
        "closed": _("The gate is closed and ready."),
    }
    return sentences.get(barrier.position, _("The gate is ready; no sensor says where the arm is."))


def mood(gate: Gate | None, now_mono: float) -> str:
    """ok, attention or alarm: chooses icon and colour, never the words."""
    if gate is None or gate.barrier.faults or alarmed(gate):
        return "alarm"
    useful = gate.records_ok and gate.policy_version and gate.camera in ("live", "starting")
    if gate.barrier.held(now_mono) or not useful:
        return "attention"
    return "ok"


def alarmed(gate: Gate) -> bool:
    """Nothing moves by an order now: STOP, fire, a foreign or a silent controller."""
    barrier = gate.barrier
    return (barrier.is_on("stop") or barrier.is_on("fire")
            or barrier.state in ("stopped_by_hand", "fire", "foreign", "lost"))
