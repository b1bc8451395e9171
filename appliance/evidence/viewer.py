"""Shows a bundle to a person who gave name, agency and passphrase, on their own machine alone.

The rules, each a sentence
1. Listens on 127.0.0.1 alone, and answers only to that name: a page elsewhere cannot reach it
   under a name of its own.
2. Nothing is shown before the opening is in the bundle's log and on the disk (``openings``); each
   sign-in is an opening.
3. Reads are shown, never handed out: no download, no saving of a picture, no print style. Every
   page carries the viewer's name over it, may not be kept by the browser, and runs no script.
   (Nothing keeps a person from photographing a screen; the name over it says whose it was.)
4. The custody sheet alone prints: it names no plate.
5. A sign-in ends after a quarter of an hour without a page.

Any thread of the one small server.
"""

from __future__ import annotations

import base64
import contextlib
import html
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from appliance import clock
from appliance.evidence.openings import log_opening
from appliance.evidence.verify import (
    BundleRefused,
    Contents,
    Opening,
    Outside,
    contents,
    examine,
)

IDLE_S = 900.0
_COOKIE = "opened"
_NAMES = ("127.0.0.1", "localhost")
_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src data:; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)
_LONGEST = 120


@dataclass
class Sitting:
    """One person's sign-in, until they leave the page alone for too long."""

    who: Opening
    inside: Contents
    outside: Outside
    seen_mono: float


def create_app(path: Path) -> Flask:
    """The viewer of one bundle. ``path`` is read at each sign-in and written by it."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 10_000
    sittings: dict[str, Sitting] = {}

    @app.before_request
    def only_here() -> None:
        if request.host.rsplit(":", 1)[0] not in _NAMES:
            abort(403)

    @app.after_request
    def kept_nowhere(answer: AnyResponse) -> AnyResponse:
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["Content-Security-Policy"] = _POLICY
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    @app.get("/")
    def front() -> str:
        return _front(path)

    @app.post("/open")
    def sign_in() -> AnyResponse:
        who = Opening(_word("name"), _word("agency"), clock.iso(clock.utc_now()))
        try:
            sitting = _opened(path, who, request.form.get("passphrase", ""))
        except BundleRefused as refused:
            return make_response(_front(path, str(refused)), 403)
        token = secrets.token_urlsafe(24)
        sittings.clear()  # one person at a time: the screen has one
        sittings[token] = sitting
        answer = redirect("/reads")
        answer.set_cookie(_COOKIE, token, httponly=True, samesite="Strict")
        return answer

    @app.post("/leave")
    def leave() -> AnyResponse:
        sittings.clear()
        return redirect("/")

    @app.get("/reads")
    def reads() -> str:
        sitting = _sitting(sittings)
        shown = [_shown(name, sitting.inside) for name in _passages(sitting.inside)]
        return render_template("reads.html", reads=shown, **_page(sitting))

    @app.get("/openings")
    def openings() -> str:
        sitting = _sitting(sittings)
        return render_template("openings.html", log=sitting.outside.openings, **_page(sitting))

    @app.get("/custody")
    def custody() -> Response:
        sheet = _sitting(sittings).inside.entries["custody.html"]
        return Response(sheet, mimetype="text/html")

    @app.errorhandler(401)
    def signed_out(_: Exception) -> AnyResponse:
        return redirect("/")

    return app


def _front(path: Path, refused: str = "") -> str:
    outside = examine(path.read_bytes())
    return render_template("open.html", outside=outside, refused=refused)


def _opened(path: Path, who: Opening, passphrase: str) -> Sitting:
    """Rule 2. Raises BundleRefused."""
    data = path.read_bytes()
    inside = contents(data, examine(data), passphrase.strip())
    log_opening(path, inside.log_key, who)
    return Sitting(who, inside, examine(path.read_bytes()), clock.mono())


def _sitting(sittings: dict[str, Sitting]) -> Sitting:
    """Whoever asks, signed in and not idle; else the front page."""
    sitting = sittings.get(request.cookies.get(_COOKIE, ""))
    if sitting is None or clock.mono() - sitting.seen_mono > IDLE_S:
        sittings.clear()
        abort(401)
    sitting.seen_mono = clock.mono()
    return sitting


def _page(sitting: Sitting) -> dict[str, Any]:
    who = sitting.who
    return {
        "who": who,
        "told": sitting.inside.manifest,
        "fingerprint": sitting.outside.fingerprint,
        "mark": _mark(f"{who.name} / {who.agency} / {who.at}"),
    }


def _mark(text: str) -> str:
    """The viewer's name as a picture that repeats behind and over the page."""
    picture = (
        "<svg xmlns='http://www.w3.org/2000/svg' width='460' height='200'><text x='8' y='150'"
        " transform='rotate(-18 8 150)' font-family='sans-serif' font-size='15' fill='#b00'"
        f" fill-opacity='.28'>{html.escape(text)}</text></svg>"
    )
    return "data:image/svg+xml;base64," + base64.b64encode(picture.encode()).decode()


def _passages(inside: Contents) -> list[str]:
    return sorted(name for name in inside.entries if name.startswith("passages/"))


def _shown(name: str, inside: Contents) -> dict[str, Any]:
    told = json.loads(inside.entries[name])
    passage = told.get("passage", told)
    number = name.removeprefix("passages/").removesuffix(".json")
    picture = inside.entries.get(f"pictures/{number}.jpg", b"")
    return {
        "number": number,
        "at": passage["at"],
        "lane": passage["lane"],
        "sighting": passage.get("sighting") or {},
        "decision": passage.get("decision") or {},
        "picture": base64.b64encode(picture).decode(),
    }


def _word(name: str) -> str:
    return " ".join(request.form.get(name, "").split())[:_LONGEST]


def serve(path: Path, port: int) -> None:  # pragma: no cover - the loop of a real server
    """Serves until interrupted. Raises OSError where the port is taken."""
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", port, create_app(path))
    print(f"Open http://127.0.0.1:{server.server_port}/ in a browser. Ctrl+C ends.")
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
