"""A MicroPython board with an empty flash: its lines are run by CPython in a folder of their own.

    chip = Chip(folder)                  flash, identity, what it did
    DirectBoard(chip)                    provisioning's seam, without a wire
    with ReplPort(chip) as port: ...     a PTY that speaks the raw REPL, for mpremote

`chip.dies_at = n` pulls the plug at the n-th act (a line run or a file written), either before it
has an effect or, with `chip.dies_after`, when it had one and the answer is lost.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import json
import os
import pty
import sys
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from appliance.barrier.provision_board import BoardLines, NotABoard

_ONE_AT_A_TIME = threading.Lock()  # a chip borrows this process's modules and folder
_ANNOUNCE = b"raw REPL; CTRL-B to exit\r\n>"


def _boards(module: str) -> bool:
    """Modules that a board has for itself."""
    return module.split(".")[0] in ("gatepost", "boards", "machine")


class PlugPulled(Exception):
    pass


class Restarted(BaseException):
    """`machine.reset()`: whatever ran is over."""


class Chip:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kind = "rp2"
        self.serial = "e6614103e7452a2f"
        self.version = (1, 28, 0, "")
        self.implementation = "micropython"
        self.restarts = 0
        self.acts = 0
        self.dies_at: int | None = None
        self.dies_after = False
        self.log: list[str] = []
        folder.mkdir(exist_ok=True)

    def path(self, name: str) -> Path:
        return self.folder / name

    def settings(self) -> dict[str, Any]:
        return dict(json.loads(self.path("gate.json").read_text()))

    def act(self, what: str, effect: Callable[[], None]) -> None:
        """One act on the flash, with the plug pulled before or after it."""
        self.acts += 1
        self.log.append(what)
        dies = self.dies_at == self.acts
        if dies and not self.dies_after:
            raise PlugPulled
        try:
            effect()
        finally:
            if dies:
                raise PlugPulled

    def execute(self, lines: str, scope: dict[str, Any] | None = None) -> tuple[str, str]:
        """What the lines print, and the error's last line."""
        with _ONE_AT_A_TIME:
            return self._execute(lines, {} if scope is None else scope)

    def _execute(self, lines: str, scope: dict[str, Any]) -> tuple[str, str]:
        told = io.StringIO()
        scope["__builtins__"] = self._builtins(told)
        kept = {name: sys.modules.pop(name) for name in list(sys.modules) if _boards(name)}
        sys.modules["machine"] = self._machine()  # type: ignore[assignment]
        time.ticks_ms = lambda: 0  # type: ignore[attr-defined]
        sys.path.insert(0, str(self.folder))
        wrote, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        try:
            with contextlib.chdir(self.folder):
                exec(compile(lines, "<stdin>", "exec"), scope)
        except Restarted:
            self.restarts += 1
            raise
        except Exception as error:
            return told.getvalue(), f"Traceback:\n{type(error).__name__}: {error}"
        finally:
            del time.ticks_ms  # type: ignore[attr-defined]
            sys.dont_write_bytecode = wrote
            sys.path.remove(str(self.folder))
            for name in list(sys.modules):
                if _boards(name):
                    del sys.modules[name]
            sys.modules.update(kept)
        return told.getvalue(), ""

    def _builtins(self, told: io.StringIO) -> dict[str, Any]:
        ours = {"machine": self._machine(), "sys": self._sys()}

        def imported(name: str, *rest: Any) -> Any:
            return ours.get(name) or __import__(name, *rest)

        return {**vars(builtins), "__import__": imported,
                "print": lambda *what, **how: print(*what, **{**how, "file": told})}

    def _machine(self) -> SimpleNamespace:
        def reset() -> None:
            raise Restarted

        class Pin:
            OUT, IN, PULL_UP = 1, 0, 2

            def __init__(self, *_: Any, **__: Any) -> None: ...

        return SimpleNamespace(
            unique_id=lambda: bytes.fromhex(self.serial), reset=reset, Pin=Pin,
            UART=lambda *_, **__: None, reset_cause=lambda: 1, PWRON_RESET=1, HARD_RESET=2,
            WDT_RESET=3, SOFT_RESET=5,
        )

    def _sys(self) -> SimpleNamespace:
        class Implementation(tuple):
            _machine = "Invented board"
            _mpy = 4 << 10

        return SimpleNamespace(
            implementation=Implementation((self.implementation, self.version)),
            platform=self.kind,
        )


class DirectBoard:
    """The seam itself, over no wire."""

    def __init__(self, chip: Chip) -> None:
        self._chip = chip
        self._alive = True

    def run(self, lines: str) -> str:
        told: list[tuple[str, str]] = []
        self._do(lines.strip().splitlines()[0], lambda: told.append(self._chip.execute(lines)))
        out, error = told[0]
        if error:
            raise BoardLines(error.splitlines()[-1].split(":")[0])
        return out.strip()

    def write(self, path: str, content: bytes, done: Callable[[int], None]) -> None:
        self._do(f"write {path}", lambda: self._written(path, content, done))

    def restart(self) -> None:
        with contextlib.suppress(Restarted):
            self._do("restart", lambda: self._chip.execute("import machine\nmachine.reset()"))

    def restart_into_prompt(self) -> None:
        self.restart()

    def close(self) -> None:
        self._alive = False

    def _do(self, what: str, effect: Callable[[], Any]) -> None:
        if not self._alive:
            raise NotABoard("the board went away")
        try:
            self._chip.act(what, effect)
        except PlugPulled:
            self._alive = False
            raise NotABoard("the board went away") from None

    def _written(self, path: str, content: bytes, done: Callable[[int], None]) -> None:
        self._chip.path(path).write_bytes(content)
        done(len(content))


class ReplPort:
    """The chip's USB port: `with ReplPort(chip) as port` gives the path of a PTY."""

    def __init__(self, chip: Chip) -> None:
        self._chip = chip
        self._scope: dict[str, Any] = {}
        self._raw = False

    def __enter__(self) -> str:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return os.ttyname(self._slave)

    def __exit__(self, *_: object) -> None:
        for end in (self._slave, self._master):
            with contextlib.suppress(OSError):
                os.close(end)
        self._thread.join()

    def _serve(self) -> None:
        waiting = b""
        while True:
            try:
                byte = os.read(self._master, 1)
            except OSError:
                return
            if byte == b"\x01":
                self._raw, waiting = True, b""
                self._say(_ANNOUNCE)
            elif byte == b"\x03" or not self._raw:
                waiting = b""
            elif byte == b"\x05":
                os.read(self._master, 2)
                self._say(b"R\x00")
            elif byte == b"\x04":
                lines, waiting = waiting.decode(), b""
                if not self._run(lines):
                    return
            else:
                waiting += byte

    def _run(self, lines: str) -> bool:
        answer: list[tuple[str, str]] = []
        self._say(b"OK")
        try:
            self._chip.act(lines.strip()[:40],
                           lambda: answer.append(self._chip.execute(lines, self._scope)))
        except Restarted:
            self._raw, self._scope = False, {}
            return True
        except PlugPulled:
            with contextlib.suppress(OSError):
                os.close(self._master)
            return False
        out, error = answer[0]
        self._say(out.encode() + b"\x04" + error.encode() + b"\x04>")
        return True

    def _say(self, what: bytes) -> None:
        with contextlib.suppress(OSError):
            os.write(self._master, what)
