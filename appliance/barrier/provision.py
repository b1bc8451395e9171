"""Commissioning a barrier controller over USB: firmware, settings, name and key.

1. A board that carries a key of somebody else is left alone unless the person takes it over.
2. The key is fresh, made here, written down here first (``vault``), and never shown or logged.
3. The board is put out of service first (a file that its firmware respects, and no ``main.py``) and
   back in last: one that was interrupted starts nothing and can be reached.
4. Every file is read back by the board itself and compared by SHA-256; the board's own firmware
   judges its settings before it may start.
5. The key comes into force here only when the board holds it, and has been greeted where a link
   was named. Interrupted at any step, the same command again finishes the work.

One thread, the command's. Nothing here runs while a gate is in service.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from appliance import vault
from appliance.barrier.provision_board import Board, BoardLines, NotABoard
from appliance.barrier.provision_files import Wish, firmware, settings
from appliance.config import Config
from appliance.errors import BarrierError

OLDEST = (1, 24)
BOARDS = ("rp2", "esp32")
_TARGETS = {4: "armv6m", 7: "armv7emsp", 10: "xtensawin", 11: "rv32imc"}
"""By the number of the native code in `sys.implementation._mpy`."""

Tell = Callable[[str, float], None]
"""A step's name and how much of the whole is done, 0..1."""
Greet = Callable[[bytes], str]
"""Greets the controller over its link with this key; returns its serial. Raises BarrierError."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the board says of itself."""

    version: str
    machine: str
    kind: str
    """`rp2` or `esp32`."""
    serial: str
    """The chip's own number, hex."""
    target: str
    """Which compiled code it runs."""


@dataclass(frozen=True, slots=True)
class Commissioned:
    found: Found
    files: int
    size: int
    """Bytes written."""
    greeted: bool


class ForeignBoard(BarrierError):
    key = "barrier_foreign_board"


def provision(
    board: Board, wish: Wish, config: Config, tell: Tell, greet: Greet | None = None
) -> Commissioned:
    """Raises BarrierError, VaultError or ConfigError, each with what to do next."""
    tell("finding the board", 0.0)
    found = identify(board)
    if wish.board not in ("", found.kind):
        raise NotABoard(f"this board is {found.kind}, not {wish.board}",
                        next_step="Leave --board out or plug the other board in")
    files = firmware(wish, found.kind, found.target)
    settings(wish, found.kind, bytes(32))  # a wrong wish ends before the board is touched
    tell("asking whose it is", 0.03)
    if not wish.take_over:
        _refuse_foreign(board, found, config)
    tell("taking it out of service", 0.04)
    if board.run(_OUT_OF_SERVICE) == "restart":
        board.restart_into_prompt()
    secret = vault.promise_controller_key(config, found.serial)
    files["gate.json"] = settings(wish, found.kind, secret)
    _put(board, files, tell)
    tell("comparing every file", 0.88)
    _compare(board, files)
    tell("asking the firmware about its settings", 0.92)
    _judge(board, found.kind)
    _write_whole(board, "main.py", files["main.py"])
    _compare(board, {"main.py": files["main.py"]})
    tell("restarting", 0.95)
    board.run("import os\nos.remove('service')")
    board.restart()
    if greet is not None:
        tell("greeting it over the link", 0.97)
        _expect_same(found, greet(secret))
    vault.confirm_controller_key(config, found.serial)
    tell("done", 1.0)
    size = sum(len(content) for content in files.values())
    return Commissioned(found, len(files), size, greeted=greet is not None)


def identify(board: Board) -> Found:
    """Raises NotABoard where it is no MicroPython, too old, or a kind we have no firmware for."""
    try:
        name, version, machine, platform, serial, code = ast.literal_eval(board.run(_IDENTIFY))
    except (ValueError, SyntaxError, TypeError, BoardLines):
        raise NotABoard("this is no MicroPython board",
                        next_step="Flash stock MicroPython 1.24 or newer first") from None
    number = tuple(version)[:3]
    written = ".".join(str(part) for part in number)
    if name != "micropython":
        raise NotABoard(f"this board runs {str(name)[:30]}",
                        next_step="Flash stock MicroPython 1.24 or newer first")
    if number < OLDEST:
        raise NotABoard(f"MicroPython {written} is too old",
                        next_step="Flash stock MicroPython 1.24 or newer")
    if platform not in BOARDS:
        raise NotABoard(f"there is no firmware for {str(platform)[:30]}",
                        next_step="Use a board with RP2040, RP2350 or ESP32")
    target = _TARGETS.get((int(code) >> 10) & 15, "")
    return Found(written, str(machine)[:80], str(platform), str(serial)[:32], target)


def _refuse_foreign(board: Board, found: Found, config: Config) -> None:
    theirs = board.run(_WHOSE)
    if theirs == "none" or theirs in _our_digests(config, found.serial):
        return
    board.restart()  # it was interrupted to be asked, and goes back to its work
    raise ForeignBoard(
        "this board carries the key of another box" if theirs != "damaged"
        else "this board's settings cannot be read",
        next_step="If it is yours, repeat with --take-over; the other box loses it",
    )


def _our_digests(config: Config, serial: str) -> set[str]:
    ours = [vault.pending_controller_key(config, serial)]
    if vault.has_controller_key(config):
        ours.append(vault.controller_key(config))
    return {hashlib.sha256(each).hexdigest() for each in ours if each is not None}


def _put(board: Board, files: dict[str, bytes], tell: Tell) -> None:
    """Everything but `main.py`, which is taken away first."""
    board.run(_CLEAR.format(keep=sorted(files)))
    whole = sum(len(content) for name, content in files.items() if name != "main.py")
    before = 0
    for name, content in files.items():
        if name == "main.py":
            continue

        def done(written: int, name: str = name, before: int = before) -> None:
            tell(f"writing {name}", 0.05 + 0.8 * (before + written) / max(1, whole))

        _write_whole(board, name, content, done)
        before += len(content)


def _write_whole(
    board: Board, name: str, content: bytes, done: Callable[[int], None] = lambda _: None
) -> None:
    """Under another name first, so that a cut leaves the old file or the new one."""
    folder = name.rpartition("/")[0]
    if folder:
        board.run(f"import os\ntry:\n os.mkdir({folder!r})\nexcept OSError:\n pass")
    board.write(f"{name}.new", content, done)
    board.run(f"import os\nos.rename({name + '.new'!r}, {name!r})")


def _compare(board: Board, files: dict[str, bytes]) -> None:
    """Raises BarrierError where a file on the board is not the one that was written."""
    names = [name for name in files if name != "main.py" or len(files) == 1]
    said = dict(ast.literal_eval(board.run(_DIGESTS.format(names=names))))
    wrong = [name for name in names
             if said.get(name) != hashlib.sha256(files[name]).hexdigest()]
    if wrong:
        raise BarrierError(f"{wrong[0]} was not written whole",
                           next_step="Run the command again; if it repeats, the flash is worn out")


def _judge(board: Board, kind: str) -> None:
    """The board's own firmware reads its settings and takes its pins, outputs off.

    Raises BarrierError where it will not.
    """
    try:
        board.run(_JUDGE.format(kind=kind))
    except BoardLines as cause:
        raise BarrierError("the firmware does not accept these settings",
                           next_step="Look at --inputs: pins, names and bounds") from cause


def _expect_same(found: Found, greeted: str) -> None:
    if not greeted.startswith(found.serial[:16]):
        raise BarrierError(
            "another controller answers on the link",
            next_step="Connect the board you have just keyed, then run the command again",
        )


_IDENTIFY = """
import sys, machine, binascii
_i = sys.implementation
print((_i[0], tuple(_i[1])[:3], getattr(_i, '_machine', ''), sys.platform,
       binascii.hexlify(machine.unique_id()).decode(), getattr(_i, '_mpy', 0)))
"""
_WHOSE = """
import json, hashlib, binascii
try:
    _f = open('gate.json')
except OSError:
    print('none')
else:
    try:
        _k = json.load(_f).get('key', '')
        print(binascii.hexlify(hashlib.sha256(binascii.unhexlify(_k)).digest()).decode()
              if len(_k) == 64 else 'none' if _k == '' else 'damaged')
    except (ValueError, AttributeError, TypeError):
        print('damaged')
    _f.close()
"""
"""The key stays on the board; only its digest is asked for."""
_CLEAR = """
import os
_keep = {keep}
def _list(p):
    try:
        return os.listdir(p)
    except OSError:
        return []
for _n in ['main.py', 'main.mpy'] + [d + '/' + n for d in ('gatepost', 'boards') for n in _list(d)]:
    if _n == 'main.py' or _n not in _keep:
        try:
            os.remove(_n)
        except OSError:
            pass
"""
_DIGESTS = """
import hashlib, binascii
def _digest(p):
    h = hashlib.sha256()
    with open(p, 'rb') as f:
        while True:
            b = f.read(512)
            if not b:
                return binascii.hexlify(h.digest()).decode()
            h.update(b)
print([(n, _digest(n)) for n in {names}])
"""
_JUDGE = """
from gatepost import config as _c
with open('gate.json') as _f:
    _s = _c.load(_f.read())
from boards.{kind} import Board as _B
_B(_s)
"""
_OUT_OF_SERVICE = """
import os
open('service', 'w').close()
print('restart' if 'main.py' in os.listdir() else 'free')
"""
"""A watchdog that runs cannot be stopped, so a board in service is restarted out of it."""
