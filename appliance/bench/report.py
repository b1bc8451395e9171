"""BENCHMARKS.md and its plots from the figures."""

from __future__ import annotations

import dataclasses
import platform
from pathlib import Path
from typing import Any

from appliance import __version__, clock
from appliance.bench.accuracy import SetFigures
from appliance.bench.product import ProductFigures
from appliance.bench.rooms import Timing


@dataclasses.dataclass(slots=True)
class Report:
    """What was measured; a part that could not run is empty and named in `left_out`."""

    accuracy: dict[str, list[SetFigures]] = dataclasses.field(default_factory=dict)
    timings: list[Timing] = dataclasses.field(default_factory=list)
    records_mb: float = 0.0
    product: ProductFigures | None = None
    left_out: list[str] = dataclasses.field(default_factory=list)


def markdown(report: Report) -> str:
    parts = [
        "# Benchmarks\n",
        f"Made by `make bench` on {clock.utc_now():%Y-%m-%d}, version {__version__}, "
        f"{_machine()}. Speed is of this machine, not of a Raspberry Pi.\n",
    ]
    for line in report.left_out:
        parts.append(f"*Left out: {line}.*\n")
    for precision, sets in report.accuracy.items():
        parts.append(_accuracy(precision, sets))
    if report.accuracy:
        parts.append("![Accuracy by set](appliance/docs/pictures/bench-accuracy.svg)\n")
    if report.product:
        parts.append(_product(report.product))
    if report.timings:
        parts.append(_timings(report))
    return "\n".join(parts)


def _accuracy(precision: str, sets: list[SetFigures]) -> str:
    lines = [
        f"## Reading, {precision}, single pictures, one thread\n",
        "Development pictures: they chose checkpoints and thresholds but trained nothing, save "
        "that night_ro and some negatives share their source with training pictures. O and 0, I "
        "and 1 count as one. *false*: a wrong text was returned; *near*: exactly one character "
        "off; *at 1 %*: read right when the score bound lets at most 1 % wrong reads through.\n",
        "| set | pictures | exact | false | near | at 1 % | CPU ms median / mean | RSS MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for s in sets:
        if not s.plates:
            lines.append(
                f"| {s.name} (no plate) | {s.pictures} | - | {s.false:.1%} | - | surest wrong read"
                f" {s.surest_wrong:.2f} | {s.cpu_ms_median:.0f} / {s.cpu_ms_mean:.0f} |"
                f" {s.rss_mb:.0f} |"
            )
            continue
        lines.append(
            f"| {s.name} | {s.pictures} | {s.exact:.1%} | {s.false:.1%} | {s.near:.1%} |"
            f" {s.right_at_1_percent_wrong:.1%} | {s.cpu_ms_median:.0f} / {s.cpu_ms_mean:.0f} |"
            f" {s.rss_mb:.0f} |"
        )
    return "\n".join(lines) + "\n"


def _product(figures: ProductFigures) -> str:
    lines = [
        "## The running product (demo clip, simulated barrier)\n",
        f"First passage {figures.first_passage_s:.0f} s after the programs were started.\n",
        "| program | memory MB | share of one core |",
        "|---|---|---|",
        *(f"| {p.name} | {p.rss_mb:.0f} | {p.cpu_share:.0%} |" for p in figures.programs),
        "",
        "| figure | value |",
        "|---|---|",
        *(
            f"| {k} | {_short(v)} |"
            for k, v in {
                **{f"gate {k} (ms)": v for k, v in figures.latency_ms.items()},
                **{f"look {k}": v for k, v in figures.reader.items() if k.startswith("ms_")},
                "pictures dropped by the mailbox": figures.camera.get("dropped"),
            }.items()
        ),
        "",
    ]
    return "\n".join(lines)


def _timings(report: Report) -> str:
    lines = [
        "## Rooms\n",
        "| what | p50 ms | p99 ms | a second, one caller |",
        "|---|---|---|---|",
        *(
            f"| {t.what} | {t.p50_ms:.3f} | {t.p99_ms:.3f} | {t.per_second:,.0f} |"
            for t in report.timings
        ),
        "",
        f"Memory of records after these: {report.records_mb:.0f} MB.",
        "",
    ]
    return "\n".join(lines)


def _short(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _machine() -> str:
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return f"Python {platform.python_version()}, {cpu}"


_COLOURS = ("#17663a", "#2946a8")


def plot_accuracy(report: Report, path: Path) -> None:
    """Bars by set and precision as SVG. Needs matplotlib (a test package)."""
    import matplotlib  # type: ignore[import-not-found, unused-ignore]

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 3.6))
    precisions = list(report.accuracy)
    for number, (precision, colour) in enumerate(zip(precisions, _COLOURS, strict=False)):
        sets = [s for s in report.accuracy[precision] if s.plates]
        places = [i + 0.4 * number for i in range(len(sets))]
        exact = [s.exact * 100 for s in sets]
        axes.bar(places, exact, 0.36, color=colour, label=f"{precision}: right")
        axes.bar(
            places,
            [s.near * 100 for s in sets],
            0.36,
            bottom=exact,
            color=colour,
            alpha=0.25,
            label=f"{precision}: one character off",
        )
    axes.set_xticks(range(len(sets)), [s.name for s in sets], rotation=20, fontsize=8)
    axes.set_ylabel("% of plates")
    axes.set_ylim(0, 100)
    axes.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
