"""The uplink: tells a broker what passed, and decides nothing.

Off unless ``[uplink] mqtt_host`` names a broker; then it idles and answers its status. When on, it
reads the plate-less feed of ``records``, keeps what is untold in the outbox and publishes it. It
waits for records and for the broker for ever, with back-off, and neither waits for it.
The main thread does all the work; ``uplink.sock`` is answered from a snapshot of figures.
"""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import threading
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from appliance import clock, ipc
from appliance.config import Config
from appliance.errors import ApplianceError, ConfigError, IpcError
from appliance.uplink import address
from appliance.uplink.mqtt import Broker
from appliance.uplink.outbox import Event, Outbox

logger = logging.getLogger(__name__)

STEP_S = 0.25
_PAGE = 100
_BACK_OFF_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_AFTER_CONFIG_ERROR_S = 60.0
_ANSWER_LIMIT_S = 10.0  # for the broker to accept a connection


def main(config: Config) -> int:
    """Runs until SIGTERM or SIGINT."""
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    uplink = Uplink(config)
    server = ipc.Server(config.socket("uplink"), {"status": uplink.status})
    server.start()
    logger.info("uplink ready enabled=%s", uplink.enabled)
    try:
        _run(uplink, stopping)
    finally:
        uplink.end()
        server.stop()
    return 0


def _run(uplink: Uplink, stopping: threading.Event) -> None:
    failing = ""
    while not stopping.wait(STEP_S if uplink.enabled else None):
        try:
            uplink.step(clock.mono())
            failing = ""
        except Exception as error:  # noqa: BLE001 - a program loop: log once, go on
            if failing != type(error).__name__:
                failing = type(error).__name__
                logger.error("step failed error=%s", failing)
            uplink.let_go("uplink_failing", "The uplink cannot do its work", "See its log")


@dataclass
class _Retry:
    """When to try again: later after each failure."""

    failures: int = 0
    not_before_mono: float = 0.0

    def failed(self, now: float, wait_s: float | None = None) -> None:
        step = _BACK_OFF_S[min(self.failures, len(_BACK_OFF_S) - 1)]
        self.not_before_mono = now + (step if wait_s is None else wait_s)
        self.failures += 1

    def worked(self) -> None:
        self.failures, self.not_before_mono = 0, 0.0


@dataclass
class Uplink:
    config: Config
    enabled: bool = field(init=False)
    _outbox: Outbox | None = None
    _broker: Broker | None = None
    _broker_since_mono: float = 0.0
    _told_up_to: int = 0
    _broker_retry: _Retry = field(default_factory=_Retry)
    _records_retry: _Retry = field(default_factory=_Retry)
    _issues: dict[str, dict[str, Any]] = field(default_factory=dict)
    _figures: dict[str, Any] = field(default_factory=dict)
    _started_mono: float = field(default_factory=clock.mono)

    def __post_init__(self) -> None:
        self.enabled = bool(self.config.uplink.mqtt_host)
        self._note(connected=False)

    def step(self, now: float) -> None:
        """One round: fetch, connect, hear, tell. Never waits longer than a connection takes."""
        outbox = self._opened()
        self._fetch(outbox, now)
        broker = self._connected(now)
        if broker is not None:
            outbox.acknowledged(broker.arrived())
            for event in outbox.next_after(self._told_up_to, max(0, broker.room)):
                broker.tell(event)
                self._told_up_to = event.cursor
        self._note(connected=broker is not None)

    def end(self) -> None:
        if self._broker is not None:
            if self._outbox is not None:
                self._outbox.acknowledged(self._broker.arrived())
            self._broker.close(politely=True)
        if self._outbox is not None:
            self._outbox.close()

    def status(self, _message: ipc.Message) -> ipc.Message:
        """Any thread."""
        return ipc.ok({
            "enabled": self.enabled, **self._figures, "issues": list(self._issues.values()),
            "pid": os.getpid(), "started_mono": self._started_mono,
        })

    def let_go(self, key: str, message: str, next_step: str) -> None:
        """Drops the connection; what was on its way is told again."""
        broker, self._broker = self._broker, None
        if broker is not None:
            broker.close()
        self._told_up_to = 0
        self._issue(key, message, next_step)
        self._figures = {**self._figures, "connected": False}

    def _opened(self) -> Outbox:
        if self._outbox is None:
            path = self.config.device.state_dir / "uplink" / "outbox.db"
            try:
                self._outbox = Outbox(path, clock.utc_now())
            except (OSError, sqlite3.Error):
                self._issue("outbox", "The outbox cannot be opened", "Look at the disk")
                raise
            self._solved("outbox")
        return self._outbox

    def _fetch(self, outbox: Outbox, now: float) -> None:
        room = outbox.room
        if now < self._records_retry.not_before_mono or not room:
            return
        fields = {"after": outbox.cursor, "limit": min(_PAGE, room)}
        try:
            answer = ipc.call(self.config.socket("records"), "feed", fields)
            events = [_event(item) for item in answer.header.get("events", [])]
        except IpcError as error:
            self._records_retry.failed(now, min(5.0, 1.0 + self._records_retry.failures))
            self._issue("records_down", "Records does not answer", error.next_step)
            return
        outbox.take_in(events)
        self._records_retry.worked()
        self._solved("records_down")

    def _connected(self, now: float) -> Broker | None:
        """The broker if it has accepted us; otherwise tries when it is time to."""
        if self._broker is None and now < self._broker_retry.not_before_mono:
            return None
        settings = self.config.uplink
        try:
            if self._broker is None:
                self._broker = Broker(
                    settings, address.address(settings), self.config.device.state_dir / "uplink"
                )
                self._broker_since_mono = now
                self._told_up_to = 0
            if self._broker.ready:
                self._broker_retry.worked()
                self._solved("broker", "uplink_failing")
                return self._broker
            if now - self._broker_since_mono > _ANSWER_LIMIT_S:
                raise ApplianceError("the broker does not accept", next_step="Is it an MQTT 5 one?")
        except ApplianceError as error:
            lasting = isinstance(error, ConfigError)
            if not self._broker_retry.failures:
                logger.warning("broker not reached reason=%s", error.key)
            self._broker_retry.failed(now, _AFTER_CONFIG_ERROR_S if lasting else None)
            self.let_go("broker", error.message[:1].upper() + error.message[1:], error.next_step)
        return None

    def _note(self, *, connected: bool) -> None:
        box = self._outbox
        self._figures = {
            "connected": connected,
            "cursor": box.cursor if box else 0,
            "waiting": box.waiting if box else 0,
            "sent": box.sent if box else 0,
        }

    def _issue(self, key: str, message: str, next_step: str) -> None:
        since = self._issues.get(key, {}).get("since_mono", clock.mono())
        fresh = {"key": key, "since_mono": since, "message": message, "next_step": next_step}
        self._issues = {**self._issues, key: fresh}

    def _solved(self, *keys: str) -> None:
        if any(key in self._issues for key in keys):
            self._issues = {k: v for k, v in self._issues.items() if k not in keys}


def _event(item: Any) -> Event:
    """One entry of the feed. Raises IpcError where it is none."""
    try:
        event = Event(
            cursor=int(item["cursor"]), id=str(item["passage_id"]), at=str(item["at"]),
            lane=str(item["lane"]), verdict=str(item["verdict"]), reason=str(item["reason"]),
            direction=str(item["direction"]),
        )
        clock.from_iso(event.at)
    except (KeyError, TypeError, ValueError) as cause:
        raise IpcError("the feed could not be understood", next_step="See the health page"
                       ) from cause
    return event
