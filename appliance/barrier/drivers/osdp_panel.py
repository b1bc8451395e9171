"""One conversation with one OSDP device through libosdp: a port, a thread, a secure channel.

1. Only the secure channel with the site's own key counts. Install mode is never entered, so the
   well-known default key opens nothing.
2. libosdp repeats a command until the device answers, also seconds later. So a conversation in
   which a command was not answered in time is ended as a whole (``close``): what was asked then
   cannot be carried out later.
3. A device that refuses one command is shut out by libosdp for five minutes; that conversation,
   too, is at its end, and the driver begins another.
4. It is silent when nothing was heard for ``SILENT_S``, though it is asked every 50 ms.

Threads: the conversation's own calls libosdp; ``tell`` and the properties are for the link's.
libosdp 3.2 is not made for two threads at once: every call into it holds ``_lock``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import osdp
import osdp_sys

from appliance.barrier.drivers.port import Port
from appliance.errors import LinkLost

logger = logging.getLogger(__name__)

SILENT_S = 0.4  # libosdp waits 200 ms for an answer
DEFAULT_KEY = bytes(range(0x30, 0x40))  # SCBK-D of the standard, known to everybody
_REFRESH_S = 0.01  # the standard asks for 50 ms at most
_FIRST = 0  # the index of the only device
_Command = dict[str, int | bytes]


class _Line:
    """The channel libosdp reads and writes. Nothing may be raised into its C code."""

    def __init__(self, port: Port, now: Callable[[], float]) -> None:
        self.id = 0
        self.heard_mono = float("-inf")
        self.gone = False
        self._port = port
        self._now = now
        self._waiting = b""

    def read(self, most: int) -> bytes:
        try:
            self._waiting += self._port.read(0.0)
        except LinkLost:
            self.gone = True
        taken, self._waiting = self._waiting[:most], self._waiting[most:]
        if taken:
            self.heard_mono = self._now()
        return taken

    def write(self, frame: bytes) -> int:
        try:
            self._port.write(frame)
        except LinkLost:
            self.gone = True
        return len(frame)

    def flush(self) -> None:
        """Nothing is buffered on this side."""


class Panel:
    """A running conversation. ``inputs`` is what the device told of its input circuits."""

    def __init__(self, port: Port, address: int, key: bytes, now: Callable[[], float]) -> None:
        self.inputs: dict[int, bool] = {}
        self._now = now
        self._port = port
        self._line = _Line(port, now)
        self._lock = threading.Lock()
        self._moved_on = threading.Condition(self._lock)
        self._outcome: int | None = None
        self._ending = threading.Event()
        osdp_sys.set_loglevel(osdp.LogLevel.Emergency)  # it writes to stderr by itself
        device = osdp.PDInfo(
            address, self._line, scbk=key, name="barrier", flags=[osdp.LibFlag.EnforceSecure]
        )
        self._panel: Any = osdp_sys.ControlPanel([device.get()])
        self._panel.set_event_callback(self._told)
        self._panel.set_command_completion_callback(self._completed)
        self._thread = threading.Thread(target=self._run, name="osdp", daemon=True)
        self._thread.start()

    @property
    def secure(self) -> bool:
        """The device speaks with our key, now."""
        with self._lock:
            return self._secure()

    def wait_secure(self, wait_s: float) -> bool:
        with self._lock:
            return self._moved_on.wait_for(self._secure, wait_s)

    def identity(self) -> dict[str, int]:
        """What the device says of itself; empty before it answered."""
        with self._lock:
            return dict(self._panel.get_pd_id(_FIRST) or {})

    def outputs(self) -> int:
        """How many outputs the device says it has."""
        with self._lock:
            _, count = self._panel.check_capability(_FIRST, osdp.Capability.OutputControl)
            return int(count)

    def tell(self, command: _Command, wait_s: float) -> bool:
        """True: obeyed; False: refused. Raises LinkLost where no answer came in time (rule 2)."""
        with self._lock:
            self._outcome = None
            if not self._secure() or not self._panel.submit_command(_FIRST, command):
                raise LinkLost("the OSDP device does not answer", why="silent")
            self._moved_on.wait_for(lambda: self._outcome is not None or self._line.gone, wait_s)
            outcome = self._outcome
            answered = outcome in (osdp.CompletionStatus.Ok, osdp.CompletionStatus.Failed)
            if not answered:
                self._ending.set()
        if not answered:
            raise LinkLost("the OSDP device does not answer", why="silent")
        return bool(outcome == osdp.CompletionStatus.Ok)

    def close(self) -> None:
        """Ends the thread and the conversation. Never raises."""
        self._ending.set()
        self._thread.join()
        self._port.close()

    # The thread

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._ending.is_set():
                    return
                self._panel.refresh()
                self._moved_on.notify_all()
            self._ending.wait(_REFRESH_S)

    def _secure(self) -> bool:
        heard = self._now() - self._line.heard_mono < SILENT_S
        over = self._line.gone or self._ending.is_set()
        return heard and not over and bool(self._panel.sc_status())

    def _told(self, _device: int, event: dict[str, Any]) -> int:
        kind = osdp.StatusReportType.Input
        if event.get("event") == osdp.Event.Status and event.get("type") == kind:
            self.inputs = {number: bool(now) for number, now in enumerate(event["report"])}
        return 0

    def _completed(self, _device: int, _command: dict[str, Any], outcome: int) -> None:
        self._outcome = outcome
