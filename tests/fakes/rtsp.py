"""Starts the RTSP camera of ``rtsp_server.py`` and turns its knobs.

    with RtspCamera.started() as camera:
        open(camera.address)
        camera.say("stall")
        camera.kill()
        camera.start_again()
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

_SYSTEM_PYTHON = "/usr/bin/python3"
_SERVER = Path(__file__).with_name("rtsp_server.py")


class RtspCamera:
    """One server process on a port of its own; the port stays over ``start_again``."""

    def __init__(self, *options: str) -> None:
        self._options = options
        self._port = _free_port()
        self._process: subprocess.Popen[str] | None = None

    @classmethod
    @contextlib.contextmanager
    def started(cls, *options: str) -> Iterator[RtspCamera]:
        skip_without_gstreamer()
        camera = cls(*options)
        camera.start_again()
        try:
            yield camera
        finally:
            camera.kill()

    @property
    def address(self) -> str:
        return f"rtsp://127.0.0.1:{self._port}/lane"

    def start_again(self) -> None:
        self._process = subprocess.Popen(
            [_SYSTEM_PYTHON, str(_SERVER), str(self._port), *self._options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._expect("ready")

    def say(self, line: str) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        self._expect("done")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _expect(self, word: str) -> None:
        assert self._process is not None and self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line == word, f"the RTSP server said {line!r}, not {word!r}"


@contextlib.contextmanager
def serve_clip(clip: Path, size: str = "1280x720", fps: int = 25) -> Iterator[str]:
    """The address of a camera that plays the clip once and then shows no car."""
    with RtspCamera.started("--clip", str(clip), "--size", size, "--fps", str(fps)) as camera:
        yield camera.address


def skip_without_gstreamer() -> None:
    probe = (
        "import gi; gi.require_version('GstRtspServer', '1.0');"
        "from gi.repository import Gst; Gst.init(None);"
        "assert Gst.ElementFactory.find('x264enc')"
    )
    done = subprocess.run([_SYSTEM_PYTHON, "-c", probe], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(
            "NOT RUN: needs Debian's python3-gi, gir1.2-gst-rtsp-server-1.0 and"
            " gstreamer1.0-plugins-ugly"
        )


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
