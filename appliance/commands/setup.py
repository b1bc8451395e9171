"""`postern setup`: first start of a box or a desk. Makes keys and databases, prints the code.

Safe to run again: existing keys and people are never replaced; a new one-time code is made only
while nobody has an account.
"""

from __future__ import annotations

import argparse
import contextlib

from appliance import site, vault
from appliance.config import Config


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = __doc__


def run(args: argparse.Namespace, config: Config) -> int:  # noqa: ARG001 - the seam's shape
    made = vault.make_missing(config)
    if made:
        print(f"made keys: {', '.join(made)}")
    code = first_code(config)
    if code:
        print(f"one-time code for the first manager: {code}")
    else:
        print("the first account exists; sign in on the console")
    return 0


def first_code(config: Config) -> str | None:
    """A fresh one-time code, or None where somebody already has an account."""
    from appliance.console import codes

    with contextlib.closing(site.open_writer(config)) as connection:
        (people,) = connection.execute("SELECT count(*) FROM people").fetchone()
        return None if people else codes.make_setup_code(connection)
