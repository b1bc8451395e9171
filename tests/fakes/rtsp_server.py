"""A real RTSP camera to break one thing at a time: GStreamer's RTSP server, run as its own program.

    /usr/bin/python3 rtsp_server.py PORT [--size 640x360] [--fps 15] [--clip FILE]

It needs Debian's python3-gi and gir1.2-gst-rtsp-server-1.0, which live with the system's Python and
not in a virtual environment. It prints ``ready`` and then obeys lines on stdin, answering ``done``:

    live      colour bars with a field of noise (at the start)
    still     one unchanging picture, sent for ever: a frozen camera
    black     black pictures
    stall     connected, but nothing is sent any more
    flow      ends a stall
    size WxH  another resolution, mid-stream

Killing the process is a camera that dies. With ``--clip`` the clip is played once, to the first
client, and then the colour bars: a car drives up once and does not come again, not even to a client
that connects anew.
"""

from __future__ import annotations

import argparse
import sys
import threading
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

_ENCODER = (
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max={fps} bitrate=4000"
    " ! video/x-h264,profile=baseline ! rtph264pay name=pay0 pt=96 config-interval=1"
)


def launch_line(size: tuple[int, int], fps: int, clip: str | None) -> str:
    """The pipeline every client shares."""
    caps = f"video/x-raw,format=I420,width={size[0]},height={size[1]},framerate={fps}/1"
    encoder = _ENCODER.format(fps=fps)
    if clip is None:
        return (
            f"( videotestsrc name=src is-live=true pattern=ball ! capsfilter name=caps caps={caps}"
            f" ! identity name=tap ! {encoder} )"
        )
    bars = f"videotestsrc pattern=smpte ! {caps} ! queue ! c."
    return (
        f"( concat name=c ! identity name=tap ! {encoder}"
        f"  filesrc location={clip} ! decodebin ! videoconvert ! videoscale ! videorate ! {caps}"
        f" ! queue ! c.  {bars} )"
    )


class Camera:
    """Holds the running media's elements and turns the knobs."""

    def __init__(self, factory: GstRtspServer.RTSPMediaFactory) -> None:
        self._parts: dict[str, Any] = {}
        self._stalled = threading.Event()
        self._pattern = "smpte"
        self._size: tuple[int, int] | None = None
        self._fps = 15
        factory.connect("media-configure", self._configure)

    def obey(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "stall":
            self._stalled.set()
        elif word == "flow":
            self._stalled.clear()
        elif word == "size":
            width, _, height = rest.partition("x")
            self._size = (int(width), int(height))
        else:
            self._pattern = {"live": "smpte", "still": "smpte75", "black": "black"}[word]
        self._apply()

    def start_with(self, size: tuple[int, int], fps: int) -> None:
        self._size, self._fps = size, fps

    def _configure(self, factory: Any, media: Any) -> None:
        if self._size is not None:  # the next stream is without the clip
            factory.set_launch(launch_line(self._size, self._fps, None))
        pipeline = media.get_element()
        self._parts = {name: pipeline.get_by_name(name) for name in ("src", "caps", "tap")}
        pad = self._parts["tap"].get_static_pad("src")
        pad.add_probe(Gst.PadProbeType.BUFFER, self._pass)
        self._apply()

    def _pass(self, _pad: Any, _info: Any) -> Any:
        return Gst.PadProbeReturn.DROP if self._stalled.is_set() else Gst.PadProbeReturn.OK

    def _apply(self) -> None:
        if self._parts.get("src") is not None:
            self._parts["src"].set_property("pattern", self._pattern)
        if self._parts.get("caps") is not None and self._size is not None:
            width, height = self._size
            caps = f"video/x-raw,format=I420,width={width},height={height},framerate={self._fps}/1"
            self._parts["caps"].set_property("caps", Gst.Caps.from_string(caps))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port")
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--fps", type=int, default=15)
    parser.add_argument("--clip")
    args = parser.parse_args()
    width, _, height = args.size.partition("x")
    size = (int(width), int(height))

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(args.port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(launch_line(size, args.fps, args.clip))
    factory.set_shared(True)
    camera = Camera(factory)
    camera.start_with(size, args.fps)
    server.get_mount_points().add_factory("/lane", factory)
    if server.attach(None) == 0:
        sys.exit(f"port {args.port} is taken")
    loop = GLib.MainLoop()

    def listen() -> None:
        for line in sys.stdin:
            camera.obey(line.strip())
            print("done", flush=True)
        loop.quit()  # whoever started this has gone

    threading.Thread(target=listen, daemon=True).start()
    print("ready", flush=True)
    loop.run()


if __name__ == "__main__":
    main()
