"""Which broker may be spoken to, and how: checked each time before a connection is made.

Without TLS only an address of this machine or of a private network is acceptable: an event says
when somebody's car passed, and must not cross the internet in the clear. A name is looked up here,
and the address that was checked is the one that is used.
"""

from __future__ import annotations

import ipaddress
import socket

from appliance.config import Uplink
from appliance.errors import ApplianceError, ConfigError

_FORBIDDEN_IN_TOPIC = "+#$\0"


class BrokerUnknown(ApplianceError):
    """The broker's name cannot be looked up now."""

    key = "broker_unknown"


def check(uplink: Uplink) -> None:
    """What can be told from the settings alone. Raises ConfigError."""
    topic = uplink.topic
    if not topic or topic.strip("/") != topic or any(c in topic for c in _FORBIDDEN_IN_TOPIC):
        raise ConfigError(
            "[uplink] topic cannot begin every topic",
            next_step="Write words divided by single slashes, without + # or $",
        )
    if uplink.mqtt_tls or not uplink.mqtt_host:
        return
    try:
        literal = ipaddress.ip_address(uplink.mqtt_host)
    except ValueError:
        return
    _refuse_public(literal)


def address(uplink: Uplink) -> str:
    """Where to connect now: the name itself under TLS (its certificate names it), else a checked
    address. Raises ConfigError for a public one, BrokerUnknown where the name leads nowhere."""
    check(uplink)
    if uplink.mqtt_tls:
        return uplink.mqtt_host
    try:
        found = socket.getaddrinfo(uplink.mqtt_host, uplink.mqtt_port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as cause:
        raise BrokerUnknown(
            "the broker's name cannot be looked up", next_step="Check [uplink] mqtt_host"
        ) from cause
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for one in addresses:
        _refuse_public(one)
    return str(addresses[0])


def _refuse_public(one: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    plain = getattr(one, "ipv4_mapped", None) or one
    local = plain.is_loopback or plain.is_link_local or _private(plain)
    if not local:
        raise ConfigError(
            "[uplink] mqtt_host is a public address, and mqtt_tls is off",
            next_step="Set mqtt_tls = true, or name a broker on the property's own network",
        )


def _private(one: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """RFC 1918, RFC 4193; the ranges of carriers and documentation do not count."""
    networks = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
    return any(
        one in network
        for network in map(ipaddress.ip_network, networks)
        if network.version == one.version
    )
