"""Region files: what plates of one place look like and which texts they carry.

Rules
- One region is one file in regions/*.toml; adding a file adds the region, nothing else.
- Patterns: L letter in use, D digit, X either, [..] a class, {m,n} repeats; ' ' gap, '-' dash,
  '.' dot, '*' emblem. Positions listed as `stacked` are drawn small, one above the other.
- Small stacked signs are NOT part of a plate's text here, because the evaluation truth leaves
  them out; the recogniser learns to pass over them. An allowlist entry follows the same rule.
- Weights and most facts are judgement, not statistics.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "regions"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
SEPARATORS = " -.*"
_TOKEN = re.compile(r"(\[[^\]]+\]|[LDX ./*-])(?:\{(\d+)(?:,(\d+))?\})?")


@dataclass(frozen=True, slots=True)
class Series:
    """One numbering scheme of a region."""

    pattern: str
    weight: float
    stacked: tuple[int, ...] = ()
    kind: str = "std"


@dataclass(frozen=True, slots=True)
class Region:
    """One region's look; lengths are shares of the plate's height or width."""

    code: str
    name: str
    family: str
    share: float
    size_mm: tuple[float, float]
    fonts: tuple[str, ...]
    colours: tuple[tuple[str, str], ...]
    sign_height: tuple[float, float]
    series: tuple[Series, ...]
    backgrounds: tuple[str, ...] = ("plain",)
    letters_not_used: str = ""
    legend_top: str = ""
    legend_foot: str = ""
    stickers: tuple[str, ...] = ()
    left_band: float = 0.0
    right_band: float = 0.0
    top_band: float = 0.0
    inset: float = 0.0


@dataclass(frozen=True, slots=True)
class Inscription:
    """What is written on a plate: `marks` holds signs and separators, `stacked` small signs."""

    marks: str
    stacked: str = ""
    stacked_first: bool = True

    @property
    def text(self) -> str:
        """The plate's text by our rule: full-size signs only, A-Z0-9."""
        return "".join(mark for mark in self.marks if mark not in SEPARATORS)


@cache
def load_regions() -> dict[str, Region]:
    """All region files by code; raises on an unknown key or a pattern that cannot be read."""
    regions = [_region(tomllib.loads(path.read_text())) for path in sorted(FOLDER.glob("*.toml"))]
    return {region.code: region for region in regions}


def sample_region(rng: np.random.Generator) -> Region:
    """A region by its share."""
    regions, cumulative = _shares()
    return regions[int(np.searchsorted(cumulative, rng.random()))]


def sample_inscription(rng: np.random.Generator, region: Region) -> Inscription:
    """A text that follows one of the region's series."""
    weights = np.array([series.weight for series in region.series])
    chosen = int(np.searchsorted(np.cumsum(weights / weights.sum()), rng.random() * 0.999999))
    series = region.series[chosen]
    vanity = series.kind == "vanity"
    letters = "".join(c for c in LETTERS if vanity or c not in region.letters_not_used)
    marks, stacked, position, first = "", "", 0, True
    for choices, count in _expand(rng, series.pattern, letters):
        for _ in range(count):
            if choices in SEPARATORS:
                marks += choices
                continue
            sign = choices[int(rng.integers(len(choices)))]
            if position in series.stacked:
                first = first if stacked else not marks
                stacked += sign
            else:
                marks += sign
            position += 1
    return Inscription(marks.strip(SEPARATORS), stacked, first)


def parse_pattern(pattern: str) -> list[tuple[str, int, int]]:
    """Tokens (kind or class, least, most); raises ValueError where a character is left over."""
    tokens, end = [], 0
    for match in _TOKEN.finditer(pattern):
        if match.start() != end:
            break
        end = match.end()
        least = int(match[2] or 1)
        tokens.append((match[1], least, int(match[3] or least)))
    if end != len(pattern):
        raise ValueError(f"pattern {pattern!r} cannot be read at {pattern[end:]!r}")
    return tokens


def _expand(rng: np.random.Generator, pattern: str, letters: str) -> list[tuple[str, int]]:
    kinds = {"L": letters, "D": DIGITS, "X": letters + DIGITS}
    out = []
    for token, least, most in parse_pattern(pattern):
        choices = kinds.get(token) or (_class_members(token) if token[0] == "[" else token)
        out.append((choices, int(rng.integers(least, most + 1))))
    return out


@cache
def _class_members(token: str) -> str:
    pattern = re.compile(token)
    return "".join(c for c in LETTERS + DIGITS if pattern.match(c))


@cache
def _shares() -> tuple[list[Region], Any]:
    regions = list(load_regions().values())
    shares = np.array([region.share for region in regions], np.float64)
    return regions, np.cumsum(shares / shares.sum())


def _region(table: dict[str, Any]) -> Region:
    series = tuple(
        Series(s["pattern"], float(s["weight"]), tuple(s.get("stacked", ())), s.get("kind", "std"))
        for s in table.pop("series")
    )
    for item in series:
        parse_pattern(item.pattern)
    fixed = {key: _frozen(value) for key, value in table.items()}
    return Region(series=series, **fixed)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
