"""`postern bench`: accuracy by set, processor ms, latency, memory, look-ups a second.

Writes BENCHMARKS.md and its plot into the folder it is started in. Takes some minutes; says what
it does meanwhile. `--only` measures one part and prints it without writing.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from appliance.bench import accuracy, decide, product, report, rooms
from appliance.config import Config

PARTS = ("accuracy", "rooms", "product")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", choices=PARTS, help="one part, printed and not written")
    parser.add_argument("--shared", type=Path, help="folder of the evaluation pictures")
    parser.add_argument("--held", type=int, default=5000, help="reads kept while looking up")


def run(args: argparse.Namespace, config: Config) -> int:  # noqa: ARG001 - the seam's shape
    result = report.Report()
    wanted = (args.only,) if args.only else PARTS
    if "accuracy" in wanted:
        _accuracy(result, args.shared or Path(os.environ.get("POSTERN_SHARED", "../shared")))
    if "rooms" in wanted:
        _say("deciding, keeping, looking up")
        result.timings = [decide.decisions(n) for n in (100, 1_000, 10_000)]
        kept, result.records_mb = rooms.records(args.held)
        result.timings += kept
    if "product" in wanted:
        _say("the running product, about two minutes")
        result.product = product.measure()
    text = report.markdown(result)
    print(text)
    if not args.only:
        _write(result, text)
    return 0


def _accuracy(result: report.Report, shared: Path) -> None:
    if not (shared / "plates" / "dev").is_dir():
        result.left_out.append("accuracy, because the evaluation pictures are not here")
        return
    for precision in ("int8", "fp32"):
        _say(f"reading the evaluation pictures, {precision}")
        result.accuracy[precision] = accuracy.measure(shared.resolve(), precision)


def _write(result: report.Report, text: str) -> None:
    if result.accuracy:
        try:
            report.plot_accuracy(result, Path("appliance/docs/pictures/bench-accuracy.svg"))
        except ModuleNotFoundError:
            _say("no plot: matplotlib is a test package (`.ci/setup test`)")
    Path("BENCHMARKS.md").write_text(text, encoding="utf-8")
    _say("written: BENCHMARKS.md")


def _say(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)
