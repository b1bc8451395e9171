"""The running product: latencies, memory and processor time of the five programs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance import config as settings
from appliance.bench.rooms import rss_mb
from appliance.commands import demo, status


@dataclass(frozen=True, slots=True)
class ProgramFigures:
    name: str
    rss_mb: float
    cpu_share: float
    """Of one core."""


@dataclass(frozen=True, slots=True)
class ProductFigures:
    programs: list[ProgramFigures]
    first_passage_s: float
    latency_ms: dict[str, Any]
    reader: dict[str, Any]
    camera: dict[str, Any]
    counts: dict[str, Any]


def measure(seconds: float = 60.0) -> ProductFigures:
    """Runs the demo for that long after its first passage."""
    with tempfile.TemporaryDirectory(prefix="pstn-") as name:
        folder = Path(name)
        path = demo.prepare(folder, host="127.0.0.1", port=demo.free_port())
        config = settings.load(path)
        supervisor = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "supervisor.supervisord",
                "-n",
                "-c",
                str(demo.write_supervisor(config, folder)),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        began = time.monotonic()
        try:
            while status.collect(config)["passages"] < 1:
                if time.monotonic() - began > 120:
                    raise TimeoutError("the demo showed no passage within 120 s")
                time.sleep(0.2)
            first = time.monotonic() - began
            before = _cpu(config)
            time.sleep(seconds)
            after = _cpu(config)
            state = status.collect(config)
        finally:
            supervisor.terminate()
            supervisor.wait(timeout=30)
    programs = [
        ProgramFigures(name, after[name][1], (after[name][0] - before[name][0]) / seconds)
        for name in after
    ]
    vision = state["programs"]["vision"]
    return ProductFigures(
        programs,
        first,
        state["latency_ms"],
        vision.get("reader", {}),
        vision.get("camera", {}),
        state["counts"],
    )


def _cpu(config: settings.Config) -> dict[str, tuple[float, float]]:
    """Processor seconds and memory so far, by program."""
    found = {}
    for name, state in status.collect(config)["programs"].items():
        pid = state.get("pid") or _listener(config)
        if pid:
            found[name] = (_cpu_seconds(int(pid)), rss_mb(int(pid)))
    return found


def _listener(config: settings.Config) -> int:
    """The console's first process, by its command line."""
    wanted = f"{config.path}"
    pids = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted.encode() in words and b"console" in words:
            pids.append(int(file.parent.name))
    return min(pids, default=0)


def _cpu_seconds(pid: int) -> float:
    total = 0.0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(file.parent.name) == pid or int(fields[1]) == pid:
            total += (int(fields[11]) + int(fields[12])) / 100.0
    return total
