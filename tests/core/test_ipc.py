"""The sockets the programs talk through."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import ipc
from appliance.errors import IpcError, NoPolicy

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=10), json_values, max_size=6), st.binary(max_size=300))
def test_what_is_packed_is_unpacked_again(header, blob):
    assert ipc.unpack(ipc.pack(header, blob)) == ipc.Message(header, blob)


@given(st.binary(max_size=200))
def test_noise_is_refused_or_a_whole_message_never_a_crash(data):
    try:
        message = ipc.unpack(data)
    except IpcError:
        return
    assert isinstance(message.header, dict)


def test_a_message_that_is_too_large_is_refused_before_it_is_sent():
    with pytest.raises(IpcError, match="too large"):
        ipc.pack({}, b"x" * ipc.LARGEST)


def _server(box, handlers):
    server = ipc.Server(box.socket("t"), handlers)
    server.start()
    return server


def test_a_question_gets_its_answer_with_bytes(box):
    server = _server(box, {"echo": lambda m: ipc.ok({"got": m.header["n"]}, m.blob[::-1])})
    answer = ipc.call(box.socket("t"), "echo", {"n": 7}, blob=b"abc")
    server.stop()
    assert (answer.header["got"], answer.blob) == (7, b"cba")


def test_a_60_kb_crop_passes(box):
    server = _server(box, {"size": lambda m: ipc.ok({"n": len(m.blob)})})
    assert ipc.call(box.socket("t"), "size", blob=b"x" * 150_000).header["n"] == 150_000
    server.stop()


def test_an_error_of_ours_arrives_with_its_key_and_next_step(box):
    def refuse(_: ipc.Message) -> ipc.Message:
        raise NoPolicy("nothing is stored yet", next_step="Publish a policy")

    server = _server(box, {"keep": refuse})
    with pytest.raises(ipc.Refused) as caught:
        ipc.call(box.socket("t"), "keep")
    server.stop()
    assert caught.value.fields["refused_key"] == "no_policy"
    assert "Publish a policy" in str(caught.value)


def test_a_crash_in_a_handler_tells_neither_caller_nor_log_its_text(box, caplog):
    def crash(_: ipc.Message) -> ipc.Message:
        raise ValueError("CANARY77")

    server = _server(box, {"find": crash, "fine": lambda _: ipc.ok()})
    with pytest.raises(ipc.Refused) as caught:
        ipc.call(box.socket("t"), "find")
    assert ipc.call(box.socket("t"), "fine").header["ok"] is True
    server.stop()
    assert "CANARY77" not in str(caught.value) + caplog.text
    assert "ValueError" in caplog.text


def test_an_unknown_verb_is_refused(box):
    server = _server(box, {})
    with pytest.raises(ipc.Refused, match="no such request"):
        ipc.call(box.socket("t"), "close_gate")
    server.stop()


def test_nobody_listening_is_one_clear_error(box):
    with pytest.raises(IpcError, match="does not answer"):
        ipc.call(box.socket("nobody"), "status")


def test_a_stranger_is_turned_away(box, monkeypatch):
    server = _server(box, {"status": lambda _: ipc.ok()})
    monkeypatch.setattr(ipc, "peer_uid", lambda _: 4242)
    with pytest.raises(IpcError):
        ipc.call(box.socket("t"), "status")
    server.stop()


def test_the_kernel_names_the_peer():
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with a, b:
        raw = a.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        assert ipc.peer_uid(a) == struct.unpack("3i", raw)[1]
