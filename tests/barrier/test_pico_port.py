"""The serial port under the driver, on a pseudo terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import tty
from collections.abc import Iterator

import pytest

from appliance.barrier.drivers.port import SerialPort
from appliance.errors import LinkLost


@pytest.fixture
def far() -> Iterator[int]:
    """The other end; the near end's path is ``_path``."""
    master, slave = pty.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    path = os.ttyname(slave)
    _path.clear()
    _path.append(path)
    yield master
    for end in (master, slave):
        with contextlib.suppress(OSError):
            os.close(end)


_path: list[str] = []


def test_what_is_written_arrives_and_comes_back(far):
    port = SerialPort(_path[0])
    port.write(b"\0hello\0")
    assert os.read(far, 100) == b"\0hello\0"
    os.write(far, bytes(range(256)))
    assert port.read(1.0) == bytes(range(256))
    port.close()


def test_an_empty_line_is_an_empty_answer(far):
    port = SerialPort(_path[0])
    assert port.read(0.0) == b""
    assert port.read(-1.0) == b""
    assert port.read(0.01) == b""
    port.close()


def test_one_read_takes_no_more_than_a_page(far):
    port = SerialPort(_path[0])
    os.set_blocking(far, False)
    sent = os.write(far, b"x" * 3000) + os.write(far, b"x" * 1000)
    found = 0
    while found < sent:
        piece = port.read(1.0)
        assert 0 < len(piece) <= 4096
        found += len(piece)
    port.close()


def test_nobody_else_may_use_the_port(far):
    port = SerialPort(_path[0])
    with pytest.raises(LinkLost) as lost:
        SerialPort(_path[0])
    assert lost.value.fields["why"] == "port"
    port.close()
    SerialPort(_path[0]).close()


def test_a_port_that_is_not_there_is_a_lost_link(tmp_path):
    with pytest.raises(LinkLost) as lost:
        SerialPort(str(tmp_path / "no-such-port"))
    assert "cable" in lost.value.next_step


def test_a_line_that_nobody_drains_is_a_lost_link_and_not_a_hang(far):
    port = SerialPort(_path[0])
    with pytest.raises(LinkLost):
        for _ in range(100):
            port.write(bytes(4096))
    port.close()


def test_an_unplugged_device_is_a_lost_link(far):
    port = SerialPort(_path[0])
    os.close(far)
    with pytest.raises(LinkLost):
        port.read(0.5)
    with pytest.raises(LinkLost):
        port.write(b"x")
    port.close()
    with pytest.raises(LinkLost):
        port.read(0.0)
    port.close()
