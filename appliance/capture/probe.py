"""Has the camera changed its picture's size in mid-stream?

OpenCV's FFmpeg reader keeps the size of the first picture for ever: after a change it hands out a
torn or cropped picture of the old size and says nothing (seen with 4.11). So when the scene jumps,
the camera is asked once more over a second connection, and where it names another size the keeper
begins a new session. A jump without a new size (lights, a lorry) costs that one question.
Threads: ``ask`` and ``answer`` on the program's loop; the question on its own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from appliance.capture.source import Source
from appliance.errors import CaptureError

logger = logging.getLogger(__name__)

Size = tuple[int, int]
_APART_S = 5.0  # cameras allow few connections at once


class SizeProbe:
    """``make_source`` builds an unopened source."""

    def __init__(self, make_source: Callable[[], Source]) -> None:
        self._make_source = make_source
        self._thread: threading.Thread | None = None
        self._next_mono = float("-inf")
        self._answer: Size | None = None

    def ask(self, now: float) -> None:
        """Begins to ask, unless a question is open or was asked a moment ago."""
        if now < self._next_mono or (self._thread is not None and self._thread.is_alive()):
            return
        self._next_mono = now + _APART_S
        self._thread = threading.Thread(target=self._run, name="camera-size", daemon=True)
        self._thread.start()

    def answer(self) -> Size | None:
        """Width and height the camera named since the last call, at most once."""
        answer, self._answer = self._answer, None
        return answer

    def _run(self) -> None:
        try:
            self._answer = self._make_source().size_now()
        except CaptureError:
            logger.info("camera did not say its size")
