"""Help on the device: how the gate decides, who may do what, which keys work."""

from __future__ import annotations

from flask import Blueprint, render_template

from appliance.console import rule_words, words
from appliance.console.permissions import ALLOWED, Permission, needs
from appliance.values import Role

bp = Blueprint("help", __name__, url_prefix="/help")


@bp.get("/")
@needs(Permission.OWN)
def shown() -> str:
    table = [(words.say(words.PERMISSIONS, p), [role in ALLOWED[p] for role in Role])
             for p in Permission]
    rules = [name for code, name in rule_words.RULES.items() if code != "lookup"]
    return render_template("help.html", rules=rules, table=table,
                           roles=[words.say(words.ROLES, r) for r in Role])
