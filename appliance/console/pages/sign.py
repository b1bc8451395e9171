"""Sign in, sign out, join with a one-time code.

What is wrong is said once and the same way for a wrong name, a wrong password and a disabled
account; only a wait is told, because the person needs to know how long.
"""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from appliance.console import codes, guard
from appliance.console.context import here, visitor
from appliance.console.forms import Form
from appliance.console.people import Locked, Person, username_fits
from appliance.console.permissions import Permission, needs
from appliance.console.programs import Who
from appliance.console.tongue import _

bp = Blueprint("sign", __name__)
TERMS = "2026-11"
"""The wording a person agrees to at sign-in; journaled with it."""


@bp.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> str | Response | tuple[str, int]:
    if request.method == "GET":
        if guard.find_visitor(here(), counts=True):
            return redirect(url_for("home.shown"))
        if request.args.get("lang"):
            session["language"] = request.args["lang"]
        return render_template("sign_in.html", form=Form(), then=request.args.get("then", ""))
    console, form = here(), Form(request.form)
    now, address = console.now(), request.remote_addr or ""
    username = form.text("username", longest=64).lower()
    if console.throttle.must_wait(address, console.mono()):
        form.refuse("username", _("Too many tries from this place. Wait ten minutes."))
        return _again(form), 429
    found = console.accounts.check(username, form.sent.get("password", ""), now)
    if isinstance(found, Person):
        begin(found)
        return redirect(guard.safe_then(form.sent.get("then")))
    console.throttle.failed(address, console.mono())
    known = username if console.accounts.taken(username) else "unknown"
    console.journal.may_wait(Who(known, "", "", "access_control", ""), "sign_in_failed", now)
    if isinstance(found, Locked):
        minutes = max(1, round((found.until_at - now).total_seconds() / 60))
        form.refuse("username", _("Too many tries. This account waits %(n)s min.", n=minutes))
        return _again(form), 429
    form.refuse("username", _("Name and password do not belong together. Check both."))
    return _again(form), 401


def begin(person: Person) -> None:
    """Signs the person in: a fresh session, nothing carried over but the language."""
    console, language = here(), session.get("language")
    session.clear()
    session[guard.TOKEN] = console.sessions.begin(person, console.now())
    if language:
        session["language"] = language
    who = Who(person.username, person.role.value, person.organisation, "access_control", "")
    console.journal.may_wait(who, "sign_in", console.now(), {"terms": TERMS})


@bp.post("/sign-out")
@needs(Permission.OWN, untrained=True)
def sign_out() -> Response:
    console, me = here(), visitor()
    console.journal.may_wait(me.who(), "sign_out", console.now())
    console.sessions.end(me.session.token_hash, console.now())
    console.views.forget(me.session.token_hash)
    session.clear()
    return redirect(url_for("sign.sign_in"))


@bp.route("/join", methods=["GET", "POST"])
def join() -> str | Response | tuple[str, int]:
    """An invited person makes the account with the code the manager handed over."""
    form = Form(request.form if request.method == "POST" else None)
    if request.method == "GET":
        return render_template("join.html", form=form)
    console, address = here(), request.remote_addr or ""
    if console.throttle.must_wait(address, console.mono()):
        form.refuse("code", _("Too many tries from this place. Wait ten minutes."))
        return render_template("join.html", form=form), 429
    with console.store.reading() as connection:
        code = codes.find(connection, form.text("code", longest=40), console.now())
    if code is None or code.first:
        console.throttle.failed(address, console.mono())
        form.refuse("code", _("This code is wrong, used or past its time. Ask for a new one."))
        return render_template("join.html", form=form), 400
    person = make_account(form, code)
    if person is None:
        return render_template("join.html", form=form), 400
    begin(person)
    return redirect(url_for("home.shown"))


def make_account(form: Form, code: codes.Code) -> Person | None:
    """The account the form describes, or None with the reasons in the form."""
    console = here()
    username = form.text("username", longest=32, shortest=2).lower()
    name = form.text("name", longest=60, shortest=2)
    organisation = form.text("organisation", longest=60, shortest=2)
    password = read_password(form, username)
    if username and not username_fits(username):
        form.refuse("username", _("Use small letters and digits, beginning with a letter."))
    elif console.accounts.taken(username):
        form.refuse("username", _("This name is taken."))
    if form.wrong:
        return None
    person = console.accounts.join(code, username, name, organisation, password, console.now())
    if person is None:
        form.refuse("code", _("This code was just used. Ask for a new one."))
    return person


def read_password(form: Form, username: str) -> str:
    """A new password, typed twice; long rather than odd."""
    password, again = form.sent.get("password", ""), form.sent.get("again", "")
    shortest = here().settings.shortest_password
    if not shortest <= len(password) <= 200:
        form.refuse("password", _("Use %(n)s characters or more. Three or four words do well.",
                                  n=shortest))
    elif len(set(password)) < 5 or (username and username in password.lower()):
        form.refuse("password", _("This is too easy to guess."))
    elif password != again:
        form.refuse("again", _("The two are not the same."))
    return password


def _again(form: Form) -> str:
    return render_template("sign_in.html", form=form, then=form.sent.get("then", ""))
