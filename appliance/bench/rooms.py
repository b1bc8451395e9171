"""Speed of single rooms: deciding, keeping, looking up."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from appliance import clock, codec, ipc, site, vault
from appliance.config import Config, Device
from appliance.errors import IpcError
from appliance.values import (
    ClockQuality,
    Decision,
    Direction,
    Passage,
    Reason,
    Sighting,
    Verdict,
)

POLICY = {
    "site_name": "Bench",
    "site_zone": "UTC",
    "jurisdiction": "",
    "purposes": ["access_control", "incident"],
    "kept_hours_matched": 168,
    "kept_hours_unmatched": 168,
}
WHO = {
    "actor": "bench",
    "role": "manager",
    "organisation": "",
    "purpose": "incident",
    "reason": "benchmark",
}


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of one call: middle, 99th percentile; calls a second by one caller."""

    what: str
    p50_ms: float
    p99_ms: float
    per_second: float


def timed(what: str, call: Callable[[int], object], count: int) -> Timing:
    """Times `count` calls after a tenth as many to warm up."""
    for index in range(max(1, count // 10)):
        call(-index - 1)
    taken = []
    for index in range(count):
        began = time.perf_counter()
        call(index)
        taken.append(time.perf_counter() - began)
    taken.sort()
    return Timing(
        what,
        taken[len(taken) // 2] * 1e3,
        taken[int(len(taken) * 0.99)] * 1e3,
        len(taken) / sum(taken),
    )


def sighting(key: str, plate: str) -> Sighting:
    now = clock.mono()
    return Sighting(
        key,
        1,
        "main",
        plate,
        plate,
        0.97,
        (0.97,) * len(plate),
        3,
        4,
        now - 1,
        now,
        Direction.IN,
        clock.utc_now(),
        ClockQuality.SYNCED,
        crop_jpeg=b"",
    )


def plate(number: int) -> str:
    letters = "ABCDEFGHJKLMNPRSTUVWXYZ"
    dice = random.Random(number)
    return "".join(dice.choice(letters) for _ in range(3)) + f"{number % 10_000:04d}"


@contextlib.contextmanager
def records_running(policy: bool = True) -> Iterator[tuple[Config, int]]:
    """A records program of its own on a fresh box; yields its settings and process id."""
    with tempfile.TemporaryDirectory(prefix="pstn-") as folder:
        config = Config(device=Device(state_dir=Path(folder, "s"), run_dir=Path(folder, "r")))
        config.device.run_dir.mkdir()
        vault.make_missing(config)
        with contextlib.closing(site.open_writer(config)) as connection:
            if policy:
                site.publish(connection, POLICY, "bench")
        path = Path(folder, "postern.toml")
        path.write_text(
            f'[device]\nstate_dir = "{folder}/s"\nrun_dir = "{folder}/r"\n', encoding="utf-8"
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "appliance", "--config", str(path), "run", "records"],
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(config)
            yield config, process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


def _wait(config: Config) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            ipc.call(config.socket("records"), "status")
            return
        except IpcError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def records(held: int) -> tuple[list[Timing], float]:
    """Keeping and looking up beside `held` reads; with the program's memory in MB."""
    crop = os.urandom(8_000)
    with records_running() as (config, pid):
        path = config.socket("records")

        def keep(index: int) -> None:
            key = f"k{index}"
            ipc.call(
                path,
                "keep",
                {"passage": codec.encode(passage(key, plate(index)))},
                blob=crop,
                timeout_s=10,
            )

        timings = [timed("keep a passage (on disk)", keep, held)]

        def exact(index: int) -> None:
            ipc.call(
                path,
                "find",
                {**WHO, "query": {"plate": plate(index * 7 % held)}, "page": 1, "per_page": 20},
                timeout_s=10,
            )

        def wildcard(index: int) -> None:
            pattern = plate(index * 7 % held)[:3] + "*"
            ipc.call(
                path,
                "find",
                {**WHO, "query": {"plate": pattern}, "page": 1, "per_page": 20},
                timeout_s=10,
            )

        timings.append(timed(f"look up a plate, journaled ({held:,} reads)", exact, 500))
        timings.append(timed(f"look up ABC*, journaled ({held:,} reads)", wildcard, 200))
        return timings, rss_mb(pid)


def passage(key: str, text: str) -> Passage:
    seen = sighting(key, text)
    decision = Decision(
        key,
        1,
        Verdict.STAY_CLOSED,
        Reason.NOT_LISTED,
        None,
        None,
        "",
        1,
        seen.last_mono,
        seen.seen_at,
        ClockQuality.SYNCED,
    )
    return Passage(key, "main", seen.seen_at - timedelta(seconds=1), replace(seen), decision, None)


def rss_mb(pid: int) -> float:
    """Resident memory of a process and its children (the console's worker is one)."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(
                line.split(":", 1) for line in status.read_text().splitlines() if ":" in line
            )
        except OSError:
            continue
        if int(lines["Pid"]) == pid or int(lines["PPid"]) == pid:
            total += int(lines.get("VmRSS", "0 kB").split()[0])
    return total / 1024
