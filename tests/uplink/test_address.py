"""Nothing leaves the property in the clear."""

from __future__ import annotations

import pytest

from appliance.config import Uplink
from appliance.errors import ConfigError
from appliance.uplink import address


def plain(host: str, topic: str = "postern") -> Uplink:
    return Uplink(mqtt_host=host, mqtt_port=1883, mqtt_tls=False, topic=topic)


@pytest.mark.parametrize("host", [
    "8.8.8.8", "100.64.0.1", "192.0.2.7", "172.32.0.1", "2001:db8::1", "::ffff:8.8.8.8", "0.0.0.0",
])
def test_a_public_address_without_tls_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match="mqtt_tls is off"):
        address.check(plain(host))
    with pytest.raises(ConfigError, match="mqtt_tls = true"):
        address.address(plain(host))


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "172.16.0.9", "192.168.1.5", "fd00::5"])
def test_an_address_of_the_property_may_be_spoken_to_in_the_clear(host: str) -> None:
    assert address.address(plain(host)) == host


def test_a_name_is_looked_up_and_the_checked_address_is_used() -> None:
    assert address.address(plain("localhost")) in ("127.0.0.1", "::1")


def test_a_name_that_leads_to_a_public_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def public(*_: object, **__: object) -> list[object]:
        return [(2, 1, 6, "", ("192.168.1.5", 1883)), (2, 1, 6, "", ("8.8.4.4", 1883))]

    monkeypatch.setattr("socket.getaddrinfo", public)

    with pytest.raises(ConfigError):
        address.address(plain("broker.example"))


def test_a_name_that_leads_nowhere_is_no_settings_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object, **__: object) -> list[object]:
        raise OSError("no such name")

    monkeypatch.setattr("socket.getaddrinfo", nowhere)

    with pytest.raises(address.BrokerUnknown):
        address.address(plain("broker.example"))


def test_under_tls_the_name_itself_is_used() -> None:
    assert address.address(Uplink(mqtt_host="broker.example")) == "broker.example"


@pytest.mark.parametrize("topic", ["", "/a", "a/", "a/+/b", "a#", "$SYS"])
def test_a_topic_that_cannot_begin_every_topic_is_refused(topic: str) -> None:
    with pytest.raises(ConfigError, match="topic"):
        address.check(plain("127.0.0.1", topic))
