"""One started room a test, with a published policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.config import Config
from appliance.records.program import quiet_cipher
from tests.records.room import Room


@pytest.fixture(autouse=True, scope="session")
def _quiet():
    """Spoilt files are the point here: SQLCipher need not fill the screen about them."""
    quiet_cipher()


@pytest.fixture
def bare(box: Config) -> Iterator[Room]:
    """Started, nothing published, no site yet."""
    room = Room(box).start()
    yield room
    room.stop()


@pytest.fixture
def room(box: Config) -> Iterator[Room]:
    """Started, with a published policy."""
    room = Room(box)
    room.publish()
    room.start()
    yield room
    room.stop()
