"""Reads one TOML table key by key: bounds stand where the value is read, leftovers are refused.

A key nobody read is an error with the nearest known name, so a typing mistake in a scenario can
never silently change what it rehearses. Pure; any thread.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

from appliance.errors import ConfigError

E = TypeVar("E", bound=Enum)
_NEEDED: Any = object()


class Table:
    """One table of a scenario file; ``where`` names it in error sentences, e.g. ``[[car]] 3``."""

    def __init__(self, where: str, raw: Any) -> None:
        if not isinstance(raw, Mapping):
            raise ConfigError(f"{where} must be a table of keys")
        self.where = where
        self._raw = raw
        self._read: set[str] = set()

    def has(self, name: str) -> bool:
        return name in self._raw

    def text(self, name: str, default: str = _NEEDED) -> str:
        """Text in quotes; an empty one is refused where there is no default."""
        value = self._take(name, default)
        if not isinstance(value, str) or (default is _NEEDED and not value.strip()):
            raise ConfigError(f"{self.where} {name} must be text in quotes")
        return value

    def number(self, name: str, low: float, high: float, default: float = _NEEDED) -> float:
        value = self._take(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"{self.where} {name} must be a number")
        if not low <= value <= high:
            raise ConfigError(
                f"{self.where} {name} must lie between {low:g} and {high:g}, not {value:g}"
            )
        return float(value)

    def whole(self, name: str, low: int, high: int, default: int = _NEEDED) -> int:
        value = self._take(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ConfigError(f"{self.where} {name} must be a whole number")
        if not low <= value <= high:
            raise ConfigError(f"{self.where} {name} must lie between {low} and {high}, not {value}")
        return value

    def choice(self, name: str, kind: type[E], default: E = _NEEDED) -> E:
        """One value of the enum, written as its text."""
        written = self._take(name, default)
        if isinstance(written, kind):
            return written
        try:
            return kind(written)
        except ValueError as cause:
            known = ", ".join(str(item.value) for item in kind)
            raise ConfigError(
                f"{self.where} {name} must be one of {known}, not {written!r}"
            ) from cause

    def texts(self, name: str, default: tuple[str, ...] = _NEEDED) -> tuple[str, ...]:
        value = self._take(name, default)
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise ConfigError(f"{self.where} {name} must be a list of texts in quotes")
        return tuple(value)

    def table(self, name: str, *, needed: bool = False) -> Table:
        """A table inside this one; an absent one reads as empty unless it is needed."""
        return Table(f"[{name}]", self._take(name, _NEEDED if needed else {}))

    def tables(self, name: str) -> tuple[Table, ...]:
        """An array of tables, ``[[name]]``; absent reads as none."""
        value = self._take(name, [])
        if not isinstance(value, list):
            raise ConfigError(f"[[{name}]] must be a list of tables")
        return tuple(Table(f"[[{name}]] {n}", item) for n, item in enumerate(value, start=1))

    def end(self) -> None:
        """Raises ConfigError for the first key that nobody read."""
        for name in self._raw:
            if name in self._read:
                continue
            close = difflib.get_close_matches(name, sorted(self._read), n=1)
            hint = f"Did you mean {close[0]!r}?" if close else (
                f"Known: {', '.join(sorted(self._read))}"
            )
            raise ConfigError(f"{self.where} knows no key {name!r}", next_step=hint)

    def _take(self, name: str, default: Any) -> Any:
        self._read.add(name)
        if name in self._raw:
            return self._raw[name]
        if default is _NEEDED:
            raise ConfigError(f"{self.where} needs {name}")
        return default
