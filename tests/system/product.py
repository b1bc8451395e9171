"""The whole product started as a person would: five programs under supervisor, on a free port.

with Product.started(source=clip) as product:
    product.wait_for(lambda s: s["passages"] >= 1, 60)
    product.kill("gate")
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from appliance import config as settings
from appliance.commands import demo, setup, status
from appliance.config import Config

PROGRAMS = ("vision", "gate", "records", "console", "uplink")


@dataclass
class Product:
    config: Config
    folder: Path
    code: str | None
    supervisor: subprocess.Popen[bytes]

    @classmethod
    @contextlib.contextmanager
    def started(cls, source: str = "", change: str = "") -> Iterator[Product]:
        """`source`: a camera; empty is the demo clip. `change`: more lines for the settings."""
        with tempfile.TemporaryDirectory(prefix="pstn-") as name:
            folder = Path(name)
            path = demo.prepare(folder, host="127.0.0.1", port=demo.free_port(), source=source)
            if change:
                path.write_text(path.read_text("utf-8") + change, encoding="utf-8")
            config = settings.load(path)
            code = setup.first_code(config)
            conf = demo.write_supervisor(config, folder)
            supervisor = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(conf)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                yield cls(config, folder, code, supervisor)
            finally:
                supervisor.terminate()
                try:
                    supervisor.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    supervisor.kill()

    def status(self) -> dict[str, Any]:
        return status.collect(self.config)

    def wait_for(self, condition: Callable[[dict[str, Any]], bool], limit_s: float) -> float:
        """Seconds until the condition held. Fails with the last status and the logs' tails."""
        began = time.monotonic()
        state: dict[str, Any] = {}
        while time.monotonic() - began < limit_s:
            state = self.status()
            if condition(state):
                return time.monotonic() - began
            time.sleep(0.2)
        raise AssertionError(f"not within {limit_s} s: {state}\n{self.logs()}")

    def pid(self, program: str) -> int:
        """0 while supervisor has not restarted it yet."""
        address = f"unix://{self.config.device.run_dir / 'supervisor.sock'}"
        server = xmlrpc.client.ServerProxy(
            "http://127.0.0.1", transport=SupervisorTransport(None, None, address)
        )
        info: Any = server.supervisor.getProcessInfo(program)
        return int(info["pid"])

    def kill(self, program: str, how: signal.Signals = signal.SIGKILL) -> int:
        """Sends the signal; returns the pid it hit, 0 where the program was just away."""
        pid = self.pid(program)
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)
        return pid

    def verify_journal(self) -> subprocess.CompletedProcess[str]:
        """What `postern journal verify` says; return code 0 is a whole journal."""
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "appliance",
                "--config",
                str(self.config.path),
                "journal",
                "verify",
            ],
            capture_output=True,
            text=True,
            check=False,
        )

    def logs(self, lines: int = 15) -> str:
        out = []
        for file in sorted((self.folder / "logs").glob("*.log")):
            tail = file.read_text("utf-8", "replace").splitlines()[-lines:]
            out.append(f"--- {file.name}\n" + "\n".join(tail))
        return "\n".join(out)
