"""One run of the firmware under Node: from its start to its end one process and one socket.

The wire is a file descriptor that becomes the process's standard input and output; the pins are
lines of JSON over a Unix socket (firmware/sim/host.mjs says which).
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance import clock
from appliance.errors import BarrierError

SIM = Path(__file__).resolve().parents[2] / "firmware" / "sim"
STARTS_WITHIN_S = 20.0
LISTEN_S = 0.05
_RUNTIME = "@micropython/micropython-webassembly-pyscript"
_ENDS_WITHIN_S = 5.0


def node() -> str:
    """The path of Node. Raises BarrierError where it or MicroPython's wasm package is missing."""
    found = shutil.which("node")
    if found is None or not (SIM / "node_modules" / _RUNTIME).is_dir():
        raise BarrierError(
            "the real firmware needs Node and MicroPython's wasm package",
            next_step="Run `.ci/setup yard` once",
        )
    return found


@dataclass(frozen=True, eq=False)
class Running:
    """A process that has connected its pins."""

    process: subprocess.Popen[bytes]
    pins: socket.socket

    def tell(self, message: Mapping[str, object]) -> None:
        """Says something to the pins; a process that is gone hears nothing."""
        with contextlib.suppress(OSError):
            self.pins.sendall(json.dumps(message).encode() + b"\n")

    def hear(self) -> Iterator[Mapping[str, Any] | None]:
        """What the pins say, and None every ``LISTEN_S`` of silence; ends with the process."""
        rest = b""
        while True:
            try:
                data = self.pins.recv(4096)
            except TimeoutError:
                yield None
                continue
            except OSError:
                return
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                yield json.loads(line)

    def end(self, how: signal.Signals) -> None:
        """Returns when the process is gone, also where it hangs."""
        self.process.send_signal(how)
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(timeout=_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.pins.close()


def spawn(options: Sequence[str], wire: int, path: Path) -> Running:
    """Starts one. ``path`` is where its pins are told to connect; it is gone again afterwards.

    Raises BarrierError where Node is missing or the process ends before it connected.
    """
    command = [node(), str(SIM / "host.mjs"), "--pins", str(path), *options]
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as listener:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(1)
        listener.settimeout(LISTEN_S)
        process = subprocess.Popen(command, stdin=wire, stdout=wire)
        try:
            pins = _accept(listener, process)
        finally:
            path.unlink(missing_ok=True)
    pins.settimeout(LISTEN_S)
    return Running(process, pins)


def _accept(listener: socket.socket, process: subprocess.Popen[bytes]) -> socket.socket:
    until = clock.mono() + STARTS_WITHIN_S
    while process.poll() is None and clock.mono() < until:
        with contextlib.suppress(TimeoutError):
            return listener.accept()[0]
    process.kill()
    process.wait()
    raise BarrierError(
        "the simulated board did not start", next_step="Run `.ci/setup yard` and look why"
    )
