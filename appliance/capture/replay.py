"""Clips and folders of pictures as sources, timed by the clip and not by the clock.

A clip is thinned to ``fps`` like a camera, so that a replay sees what the gate would have seen.
With ``loop`` the timeline goes on at the end instead of beginning again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from appliance.capture.quiet import settle
from appliance.capture.source import PICTURE_SUFFIXES, Shot, SourceKind
from appliance.errors import CaptureError

logger = logging.getLogger(__name__)

_USUAL_FPS = 25.0  # where a clip does not say
_LARGEST_FILE = 64 * 1024 * 1024


class Clip:
    """A video file."""

    kind = SourceKind.FILE

    def __init__(self, path: Path, fps: float, *, loop: bool = False) -> None:
        self._path = path
        self._period_s = 1.0 / fps
        self._loop = loop
        self._capture: Any = None
        self._clip_fps = _USUAL_FPS
        self._index = 0
        self._begun_s = 0.0
        self._due_s = 0.0

    def open(self) -> None:
        settle()
        if not self._path.is_file():
            raise CaptureError(f"there is no file {self._path}", next_step="Check the path")
        capture = cv2.VideoCapture(
            str(self._path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1]
        )
        if not capture.isOpened() or not capture.grab():
            capture.release()
            raise CaptureError(
                f"{self._path.name} holds no picture that can be read",
                next_step="Play it once with another program; it may be empty or damaged",
            )
        self._capture = capture
        stated = float(capture.get(cv2.CAP_PROP_FPS))
        self._clip_fps = stated if 1 <= stated <= 240 else _USUAL_FPS
        self._index = 0
        self._due_s = self._begun_s

    def read(self) -> Shot | None:
        if self._capture is None:
            raise CaptureError("the clip is not open")
        while True:
            # the first picture was grabbed by open(), to know that there is one
            if self._index > 0 and not self._capture.grab():
                if not self._again():
                    return None
                continue
            at_s = self._begun_s + self._index / self._clip_fps
            self._index += 1
            if at_s < self._due_s - 1e-6:
                continue
            good, pixels = self._capture.retrieve()
            if good and pixels is not None and pixels.size:
                self._due_s = max(self._due_s + self._period_s, at_s)
                return Shot(pixels, at_s)

    def close(self) -> None:
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def size_now(self) -> tuple[int, int] | None:
        return None

    def _again(self) -> bool:
        """Opens the clip once more where it is to be looped."""
        if not self._loop:
            return False
        self._begun_s += max(self._index, 1) / self._clip_fps
        self.close()
        self.open()
        return True


class Folder:
    """Pictures of a folder by name (2 before 10), or one picture; ``1 / fps`` apart."""

    kind = SourceKind.FOLDER

    def __init__(self, path: Path, fps: float, *, loop: bool = False) -> None:
        self._path = path
        self._period_s = 1.0 / fps
        self._loop = loop
        self._pictures: list[Path] = []
        self._rest: Iterator[Path] = iter(())
        self._shots = 0

    def open(self) -> None:
        settle()
        self._pictures = pictures_in(self._path)
        if not self._pictures:
            raise CaptureError(
                f"{self._path} holds no pictures", next_step="Name a folder of .jpg or .png files"
            )
        self._rest = iter(self._pictures)

    def read(self) -> Shot | None:
        """Passes over pictures that cannot be read; a folder of nothing else is an end."""
        for fresh in (False, True):
            if fresh:
                if not self._loop:
                    return None
                self._rest = iter(self._pictures)
            for path in self._rest:
                try:
                    pixels = load_picture(path)
                except CaptureError as error:
                    logger.warning("picture passed over reason=%s", error.message)
                    continue
                at_s = self._shots * self._period_s
                self._shots += 1
                return Shot(pixels, at_s)
        return None

    def close(self) -> None:
        self._rest = iter(())

    def size_now(self) -> tuple[int, int] | None:
        return None


def pictures_in(path: Path) -> list[Path]:
    """The pictures a path names: itself, or a folder's by natural order."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        return []
    found = (p for p in path.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES and p.is_file())
    return sorted(found, key=_natural)


def load_picture(path: Path, *, grey: bool = False) -> npt.NDArray[np.uint8]:
    """uint8 (H, W, 3) BGR, or (H, W) where ``grey`` (twice as fast); turned as its EXIF says.

    Raises CaptureError for what is missing, empty, not a picture or cut off.
    """
    settle()
    try:
        data = path.read_bytes() if path.stat().st_size <= _LARGEST_FILE else None
    except OSError as cause:
        raise CaptureError(
            f"{path.name} cannot be read: {cause.strerror or 'no such file'}",
            next_step="Check the path and its permissions",
        ) from cause
    if data is None:
        raise CaptureError(f"{path.name} is over 64 MiB", next_step="Name a picture")
    if not data:
        raise CaptureError(f"{path.name} is empty", next_step="Copy the picture again")
    if cut_off(data):
        raise CaptureError(f"{path.name} is cut off", next_step="Copy the picture again")
    try:
        pixels = cv2.imdecode(
            np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR
        )
    except cv2.error as cause:
        raise CaptureError(f"{path.name} is too large or damaged") from cause
    if pixels is None or not pixels.size:
        raise CaptureError(
            f"{path.name} is not a picture", next_step="Name a .jpg, .png or .bmp picture"
        )
    return np.asarray(pixels)


def cut_off(data: bytes) -> bool:
    """Whether a JPEG or PNG ends before its end mark (decoders fill the rest with grey)."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return b"IEND" not in data[-64:]
    if not data.startswith(b"\xff\xd8"):
        return False
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        if data[at + 1] == 0xFF:  # fill byte
            at += 1
            continue
        if data[at + 1] == 0xDA:  # start of scan: from here an end mark can be no thumbnail's
            return data.find(b"\xff\xd9", at) < 0
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return True


def _natural(path: Path) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", path.name)
    return [(1, int(p), "") if p.isdigit() else (0, 0, p.lower()) for p in parts]
