"""`postern controller`: commission a barrier controller, look at it, try it at hand-over.

    provision PORT   writes firmware, settings and a fresh key onto a stock MicroPython board
    status           what answers, what it can do, faults, events
    selftest         the pull-the-plug test, step by step
    osdp-key         takes an OSDP module's own key (SCBK) into safe keeping

The key is never shown. `status` and `selftest` ask the running gate, which alone owns the port.
"""

from __future__ import annotations

import argparse
import getpass
import json
import secrets
import select
import sys
import time
from pathlib import Path

from appliance import clock, ipc, vault
from appliance.barrier import commissioning, provision, provision_files
from appliance.barrier.commissioning import Trial
from appliance.barrier.provision_board import SerialBoard
from appliance.barrier.provision_files import Wish
from appliance.commands import controller_selftest, controller_status
from appliance.config import Config
from appliance.errors import BarrierError, ConfigError, IpcError

_GREETING_S = 12.0
_BAR = 24
_SCBK_BYTES = 16
_INSTALL_KEY = bytes(range(0x30, 0x40))  # SCBK-D, which every module knows
_HOLD_S = 60  # the longest lease; a step holds it while somebody pulls a cable


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = __doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    give = what.add_parser("provision", help="firmware, settings and key onto a board")
    give.add_argument("port", metavar="PORT", help="the board's USB port, such as /dev/ttyACM0")
    give.add_argument("--name", default="gate", help="what this controller is called")
    give.add_argument("--board", choices=provision.BOARDS, default="", help="refuse another kind")
    give.add_argument("--wired", metavar="NAMES", default=None,
                      help="inputs that are wired to their usual pins, by commas, or none: "
                      + ", ".join(provision_files.NORMALLY))
    give.add_argument("--inputs", type=Path, metavar="FILE", help="TOML with pins and limits")
    give.add_argument("--link", metavar="PORT", help="greet it over its link before trusting it")
    give.add_argument("--take-over", action="store_true", help="also a board of another box")
    give.add_argument("--mpy", action="store_true", help="compiled files (firmware/build.py)")
    status = what.add_parser("status", help="what answers, capabilities, faults, events")
    status.add_argument("--json", action="store_true", help="one JSON object")
    what.add_parser("osdp-key", help="take an OSDP module's own key, typed or by standard input")
    test = what.add_parser("selftest", help="the pull-the-plug test")
    test.add_argument("--report", type=Path, metavar="FILE", help="write the sheet there as well")


def run(args: argparse.Namespace, config: Config) -> int:
    """Raises ApplianceError."""
    if args.what == "provision":
        return _provision(args, config)
    if args.what == "osdp-key":
        return _keep_osdp_key(config)
    if args.what == "status":
        answer = controller_status.ask(config)
        told = controller_status.picked(answer)
        print(json.dumps(told, indent=2) if args.json else controller_status.as_text(answer))
        return 0
    return _selftest(args, config)


def _provision(args: argparse.Namespace, config: Config) -> int:
    wish = _wish(args)
    bar = _Bar()
    board = SerialBoard(args.port)
    greet = None if args.link is None else lambda key: _greet(args.link, key)
    try:
        done = provision.provision(board, wish, config, bar, greet)
    finally:
        board.close()
        bar.end()
    print(f"{wish.name}: {done.found.machine or done.found.kind}, number {done.found.serial}, "
          f"MicroPython {done.found.version}")
    print(f"{done.files} files, {done.size} bytes, every one read back and compared")
    print("greeted over its link: it knows this box's key" if done.greeted else
          "not greeted yet: wire the link and look at `postern controller status`")
    print("Restart the gate program, then try it: `postern controller selftest`")
    if vault.controller_key_is_fixed(config):
        print("This unit reads its keys from its credentials: renew the credential `controller`")
    return 0


def _wish(args: argparse.Namespace) -> Wish:
    if (args.wired is None) == (args.inputs is None):
        raise ConfigError("say what is wired",
                          next_step="Either --wired stop,limit_open,... or --inputs FILE")
    inputs, limits = (provision_files.read_inputs(args.inputs) if args.inputs
                      else (provision_files.wired(args.wired), {}))
    return Wish(args.name, args.board, inputs, limits, take_over=args.take_over, mpy=args.mpy)


def _greet(port: str, key: bytes) -> str:
    """The serial of what answers there to this key. Raises BarrierError after a while."""
    from appliance.barrier.drivers.pico import Pico  # noqa: PLC0415 - only where it is needed

    driver, until = Pico(port, key), clock.mono() + _GREETING_S
    try:
        while True:
            try:
                driver.connect()
                driver.status()
                return driver.controller().serial
            except BarrierError:
                if clock.mono() > until:
                    raise
                time.sleep(0.5)
    finally:
        driver.disconnect()


def _keep_osdp_key(config: Config) -> int:
    """32 hex digits, not echoed. The rest of the kept key is random and unused."""
    typed = getpass.getpass("the module's key, 32 hex digits: ") if sys.stdin.isatty() \
        else sys.stdin.readline()
    try:
        key = bytes.fromhex("".join(typed.split()))
    except ValueError:
        key = b""
    if len(key) != _SCBK_BYTES or key == _INSTALL_KEY:
        raise ConfigError("that is no key of a module's own",
                          next_step="Set 32 hex digits of your own with the maker's tool first")
    vault.keep_controller_key(config, key + secrets.token_bytes(_SCBK_BYTES))
    print("kept; restart the gate program")
    return 0


class _Bar:
    """A bar on a terminal, a line a step elsewhere."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, step: str, share: float) -> None:
        if sys.stderr.isatty():
            bar = "#" * round(share * _BAR)
            line = f"\r[{bar:<{_BAR}}] {share:4.0%}  {step:<40}"
            print(line, end="", file=sys.stderr, flush=True)
        elif step != self._last:
            print(f"{share:4.0%}  {step}", file=sys.stderr)
        self._last = step

    def end(self) -> None:
        if sys.stderr.isatty():
            print(file=sys.stderr)


def _selftest(args: argparse.Namespace, config: Config) -> int:
    if not commissioning.look(controller_status.ask(config)).driver:
        raise BarrierError("the gate does not tell how its barrier is wired")
    last = commissioning.silence()

    def look() -> commissioning.Look:
        nonlocal last
        try:
            last = commissioning.look(controller_status.ask(config))
        except IpcError:
            return commissioning.silence()
        return last

    hands = controller_selftest.Hands(look, lambda trial: _order(config, trial), print, _hear)
    answers = controller_selftest.walk(hands)
    sheet = controller_selftest.sheet(answers, clock.iso(clock.utc_now()), last)
    print(f"\n{sheet}")
    if args.report:
        args.report.write_text(sheet + "\n", encoding="utf-8")
    return 0 if controller_selftest.whole(answers) else 1


def _order(config: Config, trial: Trial) -> bool:
    """True where the gate or the controller refused."""
    verbs = {Trial.OPEN: "open_once", Trial.HOLD: "hold_open", Trial.RELEASE: "release"}
    who = {"actor": getpass.getuser(), "role": "installer", "organisation": "",
           "purpose": "access_control", "reason": "pull-the-plug test"}
    try:
        ipc.call(config.socket("door"), verbs[trial], {**who, "lease_s": _HOLD_S})
    except IpcError:
        return True
    return False


def _hear(seconds: float) -> str | None:
    """A line from the terminal. Raises Ended where it is closed."""
    if not select.select([sys.stdin], [], [], seconds)[0]:
        return None
    line = sys.stdin.readline()
    if not line:
        raise controller_selftest.Ended
    return line
