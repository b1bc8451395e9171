"""People: who has an account, who is trained; invite by one-time code, disable, enable."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.console import codes, words
from appliance.console.context import here, visitor
from appliance.console.forms import Form
from appliance.console.permissions import Permission, needs
from appliance.console.tongue import _
from appliance.errors import IpcError
from appliance.values import Role

bp = Blueprint("people", __name__, url_prefix="/people")


@bp.get("/")
@needs(Permission.PEOPLE)
def shown() -> str:
    return _page(Form(), "")


@bp.post("/invite")
@needs(Permission.PEOPLE)
def invite() -> str | tuple[str, int]:
    """Shows the code once; it is handed over by the manager, not sent by anything."""
    console, me, form = here(), visitor(), Form(request.form)
    role = form.choice("role", [r.value for r in Role])
    if form.wrong:
        return _page(form, ""), 400
    try:
        console.journal.must(me.who(), "person_invited", {"role": role})
    except IpcError:
        form.refuse("role", _("Records does not answer, and nobody is invited without a journal "
                              "entry. Try again in a minute."))
        return _page(form, ""), 503
    with console.store.writing() as connection:
        code = codes.make_invite(connection, Role(role), me.person.username, console.now(),
                                 console.settings.invite_code_s)
    return _page(form, code)


@bp.post("/<int:person_id>/<any(disable, enable):what>")
@needs(Permission.PEOPLE)
def switch(person_id: int, what: str) -> Response:
    console, me = here(), visitor()
    person = console.accounts.by_id(person_id)
    if person is None:
        abort(404)
    back = redirect(url_for("people.shown"))
    if what == "disable" and (person.id == me.person.id or (
            person.role is Role.MANAGER and console.accounts.managers() < 2)):
        flash(_("The last manager, or yourself, cannot be disabled."), "alarm")
        return back
    try:
        console.journal.must(me.who(), "person_changed", {"person": person.username, "what": what})
    except IpcError:
        flash(_("Records does not answer, and nothing is changed without a journal entry."),
              "alarm")
        return back
    if what == "disable":
        console.accounts.disable(person_id, console.now())
        flash(_("The account is disabled and signed out everywhere."), "ok")
    else:
        console.accounts.enable(person_id)
        flash(_("The account can sign in again."), "ok")
    return back


def _page(form: Form, code: str) -> str:
    console, policy = here(), here().policy()
    people = console.accounts.all()
    trained = {
        p.id: policy is not None and console.trainings.complete(p, policy.version) for p in people
    }
    return render_template("people.html", people=people, trained=trained, form=form, code=code,
                           roles=[(r.value, words.say(words.ROLES, r),
                                   words.say(words.ROLE_SENTENCES, r)) for r in Role])
