"""Health in words for people, and one line for a watchdog."""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from appliance.console.context import here
from appliance.console.health import healths
from appliance.console.permissions import Permission, needs

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def alive() -> Response:
    """200 while the console serves and its database answers; tells nothing else."""
    here().store.row("SELECT 1")
    return Response("ok\n", mimetype="text/plain")


@bp.get("/health")
@needs(Permission.SEE_STATE)
def shown() -> str:
    return render_template("health.html", healths=healths(here()))
