"""Draws the wiring diagrams of INSTALL.md: `python -m appliance.docs.wiring.draw`.

One row is one thing that is wired: at the left this product's controller, in the middle the
device, at the right the operator cabinet. A device that protects somebody has two contacts: one
goes straight to the operator, the other is the copy that the controller listens to. Pins come from
the table that `postern controller provision` writes, so that picture and board cannot disagree.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path

from appliance.barrier.provision_files import NORMALLY, PINS
from appliance.docs.wiring.pen import WIDTH, Pen

FOLDER = Path(__file__).parent
_BOX, _BOARD, _DEVICE, _CABINET = (16, 124), (176, 158), (436, 160), (644, 140)  # x, width
_TOP, _ROW = 84, 48
_LINE = 118  # characters of a note that fit the width


@dataclass(frozen=True, slots=True)
class Row:
    """One input. ``own`` is the operator's terminal that the device's other contact goes to."""

    terminal: str
    device: str
    rests: str
    own: str = ""
    from_cabinet: bool = False
    """The contact is the operator's own status relay."""


@dataclass(frozen=True, slots=True)
class Diagram:
    name: str
    title: str
    sentence: str
    board: tuple[str, ...]
    """Heading of the controller and lines under it."""
    link: tuple[tuple[str, str], ...]
    """Wires between box and controller: end at the box, end at the controller."""
    output: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    module: bool = True
    """The relay is a module of its own, driven through a pin that needs a pull-down."""
    supply: str = "own supply 24 V"
    in_box: bool = False
    """The controller is the box itself."""


def _inputs(pin: dict[str, str]) -> tuple[Row, ...]:
    """A row for every input in ``pin`` (name -> what stands at its terminal), then what runs past a
    controller that does not listen to it."""
    devices = {
        "limit_open": ("arm is up", "", True), "limit_closed": ("arm is down", "", True),
        "cabinet_fault": ("fault", "", True),
        "entry_loop": ("Entry loop detector", "", False),
        "safety_loop": ("Safety loop detector", "LOOP", False),
        "photocell": ("Photocell receiver", "PHOTO", False),
        "exit_request": ("Exit loop or button", "EXIT", False),
        "fire": ("Fire panel", "FIRE", False), "stop": ("STOP button", "STOP", False),
        "hand_button": ("Hand button", "", False), "tamper": ("Door of our cabinet", "", False),
        "relay_sense": ("Relay, second contact", "", False),
    }
    return tuple(
        Row(pin.get(name, ""), device, NORMALLY[name], own, from_cabinet)
        for name, (device, own, from_cabinet) in devices.items() if name in pin or own
    )


def _io(name: str) -> str:
    return f"IO{PINS['esp32'][name]}" if name in PINS["esp32"] else "-"


def _pico() -> Diagram:
    both = {name: f"GP{pin} / {_io(name)}" for name, pin in PINS["rp2"].items()}
    return Diagram(
        "pico", "Our controller: Raspberry Pi Pico or ESP32",
        "The box talks to the controller over a serial link. The controller's relay module closes "
        "the operator's OPEN input; every sensor has a second contact that goes straight to the "
        "operator.",
        ("Controller", "Pico / ESP32 pins,", "opto-isolated inputs", "contact to 0 V"),
        (("TX", "GP1 / IO16"), ("RX", "GP0 / IO17"), ("0 V", "0 V")),
        "GP16 / IO25", _inputs(both), (
            "The 10 k resistor keeps the relay off while the controller starts or is gone. It is "
            "not optional.",
            "The controller has its own supply: with the box off it must go on serving hand "
            "button, exit and fire.",
            "Inputs not wired are left out of its settings. An ESP32 has fewer safe pins: eight "
            "inputs.",
            "USB is for commissioning only. Whoever reaches the socket owns the relay: lock the "
            "cabinet.",
        ),
    )


def _modbus() -> Diagram:
    numbers = ("limit_open", "limit_closed", "entry_loop", "safety_loop", "photocell")
    return Diagram(
        "modbus", "Modbus RTU relay board with board-timed pulse",
        "The box is master of a two-wire RS-485 bus. Relay 1 of the board closes the operator's "
        "OPEN input; digital inputs listen to limits, loops and photocell.",
        ("Relay board", "RTU, 9600 8N1,", "address 1, dry inputs"),
        (("A +", "A +"), ("B -", "B -"), ("0 V", "0 V")),
        "relay 1", _inputs({name: f"DI{n}" for n, name in enumerate(numbers, 1)}), (
            "DI1 on the board is input 0 in the settings: limit_open = 0, limit_closed = 1 "
            "and so on.",
            "The board ends the pulse itself. It knows no key: whoever reaches A and B can open; "
            "the bus stays inside the cabinet.",
            "120 ohm between A and B at both ends of the bus.",
        ),
        module=False,
    )


def _gpio() -> Diagram:
    lines = {"limit_open": "GPIO 22", "limit_closed": "GPIO 23", "entry_loop": "GPIO 24",
             "safety_loop": "GPIO 25", "photocell": "GPIO 27"}
    return Diagram(
        "gpio", "A relay on the box's own GPIO lines",
        "The box drives a relay module from one GPIO line and listens on others through "
        "opto-isolated inputs.",
        ("Box, its header", "opto-isolated inputs", "contact to 0 V"), (),
        "GPIO 17", _inputs(lines), (
            "Only a module that closes at a HIGH level: one that closes at LOW opens the barrier "
            "whenever the box starts.",
            "The 10 k resistor keeps the relay off while the box starts. It is not optional.",
            "This box ends the pulse: if it dies within it, the relay may stay on. It refuses "
            "holds.",
            "With the box off nothing of ours works: a hand button belongs to the operator too.",
        ),
        supply="", in_box=True,
    )


def _lcus() -> Diagram:
    return Diagram(
        "lcus", "LCUS serial relay (degraded)",
        "A USB relay closes the operator's OPEN input. It answers nothing and reads nothing.",
        ("USB relay", "CH340, 9600 8N1"), (("USB", "USB"),), "relay 1", _inputs({}), (
            "Degraded: it answers nothing, so nobody knows whether it closed, and nothing says "
            "whether the arm moved.",
            "This box ends the pulse. If box or USB dies within it, the relay may stay on and the "
            "barrier stays open.",
            "Some of these relays click when they get power: try it with the operator's OPEN wire "
            "off.",
            "Good for a trial. For a gate that people depend on take another controller.",
        ),
        module=False, supply="",
    )


def _osdp() -> Diagram:
    numbers = ("limit_open", "limit_closed", "entry_loop", "safety_loop", "photocell")
    return Diagram(
        "osdp", "OSDP v2 input and output module, secure channel",
        "The box is the control panel of an OSDP bus. Output 1 of the module closes the "
        "operator's OPEN input for a time that the module measures; its inputs listen.",
        ("OSDP module", "secure channel,", "9600 8N1, address 1"),
        (("A +", "A +"), ("B -", "B -"), ("0 V", "0 V")),
        "output 1", _inputs({name: f"IN{n}" for n, name in enumerate(numbers, 1)}), (
            "IN1 on the module is input 0 in the settings: limit_open = 0, limit_closed = 1 "
            "and so on.",
            "Set the module's own key (SCBK) with its maker's tool and give it to this box: "
            "postern controller osdp-key. The install key is refused.",
            "The module ends the pulse itself. It tells no openings by hand.",
        ),
        module=False, supply="supply 12 V",
    )


DIAGRAMS = (_pico(), _modbus(), _gpio(), _lcus(), _osdp())


def picture(diagram: Diagram) -> str:
    pen = Pen()
    rows_from = _TOP + (130 if diagram.module else 100)
    lowest = max(rows_from + _ROW * len(diagram.rows) + 8, _TOP + 210)
    pen.text(16, 32, diagram.title, "title")
    _legend(pen)
    pen.block(_BOARD[0], _TOP, _BOARD[1], lowest - _TOP)
    pen.block(_CABINET[0], _TOP, _CABINET[1], lowest - _TOP, "Operator cabinet")
    for line, words in enumerate(diagram.board):
        pen.text(_BOARD[0] + 10, _TOP + 19 + 16 * line, words, "soft" if line else "head")
    _box(pen, diagram)
    _output(pen, diagram)
    for number, row in enumerate(diagram.rows):
        _input(pen, row, rows_from + _ROW * number)
    y = lowest + 26
    for words in diagram.notes:
        for part, text in enumerate(textwrap.wrap(words, _LINE)):
            pen.text(26 if part else 16, y, text if part else f"\u2022 {text}")
            y += 17
    return pen.svg(diagram.title, diagram.sentence, y)


def _legend(pen: Pen) -> None:
    pen.wire("own", (18, 56), (46, 56))
    pen.text(54, 60, "ours: the order, and the copies we listen to", "own-text")
    pen.wire("past", (330, 56), (358, 56))
    pen.text(366, 60, "straight to the operator, never through us", "past-text")
    pen.text(WIDTH - 16, 60, "contacts at rest", "soft", "end")


def _box(pen: Pen, diagram: Diagram) -> None:
    """The box, its link and the controller's own supply."""
    x, width = _BOX
    y = _TOP + 66
    if not diagram.in_box:
        pen.block(x, y, width, 34 + 20 * len(diagram.link), "Postern box")
        y += 38
        for here, there in diagram.link:
            _pair_end(pen, x + width, y, here, there)
            y += 20
    if diagram.supply:
        y += 22
        pen.block(x, y, width, 34)
        _pair_end(pen, x + width, y + 17, diagram.supply, "supply")


def _pair_end(pen: Pen, x: float, y: float, here: str, there: str) -> None:
    pen.wire("ink", (x, y), (_BOARD[0], y))
    pen.terminal(x, y)
    pen.terminal(_BOARD[0], y)
    pen.text(x - 8, y + 4, here, "", "end")
    pen.text(_BOARD[0] + 10, y + 4, there)


def _output(pen: Pen, diagram: Diagram) -> None:
    """The only thing this product ever closes."""
    board_ends, cabinet = _BOARD[0] + _BOARD[1], _CABINET[0]
    if diagram.module:
        y = _TOP + 86
        pen.text(board_ends - 10, y + 4, diagram.output, "", "end")
        pen.wire("own", (board_ends, y), (_DEVICE[0] + 14, y))
        pen.terminal(board_ends, y)
        pen.dot(382, y)
        pen.resistor(382, y, 28)
        pen.earth(382, y + 28)
        pen.text(392, y + 20, "10 k")
        pen.block(_DEVICE[0], _TOP, _DEVICE[1], 112, "Relay module")
        pen.coil(_DEVICE[0] + 14, y)
        contact_x, contact_y = _DEVICE[0] + 96, _TOP + 48
        pen.wire("link", (_DEVICE[0] + 27, y - 8), (_DEVICE[0] + 27, contact_y - 4),
                 (contact_x + 12, contact_y - 4))
        pen.text(_DEVICE[0] + 48, y + 4, "active high")
    else:
        contact_x, contact_y = board_ends - 46, _TOP + 76
        pen.text(contact_x - 16, contact_y + 4, diagram.output, "", "end")
    pen.contact(contact_x, contact_y, "open", "own")
    pen.wire("own", (contact_x + 28, contact_y), (cabinet, contact_y))
    pen.wire("own", (contact_x, contact_y), (contact_x - 8, contact_y),
             (contact_x - 8, contact_y + 16), (cabinet, contact_y + 16))
    for terminal, down in (("OPEN", 0), ("COM", 16)):
        pen.terminal(cabinet, contact_y + down)
        pen.text(cabinet + 12, contact_y + down + 4, terminal)


def _input(pen: Pen, row: Row, y: float) -> None:
    """Our two wires to the contact and, where it protects somebody, the operator's own two."""
    upper, lower = y + 28, y + 37
    if not row.from_cabinet:
        pen.block(_DEVICE[0], y, _DEVICE[1], 43)
        pen.text(_DEVICE[0] + 10, y + 14, row.device)
    if row.terminal:
        _copy(pen, row, upper, lower)
    if row.own:
        _past(pen, row, upper, lower)


def _copy(pen: Pen, row: Row, upper: float, lower: float) -> None:
    starts = _BOARD[0] + _BOARD[1]
    x = _CABINET[0] + 8 if row.from_cabinet else _DEVICE[0] + 10
    pen.text(starts - 10, upper + 3, row.terminal, "", "end")
    if row.from_cabinet:
        pen.text(x + 42, upper + 5, row.device)
    pen.contact(x, upper, row.rests, "own")
    pen.wire("own", (starts, upper), (x, upper))
    pen.wire("own", (x + 28, upper), (x + 34, upper), (x + 34, lower), (starts, lower))
    for end in (upper, lower):
        pen.terminal(starts, end)


def _past(pen: Pen, row: Row, upper: float, lower: float) -> None:
    x = _DEVICE[0] + _DEVICE[1] - 38
    rests = "open" if row.own in ("FIRE", "EXIT") else "closed"
    pen.contact(x, upper, rests, "past")
    pen.wire("past", (x + 28, upper), (_CABINET[0], upper))
    pen.wire("past", (x, upper), (x - 6, upper), (x - 6, lower), (_CABINET[0], lower))
    for end in (upper, lower):
        pen.terminal(_CABINET[0], end)
    pen.text(_CABINET[0] + 12, upper + 8, row.own, "past-text")


def main() -> None:
    for diagram in DIAGRAMS:
        (FOLDER / f"{diagram.name}.svg").write_text(picture(diagram), encoding="utf-8")


if __name__ == "__main__":
    main()
