"""`postern check`: the settings in force, each with its sentence; a wrong file is refused."""

from __future__ import annotations

import argparse

from appliance import config as settings
from appliance.barrier.drivers import choose
from appliance.config import Config
from appliance.uplink import address


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quiet", action="store_true", help="print nothing where all is well")


def run(args: argparse.Namespace, config: Config) -> int:
    """The file itself was checked on loading; what only a room can judge is checked here.

    Raises ConfigError.
    """
    address.check(config.uplink)
    choose.check(config.barrier)
    if args.quiet:
        return 0
    print(f"# settings from {config.path or 'the defaults (no file)'}")
    section = None
    for part, key, value, sentence in settings.describe(config):
        if part != section:
            print(f"\n[{part}]")
            section = part
        print(f"{key:<18} {value or '-':<34} # {sentence}")
    return 0
