"""How the five programs are, in words: who answers, since when, with which troubles."""

from __future__ import annotations

from dataclasses import dataclass

from appliance import ipc
from appliance.console import answers, barrier_words, gate_words, times, words
from appliance.console.context import Console
from appliance.console.gate_answers import Barrier
from appliance.console.programs import RECORDS, UPLINK, VIEW
from appliance.console.reading import Issue
from appliance.console.tongue import _
from appliance.errors import IpcError


@dataclass(frozen=True, slots=True)
class Health:
    program: str
    up: bool
    mood: str
    sentence: str
    since_s: float | None
    facts: tuple[tuple[str, str], ...]
    """Name and value, in words, for the health page."""
    issues: tuple[Issue, ...]


def healths(console: Console) -> tuple[Health, ...]:
    """All five, always, in the order a car meets them."""
    return (_vision(console), _gate(console), _records(console), _uplink(console),
            Health("console", True, "ok", _("answers you"), None, (
                (_("Entries waiting for the journal"), str(console.journal.waiting)),), ()))


def _vision(console: Console) -> Health:
    answer = console.programs.quiet(VIEW, "status")
    if answer is None:
        return _down("vision", _("Nothing opens by itself; the buttons go on working."))
    v = answers.vision(answer)
    mood = "ok" if v.state == "live" else "attention"
    return Health(
        "vision", True, _worse(mood, v.issues),
        _("the camera %(state)s", state=words.say(words.CAMERAS, v.state)),
        _since(console, v.started_mono),
        (
            (_("Picture"), f"{v.width} × {v.height}, {v.fps:.1f}/s"),
            (_("Age of the picture"), _ms(v.frame_age_s * 1000 if v.frame_age_s is not None
                                          else None)),
            (_("Pictures dropped"), str(v.dropped)),
            (_("Reconnects"), str(v.reconnects)),
            (_("Time to read a picture"), _pair(v.ms_p50, v.ms_p95)),
            (_("Model"), f"{v.precision} · {v.runtime}".strip(" ·") or "–"),
            (_("Memory"), f"{v.rss_mb:.0f} MB" if v.rss_mb is not None else "–"),
        ), v.issues,
    )


def _gate(console: Console) -> Health:
    gate = console.gate()
    if gate is None:
        return _down("gate", _("The barrier's own buttons and loops still work."))
    mood = gate_words.mood(gate, console.mono())
    return Health(
        "gate", True, _worse(mood, gate.issues),
        _("decides; the arm is %(position)s",
          position=words.say(words.POSITIONS, gate.barrier.position)),
        _since(console, gate.started_mono),
        (
            (_("Controller"), _controller(gate.barrier)),
            (_("Fault"), " ".join(barrier_words.fault(f)[0] for f in gate.barrier.faults)
             or _("none")),
            (_("Time to decide"), _pair(gate.latency_ms.get("decide_p50"),
                                        gate.latency_ms.get("decide_p99"))),
            (_("Time to order and acknowledgement"), _pair(gate.latency_ms.get("order_p50"),
                                                           gate.latency_ms.get("order_p95"))),
            (_("Passages waiting for records"), str(gate.records_queued)),
            (_("Policy in force"), str(gate.policy_version)),
        ), gate.issues,
    )


def _controller(barrier: Barrier) -> str:
    """Kind, name and firmware in one line: ``pico · north gate · 1.0.0``."""
    who = barrier.controller
    return " · ".join(filter(None, (barrier.driver, who.name, who.firmware))) or "–"


def _records(console: Console) -> Health:
    try:
        answer = console.programs.ask(RECORDS, "status")
    except ipc.Refused as refusal:
        issue = Issue("records", str(refusal.fields.get("refused_key", "")),
                              refusal.message, refusal.next_step)
        return Health("records", True, "alarm", _("is in trouble"), None, (), (issue,))
    except IpcError:
        return _down("records", _("No look-up is possible and nothing opens by itself."))
    r = answers.records(answer)
    full = r.disk_free_share is not None and r.disk_free_share < 0.2
    oldest = r.oldest_read_at
    return Health(
        "records", True, _worse("attention" if full else "ok", r.issues),
        _("keeps reads and the journal"), _since(console, r.started_mono),
        (
            (_("Reads held now"), str(r.passages)),
            (_("Oldest read"), times.day_and_time(oldest, console.zone(), console.now())
             if oldest else "–"),
            (_("Journal entries"), str(r.journal_seq)),
            (_("Volumes"), str(r.volumes)),
            (_("Free on the disk"), f"{r.disk_free_share:.0%}" if r.disk_free_share is not None
             else "–"),
        ), r.issues,
    )


def _uplink(console: Console) -> Health:
    answer = console.programs.quiet(UPLINK, "status")
    if answer is None:
        return _down("uplink", _("Nothing leaves this box; the gate goes on."), mood="attention")
    u = answers.uplink(answer)
    if not u.enabled:
        sentence = _("is switched off: nothing leaves this box")
    elif u.connected:
        sentence = _("is connected")
    else:
        sentence = _("is not connected; %(n)s events wait", n=u.waiting)
    return Health(
        "uplink", True, _worse("attention" if u.enabled and not u.connected else "ok", u.issues),
        sentence, _since(console, u.started_mono),
        ((_("Events sent"), str(u.sent)), (_("Events waiting"), str(u.waiting))), u.issues,
    )


def _down(program: str, meaning: str, mood: str = "alarm") -> Health:
    name = words.say(words.PROGRAMS, program)
    issue = Issue(program, "down", _("%(name)s does not answer.", name=name), meaning)
    return Health(program, False, mood, _("does not answer"), None, (), (issue,))


def _worse(mood: str, issues: tuple[Issue, ...]) -> str:
    return "attention" if mood == "ok" and issues else mood


def _since(console: Console, started_mono: float | None) -> float | None:
    return None if started_mono is None else max(0.0, console.mono() - started_mono)


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms" if value >= 10 else f"{value:.2f} ms"


def _pair(usual: float | None, worst: float | None) -> str:
    return "–" if usual is None else f"{_ms(usual)} · {_ms(worst)}"
