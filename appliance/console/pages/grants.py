"""The lists: allow entries, visitor passes, blocked plates; who, until when, at which hours.

Before an entry is saved its twins are shown: other entries a camera could take for it. Each change
is journaled first, and the gate is told at once.
"""

from __future__ import annotations

import threading
from datetime import timedelta

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance import plates, vault
from appliance.console import hours, second_factors, times
from appliance.console.context import here, visitor
from appliance.console.forms import Form
from appliance.console.lists import Draft, Entry, Lists, Twin
from appliance.console.permissions import Permission, needs
from appliance.console.tongue import _
from appliance.errors import IpcError
from appliance.values import GrantKind

bp = Blueprint("grants", __name__, url_prefix="/grants")
_adding = threading.Lock()
"""The journal names an entry by its number, known before it is written: one is added at a time."""


@bp.get("/")
@needs(Permission.SEE_GRANTS, purpose=True)
def shown() -> str | tuple[str, int]:
    console, lists = here(), Lists(here().store)
    wanted = request.args.get("kind", "")
    kind = GrantKind(wanted) if wanted in [k.value for k in GrantKind] else None
    ended = request.args.get("ended") == "1"
    entries = lists.all(kind, ended=ended)
    try:
        console.journal.must(visitor().who(), "look_up", {"list": wanted or "all"}, len(entries))
    except IpcError:
        return render_template("trouble.html", sentence=_("The lists cannot be shown."),
                               trouble=_no_journal()), 503
    return render_template("grants.html", entries=entries, kind=wanted, ended=ended,
                           counts=lists.counts(), now=console.now())


@bp.route("/new", methods=["GET", "POST"])
@needs(Permission.EDIT_GRANTS, purpose=True)
def new() -> str | Response | tuple[str, int]:
    console, me = here(), visitor()
    kind = request.args.get("kind", "allow")
    defaults = {"kind": kind if kind in ("allow", "visitor", "block") else "allow"}
    if kind == "visitor":
        tomorrow = console.now() + timedelta(days=1)
        defaults["until"] = times.to_local(tomorrow, console.zone())
    form = Form(request.form if request.method == "POST" else None, defaults)
    if request.method == "GET":
        return _page(form, None, [])
    draft, made = _draft(form, None)
    twins = Lists(console.store).twins(draft) if draft else []
    if draft is None or _must_ask(form, twins):
        return _page(form, None, twins), 400
    try:
        with _adding:
            grant_id = Lists(console.store).next_id()
            console.journal.must(me.who(), "grant_added", _told(grant_id, draft), 1)
            Lists(console.store).add(grant_id, draft, me.person.username, console.now())
    except IpcError:
        form.refuse("plate", _no_journal())
        return _page(form, None, twins), 503
    return _saved(_("The entry is saved."), grant_id, made)


@bp.route("/<int:grant_id>", methods=["GET", "POST"])
@needs(Permission.EDIT_GRANTS, purpose=True)
def edit(grant_id: int) -> str | Response | tuple[str, int]:
    console, me, lists = here(), visitor(), Lists(here().store)
    entry = lists.by_id(grant_id)
    if entry is None:
        abort(404)
    form = Form(request.form if request.method == "POST" else None, _defaults(entry))
    if request.method == "GET":
        try:
            console.journal.must(me.who(), "look_up", {"list": entry.grant.kind.value,
                                                       "grant": grant_id}, 1)
        except IpcError:
            return render_template("trouble.html", sentence=_("The lists cannot be shown."),
                                   trouble=_no_journal()), 503
        return _page(form, entry, lists.twins(entry.draft, grant_id))
    draft, made = _draft(form, entry)
    twins = lists.twins(draft, grant_id) if draft else []
    if draft is None or _must_ask(form, twins):
        return _page(form, entry, twins), 400
    try:
        console.journal.must(me.who(), "grant_changed", _told(grant_id, draft), 1)
    except IpcError:
        form.refuse("plate", _no_journal())
        return _page(form, entry, twins), 503
    if not lists.change(grant_id, draft, me.person.username, console.now()):
        abort(404)
    return _saved(_("The entry is changed."), grant_id, made)


@bp.get("/<int:grant_id>/code")
@needs(Permission.EDIT_GRANTS, purpose=True)
def code(grant_id: int) -> str | Response:
    """The code made for this entry, shown to the one who had it made, and only once."""
    console = here()
    made = console.views.codes.take(visitor().session.token_hash, str(grant_id), console.mono())
    if made is None:
        flash(_("A code is shown only once. Make a new one if it is lost."), "attention")
        return redirect(url_for("grants.edit", grant_id=grant_id))
    return render_template("grant_code.html", code=made, grant_id=grant_id)


@bp.post("/<int:grant_id>/end")
@needs(Permission.EDIT_GRANTS, purpose=True)
def end(grant_id: int) -> Response:
    console, me, lists = here(), visitor(), Lists(here().store)
    entry = lists.by_id(grant_id)
    if entry is None:
        abort(404)
    try:
        console.journal.must(me.who(), "grant_ended", {"grant": grant_id}, 1)
    except IpcError:
        flash(_no_journal(), "alarm")
        return redirect(url_for("grants.shown"))
    lists.end(grant_id, me.person.username, console.now())
    return _saved(_("The entry is ended. The gate knows."))


def _saved(sentence: str, grant_id: int = 0, made: str = "") -> Response:
    if not here().tell_gate():
        sentence = _("%(done)s The gate does not answer; it reads the lists when it is back.",
                     done=sentence)
    flash(sentence, "ok")
    if made:
        console = here()
        console.views.codes.put(visitor().session.token_hash, str(grant_id), made, console.mono())
        return redirect(url_for("grants.code", grant_id=grant_id))
    return redirect(url_for("grants.shown"))


def _told(grant_id: int, draft: Draft) -> dict[str, str | int | float | bool]:
    """What the journal says of an entry: never its plate."""
    told: dict[str, str | int | float | bool] = {"grant": grant_id, "kind": draft.kind.value}
    if draft.second_factor:
        told["second_factor"] = draft.second_factor.value
    return told


def _page(form: Form, entry: Entry | None, twins: list[Twin]) -> str:
    return render_template("grant.html", form=form, entry=entry, twins=twins,
                           spans=hours.spans_of(form), now=here().now())


def _must_ask(form: Form, twins: list[Twin]) -> bool:
    """A twin must be seen before the entry is saved: the second press confirms."""
    if form.wrong:
        return True
    if twins and form.sent.get("seen_twins") != "yes":
        form.refuse("seen_twins", _("Another entry could be taken for this one. Look below, then "
                                    "confirm."))
        return True
    return False


def _draft(form: Form, entry: Entry | None) -> tuple[Draft | None, str]:
    """The entry as the form describes it, and a code that was made for it."""
    zone = here().zone()
    kind = form.choice("kind", [k.value for k in GrantKind])
    plate = ""
    try:
        plate = plates.normalise(form.sent.get("plate", ""))
    except plates.PlateRefused:
        form.refuse("plate", _("A plate has 2 to 12 letters and digits. Write it as it stands on "
                               "the car."))
    label = form.text("label", longest=60)
    unit = form.text("unit", longest=40)
    note = form.text("note", longest=300)
    from_at, until_at = form.moment("from", zone), form.moment("until", zone)
    if from_at and until_at and until_at <= from_at:
        form.refuse("until", _("The end must come after the beginning."))
    if kind == GrantKind.VISITOR.value and until_at is None:
        form.refuse("until", _("A visitor pass needs an end."))
    spans = hours.read(form)
    lanes = tuple(filter(None, (p.strip() for p in form.text("lanes", longest=200).split(","))))
    asked = second_factors.read(form, kind, entry, vault.key(here().config, "site"))
    if form.wrong:
        return None, ""
    return Draft(GrantKind(kind), plate, label, unit, note, from_at, until_at, spans, lanes,
                 asked.factor, asked.code_mac), asked.made


def _defaults(entry: Entry) -> dict[str, str | list[str]]:
    zone, draft = here().zone(), entry.draft
    return {
        "kind": draft.kind.value, "plate": draft.plate, "label": draft.label, "unit": draft.unit,
        "note": draft.note, "from": times.to_local(draft.from_at, zone),
        "until": times.to_local(draft.until_at, zone), "lanes": ", ".join(draft.lanes),
        "second_factor": draft.second_factor.value,
        **hours.defaults(draft.hours),
    }


def _no_journal() -> str:
    return _("Records does not answer, and nothing is shown or changed without a journal entry. "
             "Try again in a minute.")
