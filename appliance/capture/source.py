"""What every source of pictures is, and which one a setting names.

A source is opened, read shot by shot and closed, all on one thread; it knows nothing of health,
reconnecting or pacing. A live source blocks until a picture comes; a replay returns at once and
gives each shot the time it has in the clip, so that a clip can run at full speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from appliance.errors import CaptureError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from appliance.config import Camera

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
_STREAM_SCHEMES = ("rtsp://", "rtsps://", "http://", "https://")


class SourceKind(StrEnum):
    """Named in the status instead of the address, which may hold a password."""

    RTSP = "rtsp"
    V4L2 = "v4l2"
    FILE = "file"
    FOLDER = "folder"
    NONE = "none"

    @property
    def live(self) -> bool:
        return self in (SourceKind.RTSP, SourceKind.V4L2)


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture as it came from its source."""

    pixels: npt.NDArray[np.uint8]
    """uint8 (H, W, 3) BGR."""
    at_s: float
    """Seconds since the source was opened: of arrival where it is live, of the clip otherwise."""


class Source(Protocol):
    """One thread opens, reads and closes."""

    @property
    def kind(self) -> SourceKind: ...

    def open(self) -> None:
        """Raises CaptureError where there is nothing to read."""

    def read(self) -> Shot | None:
        """The next wanted shot; None at the end. Raises CaptureError where a live one is lost."""

    def close(self) -> None:
        """Idempotent."""

    def size_now(self) -> tuple[int, int] | None:
        """Width and height as the camera names them now, over a connection of its own.

        None where a change cannot happen or be asked. Raises CaptureError.
        """


def kind_of(address: str) -> SourceKind:
    """Which kind of source an address names; the address is not touched."""
    if not address:
        return SourceKind.NONE
    if address.lower().startswith(_STREAM_SCHEMES):
        return SourceKind.RTSP
    if address.startswith("/dev/"):
        return SourceKind.V4L2
    path = Path(address)
    if path.is_dir() or path.suffix.lower() in PICTURE_SUFFIXES:
        return SourceKind.FOLDER
    return SourceKind.FILE


def pick(camera: Camera) -> Source:
    """The source the settings name, not yet opened. Raises CaptureError where none is named."""
    from appliance.capture.camera import Device, Stream
    from appliance.capture.replay import Clip, Folder

    kind = kind_of(camera.source)
    if kind is SourceKind.RTSP:
        return Stream(camera.source, camera.fps, timeout_s=camera.stall_s + 1)
    if kind is SourceKind.V4L2:
        return Device(camera.source, camera.fps)
    if kind is SourceKind.FOLDER:
        return Folder(Path(camera.source), camera.fps, loop=camera.loop)
    if kind is SourceKind.FILE:
        return Clip(Path(camera.source), camera.fps, loop=camera.loop)
    raise CaptureError("no camera is set up", next_step="Set [camera] source and restart vision")
