"""The live sources: network streams and video devices, through OpenCV.

A read blocks until a picture comes, so it runs on a thread of its own (``capture.keeper``); the
arrival is stamped after the read, never before. ``grab`` alone takes what is not wanted: a camera
that sends 30 pictures a second is thinned to the wanted rate without converting the others.
FFmpeg gives up a read after ``timeout_s``; that ends an abandoned thread, it is not the watchdog.
"""

from __future__ import annotations

import contextlib
from typing import Any

import cv2

from appliance import clock
from appliance.capture.quiet import settle
from appliance.capture.source import Shot, SourceKind
from appliance.errors import CaptureError

_EARLY = 0.5  # a shot is taken where it comes up to half a period early, so 25/s thins to 10/s
_OPEN_TIMEOUT_S = 4.0


class _Live:
    """What both live sources share; a subclass opens the capture."""

    kind = SourceKind.NONE

    def __init__(self, address: str, fps: float) -> None:
        self._address = address
        self._period_s = 1.0 / fps
        self._capture: Any = None
        self._opened_mono = 0.0
        self._due_mono = 0.0

    def open(self) -> None:
        settle()
        capture = self._connect()
        if not capture.isOpened():
            capture.release()
            raise CaptureError(self._refused(), next_step=self._advice())
        self._capture = capture
        self._opened_mono = clock.mono()
        self._due_mono = 0.0

    def read(self) -> Shot | None:
        if self._capture is None:
            raise CaptureError("the camera is not open")
        while True:
            grabbed = self._capture.grab()
            now = clock.mono()
            if not grabbed:
                raise CaptureError("the camera sends no more pictures", next_step=self._advice())
            if now < self._due_mono - _EARLY * self._period_s:
                continue
            good, pixels = self._capture.retrieve()
            if not good or pixels is None or pixels.size == 0:
                raise CaptureError("the camera sent a damaged picture", next_step=self._advice())
            self._due_mono = max(self._due_mono + self._period_s, now)
            return Shot(pixels, now - self._opened_mono)

    def close(self) -> None:
        capture, self._capture = self._capture, None
        if capture is not None:
            with contextlib.suppress(cv2.error):
                capture.release()

    def size_now(self) -> tuple[int, int] | None:
        return None

    def _connect(self) -> Any:
        raise NotImplementedError

    def _refused(self) -> str:
        raise NotImplementedError

    def _advice(self) -> str:
        raise NotImplementedError


class Stream(_Live):
    """RTSP over TCP, or MJPEG over HTTP. The address is never logged: it may hold a password."""

    kind = SourceKind.RTSP

    def __init__(self, address: str, fps: float, timeout_s: float) -> None:
        super().__init__(address, fps)
        self._timeout_ms = int(timeout_s * 1000)

    def size_now(self) -> tuple[int, int] | None:
        self.open()
        try:
            width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
            height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        finally:
            self.close()
        return (width, height) if width > 0 and height > 0 else None

    def _connect(self) -> Any:
        return cv2.VideoCapture(
            self._address,
            cv2.CAP_FFMPEG,
            [
                cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(_OPEN_TIMEOUT_S * 1000),
                cv2.CAP_PROP_READ_TIMEOUT_MSEC, self._timeout_ms,
                cv2.CAP_PROP_N_THREADS, 1,
            ],
        )

    def _refused(self) -> str:
        return "the camera stream cannot be opened"

    def _advice(self) -> str:
        return "Check the camera's power and network, then the address and sign-in of the stream"


class Device(_Live):
    """A V4L2 video device such as /dev/video0."""

    kind = SourceKind.V4L2

    def _connect(self) -> Any:
        return cv2.VideoCapture(self._address, cv2.CAP_V4L2)

    def _refused(self) -> str:
        return f"the video device {self._address} cannot be opened"

    def _advice(self) -> str:
        return "See `ls /dev/video*`, plug the camera in and close other programs that use it"
