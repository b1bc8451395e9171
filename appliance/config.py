"""Device settings: one TOML file, every key read once with its bounds and a sentence.

The file says what this box is wired to (camera, barrier, folders); what the site allows (grants,
purposes, retention) is published policy and lives in ``site.db``. An unknown key is refused with
the nearest known name, so that a typo can never silently disable a safeguard. Secrets never stand
here. Found at ``--config``, ``$POSTERN_CONFIG`` or ``/etc/postern/postern.toml``.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.errors import ConfigError

DEFAULT_PATH = Path("/etc/postern/postern.toml")


def _key(
    sentence: str,
    default: Any,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    return field(
        default=default,
        metadata={"sentence": sentence, "low": low, "high": high, "choices": choices},
    )


@dataclass(frozen=True, slots=True)
class Device:
    state_dir: Path = _key(
        "Folder that outlives a restart: databases, keys.", Path("/var/lib/postern")
    )
    run_dir: Path = _key("Folder for sockets and the order ledger; a tmpfs.", Path("/run/postern"))
    models_dir: Path = _key(
        "Folder with manifest.json and the .tflite files; empty: the "
        "models that came with the software.",
        Path(),
    )
    lane: str = _key("Name of the lane this box watches.", "main")


@dataclass(frozen=True, slots=True)
class Camera:
    source: str = _key("rtsp://..., /dev/videoN, a file or a folder of pictures.", "")
    loop: bool = _key("Begin a file or folder again at its end.", False)
    fps: float = _key("Most frames a second that are looked at.", 10.0, 1, 30)
    direction_in: str = _key(
        "How a car that enters moves in the picture.",
        "towards",
        choices=("towards", "away", "left", "right"),
    )
    mask: tuple[tuple[float, float], ...] = _key(
        "Lane polygon as [x, y] shares of the picture, 0..1; empty: the whole picture.", ()
    )
    motion_share: float = _key("Changed share of the lane that wakes the reader.", 0.002, 0.0, 0.5)
    stall_s: float = _key(
        "Seconds without a new picture before the camera counts as stalled.", 5.0, 1, 5
    )


@dataclass(frozen=True, slots=True)
class Recognition:
    precision: str = _key("Which model files are used.", "int8", choices=("int8", "fp32"))
    runtime: str = _key(
        "Which TFLite runtime is used.", "litert", choices=("litert", "tflite-runtime")
    )
    threads: int = _key("Threads of one model run.", 1, 1, 4)
    visit_end_s: float = _key(
        "Seconds after the last glimpse at which a visit is over.", 3.0, 1, 30
    )


@dataclass(frozen=True, slots=True)
class Barrier:
    driver: str = _key(
        "How the barrier is wired.",
        "simulator",
        choices=("simulator", "pico", "modbus", "gpio", "lcus", "osdp"),
    )
    port: str = _key("Serial port of the controller (pico, modbus, lcus, osdp).", "/dev/serial0")
    address: int = _key("Address on the bus (modbus, osdp).", 1, 0, 247)
    relay: int = _key("Number of the opening relay, from 1 (modbus, lcus, osdp).", 1, 1, 16)
    chip: Path = _key("GPIO chip (gpio).", Path("/dev/gpiochip0"))
    open_line: int = _key("GPIO line of the opening relay (gpio).", 17, 0, 255)
    limit_open: int = _key(
        "Line (gpio) or input from 0 (modbus, osdp) of the open limit switch; -1: not wired.",
        -1,
        -1,
        255,
    )
    limit_closed: int = _key("The same for the closed limit switch.", -1, -1, 255)
    entry_loop: int = _key("The same for the loop before the barrier.", -1, -1, 255)
    safety_loop: int = _key("The same for the loop under the arm.", -1, -1, 255)
    photocell: int = _key("The same for the light barrier.", -1, -1, 255)
    pulse_ms: int = _key("Length of the opening pulse.", 500, 100, 3000)
    lockout_s: float = _key("Least time between two opening pulses.", 3.0, 1, 60)
    presence_needed: bool = _key(
        "Open by itself only while the entry loop is occupied: a picture of a plate opens nothing.",
        False,
    )
    direction: str = _key(
        "Which way this barrier lets cars through by itself.", "in", choices=("in", "out", "both")
    )


@dataclass(frozen=True, slots=True)
class Console:
    host: str = _key("Address the console listens on.", "127.0.0.1")
    port: int = _key("Port the console listens on.", 8080, 1, 65535)
    threads: int = _key("Requests served at once.", 8, 2, 32)


@dataclass(frozen=True, slots=True)
class Uplink:
    mqtt_host: str = _key("Broker on the property's network; empty: nothing leaves this box.", "")
    mqtt_port: int = _key("The broker's port.", 8883, 1, 65535)
    mqtt_tls: bool = _key("Speak TLS to the broker.", True)
    topic: str = _key("First part of every topic.", "postern")


@dataclass(frozen=True, slots=True)
class Demo:
    scenario: Path = _key("Scenario that drives the simulated inputs; empty: none.", Path())


@dataclass(frozen=True, slots=True)
class Config:
    """The effective settings. ``path`` is the file they came from, None for defaults only."""

    device: Device = Device()
    camera: Camera = Camera()
    recognition: Recognition = Recognition()
    barrier: Barrier = Barrier()
    console: Console = Console()
    uplink: Uplink = Uplink()
    demo: Demo = Demo()
    path: Path | None = None

    def socket(self, name: str) -> Path:
        """Where a program listens: sightings, door, records, view, uplink."""
        return self.device.run_dir / f"{name}.sock"

    @property
    def site_db(self) -> Path:
        return self.device.state_dir / "site" / "site.db"

    @property
    def models_dir(self) -> Path:
        given = self.device.models_dir
        return given if given != Path() else Path(__file__).resolve().parent.parent / "models"


def find(given: str | None = None) -> Path | None:
    """The settings file to read, or None where there is none and defaults apply."""
    if given:
        return Path(given)
    if os.environ.get("POSTERN_CONFIG"):
        return Path(os.environ["POSTERN_CONFIG"])
    return DEFAULT_PATH if DEFAULT_PATH.exists() else None


def load(path: Path | None) -> Config:
    """Reads and checks the file. Raises ConfigError naming section, key, bounds and next step."""
    if path is None:
        return Config()
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as cause:
        raise ConfigError(
            f"there is no settings file {path}", next_step="Create it or name another --config"
        ) from cause
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as cause:
        raise ConfigError(
            f"{path} could not be read: {cause}", next_step="Mend the line it names"
        ) from cause
    sections = {f.name: f for f in dataclasses.fields(Config) if f.name != "path"}
    for name in raw:
        if name not in sections:
            raise ConfigError(f"there is no section [{name}]", next_step=_nearest(name, sections))
    built = {
        name: _section(name, type(getattr(Config(), name)), raw.get(name, {})) for name in sections
    }
    return Config(**built, path=path)


def _section(section: str, kind: type[Any], raw: Any) -> Any:
    if not isinstance(raw, dict):
        raise ConfigError(f"[{section}] must be a table of keys")
    known = {f.name: f for f in dataclasses.fields(kind)}
    for name in raw:
        if name not in known:
            raise ConfigError(f"[{section}] knows no key {name!r}", next_step=_nearest(name, known))
    return kind(**{name: _value(section, known[name], value) for name, value in raw.items()})


def _value(section: str, spec: dataclasses.Field[Any], value: Any) -> Any:
    where = f"[{section}] {spec.name}"
    default: Any = spec.default
    if isinstance(default, Path):
        if not isinstance(value, str):
            raise ConfigError(f"{where} must be a path in quotes")
        return Path(value)
    if isinstance(default, tuple):
        return _polygon(where, value)
    wanted: tuple[type, ...] = (int, float) if isinstance(default, float) else (type(default),)
    if not isinstance(value, wanted) or (isinstance(value, bool) and not isinstance(default, bool)):
        raise ConfigError(f"{where} must be {_kind_name(default)}, not {value!r}")
    choices, low, high = (spec.metadata[k] for k in ("choices", "low", "high"))
    if choices and value not in choices:
        raise ConfigError(f"{where} must be one of {', '.join(choices)}, not {value!r}")
    if low is not None and not low <= value <= high:
        raise ConfigError(f"{where} must lie between {low} and {high}, not {value}")
    number: Any = value
    return float(number) if isinstance(default, float) else number


def _polygon(where: str, value: Any) -> tuple[tuple[float, float], ...]:
    if not isinstance(value, list):
        raise ConfigError(f"{where} must be a list of [x, y] pairs")
    try:
        points = tuple((float(x), float(y)) for x, y in value)
    except (TypeError, ValueError) as cause:
        raise ConfigError(f"{where} must be a list of [x, y] pairs") from cause
    if points and (len(points) < 3 or any(not 0 <= c <= 1 for p in points for c in p)):
        raise ConfigError(f"{where} needs three points or more, each between 0 and 1")
    return points


def _kind_name(default: Any) -> str:
    return {bool: "true or false", int: "a whole number", float: "a number", str: "text in quotes"}[
        type(default)
    ]


def _nearest(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(sorted(known))}"


def describe(config: Config) -> list[tuple[str, str, str, str]]:
    """Every key as (section, key, effective value, sentence), for `postern check` and the docs."""
    rows = []
    for part in dataclasses.fields(Config):
        if part.name == "path":
            continue
        section = getattr(config, part.name)
        rows += [
            (part.name, f.name, str(getattr(section, f.name)), str(f.metadata["sentence"]))
            for f in dataclasses.fields(section)
        ]
    return rows
