"""The journal: who looked at what, when and why. Reading it is itself an entry."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from appliance.console import answers, words
from appliance.console.context import here, visitor
from appliance.console.forms import Form
from appliance.console.permissions import Permission, needs
from appliance.console.programs import RECORDS
from appliance.console.tongue import _
from appliance.errors import IpcError

bp = Blueprint("journal", __name__, url_prefix="/journal")
LIMIT = 50


@bp.get("/")
@needs(Permission.JOURNAL, purpose=True)
def shown() -> str | tuple[str, int]:
    return _page(None)


@bp.post("/verify")
@needs(Permission.JOURNAL, purpose=True)
def verify() -> str | tuple[str, int]:
    """Recomputes the whole chain and says whether it is unbroken."""
    try:
        answer = here().programs.ask(RECORDS, "verify", visitor().who())
    except IpcError:
        return _trouble()
    return _page(answers.verified(answer))


@bp.get("/receipts")
@needs(Permission.JOURNAL, purpose=True)
def receipts() -> str | tuple[str, int]:
    try:
        answer = here().programs.ask(RECORDS, "receipts", visitor().who())
    except IpcError:
        return _trouble()
    return render_template("receipts.html", receipts=answers.receipts(answer))


def _page(checked: answers.Verified | None) -> str | tuple[str, int]:
    form = Form(request.args)
    action = form.choice("action", list(words.ACTIONS)) if request.args.get("action") else ""
    actor = form.text("actor", longest=40)
    before = request.args.get("before", type=int)
    try:
        answer = here().programs.ask(
            RECORDS, "journal_page", visitor().who(), before_seq=before, limit=LIMIT,
            action=action or None, actor_filter=actor or None,
        )
    except IpcError:
        return _trouble()
    entries = answers.journal(answer)
    return render_template("journal.html", entries=entries, form=form, checked=checked,
                           older=entries[-1].seq if len(entries) == LIMIT else None,
                           kept={"action": action, "actor": actor})


def _trouble() -> tuple[str, int]:
    return render_template(
        "trouble.html", sentence=_("The journal cannot be shown."),
        trouble=_("Records does not answer, or refuses. The journal is kept by it alone."),
    ), 503
