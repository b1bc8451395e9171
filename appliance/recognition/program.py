"""The program ``vision``: camera in, sightings out.

The loop: mend the camera, take its newest frame, one step of the line, tell the gate, tell the
view. It needs no other program to run, holds no key and opens no database. Without a camera or a
model it stays up, says so, and tries again: a guard must see what is wrong.
Threads: this loop; one for the camera (``capture.keeper``); the view socket's.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import secrets
import signal
import threading
from collections.abc import Callable

from appliance import clock
from appliance.capture import source
from appliance.capture.health import Health
from appliance.capture.keeper import CameraKeeper
from appliance.capture.mailbox import Mailbox
from appliance.capture.motion import MotionGate
from appliance.config import Config
from appliance.errors import RecognitionError
from appliance.recognition import look
from appliance.recognition.line import Line
from appliance.recognition.send import GateLink
from appliance.recognition.track import Tracker
from appliance.recognition.view import CameraView, Issue, Now, ReaderView, View
from appliance.recognition.visits import Visits
from appliance.values import CameraState, Frame, Sighting

logger = logging.getLogger(__name__)

_WAIT_S = 0.2  # for a frame, before the loop goes round to mend and report
_MODEL_RETRY_S = 15.0
_CAMERA_ADVICE = {
    CameraState.STARTING: ("the camera has sent no picture yet", "Wait; then check its power"),
    CameraState.FROZEN: ("the camera's picture stands still", "Switch the camera off and on"),
    CameraState.BLACK: ("the camera's picture is black", "Check its lens, lamp and exposure"),
    CameraState.STALLED: ("the camera is connected but sends nothing", "Switch it off and on"),
    CameraState.LOST: ("the camera cannot be reached", "Check its power, cable and address"),
}


def main(config: Config) -> int:
    """Runs until SIGTERM or SIGINT; returns the exit status."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    vision = Vision(config, clock.mono())
    try:
        vision.run(stop.is_set)
    finally:
        clean = vision.close()
    logger.info("vision ended")
    if not clean:  # a thread hangs in the camera's driver: ending under it would abort
        logging.shutdown()
        os._exit(0)
    return 0


class Vision:
    """The program's parts, wired once."""

    def __init__(self, config: Config, started_mono: float) -> None:
        self._config = config
        self._mailbox: Mailbox[Frame] = Mailbox()
        self._keeper = CameraKeeper(
            lambda: source.pick(config.camera),
            self._mailbox,
            source.kind_of(config.camera.source),
            config.camera.stall_s,
            started_mono,
        )
        self._link = GateLink(config.socket("sightings"))
        self._view = View(started_mono)
        self._server = self._view.serve(config.socket("view"))
        self._gate = MotionGate(config.camera.mask)
        # a restart must not reuse a name the gate has already opened for
        tracker = Tracker(secrets.token_hex(4), config.recognition.visit_end_s)
        self._visits = Visits(tracker, config.device.lane, config.camera.direction_in,
                              clock.quality)
        self._looker: look.Looker | None = None
        self._line: Line | None = None
        self._model_try_mono = started_mono
        self._model_issue: Issue | None = None
        self._loop_issue: Issue | None = None

    def run(self, stopped: Callable[[], bool]) -> None:
        """The program loop: a failure is logged by its kind, counted, and never ends it."""
        while not stopped():
            try:
                self.turn()
                self._loop_issue = None
            except Exception as error:  # noqa: BLE001 - the program loop
                if self._loop_issue is None:
                    logger.error("vision step failed error=%s", type(error).__name__)
                    logger.debug("vision step failed", exc_info=True)
                    self._loop_issue = Issue(
                        "vision_step", clock.mono(), "a picture could not be processed",
                        "Restart vision; if it comes back, report it with the log",
                    )

    def turn(self) -> None:
        """Once round the loop."""
        health = self._keeper.tick(clock.mono())
        self._load_models(clock.mono())
        frame = self._mailbox.take(_WAIT_S)
        news = self._step(frame) if frame is not None else self._visits.idle(clock.mono())
        now = clock.mono()
        for sighting in news:
            self._link.sighting(sighting, now)
        self._link.heartbeat(health.state, health.since_mono, now)
        self._view.now_is(self._now(health))

    def close(self) -> bool:
        """Says the last word of every visit and lets go; False where the camera's thread hangs."""
        clean = self._keeper.stop()
        for sighting in self._visits.finish():
            self._link.sighting(sighting, clock.mono())
        self._link.close()
        self._server.stop()
        return clean

    def _step(self, frame: Frame) -> list[Sighting]:
        if self._line is None:
            self._view.saw(frame, [], None)
            return []
        looks, begun = self._line.looks, clock.mono()
        news = self._line.step(frame)
        looked = self._line.looks > looks
        look_ms = (clock.mono() - begun) * 1000 if looked else None
        self._view.saw(frame, self._line.glimpses if looked else [], look_ms)
        return news

    def _load_models(self, now: float) -> None:
        if self._line is not None or now < self._model_try_mono:
            return
        try:
            self._looker = look.build(self._config, self._gate.inside)
        except RecognitionError as error:
            self._model_try_mono = now + _MODEL_RETRY_S
            if self._model_issue is None:
                logger.error("models not loaded reason=%s", error.message)
                self._model_issue = Issue("model", now, error.message, error.next_step)
            return
        self._model_issue = None
        self._line = Line(self._gate, self._looker, self._visits, self._config.camera.motion_share)
        logger.info("models loaded precision=%s runtime=%s", self._config.recognition.precision,
                    self._config.recognition.runtime)

    def _now(self, health: Health) -> Now:
        reading = self._config.recognition
        looker = self._looker
        return Now(
            camera=CameraView(
                state=health.state,
                since_mono=health.since_mono,
                source_kind=self._keeper.kind.value,
                frames=self._keeper.frames,
                dropped=self._mailbox.dropped,
                reconnects=self._keeper.reconnects,
            ),
            reader=ReaderView(
                looks=self._line.looks if self._line else 0,
                precision=reading.precision,
                runtime=reading.runtime,
                models=looker.digests if looker else {},
                refused=dict(looker.refused) if looker else {},
                sightings_sent=self._link.sent,
                sightings_dropped=self._link.dropped,
                never_likely=self._visits.dropped,
            ),
            tracks=self._visits.alive,
            issues=tuple(i for i in (self._camera_issue(health), self._model_issue,
                                     self._loop_issue) if i),
        )

    def _camera_issue(self, health: Health) -> Issue | None:
        if not self._config.camera.source:
            return Issue("camera_none", health.since_mono, "no camera is set up",
                         "Set [camera] source and restart vision")
        advice = _CAMERA_ADVICE.get(health.state)
        if advice is None:
            return None
        issue = Issue(f"camera_{health.state.value}", health.since_mono, *advice)
        error = self._keeper.last_error
        if health.state is CameraState.LOST and error is not None and error.next_step:
            issue = dataclasses.replace(issue, next_step=error.next_step)
        return issue
