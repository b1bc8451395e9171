"""An LCUS serial relay at the far end of a PTY: it reads frames, answers nothing, times nothing.

    relay = ListeningRelay(plant, folder)
    driver = Lcus(relay.path, open_port=relay.open_port, now=plant.time, after=plant.after)
    relay.frames                        # [b"\\xa0\\x01\\x00\\xa1", ...]
    relay.cable.pull()                  # the relay keeps its state, as the real one with power does

``closed`` first waits until every byte the driver wrote has arrived, so no test needs to wait.
"""

from __future__ import annotations

from pathlib import Path

from appliance.barrier.drivers.lcus import open_port
from appliance.barrier.drivers.port import Port
from tests.fakes.plant import Cable, Plant

_ON, _OFF = bytes.fromhex("A00101A2"), bytes.fromhex("A00100A1")
_ARRIVES_S = 5.0


class ListeningRelay:
    """Relay 1 raises the plant's arm."""

    def __init__(self, plant: Plant, folder: Path) -> None:
        self.cable = Cable(folder)
        self.frames: list[bytes] = []
        self.written = 0
        self._heard = 0
        self._buffer = b""
        self._closed = False
        plant.contact = self.closed

    @property
    def path(self) -> str:
        return self.cable.path

    def open_port(self, path: str) -> Port:
        self._heard = self.written = 0
        return _Counting(self, open_port(path))

    def closed(self) -> bool:
        while self._heard < self.written and self.cable.device >= 0:
            came = self.cable.heard(_ARRIVES_S)
            assert came, "bytes were written and did not arrive"
            self._heard += len(came)
            self._take(came)
        return self._closed

    def _take(self, came: bytes) -> None:
        self._buffer += came
        while len(self._buffer) >= 4:
            frame, self._buffer = self._buffer[:4], self._buffer[4:]
            self.frames.append(frame)
            if frame in (_ON, _OFF):
                self._closed = frame == _ON


class _Counting:
    """A port that tells the relay how many bytes are on their way."""

    def __init__(self, relay: ListeningRelay, port: Port) -> None:
        self._relay = relay
        self._port = port

    def read(self, wait_s: float) -> bytes:
        return self._port.read(wait_s)

    def write(self, frame: bytes) -> None:
        self._port.write(frame)
        self._relay.written += len(frame)

    def close(self) -> None:
        self._port.close()
