"""A board for scripts that run inside MicroPython: everything is set and read by the script."""

import hashlib
import json

_NAMES = (
    "entry_loop", "safety_loop", "photocell", "exit_request", "limit_open", "limit_closed", "fire",
    "stop", "hand_button", "tamper", "cabinet_fault",
)
_CLOSED = ("entry_loop", "safety_loop", "photocell", "stop", "tamper")
PSK = bytes(range(32))


def settings_text():
    inputs = {
        name: {"pin": 2 + i, "normally": "closed" if name in _CLOSED else "open"}
        for i, name in enumerate(_NAMES)
    }
    return json.dumps({
        "name": "bench", "key": "".join(f"{b:02x}" for b in PSK), "board": "rp2",
        "inputs": inputs,
    })


class BenchBoard:
    def __init__(self, now=0):
        self.now = now
        self.circuits = sum(1 << i for i, name in enumerate(_NAMES) if name in _CLOSED)
        self.circuits |= 1 << 5  # the arm is down
        self.outputs = 0
        self.closings = 0
        self.heard = b""
        self.said = b""
        self.feeds = 0
        self.uid = b"PSTN0003"
        self.cause = 1
        self.boot = 1
        self._dice = 0

    def ticks(self):
        return self.now

    def read_inputs(self):
        return self.circuits

    def write_outputs(self, mask):
        if mask & 1 and not self.outputs & 1:
            self.closings += 1
        self.outputs = mask

    def read(self):
        data, self.heard = self.heard, b""
        return data

    def write(self, data):
        self.said += data

    def feed(self):
        self.feeds += 1

    def random(self, n):
        self._dice += 1
        return hashlib.sha256(str(self._dice).encode()).digest()[:n]

    def jumper(self):
        return False
