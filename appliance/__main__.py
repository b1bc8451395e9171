"""The command `postern`.

A command's module is imported only when it is asked for, so that reading a picture never loads a
web server and the gate never loads image code.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import signal
import sys

from appliance import __version__, config, logs
from appliance.errors import ApplianceError

PROGRAMS = ("vision", "gate", "records", "console", "uplink", "yard")
_KEYLESS = ("vision", "yard")
_PROGRAM_MODULES = {"vision": "recognition.program", "yard": "scenario.yard"}
_COMMANDS = {
    "read": "read plates in pictures, one JSON line each",
    "watch": "follow a camera, clip or folder; sightings as JSON lines",
    "decide": "what would the gate do with this plate at that time, and why",
    "check": "check the settings file and print what is in force",
    "setup": "make this machine's keys and databases, print the one-time code",
    "status": "the five programs, passages, health and latencies",
    "journal": "verify the journal of who looked at what",
    "retention": "prove that nothing is kept too long",
    "evidence": "verify a sealed evidence bundle, or view it and be logged",
    "keys": "where this machine's keys lie; change them; erase everything",
    "backup": "the site (never its reads) into one encrypted file, and back",
    "controller": "commission the barrier's controller, look at it, try it at hand-over",
    "bench": "measure accuracy, speed and memory; keep them in BENCHMARKS.md",
    "demo": "make a demo site and run all five programs against a rendered clip",
}


def main(argv: list[str] | None = None) -> int:
    """Returns the exit status: 0 done, 1 an error that was told, 2 a wrong call."""
    args = _parser(argv).parse_args(argv)
    try:
        settings = config.load(config.find(args.config))
        if args.command == "run":
            return _run_program(args.program, settings, verbose=args.verbose)
        module = importlib.import_module(f"appliance.commands.{args.command}")
        return int(module.run(args, settings))
    except ApplianceError as error:
        print(f"postern: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser(argv: list[str] | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="postern", description="A licence-plate gate that keeps the law by construction."
    )
    parser.add_argument("--config", metavar="FILE", help="settings file")
    parser.add_argument("--version", action="version", version=f"postern {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = next((a for a in (sys.argv[1:] if argv is None else argv) if a in _COMMANDS), None)
    for name, sentence in _COMMANDS.items():
        sub = commands.add_parser(name, help=sentence, description=sentence)
        if name == wanted:
            importlib.import_module(f"appliance.commands.{name}").configure(sub)
    program = commands.add_parser("run", help="run one of the programs in the foreground")
    program.add_argument("program", choices=PROGRAMS)
    program.add_argument("--verbose", action="store_true", help="log debugging lines")
    return parser


def _run_program(name: str, settings: config.Config, *, verbose: bool) -> int:
    logs.start(name, verbose=verbose)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    settings.device.run_dir.mkdir(parents=True, exist_ok=True)
    module = _PROGRAM_MODULES.get(name, f"{name}.program")
    with contextlib.ExitStack() as held:
        if name not in _KEYLESS:
            succession = importlib.import_module("appliance.records.succession")
            held.enter_context(succession.enter(settings, name))
        return int(importlib.import_module(f"appliance.{module}").main(settings))


if __name__ == "__main__":
    sys.exit(main())
