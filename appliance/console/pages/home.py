"""Home: what the gate does, what needs me, how today went, whether the five programs are well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, render_template, url_for

from appliance import clock
from appliance.console import answers, barrier_words, gate_words, times, today
from appliance.console.context import Console, here, visitor
from appliance.console.health import Health, healths
from appliance.console.lists import Lists
from appliance.console.permissions import Permission, may, needs
from appliance.console.programs import RECORDS
from appliance.console.tongue import _, _n

bp = Blueprint("home", __name__)


@dataclass(frozen=True, slots=True)
class Task:
    """Something that needs this person, with the page that settles it."""

    mood: str
    sentence: str
    next_step: str
    link: str


@bp.get("/")
@needs(Permission.SEE_STATE)
def shown() -> str:
    console = here()
    now = console.now()
    told = healths(console)
    return render_template(
        "home.html", day=times.long_day(now, console.zone()), gate=console.gate(),
        mood=gate_words.mood(console.gate(), console.mono()),
        sentence=gate_words.sentence(console.gate(), console.mono()), healths=told,
        alarms=barrier_words.alarms(console.gate()),
        chart=today.chart(_counts(console, now), console.zone(), now),
        tasks=_tasks(console, told, now),
    )


def _counts(console: Console, now: datetime) -> answers.Counts | None:
    start = today.midnight(console.zone(), now)
    answer = console.programs.quiet(RECORDS, "counts", from_at=clock.iso(start),
                                    to_at=clock.iso(now))
    return answers.counts(answer) if answer else None


def _tasks(console: Console, told: tuple[Health, ...], now: datetime) -> list[Task]:
    tasks = [
        Task("alarm" if not health.up else "attention", issue.message, issue.next_step,
             url_for("health.shown"))
        for health in told
        for issue in health.issues
    ]
    role = visitor().person.role
    if may(role, Permission.EDIT_GRANTS):
        ending = Lists(console.store).ending_within(now, now + timedelta(days=3))
        if ending:
            tasks.append(Task(
                "attention",
                _n("%(num)s entry ends within three days.",
                         "%(num)s entries end within three days.", ending),
                _("Look whether they should go on."), url_for("grants.shown"),
            ))
    if may(role, Permission.PEOPLE):
        policy = console.policy()
        waiting = sum(
            1 for p in console.accounts.all()
            if not p.disabled and policy and not console.trainings.complete(p, policy.version)
        )
        if waiting:
            tasks.append(Task(
                "attention",
                _n("%(num)s person has not finished the training.",
                         "%(num)s people have not finished the training.", waiting),
                _("Until then they see nothing."), url_for("people.shown"),
            ))
    if console.journal.waiting:
        tasks.append(Task(
            "attention", _("Entries wait to be written to the journal."),
            _("They are written as soon as records answers."), url_for("health.shown"),
        ))
    return tasks
