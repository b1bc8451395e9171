"""The resident's yes: a link of one entry, good on the property's own network.

The page says whether a car with this entry waits now, never its plate, and has one button. Every
change of the entry ends the link. Tries are counted; the gate journals the yes before it acts.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

import segno
from flask import Blueprint, abort, current_app, render_template, request, url_for
from markupsafe import Markup

from appliance import ipc
from appliance.console import second_factors
from appliance.console.context import Console, here, visitor
from appliance.console.gate_answers import Gate
from appliance.console.lists import Entry, Lists
from appliance.console.permissions import Permission, needs
from appliance.console.programs import DOOR, Who
from appliance.console.tongue import _
from appliance.errors import IpcError
from appliance.values import Purpose, SecondFactor

bp = Blueprint("yes", __name__)
RESIDENT = Who("resident", "resident", "", Purpose.ACCESS_CONTROL.value, "the resident said yes")


@dataclass(frozen=True, slots=True)
class Said:
    """The page's one sentence, and whether there is something to press."""

    mood: str
    sentence: str
    more: str
    left_s: int | None = None
    """Seconds in which the button still works; None: no car waits."""
    watching: bool = False
    """The page looks again by itself."""


@bp.get("/grants/<int:grant_id>/yes")
@needs(Permission.EDIT_GRANTS, purpose=True)
def link(grant_id: int) -> str | tuple[str, int]:
    """The link and its picture, for the manager to hand over."""
    console = here()
    entry = Lists(console.store).by_id(grant_id)
    if entry is None or entry.ended_at or entry.grant.second_factor is not SecondFactor.RESIDENT:
        abort(404)
    try:
        console.journal.must(visitor().who(), "look_up", {"link": grant_id}, 1)
    except IpcError:
        return render_template("trouble.html", sentence=_("The link cannot be shown."),
                               trouble=_("Records does not answer. Try again in a minute.")), 503
    token = second_factors.token(entry, _key())
    address = url_for("yes.shown", token=token, _external=True)
    picture = segno.make(address, error="m").svg_inline(omitsize=True, border=2,
                                                        svgclass="qr", lineclass="qr-line")
    return render_template("grant_yes.html", entry=entry, address=address,
                           picture=Markup(picture))  # noqa: S704 - drawn here, holds no text


@bp.get("/yes/<token>")
def shown(token: str) -> tuple[str, int]:
    console = here()
    entry, status = _admitted(console, token)
    if entry is None:
        return _page(_refused(status), token), status
    return _page(_waiting(console.look_at_gate(), entry), token), 200


@bp.post("/yes/<token>")
def let_in(token: str) -> tuple[str, int]:
    console = here()
    entry, status = _admitted(console, token)
    if entry is None:
        return _page(_refused(status), token), status
    console.throttle.failed(f"yes {entry.id}", console.mono())
    try:
        answer = console.programs.ask(DOOR, "confirm", RESIDENT, grant_id=entry.id)
    except ipc.Refused:
        return _page(Said("attention", _("Nothing was opened."),
                          _("The car drove on, or its minute is over. The guard can help.")),
                     token), 409
    except IpcError:
        return _page(Said("alarm", _("The gate does not answer."), _("Call the guard.")),
                     token), 503
    if answer.header.get("verdict") == "open":
        return _page(Said("ok", _("The gate opens."), _("Your yes was written down.")), token), 200
    return _page(Said("attention", _("The gate stays closed."), _("The guard can help.")),
                 token), 200


def _admitted(console: Console, token: str) -> tuple[Entry | None, int]:
    """The entry of a good link; else None and the status that says why."""
    address, mono = request.remote_addr or "", console.mono()
    if not _near(address):
        return None, 404
    if console.throttle.must_wait(address, mono):
        return None, 429
    entry = second_factors.entry_of(token, Lists(console.store), _key())
    if entry is None:
        console.throttle.failed(address, mono)
        return None, 404
    if console.throttle.must_wait(f"yes {entry.id}", mono):
        return None, 429
    return entry, 200


def _waiting(gate: Gate | None, entry: Entry) -> Said:
    if gate is None:
        return Said("alarm", _("The gate does not answer."), _("Call the guard."), watching=True)
    waits = gate.waits
    if waits is None or waits.what != SecondFactor.RESIDENT.value or waits.grant_id != entry.id:
        return Said("still", _("No car with your entry waits now."),
                    _("This page looks again by itself."), watching=True)
    return Said("attention", _("A car with your entry waits at the gate."),
                _("Let it in only if you expect it."), left_s=max(1, int(waits.left_s)))


def _refused(status: int) -> Said:
    if status == 429:
        return Said("attention", _("Too many tries. Wait ten minutes."), _("The guard can help."))
    return Said("attention", _("This link is not valid any more."),
                _("Ask the property's manager for a new one."))


def _near(address: str) -> bool:
    """On the property's own network, or on this box itself."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return found.is_private or found.is_loopback or found.is_link_local


def _key() -> str | bytes:
    key = current_app.secret_key
    if key is None:
        raise RuntimeError("the app has no secret key")
    return key


def _page(said: Said, token: str) -> str:
    return render_template("yes.html", said=said, token=token)
