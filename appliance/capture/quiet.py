"""OpenCV's process-wide settings, made once before the first picture.

One thread (the budget is one core, and a spinning pool starves the other programs), streams over
TCP (a lost UDP packet smears a plate), and no chatter on stderr: FFmpeg would print addresses,
which may hold a password.
"""

from __future__ import annotations

import functools
import os

import cv2

_FFMPEG_QUIET = "-8"  # AV_LOG_QUIET


@functools.cache
def settle() -> None:
    """Idempotent and cheap; every module that opens a picture or stream calls it first."""
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", _FFMPEG_QUIET)
    cv2.setNumThreads(1)
    cv2.setLogLevel(0)  # silent
