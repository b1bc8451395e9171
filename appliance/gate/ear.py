"""Hears what the camera program says: `sightings.sock`, one thread a connection, no answers.

A message that cannot be understood is counted and dropped; the connection goes on. The camera's
state is kept with the moment it was last heard.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from appliance import clock, codec, ipc
from appliance.errors import IpcError
from appliance.values import CameraState, Sighting

logger = logging.getLogger(__name__)

SILENT_S = 5.0
_LARGEST_CROP = 60_000


@dataclass(frozen=True, slots=True)
class Camera:
    """The camera as last heard of."""

    state: CameraState = CameraState.STARTING
    since_mono: float = 0.0
    heard_mono: float = float("-inf")

    def silent(self, now_mono: float) -> bool:
        return now_mono - self.heard_mono > SILENT_S


class Ear:
    """Listens for ever. ``take`` gets every sighting, one at a time a connection; ``dropped`` is
    told of every message that could not be used."""

    def __init__(
        self, path: Path, take: Callable[[Sighting], None], dropped: Callable[[], None],
        now: Callable[[], float] = clock.mono,
    ) -> None:
        self._path = path
        self._take = take
        self._dropped = dropped
        self._now = now
        self._server: socket.socket | None = None
        self.camera = Camera()

    def start(self) -> None:
        self._server = ipc.listen(self._path)
        threading.Thread(
            target=self._accept, args=(self._server,), name="ear-accept", daemon=True
        ).start()

    def stop(self) -> None:
        if self._server is not None:
            with contextlib.suppress(OSError):
                self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()

    def hear(self, message: ipc.Message) -> None:
        """One message; never raises for what it holds."""
        try:
            if message.verb == "sighting":
                self._take(self._sighting(message))
            elif message.verb == "camera":
                self._note_camera(message)
            else:
                self._dropped()
        except (IpcError, ValueError, TypeError, KeyError):
            self._dropped()

    def _sighting(self, message: ipc.Message) -> Sighting:
        sighting = codec.decode(Sighting, message.header["sighting"])
        crop = message.blob if len(message.blob) <= _LARGEST_CROP else b""
        return replace(sighting, crop_jpeg=crop)

    def _note_camera(self, message: ipc.Message) -> None:
        self.camera = Camera(
            CameraState(message.header["state"]), float(message.header["since_mono"]), self._now()
        )

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            if ipc.peer_uid(peer) not in {os.getuid(), 0}:
                logger.warning("peer refused socket=sightings")
                peer.close()
                continue
            threading.Thread(target=self._listen, args=(peer,), name="ear", daemon=True).start()

    def _listen(self, peer: socket.socket) -> None:
        with contextlib.closing(peer):
            while True:
                try:
                    message = ipc.receive(peer)
                except IpcError:
                    if _closed(peer):
                        return
                    self._dropped()
                    continue
                if message is None:
                    return
                try:
                    self.hear(message)
                except Exception as error:  # noqa: BLE001 - a program loop: log once, go on
                    logger.error("sighting failed error=%s", type(error).__name__)
                    self._dropped()


def _closed(peer: socket.socket) -> bool:
    """Tells a broken connection from one garbled message: asks without taking anything."""
    try:
        peer.getpeername()
        return bool(peer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    except OSError:
        return True
