"""``view.sock``: how the camera and the reader do, and the newest picture for a person.

Only the newest frame is held, and only until the next; a JPEG is made when somebody asks. Whoever
asks for the picture has journaled the view through ``records`` first (``SOCKETS.md``).
Threads: the loop writes with ``saw`` and ``now_is``; the socket's threads read under the lock.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path

from appliance import clock, ipc
from appliance.errors import CaptureError
from appliance.ipc import Message
from appliance.recognition import picture
from appliance.values import CameraState, Frame, Glimpse, PlateBox

_WIDEST_PX = 1280
_PICTURE_BYTES = 150_000
_OUTLINE_S = 0.6  # a plate's outline stays in the picture so long after its glimpse
_LOOKS_KEPT = 500
_FPS_FRAMES = 30


@dataclass(frozen=True, slots=True)
class Issue:
    """Something a person should mend, in plain words; no plate, no name, no address."""

    key: str
    since_mono: float
    message: str
    next_step: str


@dataclass(frozen=True, slots=True)
class CameraView:
    """The camera's part of the status."""

    state: CameraState = CameraState.STARTING
    since_mono: float = 0.0
    source_kind: str = "none"
    frames: int = 0
    dropped: int = 0
    reconnects: int = 0


@dataclass(frozen=True, slots=True)
class ReaderView:
    """The reader's part of the status."""

    looks: int = 0
    precision: str = ""
    runtime: str = ""
    models: dict[str, str] = field(default_factory=dict)
    """First 12 hexadecimal digits of each model file's sha256, by name."""
    refused: dict[str, int] = field(default_factory=dict)
    sightings_sent: int = 0
    sightings_dropped: int = 0
    never_likely: int = 0


@dataclass(frozen=True, slots=True)
class Now:
    """What the loop says of itself a few times a second."""

    camera: CameraView = CameraView()
    reader: ReaderView = ReaderView()
    tracks: int = 0
    issues: tuple[Issue, ...] = ()


class View:
    """Holds what the socket may show."""

    def __init__(self, started_mono: float) -> None:
        self._lock = threading.Lock()
        self._started_mono = started_mono
        self._now = Now()
        self._frame: Frame | None = None
        self._plates: tuple[PlateBox, ...] = ()
        self._plates_mono = float("-inf")
        self._look_ms: deque[float] = deque(maxlen=_LOOKS_KEPT)
        self._arrivals: deque[float] = deque(maxlen=_FPS_FRAMES)

    def serve(self, path: Path) -> ipc.Server:
        """Starts answering; the caller stops the server."""
        server = ipc.Server(path, {"status": self._status, "picture": self._picture})
        server.start()
        return server

    def saw(self, frame: Frame, glimpses: list[Glimpse], look_ms: float | None) -> None:
        """A frame went through the line; ``look_ms`` is None where it was not looked at."""
        with self._lock:
            self._frame = frame
            self._arrivals.append(frame.taken_mono)
            if look_ms is not None:
                self._look_ms.append(look_ms)
                if glimpses:
                    self._plates = tuple(g.where for g in glimpses)
                    self._plates_mono = frame.taken_mono

    def now_is(self, now: Now) -> None:
        with self._lock:
            self._now = now

    def _status(self, _message: Message) -> Message:
        with self._lock:
            now, frame = self._now, self._frame
            look_ms, arrivals = sorted(self._look_ms), list(self._arrivals)
        mono = clock.mono()
        camera, reader = now.camera, now.reader
        return ipc.ok({
            "camera": {
                "state": camera.state.value,
                "since_mono": camera.since_mono,
                "source_kind": camera.source_kind,
                "width": frame.pixels.shape[1] if frame else 0,
                "height": frame.pixels.shape[0] if frame else 0,
                "fps": _fps(arrivals, mono),
                "frame_age_s": round(mono - frame.taken_mono, 3) if frame else None,
                "frames": camera.frames,
                "dropped": camera.dropped,
                "reconnects": camera.reconnects,
            },
            "reader": {
                "looks": reader.looks,
                "ms_p50": _share(look_ms, 0.50),
                "ms_p95": _share(look_ms, 0.95),
                "precision": reader.precision,
                "runtime": reader.runtime,
                "models": reader.models,
                "refused": reader.refused,
                "sightings_sent": reader.sightings_sent,
                "sightings_dropped": reader.sightings_dropped,
                "never_likely": reader.never_likely,
            },
            "tracks": now.tracks,
            "rss_mb": rss_mb(),
            "pid": os.getpid(),
            "started_mono": self._started_mono,
            "issues": [
                {"key": i.key, "since_mono": i.since_mono, "message": i.message,
                 "next_step": i.next_step}
                for i in now.issues
            ],
        })

    def _picture(self, message: Message) -> Message:
        asked = message.header.get("width", _WIDEST_PX)
        width = asked if isinstance(asked, int) and not isinstance(asked, bool) else _WIDEST_PX
        with self._lock:
            frame, plates, plates_mono = self._frame, self._plates, self._plates_mono
            state = self._now.camera.state
        if frame is None:
            raise CaptureError("there is no picture yet", next_step="See the camera's state")
        if frame.taken_mono - plates_mono > _OUTLINE_S:
            plates = ()
        small = picture.shrunk(frame.pixels, max(64, min(width, _WIDEST_PX)))
        factor = small.shape[1] / frame.pixels.shape[1]
        drawn = picture.outlined(small, [(_scaled(p, factor), "") for p in plates])
        return ipc.ok(
            {"taken_at": clock.iso(frame.taken_at), "state": state.value,
             "age_s": round(clock.mono() - frame.taken_mono, 3)},
            picture.jpeg(drawn, _PICTURE_BYTES),
        )


def rss_mb() -> float:
    """Largest resident memory of this process so far, MB.

    From /proc and not from getrusage(2), whose figure a program inherits from what started it.
    """
    for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def _scaled(box: PlateBox, factor: float) -> PlateBox:
    a, b, c, d = ((x * factor, y * factor) for x, y in box.corners)
    return replace(box, corners=(a, b, c, d))


def _share(ordered: list[float], share: float) -> float | None:
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)


def _fps(arrivals: list[float], now: float) -> float:
    """Frames a second over the last frames; 0 where none came for two seconds."""
    if len(arrivals) < 2 or now - arrivals[-1] > 2:
        return 0.0
    return round((len(arrivals) - 1) / max(1e-3, arrivals[-1] - arrivals[0]), 1)
