"""Values to JSON and back, driven by the dataclasses themselves. Bytes travel beside, not inside.

Enums become their value, datetimes ISO-8601 UTC, tuples lists; a field of type ``bytes`` is left
out and handed over separately (the crop of a sighting is a message's blob).
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Hashable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar, Union

from appliance import clock
from appliance.errors import IpcError

T = TypeVar("T")


def encode(value: Any) -> Any:
    """A frozen value (or a piece of one) as plain JSON types."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: encode(item)
            for f in dataclasses.fields(value)
            if not isinstance(item := getattr(value, f.name), bytes)
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return clock.iso(value)
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    return value


def decode(kind: type[T], data: Mapping[str, Any]) -> T:
    """The value of that kind. Raises IpcError where a field is missing, unknown or ill-typed."""
    try:
        result = _dataclass(kind, data)
    except (TypeError, ValueError, KeyError, AttributeError) as cause:
        raise IpcError(f"a {kind.__name__.lower()} could not be understood") from cause
    return typing.cast(T, result)


@functools.cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return typing.get_type_hints(typing.cast(Any, kind))


def _dataclass(kind: type[Any], data: Mapping[str, Any]) -> Any:
    hints = _hints(typing.cast(Hashable, kind))
    return kind(**{name: _value(hints[name], item) for name, item in data.items()})


def _value(hint: Any, item: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (Union, types.UnionType):
        if item is None:
            return None
        (inner,) = [a for a in typing.get_args(hint) if a is not type(None)]
        return _value(inner, item)
    if origin is tuple:
        args = typing.get_args(hint)
        kinds = [args[0]] * len(item) if args[-1] is Ellipsis else list(args)
        if len(kinds) != len(item):
            raise ValueError("a tuple of the wrong length")
        return tuple(_value(k, i) for k, i in zip(kinds, item, strict=True))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _dataclass(hint, item)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(item)
    if hint is datetime:
        return clock.from_iso(item)
    if hint is float and isinstance(item, int | float) and not isinstance(item, bool):
        return float(item)
    if not isinstance(item, hint):
        raise TypeError("a field of the wrong type")
    return item
