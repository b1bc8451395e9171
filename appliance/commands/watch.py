"""`postern watch SOURCE`: follow a camera, clip or folder; sightings as JSON lines.

    {"track", "revision", "plate", "score", "first_s", "last_s", "direction", "agreeing",
     "glimpses", "char_scores", "final"}

A clip or folder is read to its end as fast as it goes, with the clip's own times, and gives what
the gate would have been told; with `--realtime` it is played like a camera, drops and all. A
camera is followed until Ctrl-C. Times are seconds since the start.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import logging
import os
import secrets
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from appliance import clock
from appliance.capture import source
from appliance.capture.keeper import CameraKeeper
from appliance.capture.mailbox import Mailbox
from appliance.capture.motion import MotionGate
from appliance.config import Config
from appliance.errors import CaptureError
from appliance.recognition import look
from appliance.recognition.line import Line
from appliance.recognition.track import Tracker
from appliance.recognition.visits import Visits
from appliance.values import CameraState, Frame, Sighting

_WAIT_S = 0.2


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", metavar="SOURCE", help="rtsp://..., /dev/videoN, a clip or a folder of pictures"
    )
    parser.add_argument("--realtime", action="store_true", help="play a clip at its own speed")
    parser.add_argument("--final", action="store_true", help="print only each car's last word")


def run(args: argparse.Namespace, config: Config) -> int:
    """0 at the source's end. Raises CaptureError, told in one line, where there is none."""
    camera = dataclasses.replace(config.camera, source=args.source, loop=False)
    config = dataclasses.replace(config, camera=camera)
    logging.getLogger().addHandler(logging.NullHandler())  # lines on stderr are errors only
    start_mono = clock.mono()
    live = args.realtime or source.kind_of(args.source).live
    opened = source.pick(camera)
    if not live:
        opened.open()  # what is not there is told before a model is loaded
    gate = MotionGate(camera.mask)
    visits = Visits(
        Tracker(secrets.token_hex(4), config.recognition.visit_end_s),
        config.device.lane,
        camera.direction_in,
        clock.quality,
    )
    line = Line(gate, look.build(config, gate.inside), visits, camera.motion_share)
    sightings = _live(line, config) if live else _replay(line, opened, start_mono)
    with contextlib.suppress(KeyboardInterrupt):
        for sighting in sightings:
            if sighting.final or not args.final:
                print(json.dumps(_told(sighting, start_mono)), flush=True)
    return 0


def _replay(line: Line, opened: source.Source, start_mono: float) -> Iterator[Sighting]:
    """Every wanted frame, at full speed, with the clip's times."""
    start_at = clock.utc_now()
    seq = 0
    while (shot := opened.read()) is not None:
        seq += 1
        frame = Frame(
            seq, start_mono + shot.at_s, start_at + timedelta(seconds=shot.at_s), shot.pixels
        )
        yield from line.step(frame)
    opened.close()
    if not seq:
        raise CaptureError("the source holds no picture that can be read")
    yield from line.visits.finish()


def _live(line: Line, config: Config) -> Iterator[Sighting]:
    """As the program does: the newest frame, whatever was missed is missed."""
    mailbox: Mailbox[Frame] = Mailbox()
    kind = source.kind_of(config.camera.source)
    keeper = CameraKeeper(
        lambda: source.pick(config.camera), mailbox, kind, config.camera.stall_s, clock.mono()
    )
    try:
        while True:
            health = keeper.tick(clock.mono())
            if keeper.last_error is not None and not keeper.frames:
                raise keeper.last_error  # it never was there; once seen, it is waited for for ever
            frame = mailbox.take(_WAIT_S)
            if frame is not None:
                yield from line.step(frame)
            elif health.state is CameraState.ENDED:
                break
            else:
                yield from line.visits.idle(clock.mono())
        yield from line.visits.finish()
    finally:
        if not keeper.stop():  # a thread hangs in the camera's driver: ending under it would abort
            sys.stdout.flush()
            os._exit(0)


def _told(sighting: Sighting, start_mono: float) -> dict[str, Any]:
    return {
        "track": sighting.track,
        "revision": sighting.revision,
        "plate": sighting.plate,
        "score": sighting.score,
        "first_s": round(sighting.first_mono - start_mono, 3),
        "last_s": round(sighting.last_mono - start_mono, 3),
        "direction": sighting.direction.value,
        "agreeing": sighting.agreeing,
        "glimpses": sighting.glimpses,
        "char_scores": list(sighting.char_scores),
        "final": sighting.final,
    }
