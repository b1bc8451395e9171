"""The policy in force as a document, and the form that publishes the next version."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.compliance import policy_document
from appliance.console import policies
from appliance.console.context import here, visitor
from appliance.console.permissions import Permission, needs
from appliance.console.tongue import _
from appliance.errors import ApplianceError

bp = Blueprint("policy", __name__, url_prefix="/policy")


@bp.get("/")
@needs(Permission.SEE_POLICY)
def shown() -> str:
    policy = here().policy()
    if policy is None:
        raise ApplianceError("no policy is published")
    return render_template("policy.html", policy=policy,
                           sections=policy_document.sections(policy, _))


@bp.route("/new", methods=["GET", "POST"])
@needs(Permission.PUBLISH)
def new() -> str | Response | tuple[str, int]:
    form = policies.form(here().policy(), request.form if request.method == "POST" else None)
    if request.method == "POST":
        version = policies.publish_from(form, visitor())
        if version:
            flash(_("Version %(n)s is in force. Everyone reads it once before they go on.",
                    n=version), "ok")
            return redirect(url_for("policy.shown"))
    page = render_template("policy_new.html", form=form, choices=policies.choices())
    return page, 400 if form.wrong else 200
