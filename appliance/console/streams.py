"""Server-sent events: what moves on a page, told when it changed. Never a plate.

A stream lives a minute, then the browser connects again: a closed page frees its thread soon. Only
so many run at once over all pages; the rest are refused and poll, so that no thread is starved.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping

from flask import Response, abort

from appliance.console.context import Console, here
from appliance.console.settings import Settings

_places = threading.BoundedSemaphore(Settings().streams)
Tell = Callable[[Console], Mapping[str, object]]


def stream(tell: Tell, step_s: float | None = None) -> Response:
    """Asks ``tell`` once a step and sends what changed. 503 where all places are taken.

    ``tell`` runs outside the request: it has the console, but no visitor and no language.
    """
    console = here()
    if not _places.acquire(blocking=False):
        abort(503)
    wait_s = console.settings.stream_step_s if step_s is None else step_s
    return Response(_told(console, tell, min(wait_s, console.settings.stream_step_s)),
                    mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _told(console: Console, tell: Tell, step_s: float) -> Iterator[str]:
    try:
        last: Mapping[str, object] | None = None
        ends = console.mono() + console.settings.stream_life_s
        yield "retry: 1500\n\n"
        while console.mono() < ends:
            news = tell(console)
            if news != last:
                last = news
                yield f"event: state\ndata: {json.dumps(news)}\n\n"
            else:
                yield ": still here\n\n"
            time.sleep(step_s)
    finally:
        _places.release()
