"""Passages: search them, open one as its decision card. Records journals before it answers.

A searched plate never stands in an address: the form posts it, and the address carries a token that
only this session can turn back.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance import clock, ipc
from appliance.console import answers, card
from appliance.console.context import here, visitor
from appliance.console.forms import Form
from appliance.console.permissions import Permission, needs
from appliance.console.programs import RECORDS
from appliance.console.tongue import _
from appliance.errors import IpcError
from appliance.values import Reason, Verdict

bp = Blueprint("passages", __name__, url_prefix="/passages")
PER_PAGE = 50
_PLATE_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789?*")
_FILTERS = ("from", "to", "lane", "verdict", "reason")


@bp.get("/")
@needs(Permission.LOOK_UP, purpose=True)
def shown() -> str | tuple[str, int]:
    console, me = here(), visitor()
    form = Form(request.args)
    token = request.args.get("s", "")
    plate = console.views.searches.get(me.session.token_hash, token, console.mono()) or ""
    query = _query(form, plate)
    page = max(1, request.args.get("page", 1, type=int) or 1)
    found, trouble = None, ""
    if not form.wrong:
        try:
            found = answers.found(console.programs.ask(
                RECORDS, "find", me.who(), query=query, page=page, per_page=PER_PAGE))
        except IpcError as refusal:
            trouble = _trouble(refusal)
    shown = render_template(
        "passages.html", form=form, plate=plate, token=token, found=found, trouble=trouble,
        page=page, pages=_pages(found), query=query, per_page=PER_PAGE,
        kept={f: request.args[f] for f in (*_FILTERS, "s") if request.args.get(f)},
        verdicts=[v.value for v in Verdict], reasons=[r.value for r in Reason],
    )
    return shown, 400 if form.wrong else 200


@bp.post("/search")
@needs(Permission.LOOK_UP, purpose=True)
def search() -> AnyResponse:
    """Takes the plate out of the form and goes on to an address without it."""
    console = here()
    kept = {f: request.form[f] for f in _FILTERS if request.form.get(f)}
    plate = pattern(request.form.get("plate", ""))
    if plate:
        kept["s"] = console.views.keep_search(visitor().session.token_hash, plate, console.mono())
    return redirect(f"{url_for('passages.shown')}?{urlencode(kept)}")


@bp.get("/<passage_id>")
@needs(Permission.LOOK_UP, purpose=True)
def one(passage_id: str) -> str | tuple[str, int]:
    """The decision card."""
    console, me = here(), visitor()
    try:
        answer = console.programs.ask(RECORDS, "open_passage", me.who(), passage_id=passage_id)
        passage = answers.passage(answer)
    except ipc.Refused as refusal:
        key = refusal.fields.get("refused_key", "")
        status = 403 if key == "purpose_refused" else 404
        return render_template("trouble.html", sentence=_("This passage cannot be shown."),
                               trouble=_trouble(refusal)), status
    except IpcError as refusal:
        return render_template("trouble.html", sentence=_("This passage cannot be shown."),
                               trouble=_trouble(refusal)), 503
    if answer.blob:
        console.views.crops.put(me.session.token_hash, passage_id, answer.blob, console.mono())
    return render_template("passage.html", passage=passage, card=card.lay_out(passage),
                           passage_id=passage_id, has_crop=bool(answer.blob))


@bp.get("/<passage_id>/crop.jpg")
@needs(Permission.LOOK_UP, purpose=True, quiet=True)
def crop(passage_id: str) -> Response:
    """The picture of the card this session just opened; asked (and journaled) again later."""
    console, me = here(), visitor()
    held = console.views.crops.get(me.session.token_hash, passage_id, console.mono())
    if held is None:
        try:
            held = console.programs.ask(RECORDS, "open_passage", me.who(),
                                        passage_id=passage_id).blob
        except IpcError:
            abort(503)
    if not held:
        abort(404)
    return Response(held, mimetype="image/jpeg")


def pattern(written: str) -> str:
    """A plate pattern as typed, in the form that is searched: A-Z, 0-9, ? and *."""
    return "".join(c for c in written.upper() if c in _PLATE_LETTERS)[:16]


def _query(form: Form, plate: str) -> dict[str, str]:
    zone = here().zone()
    query = {"plate": plate} if plate else {}
    for field, name in (("from", "from_at"), ("to", "to_at")):
        at = form.moment(field, zone)
        if at:
            query[name] = clock.iso(at)
    lane = form.text("lane", longest=40)
    if lane:
        query["lane"] = lane
    for field, name, allowed in (("verdict", "verdict", [v.value for v in Verdict]),
                                 ("reason", "reason_code", [r.value for r in Reason])):
        if form.sent.get(field):
            query[name] = form.choice(field, allowed)
    return query


def _pages(found: answers.FoundPage | None) -> int:
    return max(1, -(-found.total // PER_PAGE)) if found else 1


def _trouble(error: IpcError) -> str:
    if isinstance(error, ipc.Refused):
        key = error.fields.get("refused_key", "")
        if key == "purpose_refused":
            return _("Your purpose is not in the published policy. Choose another.")
        if key == "no_policy":
            return _("No policy is published, so nothing is stored and nothing can be shown.")
        return f"{error.message}. {error.next_step}".strip()
    return _("Records does not answer. No look-up is possible, because none could be written to "
             "the journal. The gate's buttons work.")
