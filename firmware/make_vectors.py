"""Writes vectors.json: examples of everything on the wire, straight from PROTOCOL.md.

    python firmware/make_vectors.py            # writes firmware/vectors.json
    python firmware/make_vectors.py --check    # ends with 1 where the file says otherwise

A third, minimal implementation with the standard library alone. It imports neither the controller's
code nor the host's, so a mistake has to be made three times to pass. The keys here are invented.
Every value in hexadecimal; `line` is what travels, boundaries included.
"""

import binascii
import hashlib
import hmac
import json
import struct
import sys
from pathlib import Path

FILE = Path(__file__).with_name("vectors.json")

PSK = hashlib.sha256(b"an invented key for the examples").digest()
OTHER_PSK = hashlib.sha256(b"another invented key").digest()
HOST_NONCE = bytes(range(16))
BOARD_NONCE = bytes(range(0xF0, 0x100))
UID = bytes.fromhex("e66058388333a200")

HELLO, WELCOME, WHO = 0x01, 0x81, 0x9F
PING, OPEN, HOLD, RELEASE, CLOSE = 0x10, 0x11, 0x12, 0x13, 0x14
STATUS, RESULT, EVENT = 0x90, 0x91, 0x92

# Section 3: name of the field and its struct letter, in order.
BODIES = {
    HELLO: [("host_nonce", "16s")],
    WELCOME: [
        ("host_nonce", "16s"), ("board_nonce", "16s"), ("uid", "8s"), ("firmware", "3s"),
        ("options", "H"), ("settings", "4s"), ("boot", "I"), ("cause", "B"),
    ],
    WHO: [],
    PING: [("kept", "I")],
    OPEN: [("id", "8s"), ("until", "I"), ("pulse", "H"), ("origin", "B")],
    HOLD: [("id", "8s"), ("until", "I"), ("lease", "H")],
    RELEASE: [("id", "8s"), ("until", "I")],
    CLOSE: [("id", "8s"), ("until", "I"), ("pulse", "H")],
    STATUS: [
        ("session_ms", "I"), ("state", "B"), ("outputs", "B"), ("inputs", "H"), ("known", "H"),
        ("faults", "H"), ("lockout", "H"), ("lease", "H"), ("entry_count", "B"),
        ("safety_count", "B"), ("photo_count", "B"), ("waiting", "B"), ("lost", "B"),
        ("noise", "H"), ("forged", "H"), ("boot_ms", "I"),
    ],
    RESULT: [("id", "8s"), ("result", "B"), ("flags", "B"), ("session_ms", "I")],
    EVENT: [("number", "I"), ("kind", "B"), ("argument", "B"), ("age", "I")],
}


def cobs(plain):
    """Section 2: no 00 inside. No code byte follows a full block at the very end."""
    coded, block = b"", b""
    for byte in plain:
        if byte:
            block += bytes([byte])
        if not byte or len(block) == 254:
            coded += bytes([len(block) + 1]) + block
            block = b""
    if block or not plain or not plain[-1]:
        coded += bytes([len(block) + 1]) + block
    return coded


def uncobs(coded):
    """Raises ValueError for what no COBS coder writes."""
    plain, at = b"", 0
    while at < len(coded):
        code = coded[at]
        block = coded[at + 1 : at + code]
        if not code or len(block) != code - 1 or 0 in block:
            raise ValueError("not COBS")
        at += code
        plain += block
        if code < 255 and at < len(coded):
            plain += b"\0"
    return plain


def crc(text):
    return struct.pack("<I", binascii.crc32(text))


def mac(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


def body(kind, /, **fields):
    """The body of that type; a text `name` may follow the fields of WELCOME."""
    letters = "<" + "".join(letter for _, letter in BODIES[kind])
    packed = struct.pack(letters, *(fields[name] for name, _ in BODIES[kind]))
    return packed + fields.get("name", "").encode()


def fields(kind, packed):
    """The other way round. Raises struct.error for a length that the type does not have."""
    letters = "<" + "".join(letter for _, letter in BODIES[kind])
    fixed = struct.calcsize(letters)
    found = dict(zip([n for n, _ in BODIES[kind]], struct.unpack(letters, packed[:fixed])))
    if kind == WELCOME and len(packed) <= fixed + 32:
        found["name"] = packed[fixed:].decode()
    elif len(packed) != fixed:
        raise struct.error("too long")
    return found


def packet(key, kind, counter, packed=b"", version=1):
    text = struct.pack("<BBI", version, kind, counter) + packed
    text += mac(key, text)[:8] if key else bytes(8)
    return text + crc(text)


def line(whole_packet):
    return b"\0" + cobs(whole_packet) + b"\0"


def open_packet(whole_packet):
    """(version, kind, counter, body, text, tag). Raises ValueError where the crc is wrong."""
    text, tag, check = whole_packet[:-12], whole_packet[-12:-4], whole_packet[-4:]
    if len(text) < 6 or check != crc(text + tag):
        raise ValueError("noise")
    return (*struct.unpack("<BBI", text[:6]), text[6:], text, tag)


def keys(psk, host_nonce, board_nonce, uid):
    """Section 3: the tag keys of HELLO and WELCOME, then of either direction."""
    secret = mac(psk, b"postern 1 session" + host_nonce + board_nonce + uid)
    return {
        "hello": mac(psk, b"postern 1 hello"),
        "welcome": mac(psk, b"postern 1 welcome" + host_nonce),
        "secret": secret,
        "to_board": mac(secret, b"to board"),
        "to_host": mac(secret, b"to host"),
    }


def short_id(order):
    """Section 4: what an order's own id becomes on the wire."""
    return hashlib.sha256(order.encode()).digest()[:8]


KEYS = keys(PSK, HOST_NONCE, BOARD_NONCE, UID)

WELCOME_FIELDS = {
    "host_nonce": HOST_NONCE, "board_nonce": BOARD_NONCE, "uid": UID, "firmware": b"\x01\x02\x03",
    "options": 0x03FE, "settings": b"\xde\xad\xbe\xef", "boot": 41, "cause": 1,
}
IDLE_FIELDS = {
    "session_ms": 61_234, "state": 1, "outputs": 0, "inputs": 0x0021, "known": 0x0DFF, "faults": 0,
    "lockout": 0, "lease": 0, "entry_count": 255, "safety_count": 7, "photo_count": 0, "waiting": 1,
    "lost": 0, "noise": 3, "forged": 0, "boot_ms": 3_600_000,
}


def _one_of_each():
    auto, hand = short_id("auto-track-7"), short_id("person-1")
    held = dict(IDLE_FIELDS, state=3, outputs=5, lease=9_000, inputs=0x0031, faults=0x0081)
    cases = [
        ("hello", HELLO, 0, {"host_nonce": HOST_NONCE}),
        ("welcome", WELCOME, 0, dict(WELCOME_FIELDS, name="North gate")),
        ("welcome without a name", WELCOME, 0, WELCOME_FIELDS),
        ("welcome with the longest name", WELCOME, 0, dict(WELCOME_FIELDS, name="ñ" * 16)),
        ("who", WHO, 0, {}),
        ("ping, nothing kept", PING, 1, {"kept": 0}),
        ("ping, 300 kept", PING, 2, {"kept": 300}),
        ("open by the box", OPEN, 3, {"id": auto, "until": 63_234, "pulse": 500, "origin": 0}),
        ("open by a person", OPEN, 4, {"id": hand, "until": 2, "pulse": 100, "origin": 1}),
        ("hold", HOLD, 5, {"id": hand, "until": 70_000, "lease": 10_000}),
        ("release", RELEASE, 6, {"id": hand, "until": 70_001}),
        ("close (the option)", CLOSE, 7, {"id": hand, "until": 70_002, "pulse": 500}),
        ("counter far on", PING, 0xFFFFFFFE, {"kept": 1}),
        ("status, idle", STATUS, 1, IDLE_FIELDS),
        ("status, held with faults", STATUS, 2, held),
        ("result, done", RESULT, 3, {"id": auto, "result": 0, "flags": 0, "session_ms": 61_250}),
        ("result, again and clamped", RESULT, 4,
         {"id": auto, "result": 0, "flags": 3, "session_ms": 61_260}),
        ("result, expired", RESULT, 5, {"id": hand, "result": 6, "flags": 0, "session_ms": 9}),
        ("result, unknown order", RESULT, 6,
         {"id": bytes(8), "result": 11, "flags": 0, "session_ms": 0xFFFFFFFF}),
        ("event, hand button", EVENT, 7, {"number": 1, "kind": 2, "argument": 0, "age": 1_250}),
        ("event, fault on", EVENT, 8, {"number": 2, "kind": 10, "argument": 7, "age": 0}),
    ]
    return [_case(*case) for case in cases]


def _case(name, kind, counter, values):
    key_name = {HELLO: "hello", WELCOME: "welcome", WHO: ""}.get(
        kind, "to_host" if kind & 0x80 else "to_board"
    )
    key = KEYS[key_name] if key_name else None
    whole = packet(key, kind, counter, body(kind, **values))
    return {
        "name": name, "key": key_name, "type": kind, "counter": counter,
        "fields": {n: v.hex() if isinstance(v, bytes) else v for n, v in values.items()},
        "body": body(kind, **values).hex(), "packet": whole.hex(), "line": line(whole).hex(),
    }


def _refused():
    """What a receiver in the session must drop, and as what it counts it."""
    ping, status = body(PING, kept=0), body(STATUS, **IDLE_FIELDS)
    good = packet(KEYS["to_board"], PING, 9, ping)
    coded = bytearray(line(good))
    coded[7] ^= 0x40
    cases = [
        ("another direction's key", "to_board", packet(KEYS["to_host"], PING, 9, ping), "forged"),
        ("another board's key", "to_board", packet(OTHER_PSK, PING, 9, ping), "forged"),
        ("no tag", "to_board", packet(None, PING, 9, ping), "forged"),
        ("the handshake's key", "to_host", packet(KEYS["welcome"], STATUS, 9, status), "forged"),
        ("the other direction's key", "to_host",
         packet(KEYS["to_board"], STATUS, 9, status), "forged"),
        ("a changed byte, crc made good", "to_board", _with_good_crc(good, 6), "forged"),
        ("a changed counter, crc made good", "to_board", _with_good_crc(good, 2), "forged"),
        ("a wrong crc", "to_board", good[:-1] + bytes([good[-1] ^ 1]), "noise"),
        ("version 2", "to_board", packet(KEYS["to_board"], PING, 9, ping, version=2), "noise"),
        ("a body too short", "to_board", packet(KEYS["to_board"], PING, 9, ping[:3]), "noise"),
        ("a body too long", "to_board", packet(KEYS["to_board"], PING, 9, ping + b"\0"), "noise"),
        ("a status too short", "to_host", packet(KEYS["to_host"], STATUS, 9, status[1:]), "noise"),
        ("no body, no tag", "to_board", b"\x01\x10" + crc(b"\x01\x10"), "noise"),
        ("129 bytes", "to_board", packet(KEYS["to_board"], PING, 9, bytes(111)), "noise"),
        ("the counter 0", "to_board", packet(KEYS["to_board"], PING, 0, ping), "stale"),
        ("a status with the counter 0", "to_host",
         packet(KEYS["to_host"], STATUS, 0, status), "stale"),
    ]
    found = [{"name": n, "to": to, "line": line(p).hex(), "counts": c} for n, to, p, c in cases]
    found.append({"name": "a bit turned over on the line", "to": "to_board",
                  "line": bytes(coded).hex(), "counts": "noise"})
    return found


def _with_good_crc(whole, at):
    changed = bytearray(whole[:-4])
    changed[at] ^= 0x01
    return bytes(changed) + crc(bytes(changed))


def _counters():
    """One receiver, in this order: which PING of the session is taken."""
    order = [(1, True), (1, False), (2, True), (5, True), (4, False), (5, False), (6, True)]
    return [
        {"counter": n, "taken": taken, "line":
         line(packet(KEYS["to_board"], PING, n, body(PING, kept=0))).hex()}
        for n, taken in order
    ]


def _cobs():
    ones = [bytes((i % 255) + 1 for i in range(n)) for n in (0, 1, 2, 128, 253, 254, 255, 508, 509)]
    zeros = [bytes(n) for n in (1, 2, 3, 128, 254, 255)]
    mixed = [
        b"\0\1", b"\1\0", b"\1\0\2", b"\0\1\0", b"\x11\x22\0\x33",
        ones[5] + b"\0", b"\0" + ones[5], ones[4] + b"\0" + ones[4], ones[5] + b"\0" + ones[5],
    ]
    return [{"plain": p.hex(), "coded": cobs(p).hex()} for p in ones + zeros + mixed]


def _unheard():
    """Runs of bytes on the line and how many packets a receiver finds in them."""
    good = line(packet(KEYS["to_board"], PING, 1, body(PING, kept=0)))
    return [
        {"name": "one frame", "line": good.hex(), "packets": 1},
        {"name": "two frames share no boundary", "line": (good + good).hex(), "packets": 2},
        {"name": "two frames share one boundary", "line": (good + good[1:]).hex(), "packets": 2},
        {"name": "many boundaries", "line": (bytes(9) + good + bytes(9)).hex(), "packets": 1},
        {"name": "noise before", "line": (b"\xff\x13\x37" + good).hex(), "packets": 1},
        {"name": "the end is missing", "line": good[:-1].hex(), "packets": 0},
        {"name": "the beginning is missing", "line": good[3:].hex(), "packets": 0},
        {"name": "cut off, then a whole one", "line": (good[:12] + good).hex(), "packets": 1},
        {"name": "131 bytes without a boundary, then a whole one",
         "line": (b"\x01" * 131 + good).hex(), "packets": 1},
        {"name": "a long run glued to a frame",
         "line": (b"\0" + b"\xaa" * 4096 + good[1:] + good).hex(), "packets": 1},
    ]


def vectors():
    return {
        "protocol": 1,
        "cobs": _cobs(),
        "not_cobs": ["00", "02", "0301", "0500", "020100", "030001", "ff01"],
        "crc": [{"text": t.hex(), "crc": crc(t).hex()} for t in (b"", b"123456789", bytes(110))],
        "hmac": [
            {"key": k.hex(), "text": t.hex(), "hmac": mac(k, t).hex()}
            for k, t in [
                (b"\x0b" * 20, b"Hi There"), (b"Jefe", b"what do ya want for nothing?"),
                (b"\xaa" * 20, b"\xdd" * 50), (PSK, b""), (PSK, bytes(116)), (bytes(64), b"64"),
            ]
        ],
        "handshake": {
            "psk": PSK.hex(), "other_psk": OTHER_PSK.hex(), "host_nonce": HOST_NONCE.hex(),
            "board_nonce": BOARD_NONCE.hex(), "uid": UID.hex(),
            "keys": {name: key.hex() for name, key in KEYS.items()},
        },
        "ids": [{"order": o, "id": short_id(o).hex()} for o in ("auto-track-7", "person-1", "")],
        "frames": _one_of_each(),
        "refused": _refused(),
        "counters": _counters(),
        "receiver": _unheard(),
    }


def text():
    return json.dumps(vectors(), indent=1, ensure_ascii=True) + "\n"


def main(arguments):
    if "--check" in arguments:
        return 0 if FILE.read_text(encoding="ascii") == text() else 1
    FILE.write_text(text(), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
