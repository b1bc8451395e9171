"""`postern demo`: the whole product on a desk. `make run` calls this.

Renders the demo scenario into a clip once, fills a site from it (its policy published, nobody's
account yet), starts the five programs under supervisor and prints the console's address and the
one-time code. With ``--controller firmware`` a sixth program, the yard, runs the real firmware in
real MicroPython under Node, and the gate talks to it over a serial line as to any board.
It asks nothing and contacts no other host. Ctrl-C stops everything; what was
recorded stays in the folder until `--fresh` or its retention ends.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from appliance import config as settings
from appliance import site, vault
from appliance.commands import setup
from appliance.config import Config
from appliance.errors import ConfigError
from appliance.scenario import format as scenario_format
from appliance.scenario import site as scenario_site
from appliance.scenario import yard, yard_process

_ROOT = Path(__file__).resolve().parent.parent.parent
_SCENARIO = Path(__file__).resolve().parent.parent / "scenario" / "demo.toml"
_START_LIMIT_S = 60.0


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dir", type=Path, default=Path(".run"), help="folder of the demo site")
    parser.add_argument("--port", type=int, default=8080, help="port of the console")
    parser.add_argument("--host", default="127.0.0.1", help="address of the console")
    parser.add_argument("--source", default="", help="another camera than the rendered clip")
    parser.add_argument(
        "--controller", choices=("simulator", "firmware"), default="simulator",
        help="what plays the barrier: a model in this program, or the real firmware under Node",
    )
    parser.add_argument("--fresh", action="store_true", help="forget an earlier demo site")
    parser.add_argument("--prepare", action="store_true", help="make everything, start nothing")


def run(args: argparse.Namespace, config: Config) -> int:  # noqa: ARG001 - makes its own settings
    folder: Path = args.dir.resolve()
    if args.fresh:
        shutil.rmtree(folder / "state", ignore_errors=True)
    path = prepare(
        folder, host=args.host, port=args.port, source=args.source, controller=args.controller
    )
    if args.prepare:
        print(path)
        return 0
    return _run(settings.load(path), folder)


def prepare(
    folder: Path, *, host: str, port: int, source: str = "", controller: str = "simulator"
) -> Path:
    """Clip, settings, keys and site of a demo; returns the settings file. Safe to repeat.

    Raises BarrierError where the controller is to be the real firmware and Node is missing.
    """
    if controller == "firmware":
        yard_process.node()
    folder.mkdir(parents=True, exist_ok=True)
    clip = Path(source) if source else _clip(_ROOT / ".cache" / "demo.mp4")
    path = folder / "postern.toml"
    path.write_text(
        _SETTINGS.format(
            state=folder / "state",
            run=_short_run_dir(folder),
            host=host,
            port=port,
            source=source or clip,
            loop="false" if source else "true",
            scenario="" if source else _SCENARIO,
            barrier=_BARRIERS[controller].format(run=_short_run_dir(folder)),
        ),
        encoding="utf-8",
    )
    config = settings.load(path)
    vault.make_missing(config)
    if controller == "firmware" and not vault.has_controller_key(config):
        vault.keep_controller_key(config, secrets.token_bytes(32))
    with contextlib.closing(site.open_writer(config)) as connection:
        scenario_site.fill_site(connection, scenario_format.load(_SCENARIO), by="demo")
    return path


_SETTINGS = """\
# Written by `postern demo`; change a copy and start it with --config.
[device]
state_dir = "{state}"
run_dir = "{run}"
lane = "main"

[camera]
source = "{source}"
loop = {loop}

[barrier]
{barrier}

[console]
host = "{host}"
port = {port}

[demo]
scenario = "{scenario}"
"""
_BARRIERS = {
    "simulator": 'driver = "simulator"',
    "firmware": 'driver = "pico"\nport = "{run}/controller"',
}


def _clip(path: Path) -> Path:
    """Renders the demo's camera once; the renderer shows its progress."""
    subprocess.run(
        [sys.executable, "-m", "models.synth.clip", str(_SCENARIO), str(path)],
        check=True,
        cwd=_ROOT,
    )
    return path


def _short_run_dir(folder: Path) -> Path:
    """Sockets need a path under 108 bytes (unix(7)); deep folders get one in the temporary one."""
    near = folder / "run"
    if len(str(near)) < 80:
        return near
    return Path(os.environ.get("XDG_RUNTIME_DIR", "/tmp")) / f"postern-{os.getuid()}"  # noqa: S108


def _run(config: Config, folder: Path) -> int:
    _refuse_taken_port(config)
    code = setup.first_code(config)
    supervisor = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "supervisor.supervisord",
            "-n",
            "-c",
            str(write_supervisor(config, folder)),
        ],
        stdout=subprocess.DEVNULL,
    )
    signal.signal(signal.SIGTERM, lambda *_: supervisor.terminate())
    try:
        _greet(config, folder, code, supervisor)
        return supervisor.wait()
    except KeyboardInterrupt:
        supervisor.terminate()
        supervisor.wait(timeout=20)
        print("\nstopped")
        return 0


def write_supervisor(config: Config, folder: Path) -> Path:
    """The same five programs systemd runs on a box, and the yard where the firmware is simulated.

    What dies is back within about a second.
    """
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    run_dir = config.device.run_dir
    run_dir.mkdir(parents=True, exist_ok=True)
    parts = [
        f"[supervisord]\nnodaemon=true\nlogfile={logs / 'supervisor.log'}\nloglevel=warn\n"
        f"pidfile={run_dir / 'supervisor.pid'}\n",
        f"[unix_http_server]\nfile={run_dir / 'supervisor.sock'}\nchmod=0600\n",
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory="
        "supervisor.rpcinterface:make_main_rpcinterface\n",
        f"[supervisorctl]\nserverurl=unix://{run_dir / 'supervisor.sock'}\n",
    ]
    names = ["records", "gate", "vision", "console", "uplink"]
    if Path(config.barrier.port) == yard.port(config):
        names.insert(0, "yard")
    for name in names:
        parts.append(
            f"[program:{name}]\n"
            f"command={sys.executable} -m appliance --config {config.path} run {name}\n"
            f"directory={_ROOT}\nautorestart=true\nstartsecs=0\nstopwaitsecs=8\n"
            f"redirect_stderr=true\nstdout_logfile={logs / name}.log\n"
            "stdout_logfile_maxbytes=2MB\nstdout_logfile_backups=1\n"
        )
    path = folder / "supervisord.conf"
    path.write_text("\n".join(parts), encoding="utf-8")
    return path


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _refuse_taken_port(config: Config) -> None:
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.console.host, config.console.port))
        except OSError as cause:
            raise ConfigError(
                f"port {config.console.port} of {config.console.host} is taken",
                next_step="Stop what uses it or choose another with PORT=...",
            ) from cause


def _greet(
    config: Config, folder: Path, code: str | None, supervisor: subprocess.Popen[bytes]
) -> None:
    address = f"http://{config.console.host}:{config.console.port}/"
    deadline = time.monotonic() + _START_LIMIT_S
    while not _answers(address + "healthz"):
        if supervisor.poll() is not None or time.monotonic() > deadline:
            raise ConfigError(
                "the console did not start", next_step=f"Read {folder / 'logs' / 'console.log'}"
            )
        time.sleep(0.3)
    rule = "-" * 62
    lines = [rule, f"  Postern is running   {address}"]
    lines.append(f"  One-time code        {code}" if code else "  Sign in with your account")
    lines += [
        f"  Figures              postern --config {config.path} status",
        "  Stop                 Ctrl-C",
        rule,
    ]
    print("\n".join(lines), flush=True)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as page:  # noqa: S310 - our own address
            return bool(page.status == 200)
    except OSError:
        return False
