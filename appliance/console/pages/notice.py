"""The public notice: no sign-in, no cookie, made from the policy in force."""

from __future__ import annotations

from flask import Blueprint, render_template

from appliance.compliance import notices
from appliance.console.context import here
from appliance.console.tongue import _

bp = Blueprint("notice", __name__)


@bp.get("/notice")
def shown() -> str:
    policy = here().policy()
    parts = notices.notice(policy, _("the property's manager"), _) if policy else ()
    return render_template("notice.html", policy=policy, notice_parts=parts)
