"""One connection to an MQTT 5 broker: tells events at least once, says when they arrived.

    <topic>/<lane>/passage   one event a passage: {id, seq, at, lane, verdict, reason, direction}
    <topic>/<lane>/state     the lane's latest passage, the same body, retained
    <topic>/status           online or offline, retained; offline also as the last will

No plate, name or label. Messages expire in the broker, so nothing outlives what this box may keep.
Made anew for every connection: what was not acknowledged is told again from the outbox. Paho calls
back on its own thread; what it hears is handed over through a queue.
Optional files in ``state_dir/uplink``: ``ca.pem`` (the broker's authority) and ``login`` (user and
password on two lines, mode 0600).
"""

from __future__ import annotations

import json
import logging
import queue
import ssl
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from appliance.config import Uplink
from appliance.errors import ApplianceError, ConfigError
from appliance.uplink.outbox import Event

logger = logging.getLogger(__name__)

KEEPALIVE_S = 20
EXPIRES_S = 24 * 3600
IN_FLIGHT = 20
_CONNECT_LIMIT_S = 5.0
_REFUSED = 0x80  # MQTT 5: reason codes from here on are failures


class BrokerLost(ApplianceError):
    """The broker does not answer, or ended the connection."""

    key = "broker_lost"


class BrokerRefused(ApplianceError):
    """The broker answered, and said no."""

    key = "broker_refused"


class Broker:
    def __init__(self, uplink: Uplink, host: str, folder: Path) -> None:
        """Connects. Raises BrokerLost where nobody answers, ConfigError for unusable files."""
        self._topic = uplink.topic
        self._heard: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._flying: dict[int, int] = {}
        self._state = _State()
        self._client = _client(uplink, folder)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.will_set(f"{self._topic}/status", "offline", qos=1, retain=True)
        try:
            self._client.connect(host, uplink.mqtt_port, keepalive=KEEPALIVE_S, clean_start=True)
        except (OSError, ValueError) as cause:
            raise BrokerLost(
                "the broker does not answer", next_step="Check [uplink] mqtt_host and mqtt_port"
            ) from cause
        self._client.loop_start()

    @property
    def ready(self) -> bool:
        """True once the broker has accepted; raises what ended the connection."""
        if self._state.refused:
            raise BrokerRefused(
                "the broker refused the connection", next_step="Check its user and password"
            )
        if self._state.ended:
            raise BrokerLost("the broker ended the connection", next_step="It is tried again")
        return self._state.accepted

    @property
    def room(self) -> int:
        """How many more events may be on their way."""
        return IN_FLIGHT - len(self._flying)

    def tell(self, event: Event) -> None:
        """Sends one event and the lane's state; ``arrived`` says later that the broker has it."""
        lane = _level(event.lane)
        body = json.dumps(event.body, separators=(",", ":"))
        message = self._client.publish(
            f"{self._topic}/{lane}/passage", body, qos=1, properties=_expiring()
        )
        self._client.publish(
            f"{self._topic}/{lane}/state", body, qos=1, retain=True, properties=_expiring()
        )
        self._flying[message.mid] = event.cursor

    def arrived(self) -> list[int]:
        """Cursors of the events acknowledged since the last call."""
        cursors = []
        while not self._heard.empty():
            cursor = self._flying.pop(self._heard.get(), None)
            if cursor is not None:
                cursors.append(cursor)
        return cursors

    def close(self, *, politely: bool = False) -> None:
        """Ends the connection; politely: the status topic says offline first."""
        if politely and self._state.accepted and not self._state.ended:
            told = self._client.publish(f"{self._topic}/status", "offline", qos=1, retain=True)
            try:
                told.wait_for_publish(1.0)
            except (RuntimeError, ValueError):
                logger.info("status not told")
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, client: paho.Client, _data: Any, _flags: Any, code: Any, _properties: Any
    ) -> None:
        if code.is_failure:
            self._state.refused = True
            return
        client.publish(f"{self._topic}/status", "online", qos=1, retain=True)
        self._state.accepted = True

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, _flags: Any, _code: Any, _properties: Any
    ) -> None:
        self._state.ended = True

    def _on_publish(
        self, _client: paho.Client, _data: Any, mid: int, code: Any, _properties: Any
    ) -> None:
        if code.value >= _REFUSED:
            # Not allowed or over quota: the event stays in the outbox, the next connection retries.
            self._state.refused = True
        else:
            self._heard.put(mid)


class _State:
    """Flags set on paho's thread, read on ours; each is a single assignment."""

    accepted = False
    ended = False
    refused = False


def _client(uplink: Uplink, folder: Path) -> paho.Client:
    client = paho.Client(
        paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, reconnect_on_failure=False
    )
    client.connect_timeout = _CONNECT_LIMIT_S
    client.max_inflight_messages_set(2 * IN_FLIGHT)  # an event and a state each
    if uplink.mqtt_tls:
        authority = folder / "ca.pem"
        try:
            client.tls_set(
                ca_certs=str(authority) if authority.exists() else None,
                tls_version=ssl.PROTOCOL_TLS_CLIENT,
            )
        except (OSError, ValueError) as cause:
            raise ConfigError(
                "the broker's ca.pem cannot be used", next_step="Copy the certificate again"
            ) from cause
    login = folder / "login"
    if login.exists():
        client.username_pw_set(*_login(login))
    return client


def _login(path: Path) -> tuple[str, str]:
    if path.stat().st_mode & 0o077:
        raise ConfigError(
            "the broker's login can be read by others", next_step=f"chmod 600 {path.name}"
        )
    lines = path.read_text(encoding="utf-8").splitlines()
    if len(lines) != 2:
        raise ConfigError("the broker's login needs two lines", next_step="User, then password")
    return lines[0], lines[1]


def _expiring() -> Properties:
    properties = Properties(PacketTypes.PUBLISH)
    properties.MessageExpiryInterval = EXPIRES_S
    return properties


def _level(lane: str) -> str:
    """A lane's name as one level of a topic."""
    kept = "".join("_" if c in "/+#$\0" else c for c in lane)
    return kept or "_"
