"""Driver for a relay on a GPIO line of this machine (libgpiod 2), with switches on other lines.

1. The line is asked for as an inactive output, so asking energises nothing; the kernel grants it
   to one program alone.
2. The kernel knows no timed pulse: this box ends it (``host_pulse``), and a line may keep its value
   when its program dies (that is the pin driver's choice). So it warns ``RELAY_MAY_STICK`` and
   refuses holds: a lease would end only as long as we live.
3. Active is high. A relay board that closes at a low level would open the barrier whenever this
   machine starts: it must not be used.
4. Inputs are pulled up, their contacts close to ground, and the kernel debounces them.
5. LinkLost means that the chip is gone or the lines are taken or forbidden.

Needs PyPI's gpiod 2 (Debian's python3-libgpiod of release 12 is another interface, version 1).
Called by the link's thread; the timer's thread ends the pulse under the same lock.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import gpiod
from gpiod.line import Bias, Direction, Value

from appliance import clock
from appliance.barrier.drivers import host_pulse
from appliance.barrier.drivers.bought import Bought
from appliance.barrier.drivers.seam import BarrierStatus, Capabilities, Warns
from appliance.barrier.drivers.wiring import NOTHING_WIRED, Wiring
from appliance.errors import LinkLost

CONSUMER = "postern"
DEBOUNCE = timedelta(milliseconds=30)


class Lines(Protocol):
    """The part of ``gpiod.LineRequest`` that is used. ``OSError`` where the chip is gone."""

    def get_values(self, lines: list[int]) -> list[Value]: ...
    def set_value(self, line: int, value: Value) -> None: ...
    def release(self) -> None: ...


Settings = dict[Iterable[int | str] | int | str, gpiod.LineSettings | None]
RequestLines = Callable[[str, Settings, str], Lines]
"""``gpiod.request_lines``: path of the chip, lines, who asks."""


class Gpio(Bought):
    """A ``BarrierDriver`` on the machine's own pins. Times are seconds of ``now``."""

    name = "gpio"

    def __init__(
        self, chip: Path, open_line: int, *, wiring: Wiring = NOTHING_WIRED,
        now: Callable[[], float] = clock.mono, after: host_pulse.After = host_pulse.after,
        request_lines: RequestLines = gpiod.request_lines,
    ) -> None:
        super().__init__(now)
        self._chip = chip
        self._open_line = open_line
        self._wiring = wiring
        self._request_lines = request_lines
        self._lines: Lines | None = None
        self._pulse = host_pulse.HostPulse(self._switch, now, after)

    def connect(self) -> None:
        with self._pulse.lock:
            self._drop_lines()
            try:
                self._lines = self._request_lines(str(self._chip), self._settings(), CONSUMER)
            except OSError as error:
                raise LinkLost(
                    "the GPIO lines cannot be had", why="port",
                    next_step="Check chip and line numbers, and that no other program uses them",
                ) from error

    def release(self) -> None:
        self._nothing_runs()
        self._pulse.let_go()

    def status(self) -> BarrierStatus:
        self._pulse.look()
        read = self._read()
        return self._wiring.status(read, contact=read.pop(self._open_line), held=False)

    def disconnect(self) -> None:
        with self._pulse.lock:
            with contextlib.suppress(LinkLost):
                self.release()
            self._drop_lines()

    def capabilities(self) -> Capabilities:
        blind = () if self._wiring.proves_movement else (Warns.NO_FEEDBACK,)
        return Capabilities(
            position=self._wiring.proves_movement, inputs=self._wiring.sees_cars,
            timed_pulse=False, longest_lease_s=0.0, authenticated=True,
            warns=(Warns.RELAY_MAY_STICK, *blind),
        )

    def _close_for(self, seconds: float) -> None:
        self._pulse.begin(seconds)

    def _contact_seen(self) -> bool:
        return self._read()[self._open_line]

    # The lines

    def _settings(self) -> Settings:
        relay = gpiod.LineSettings(direction=Direction.OUTPUT, output_value=Value.INACTIVE)
        circuit = gpiod.LineSettings(
            direction=Direction.INPUT, bias=Bias.PULL_UP, active_low=True,
            debounce_period=DEBOUNCE,
        )
        return {self._open_line: relay, **dict.fromkeys(self._wiring.lines, circuit)}

    def _read(self) -> dict[int, bool]:
        """Which circuits are closed; the relay's own line says what it is told."""
        numbers = [self._open_line, *self._wiring.lines]
        with self._pulse.lock:
            lines = self._asked_for()
            try:
                values = lines.get_values(numbers)
            except OSError as error:
                raise LinkLost("the GPIO chip is gone", why="port") from error
        return {number: bool(value) for number, value in zip(numbers, values, strict=True)}

    def _switch(self, on: bool) -> None:
        lines = self._asked_for()
        try:
            lines.set_value(self._open_line, Value.ACTIVE if on else Value.INACTIVE)
        except OSError as error:
            raise LinkLost("the GPIO chip is gone", why="port") from error

    def _asked_for(self) -> Lines:
        if self._lines is None:
            raise LinkLost("the GPIO lines are not asked for", why="port")
        return self._lines

    def _drop_lines(self) -> None:
        if self._lines is not None:
            with contextlib.suppress(OSError):
                self._lines.release()
            self._lines = None
