"""The console's app factory: parts in, closed Flask app out.

Any page may be served by any thread; the only shared state is the ``Console`` object, whose parts
lock for themselves. The app holds the cookie key and the key of ``site.db``; no key to the reads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from flask import Flask, render_template
from flask_babel import Babel
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from appliance import clock, site, vault
from appliance.config import Config
from appliance.console import frame, guard, headers, languages
from appliance.console.context import Console
from appliance.console.journaling import Journal
from appliance.console.pages import (
    account,
    barrier,
    commissioning,
    desk,
    grants,
    health,
    help,
    home,
    journal,
    notice,
    passages,
    people,
    policy,
    purpose,
    setup,
    sign,
    training,
    yes,
)
from appliance.console.people import Accounts
from appliance.console.programs import Programs
from appliance.console.sessions import Sessions
from appliance.console.settings import Settings
from appliance.console.store import Store
from appliance.console.throttle import Throttle
from appliance.console.tongue import _
from appliance.console.trainings import Trainings
from appliance.errors import ApplianceError

PAGES = (account, barrier, commissioning, desk, grants, health, help, home, journal, notice,
         passages, people, policy, purpose, setup, sign, training, yes)
_LARGEST_FORM = 64 * 1024


def create_app(
    config: Config, settings: Settings | None = None,
    now: Callable[[], datetime] = clock.utc_now, mono: Callable[[], float] = clock.mono,
) -> Flask:
    """Opens site.db and builds the app. Raises VaultError where keys are missing."""
    chosen = settings or Settings()
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=vault.key(config, "session"),
        SESSION_COOKIE_NAME="postern",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=chosen.cookie_secure,
        MAX_CONTENT_LENGTH=_LARGEST_FORM,
        WTF_CSRF_TIME_LIMIT=None,
        TEMPLATES_AUTO_RELOAD=False,
    )
    app.extensions["postern"] = _console(config, chosen, now, mono)
    Babel(app, default_locale="en", locale_selector=languages.chosen,
          default_translation_directories=str(Path(__file__).parent / "translations"))
    guard.install(app)
    CSRFProtect(app)
    headers.install(app)
    frame.install(app)
    for page in PAGES:
        app.register_blueprint(page.bp)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(ApplianceError, _our_error)
    guard.check_closed(app)
    return app


def _console(config: Config, settings: Settings, now: Callable[[], datetime],
             mono: Callable[[], float]) -> Console:
    store = Store(site.open_writer(config))
    programs = Programs(config, settings.ask_timeout_s)
    return Console(
        config=config, settings=replace(settings), store=store, programs=programs,
        journal=Journal(programs), accounts=Accounts(store, settings),
        sessions=Sessions(store, settings), trainings=Trainings(store), throttle=Throttle(),
        now=now, mono=mono,
    )


def _http_error(error: HTTPException) -> tuple[str, int]:
    """What happened, what it means, what to do; the same page for every error."""
    status = error.code or 500
    told = {
        401: (_("You are signed out."), _("Sign in again to go on.")),
        403: (_("Your role does not reach this page."),
              _("A manager decides who has which role. Help shows the table.")),
        404: (_("There is nothing at this address."), _("Go on from the menu.")),
        405: (_("This page cannot be used that way."), _("Go on from the menu.")),
        413: (_("That was too large."), _("Send less.")),
        503: (_("This cannot be shown now."), _("Health tells which program does not answer.")),
    }
    if isinstance(error, CSRFError):
        status, sentence = 400, _("This form is too old to be trusted.")
        next_step = _("Open the page again and repeat what you did.")
    else:
        sentence, next_step = told.get(
            status, (_("This did not work."), _("Try again; if it goes on, look at Health.")))
    return render_template("trouble.html", sentence=sentence, trouble=next_step), status


def _our_error(error: ApplianceError) -> tuple[str, int]:
    return render_template("trouble.html", sentence=_("This cannot be done now."),
                           trouble=str(error)), 503
