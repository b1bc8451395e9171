"""What is written onto a controller: the firmware as it came with this software, and its settings.

The settings file (`gate.json`) is made here from what the installer says is wired; its form is the
firmware's (`firmware/gatepost/config.py`), which judges it on the board. An input that is not named
is not wired: nothing is guessed.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.errors import ConfigError

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
OUTPUTS = {"rp2": (16, 17, 18), "esp32": (25, 26, 27)}
"""The usual pins of opening contact, closing contact and lamp, as the firmware has them."""

PINS = {
    "rp2": {
        "entry_loop": 2, "safety_loop": 3, "photocell": 4, "exit_request": 5, "limit_open": 6,
        "limit_closed": 7, "fire": 8, "stop": 9, "hand_button": 10, "tamper": 11,
        "cabinet_fault": 12, "relay_sense": 13,
    },
    "esp32": {
        "entry_loop": 18, "safety_loop": 19, "photocell": 4, "exit_request": 21,
        "limit_closed": 32, "fire": 23, "stop": 13, "hand_button": 22,
    },
}
"""The usual pins of the inputs, as the diagrams draw them. An ESP32 has no more safe ones."""

_AS_TEXT = ("boot.py", "main.py")

NORMALLY = {
    "entry_loop": "closed", "safety_loop": "closed", "photocell": "closed",
    "exit_request": "open", "limit_open": "open", "limit_closed": "open", "fire": "open",
    "stop": "closed", "hand_button": "open", "tamper": "closed", "cabinet_fault": "open",
    "relay_sense": "open",
}
"""Every input and how its contact rests (firmware/PROTOCOL.md, section 7)."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the installer asked for."""

    name: str = "gate"
    board: str = ""
    """Empty: whichever is found."""
    inputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Wired inputs; `pin` and `normally` may be left out."""
    limits: Mapping[str, Any] = field(default_factory=dict)
    """Further settings of the firmware, as they stand in the inputs file."""
    take_over: bool = False
    mpy: bool = False
    source: Path = FIRMWARE
    """Folder of the firmware."""


def wired(names: str) -> dict[str, dict[str, Any]]:
    """`--wired stop,fire`: those inputs, on their usual pins. Raises ConfigError."""
    found = [name.strip() for name in names.split(",") if name.strip() not in ("", "none")]
    return {name: _input(name, {}) for name in found}


def read_inputs(path: Path) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """The inputs file: a table `[inputs.NAME]` each, further settings at its top.

    Raises ConfigError.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as cause:
        raise ConfigError(f"{path.name} could not be read: {cause}",
                          next_step="Mend the line it names") from cause
    tables = raw.pop("inputs", {})
    if not isinstance(tables, dict) or "key" in raw:
        raise ConfigError(f"{path.name} holds what does not belong there",
                          next_step="It has [inputs.NAME] tables and limits, never a key")
    return {name: _input(name, table) for name, table in tables.items()}, raw


def settings(wish: Wish, kind: str, secret: bytes) -> bytes:
    """`gate.json` for that kind of board. Raises ConfigError for a name that does not fit."""
    if not 0 < len(wish.name.encode()) <= 32 or not wish.name.isprintable():
        raise ConfigError("a controller's name has 1 to 32 characters",
                          next_step="Choose a short --name such as north gate")
    inputs = {name: _wire(name, kind, given) for name, given in wish.inputs.items()}
    told = {**wish.limits, "name": wish.name, "board": kind, "inputs": inputs,
            "key": secret.hex()}
    return json.dumps(told, indent=1, sort_keys=True).encode()


def firmware(wish: Wish, kind: str, target: str) -> dict[str, bytes]:
    """Path on the board -> content, in the order of writing; the list is the firmware's own.

    ``target`` names the chip's compiled code. Raises ConfigError where there is no such firmware.
    """
    others = {f"boards/{other}.py" for other in OUTPUTS if other != kind}
    try:
        listed = json.loads((wish.source / "package.json").read_text(encoding="utf-8"))["urls"]
        names = [name for name, _ in listed if name not in others]
        if wish.limits.get("closing") is True:
            names.insert(0, "gatepost/closing.py")
        if wish.mpy:
            folder = wish.source / "build" / target
            names = [name if name in _AS_TEXT else f"{name[:-3]}.mpy" for name in names]
        else:
            folder = wish.source
        files = {name: (folder / name).read_bytes() for name in names}
    except (OSError, ValueError, KeyError) as cause:
        raise ConfigError(
            "the compiled firmware is not here" if wish.mpy
            else "the controller's firmware did not come with this software",
            next_step="Run firmware/build.py, or leave --mpy out" if wish.mpy
            else "Use a whole checkout or package of it",
        ) from cause
    pins = wish.limits.get("pins", {})
    given = zip(("opening", "closing", "lamp"), OUTPUTS[kind], strict=True)
    outputs = tuple(int(pins.get(name, usual)) for name, usual in given)
    return {**files, "boot.py": _boot(files["boot.py"], outputs)}


def _boot(text: bytes, outputs: tuple[int, ...]) -> bytes:
    """The first lines that run, which switch these pins off."""
    lines = text.decode().splitlines(keepends=True)
    places = [n for n, line in enumerate(lines) if line.startswith("OUTPUTS = (")]
    if len(places) != 1:
        raise ConfigError("the firmware's boot.py has no place for the outputs")
    lines[places[0]] = f"OUTPUTS = {outputs}\n"
    return "".join(lines).encode()


def _wire(name: str, kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    if "pin" not in given and name not in PINS[kind]:
        raise ConfigError(f"{name} has no usual pin on this kind of board",
                          next_step="Name one with --inputs FILE, or leave it out")
    return {"pin": PINS[kind].get(name), "normally": NORMALLY[name], **given}


def _input(name: str, table: Any) -> dict[str, Any]:
    if name not in NORMALLY:
        raise ConfigError(f"a controller has no input {name!r}",
                          next_step=f"Known: {', '.join(NORMALLY)}")
    unknown = set(table) - {"pin", "normally"} if isinstance(table, dict) else {"this"}
    if unknown:
        raise ConfigError(f"input {name} has only pin and normally, not {sorted(unknown)[0]}")
    return dict(table)
