"""Sightings and the camera's heartbeat go to the gate, and never wait for it.

One connection, non-blocking. Where the gate is away or its buffer full, the message is dropped and
counted; a new connection is tried at most every ``_RETRY_S``. The gate acts on the newest revision,
so a lost one is made good by the next. Thread: the program's loop.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from pathlib import Path

from appliance import codec, ipc
from appliance.errors import IpcError
from appliance.values import CameraState, Sighting

logger = logging.getLogger(__name__)

HEARTBEAT_S = 1.0
_RETRY_S = 0.5
_CONNECT_LIMIT_S = 0.1


class GateLink:
    """``path`` is the gate's ``sightings.sock``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket: socket.socket | None = None
        self._try_mono = float("-inf")
        self._beat_mono = float("-inf")
        self._told_away = False
        self.sent = 0
        self.dropped = 0

    def sighting(self, sighting: Sighting, now: float) -> bool:
        """False where it was dropped."""
        header = {"verb": "sighting", "sighting": codec.encode(sighting)}
        went = self._send(header, sighting.crop_jpeg, now)
        self.sent += went
        self.dropped += not went
        return went

    def heartbeat(self, state: CameraState, since_mono: float, now: float) -> None:
        """Once a second, however often it is called."""
        if now - self._beat_mono >= HEARTBEAT_S:
            self._beat_mono = now
            self._send({"verb": "camera", "state": state.value, "since_mono": since_mono}, b"", now)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, header: dict[str, object], blob: bytes, now: float) -> bool:
        if not self._connected(now):
            return False
        assert self._socket is not None  # noqa: S101 - _connected says so
        try:
            self._socket.send(ipc.pack(header, blob))
        except BlockingIOError:
            return False
        except OSError:
            self.close()
            logger.warning("gate link lost")
            return False
        return True

    def _connected(self, now: float) -> bool:
        if self._socket is not None:
            return True
        if now < self._try_mono:
            return False
        self._try_mono = now + _RETRY_S
        with contextlib.suppress(IpcError):
            self._socket = ipc.connect(self._path, timeout_s=_CONNECT_LIMIT_S)
            self._socket.setblocking(False)
        if self._socket is None:
            if not self._told_away:
                logger.warning("gate does not answer, sightings are dropped until it does")
            self._told_away = True
            return False
        self._told_away = False
        logger.info("gate link up")
        return True
