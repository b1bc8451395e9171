"""One's own account: password, language, look, where one is signed in."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import refresh
from werkzeug.wrappers import Response

from appliance.console import guard, languages
from appliance.console.context import here, visitor
from appliance.console.forms import Form
from appliance.console.pages import sign
from appliance.console.permissions import Permission, needs
from appliance.console.tongue import _

bp = Blueprint("account", __name__, url_prefix="/account")


@bp.get("/")
@needs(Permission.OWN, untrained=True)
def shown() -> str:
    return _page(Form())


@bp.post("/password")
@needs(Permission.OWN, untrained=True)
def password() -> str | Response | tuple[str, int]:
    console, me, form = here(), visitor(), Form(request.form)
    given = sign.read_password(form, me.person.username)
    if console.throttle.must_wait(f"person {me.person.id}", console.mono()):
        form.refuse("current", _("Too many tries. Wait ten minutes."))
    elif not console.accounts.confirm(me.person, form.sent.get("current", "")):
        console.throttle.failed(f"person {me.person.id}", console.mono())
        form.refuse("current", _("This is not your password."))
    if form.wrong:
        return _page(form), 400
    console.journal.may_wait(me.who(), "person_changed", console.now(), {"what": "password"})
    console.accounts.change_password(me.person, given)
    console.sessions.end_all(me.person, console.now(), but=me.session.token_hash)
    flash(_("The password is changed. Other sessions are signed out."), "ok")
    return redirect(url_for("account.shown"))


@bp.post("/everywhere")
@needs(Permission.OWN, untrained=True)
def everywhere() -> Response:
    """Ends every session of the person, this one too."""
    console, me = here(), visitor()
    console.journal.may_wait(me.who(), "sign_out", console.now(), {"everywhere": True})
    console.sessions.end_all(me.person, console.now())
    console.views.forget(me.session.token_hash)
    return redirect(url_for("sign.sign_in"))


@bp.post("/language")
@needs(Permission.OWN, untrained=True)
def language() -> Response:
    chosen = request.form.get("language", "")
    if chosen in languages.LANGUAGES:
        here().accounts.set_language(visitor().person, chosen)
        refresh()
    return redirect(guard.safe_then(request.form.get("then")))


@bp.post("/look")
@needs(Permission.OWN, untrained=True)
def look() -> Response:
    """Light, dark or as the machine: a cookie that says nothing about the person."""
    response = redirect(guard.safe_then(request.form.get("then")))
    chosen = request.form.get("look", "")
    if chosen in languages.LOOKS:
        response.set_cookie(languages.LOOK_COOKIE, chosen, max_age=365 * 86400, httponly=True,
                            samesite="Strict", secure=here().settings.cookie_secure)
    return response


def _page(form: Form) -> str:
    console, me = here(), visitor()
    return render_template("account.html", form=form,
                           sessions=console.sessions.living(me.person, console.now()))
