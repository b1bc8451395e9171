"""Deliberate mistakes in the rules: each rule of safety.py left out, turned round or shifted.

    python -m tests.firmware.mutation            # tries each and prints a table

A mutant is one replacement in the source of ``safety.py`` (or of a module that a rule leans on).
The unit tests and the small search run against it in a fresh process; they must fail. A replacement
that no longer fits the source is an error, so the table cannot rot.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
GATEPOST = ROOT / "firmware" / "gatepost"
KILLERS = ("test_safety.py", "test_closing.py", "test_search.py")


class Mutant(NamedTuple):
    """One mistake: the rule it breaks, and what stands in place of what."""

    rule: str
    name: str
    here: str
    instead: str
    module: str = "safety"


def _m(rule: str, name: str, here: str, instead: str, module: str = "safety") -> Mutant:
    return Mutant(rule, name, here, instead, module)


MUTANTS = (
    _m("START", "no waking time", "self._waking = _WAKING_MS", "self._waking = 0"),
    _m("START", "waking time does not count", "return self._waking > 0 or ", "return "),
    _m("START", "release obeyed at once", "if self._waking or self._damaged:", "if self._damaged:"),
    _m(
        "START",
        "a hold is running at the start",
        "self._lease = 0\n        self._fire_left",
        "self._lease = 9000\n        self._fire_left",
    ),
    _m("UNKNOWN", "orders before all wires are known", " or not self._inputs.all_known()\n", "\n"),
    _m(
        "UNKNOWN",
        "people too wait for every wire",
        "        return wired != 0 and (",
        "        return not inputs.all_known() or wired != 0 and (",
    ),
    _m("STOP", "STOP ignored", "self.stopped = self._is_stopped()", "self.stopped = False"),
    _m("STOP", "STOP unread counts as let go", " or not inputs.known & wired)", ")"),
    _m(
        "STOP",
        "STOP lets orders through",
        "        if self._is_stopped():\n            return codes.STOPPED\n",
        "",
    ),
    _m(
        "STOP",
        "what STOP met goes on after it",
        "            self._forget_all()\n",
        "            pass\n",
    ),
    _m(
        "STOP",
        "requests are put off",
        "        self._wanted = 0\n\n    def _lapse",
        "\n    def _lapse",
    ),
    _m(
        "STOP",
        "contact stays closed",
        "opening = not self.stopped and self.opens()",
        "opening = self.opens()",
    ),
    _m("STOP", "a board without STOP never opens", "return wired != 0 and (", "return ("),
    _m(
        "FIRE",
        "fire opens nothing",
        "return self.fire or self._pulse > 0",
        "return self._pulse > 0",
    ),
    _m("FIRE", "no dwell", "            fire = self._fire_left > 0", "            fire = False"),
    _m(
        "FIRE",
        "latched for ever",
        "            fire = self._fire_left > 0",
        "            fire = self.fire",
    ),
    _m(
        "FIRE",
        "fire does not beat orders",
        "if self.fire or self._inputs.is_on(codes.FIRE_INPUT):",
        "if False:",
    ),
    _m(
        "FIRE",
        "a hold goes on after the fire",
        "        if fire:\n            self._pulse = 0\n            self._lease = 0\n",
        "",
    ),
    _m("FIRE", "fire is not told", "        if fire != self.fire:\n", "        if False:\n"),
    _m(
        "HAND", "the button does nothing", "self._wanted |= inputs.rose & codes.HAND_BUTTON", "pass"
    ),
    _m(
        "HAND",
        "a button held since the start opens",
        "self._wanted |= inputs.rose & codes.HAND_BUTTON",
        "self._wanted |= inputs.active & codes.HAND_BUTTON",
    ),
    _m(
        "HAND",
        "a press is not told",
        "            self._tell(codes.MANUAL_OPEN, 0)\n",
        "            pass\n",
    ),
    _m(
        "HAND",
        "a press eats the budget",
        "            self._start_pulse(self._people_pulse)\n            if self._wanted",
        "            self._refuses_contact()\n"
        "            self._start_pulse(self._people_pulse)\n            if self._wanted",
    ),
    _m(
        "EXIT",
        "the exit does nothing",
        "            self._wanted |= codes.EXIT_REQUEST\n        elif",
        "        elif",
    ),
    _m(
        "EXIT",
        "an exit is not told",
        "                self._tell(codes.EXIT_OPEN, 0)\n",
        "                pass\n",
    ),
    _m(
        "EXIT",
        "never asks again",
        "            self._wanted |= inputs.active &",
        "            self._wanted |= 0 &",
    ),
    _m(
        "EXIT",
        "asks again though stuck",
        "codes.EXIT_REQUEST & ~inputs.stuck",
        "codes.EXIT_REQUEST",
    ),
    _m("EXIT", "asks again though the arm is up", " and not inputs.is_on(codes.LIMIT_OPEN):", ":"),
    _m(
        "EXIT",
        "asks again without a pause",
        "self._exit_again = _EXIT_AGAIN_MS",
        "self._exit_again = 0",
    ),
    _m("EXIT", "a level at the start counts", "elif self._exit_seen and not", "elif not"),
    _m(
        "EXIT",
        "an exit that went away asks on",
        "inputs.active & codes.EXIT_REQUEST & ~inputs.stuck",
        "codes.EXIT_REQUEST & ~inputs.stuck",
    ),
    _m(
        "EXIT",
        "opens though switched off",
        "        if not self._exit_opens:\n            return\n",
        "",
    ),
    _m(
        "CLAMP",
        "no longest pulse",
        "self._pulse = min(pulse_ms, self._pulse_max)",
        "self._pulse = pulse_ms",
    ),
    _m("CLAMP", "no shortest pulse", "if pulse_ms < _SHORTEST_MS:", "if pulse_ms < 0:"),
    _m("CLAMP", "shortest shifted", "if pulse_ms < _SHORTEST_MS:", "if pulse_ms <= _SHORTEST_MS:"),
    _m("CLAMP", "clamping not said", "return pulse_ms > self._pulse_max", "return False"),
    _m("CAP", "no cap", "        if self._pulsed >= CAP_MS:\n            self._pulse = 0\n", ""),
    _m(
        "CAP",
        "cap counts on from the last pulse",
        "        self._pulsed = 0\n\n    def refuses",
        "\n    def refuses",
    ),
    _m("LEASE", "a hold never ends", "            self._lease -= passed\n", "            pass\n"),
    _m(
        "LEASE", "no longest lease", "if not 1 <= lease_ms <= LONGEST_LEASE_MS:", "if lease_ms < 1:"
    ),
    _m("LEASE", "a lease of nothing", "if not 1 <= lease_ms <=", "if not 0 <= lease_ms <="),
    _m(
        "LEASE",
        "a release does nothing",
        "        self._lease = 0\n        return codes.DONE",
        "        return codes.DONE",
    ),
    _m("LEASE", "its end is not told", "            self._tell(codes.LEASE_LAPSED, 0)\n", ""),
    _m(
        "SESSION",
        "a new session takes the hold over",
        '        """Rule 10."""\n        self._lapse()',
        '        """Rule 10."""',
    ),
    _m("LOST", "a lost host keeps its hold", "        if lost:\n            self._lapse()\n", ""),
    _m(
        "LOST",
        "a lost host always opens",
        "return self._lost_opens and self.host_lost",
        "return self.host_lost",
    ),
    _m(
        "LOST",
        "a lost host never opens",
        "return self._lost_opens and self.host_lost",
        "return False",
    ),
    _m(
        "LOST",
        "opens before the wires are known",
        "self.host_lost and self._inputs.all_known()",
        "self.host_lost",
    ),
    _m("GAP", "no gap", "            self._gap = _GAP_MS\n", ""),
    _m(
        "GAP",
        "people do not wait for it",
        "            if self._gap:\n                return\n",
        "",
    ),
    _m(
        "GAP",
        "a pulse joins the one that just ended",
        "if not self._wanted or (self.contact and not opens):",
        "if not self._wanted:",
    ),
    _m("LOCKOUT", "no lock-out", "            self._lockout = self._lockout_after\n", ""),
    _m(
        "LOCKOUT",
        "orders do not wait for it",
        "if self.contact or self._gap or self._lockout:",
        "if self.contact or self._gap:",
    ),
    _m(
        "LOCKOUT",
        "a pulse joins the one that just ended",
        "if self.contact or self._gap or self._lockout:",
        "if self._gap or self._lockout:",
    ),
    _m(
        "LOCKOUT",
        "a second pulse lengthens the first",
        "        if self._pulse:\n            return codes.LOCKED_OUT\n        if not self._lease:",
        "        if not self._lease and not self._pulse:",
    ),
    _m(
        "LOCKOUT",
        "a hold does not wait for it",
        "        if not self._lease and not self._pulse:\n            refused",
        "        if False:\n            refused",
    ),
    _m("LOCKOUT", "what is left is not said", "else self._lockout\n", "else 0\n"),
    _m("BUDGET", "no budget", "if len(self._minute) >= self._per_minute:", "if False:"),
    _m(
        "BUDGET",
        "one more",
        "if len(self._minute) >= self._per_minute:",
        "if len(self._minute) > self._per_minute:",
    ),
    _m(
        "BUDGET",
        "given back too soon",
        "            minute[i] -= passed",
        "            minute[i] -= 2 * passed",
    ),
    _m("BUDGET", "never given back", "            minute[i] -= passed", "            pass"),
    _m("PRESENCE", "no car needed", "if automatic and self._needs_presence and", "if False and"),
    _m(
        "PRESENCE",
        "asked of people too",
        "if automatic and self._needs_presence",
        "if self._needs_presence",
    ),
    _m("PRESENCE", "always asked", "if automatic and self._needs_presence", "if automatic"),
    _m(
        "PRESENCE",
        "a stuck loop counts",
        "codes.ENTRY_LOOP & ~self._inputs.stuck",
        "codes.ENTRY_LOOP",
    ),
    _m(
        "RELAY",
        "relay not asked",
        "return codes.DONE if self.relay_follows else codes.BUSY",
        "return codes.DONE",
    ),
    _m("SETTINGS", "damaged settings obey", " or self._damaged or not", " or not"),
    _m(
        "SETTINGS",
        "damaged settings release",
        "if self._waking or self._damaged:",
        "if self._waking:",
    ),
    _m(
        "CLOSE",
        "both contacts at once",
        "            self._pulse = 0\n            self._way_down = 0\n        closed",
        "            pass\n        closed",
        "closing",
    ),
    _m(
        "CLOSE",
        "people are served before the contact can close",
        "if self._closing is not None and self._closing.gives_way():",
        "if False:",
    ),
    _m(
        "CLOSE",
        "opens while it still lets go",
        "opening = opening and not self._closing.lets_go()",
        "opening = opening",
    ),
    _m("CLOSE", "closes over a car", "if inputs.is_on(detectors):", "if False:", "closing"),
    _m(
        "CLOSE",
        "closes unproven",
        "if detectors & ~inputs.cycled or self._arm_lost:",
        "if self._arm_lost:",
        "closing",
    ),
    _m(
        "CLOSE",
        "closes after a watchdog",
        "detectors & ~inputs.cycled or self._arm_lost:",
        "detectors & ~inputs.cycled:",
        "closing",
    ),
    _m(
        "CLOSE",
        "does not open again",
        "            self._start_pulse(self._people_pulse)\n            self._tell(codes.REOPENED",
        "            self._tell(codes.REOPENED",
    ),
    _m(
        "CLOSE",
        "the default build moves the second contact",
        "        outputs = 0\n",
        "        outputs = codes.CLOSING\n",
    ),
)


def source(mutant: Mutant) -> str:
    """The module's text with the mistake. Raises ValueError where it does not fit exactly once."""
    text = (GATEPOST / f"{mutant.module}.py").read_text(encoding="utf-8")
    if text.count(mutant.here) != 1:
        raise ValueError(f"{mutant.rule}, {mutant.name}: fits {text.count(mutant.here)} times")
    return text.replace(mutant.here, mutant.instead)


def plant(number: str) -> None:
    """Loads that mutant in place of its module, before anybody imports it."""
    mutant = MUTANTS[int(number)]
    import gatepost  # the package has to be there; the module itself is not loaded yet

    name = f"gatepost.{mutant.module}"
    module = ModuleType(name)
    sys.modules[name] = module
    setattr(gatepost, mutant.module, module)
    exec(compile(source(mutant), f"{name} (mutant)", "exec"), module.__dict__)  # noqa: S102


def killed_by(number: int) -> str:
    """The first test that fails with it, or nothing where it survives."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "--no-header",
            "--tb=no",
            "-m",
            "not firmware",
            *(str(ROOT / "tests" / "firmware" / name) for name in KILLERS),
        ],
        cwd=ROOT,
        env=os.environ | {"POSTERN_MUTANT": str(number)},
        capture_output=True,
        text=True,
        check=False,
    )
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if done.returncode == 0:
        return ""
    return failed[0].split("::")[-1].split(" - ")[0] if failed else "did not load"


def table(workers: int = 2) -> tuple[list[str], list[str]]:
    """One line for each mutant, and the names of those that survived."""
    with ThreadPoolExecutor(workers) as pool:
        killers = list(pool.map(killed_by, range(len(MUTANTS))))
    lines = [
        f"{m.rule:9} {m.name:44} {k or 'SURVIVED'}" for m, k in zip(MUTANTS, killers, strict=True)
    ]
    survived = [f"{m.rule}: {m.name}" for m, k in zip(MUTANTS, killers, strict=True) if not k]
    return lines, survived


if __name__ == "__main__":
    told, alive = table()
    print("\n".join(told))
    print(f"{len(told)} mutants, {len(told) - len(alive)} killed")
    sys.exit(bool(alive))
