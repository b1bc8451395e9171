"""Asked once, good for half an hour: what are you going to look for, and why."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from appliance.console import guard
from appliance.console.context import here, visitor
from appliance.console.forms import Form
from appliance.console.permissions import Permission, needs, purposes_for
from appliance.values import Purpose

bp = Blueprint("purpose", __name__)


@bp.route("/purpose", methods=["GET", "POST"])
@needs(Permission.OWN)
def choose() -> str | Response | tuple[str, int]:
    console, me, policy = here(), visitor(), here().policy()
    offered = purposes_for(me.person.role, policy.purposes if policy else ())
    then = request.values.get("then", "")
    chosen = me.session.purpose
    form = Form(request.form if request.method == "POST" else None, {
        "purpose": chosen.purpose.value if chosen else (offered[0].value if offered else ""),
        "reason": chosen.reason if chosen else "",
    })
    if request.method == "POST":
        code = form.choice("purpose", [p.value for p in offered])
        reason = form.text("reason", longest=200, shortest=4)
        if not form.wrong:
            console.sessions.choose_purpose(me.session.token_hash, Purpose(code), reason,
                                            console.now())
            console.views.forget(me.session.token_hash)
            return redirect(guard.safe_then(then))
    page = render_template("purpose.html", form=form, offered=offered, then=then)
    return page, 400 if form.wrong else 200
