"""The board of the simulated site: its pins, wire and clock are functions of the JavaScript host.

What it does is said in gatepost/post.py; this file only translates. Bytes cross as hex text, the
form both sides turn fastest.
"""

import binascii

import yard
from gatepost import config
from gatepost.post import Post


class SimBoard:
    def __init__(self, uid, cause, boot, jumper):
        self.uid = uid
        self.cause = cause
        self.boot = boot
        self._jumper = jumper

    def ticks(self):
        return yard.ticks()

    def read_inputs(self):
        return yard.read_inputs()

    def write_outputs(self, mask):
        yard.write_outputs(mask)

    def read(self):
        return binascii.unhexlify(yard.read()) if yard.waiting() else b""

    def write(self, data):
        yard.write(binascii.hexlify(data).decode())

    def feed(self):
        yard.feed()

    def random(self, n):
        return binascii.unhexlify(yard.random(n))

    def jumper(self):
        return self._jumper


_post = None


def start(text, uid, cause, boot, jumper):
    global _post
    try:
        settings = config.load(text)
    except ValueError as error:
        print("settings:", error)
        settings = config.fallback(text)
    _post = Post(settings, SimBoard(binascii.unhexlify(uid), cause, boot, jumper))


def tick():
    _post.tick()
