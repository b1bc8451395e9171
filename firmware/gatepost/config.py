"""Reads gate.json: what the installer wired and chose, with a bound for every number.

1. A key that nobody knows, a number out of its bounds or a missing pin is an error that says which;
   a typo can never silently switch a safeguard off.
2. A file that is missing or damaged never stops the board: ``fallback`` serves hand button, exit
   and fire on the default pins, obeys no order, and keeps key and name where they can still be read,
   so that the host can be told.
3. STOP counts as wired in the fallback as soon as its circuit was seen closed.
"""

import hashlib
import json

from gatepost import codes

DEFAULT_PINS = {
    "rp2": {"opening": 16, "closing": 17, "lamp": 18, "tx": 0, "rx": 1, "jumper": 22},
    "esp32": {"opening": 25, "closing": 26, "lamp": 27, "tx": 17, "rx": 16, "jumper": 33},
}
DEFAULT_INPUTS = {
    "rp2": {"exit_request": 5, "fire": 8, "stop": 9, "hand_button": 10},
    "esp32": {"exit_request": 21, "fire": 23, "stop": 13, "hand_button": 22},
}
NORMALLY_CLOSED = ("entry_loop", "safety_loop", "photocell", "stop", "tamper")

# key: default, lowest, highest
_NUMBERS = {
    "pulse_ms": (500, 100, 3000),
    "pulse_max_ms": (1500, 100, 3000),
    "lockout_ms": (2000, 1000, 10000),
    "per_minute": (12, 1, 30),
    "fire_dwell_ms": (10000, 0, 60000),
}
_SWITCHES = {"exit_opens": True, "needs_presence": False, "closing": False}
_CHOICES = {"host_lost": ("secure", "open"), "link": ("uart", "usb")}
_KNOWN = ("name", "key", "board", "pins", "inputs")
_LONGEST_NAME = 32


def load(text):
    """The settings in that text. Raises ValueError with a sentence."""
    found = _parse(text)
    for key in found:
        if key not in _KNOWN and not (key in _NUMBERS or key in _SWITCHES or key in _CHOICES):
            raise ValueError("gate.json: the key %s is not known" % key)
    settings = _values(found)
    settings["key"] = _key(found.get("key"))
    settings["name"] = _name(found.get("name", ""))
    settings["board"] = _choice("board", found.get("board"), ("rp2", "esp32"))
    settings["inputs"] = _inputs(found.get("inputs", {}))
    settings["pins"] = _pins(settings["board"], found.get("pins", {}), settings["inputs"])
    settings["digest"] = _digest(text, found["key"])
    settings["damaged"] = False
    if settings["pulse_ms"] > settings["pulse_max_ms"]:
        raise ValueError("gate.json: pulse_ms is longer than pulse_max_ms")
    if settings["needs_presence"] and "entry_loop" not in settings["inputs"]:
        raise ValueError("gate.json: needs_presence wants an entry_loop")
    return settings


def fallback(text="", board="rp2"):
    """What a board without readable settings does."""
    settings = _values({})
    settings.update({"key": "", "name": "", "board": board, "digest": bytes(4), "damaged": True})
    try:
        found = _parse(text)
        settings["key"] = _key(found.get("key"))
        settings["name"] = _name(found.get("name", ""))
    except ValueError:
        pass
    settings["pins"] = dict(DEFAULT_PINS[board])
    settings["inputs"] = {
        name: {"pin": pin, "normally": _usual(name)} for name, pin in DEFAULT_INPUTS[board].items()
    }
    return settings


def mask(names):
    """The bits of these inputs."""
    bits = 0
    for name in names:
        bits |= 1 << codes.INPUTS.index(name)
    return bits


def normally_closed(settings):
    """The bits of the inputs whose circuit is closed while nothing is the matter."""
    inputs = settings["inputs"]
    return mask([name for name in inputs if inputs[name]["normally"] == "closed"])


def options(settings, closing):
    """The option bits of WELCOME; ``closing``: built in, enabled and the jumper is fitted."""
    wired = mask(settings["inputs"])
    both_limits = codes.LIMIT_OPEN | codes.LIMIT_CLOSED
    told = (
        closing,
        wired & codes.FIRE_INPUT,
        wired & codes.STOP_INPUT,
        wired & both_limits == both_limits,
        wired & codes.ENTRY_LOOP,
        wired & codes.SAFETY_LOOP,
        wired & codes.PHOTOCELL,
        wired & codes.EXIT_REQUEST,
        wired & codes.HAND_BUTTON,
        wired & codes.RELAY_SENSE,
        settings["needs_presence"],
        settings["host_lost"] == "open",
    )
    bits = 0
    for bit, is_so in enumerate(told):
        if is_so:
            bits |= 1 << bit
    return bits


def _parse(text):
    try:
        found = json.loads(text)
    except RuntimeError:  # nested deeper than the interpreter goes
        found = None
    if not isinstance(found, dict):
        raise ValueError("gate.json: not an object")
    return found


def _values(found):
    """The keys of one value each."""
    settings = {}
    for key, (usual, lowest, highest) in _NUMBERS.items():
        value = found.get(key, usual)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise ValueError("gate.json: %s is a number from %d to %d" % (key, lowest, highest))
        settings[key] = value
    for key, usual in _SWITCHES.items():
        value = found.get(key, usual)
        if not isinstance(value, bool):
            raise ValueError("gate.json: %s is true or false" % key)
        settings[key] = value
    for key, choices in _CHOICES.items():
        settings[key] = _choice(key, found.get(key, choices[0]), choices)
    return settings


def _choice(key, value, choices):
    if value not in choices:
        raise ValueError("gate.json: %s is one of %s" % (key, ", ".join(choices)))
    return value


def _key(value):
    """64 hexadecimal digits; an error never holds them."""
    if isinstance(value, str) and len(value) == 64:
        if all(c in "0123456789abcdef" for c in value):
            return value
    raise ValueError("gate.json: key is 64 hexadecimal digits in small letters")


def _name(value):
    if not isinstance(value, str) or len(value.encode()) > _LONGEST_NAME:
        raise ValueError("gate.json: name is a text of at most 32 bytes")
    return value


def _usual(name):
    return "closed" if name in NORMALLY_CLOSED else "open"


def _inputs(found):
    if not isinstance(found, dict):
        raise ValueError("gate.json: inputs is an object")
    inputs = {}
    for name, wire in found.items():
        if name not in codes.INPUTS:
            raise ValueError("gate.json: the input %s is not known" % name)
        if not isinstance(wire, dict) or "pin" not in wire:
            raise ValueError("gate.json: the input %s has no pin" % name)
        for key in wire:
            if key not in ("pin", "normally"):
                raise ValueError("gate.json: the key %s of %s is not known" % (key, name))
        normally = _choice("normally", wire.get("normally", _usual(name)), ("open", "closed"))
        inputs[name] = {"pin": _pin(name, wire["pin"]), "normally": normally}
    return inputs


def _pins(board, found, inputs):
    """The board's pins; no pin serves two things."""
    pins = dict(DEFAULT_PINS[board])
    if not isinstance(found, dict):
        raise ValueError("gate.json: pins is an object")
    for name, pin in found.items():
        if name not in pins:
            raise ValueError("gate.json: the pin %s is not known" % name)
        pins[name] = _pin(name, pin)
    used = list(pins.values()) + [wire["pin"] for wire in inputs.values()]
    for pin in used:
        if used.count(pin) > 1:
            raise ValueError("gate.json: pin %d is used twice" % pin)
    return pins


def _pin(name, value):
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 48:
        raise ValueError("gate.json: the pin of %s is a number from 0 to 48" % name)
    return value


def _digest(text, key):
    """PROTOCOL.md section 3: the first bytes of SHA-256 of the file without its key."""
    return hashlib.sha256(text.replace(key, "").encode()).digest()[:4]
