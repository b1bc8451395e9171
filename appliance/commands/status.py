"""`postern status`: the five programs, what they hold and how fast they are. No plate is shown.

`--json` prints {"ok", "programs": {name: {"up", ...the program's own status}}, "passages",
"latency_ms", "issues"}. Exit status 0 where all five answer, 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import urllib.request
from typing import Any

from appliance import clock, ipc
from appliance.config import Config
from appliance.errors import IpcError

_SOCKETS = {"vision": "view", "gate": "door", "records": "records", "uplink": "uplink"}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace, config: Config) -> int:
    state = collect(config)
    print(json.dumps(state, indent=2) if args.json else _as_text(state))
    return 0 if state["ok"] else 1


def collect(config: Config) -> dict[str, Any]:
    """Asks every program; one that does not answer is ``{"up": false}`` with the reason."""
    programs = {name: _ask(config, socket) for name, socket in _SOCKETS.items()}
    programs["console"] = _ask_console(config)
    records, gate = programs["records"], programs["gate"]
    issues = [
        {"program": name, **issue}
        for name, state in programs.items()
        for issue in state.get("issues", [])
    ]
    return {
        "ok": all(state["up"] for state in programs.values()),
        "programs": programs,
        "passages": records.get("passages_total", 0),
        "passages_held": records.get("passages", 0),
        "policy_version": records.get("policy_version", 0),
        "counts": gate.get("counts", {}),
        "latency_ms": gate.get("latency_ms", {}),
        "issues": issues,
    }


def _ask(config: Config, socket: str) -> dict[str, Any]:
    try:
        answer = dict(ipc.call(config.socket(socket), "status").header)
    except IpcError as error:
        return {"up": False, "why": str(error)}
    answer.pop("ok", None)
    answer.pop("at_gate", None)
    return {"up": True, **answer}


def _ask_console(config: Config) -> dict[str, Any]:
    address = f"http://{config.console.host}:{config.console.port}/healthz"
    try:
        with urllib.request.urlopen(address, timeout=2) as page:  # noqa: S310 - our own address
            return {"up": page.status == 200, "address": address.removesuffix("healthz")}
    except OSError as error:
        return {"up": False, "why": str(error)}


def _as_text(state: dict[str, Any]) -> str:
    now = clock.mono()
    lines = []
    for name, program in state["programs"].items():
        started = program.get("started_mono")
        age = f"up {now - started:.0f} s" if isinstance(started, int | float) else "up"
        lines.append(f"{name:<8} {age if program['up'] else 'DOWN  ' + program.get('why', '')}")
    counts = " ".join(f"{k}={v}" for k, v in state["counts"].items())
    latency = " ".join(f"{k}={v}" for k, v in state["latency_ms"].items())
    lines += [
        f"passages {state['passages']} ever, {state['passages_held']} held, "
        f"policy version {state['policy_version']}",
        f"gate     {counts or '-'}",
        f"latency  {latency or '-'} (ms)",
    ]
    lines += [
        f"issue    {issue['program']}: {issue.get('message', issue.get('key', ''))}"
        for issue in state["issues"]
    ]
    return "\n".join(lines)
