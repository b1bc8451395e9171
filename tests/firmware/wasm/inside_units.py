"""Runs inside MicroPython: the pure modules against vectors.json, and the gravest rules."""

import binascii
import json
import unittest

from bench_board import PSK, BenchBoard, settings_text
from gatepost import config
from gatepost.digest import Key
from gatepost.frame import Receiver, cobs, parse, seal, uncobs
from gatepost.link import Session
from gatepost.post import Post

with open("/lib/vectors.json") as _file:
    VECTORS = json.load(_file)


def _bytes(text):
    return binascii.unhexlify(text)


class Frames(unittest.TestCase):
    def test_cobs_codes_and_uncodes_every_vector(self):
        for row in VECTORS["cobs"]:
            self.assertEqual(cobs(_bytes(row["plain"])), _bytes(row["coded"]))
            self.assertEqual(uncobs(_bytes(row["coded"])), _bytes(row["plain"]))

    def test_what_no_coder_writes_is_refused(self):
        for coded in VECTORS["not_cobs"]:
            self.assertTrue(uncobs(_bytes(coded)) is None)

    def test_crc_is_the_one_of_zlib(self):
        for row in VECTORS["crc"]:
            crc = binascii.crc32(_bytes(row["text"]))
            self.assertEqual(crc.to_bytes(4, "little"), _bytes(row["crc"]))

    def test_hmac_fits_every_vector(self):
        for row in VECTORS["hmac"]:
            self.assertEqual(Key(_bytes(row["key"])).mac(_bytes(row["text"])), _bytes(row["hmac"]))

    def test_every_frame_is_cut_out_of_the_line_and_read(self):
        for row in VECTORS["frames"]:
            found = []
            Receiver().feed(_bytes(row["line"]), found.append)
            self.assertEqual(len(found), 1)
            self.assertEqual(found[0].kind, row["type"])
            self.assertEqual(found[0].counter, row["counter"])
            self.assertEqual(found[0].body, _bytes(row["body"]))

    def test_every_packet_is_parsed_from_its_cobs(self):
        for row in VECTORS["frames"]:
            self.assertEqual(parse(cobs(_bytes(row["packet"]))).kind, row["type"])


class Sessions(unittest.TestCase):
    """A host that greets, and a board that believes nobody else."""

    def setUp(self):
        self.board = BenchBoard(now=2**30 - 1500)  # the clock wraps while it wakes
        self.post = Post(config.load(settings_text()), self.board)
        self.run_for(3000)
        self.session = self.greet()

    def run_for(self, ms):
        for _ in range(ms // 10):
            self.board.now = (self.board.now + 10) % 2**30
            self.post.tick()

    def say(self, line):
        self.board.said = b""
        self.board.heard = line
        self.run_for(10)
        found = []
        Receiver().feed(self.board.said, found.append)
        return found

    def greet(self):
        nonce = bytes(16)
        welcome = self.say(seal(Key(Key(PSK).mac(b"postern 1 hello")), 0x01, 0, nonce))[0]
        self.assertEqual(welcome.kind, 0x81)
        return Session(Key(PSK), nonce, welcome.body[16:32], self.board.uid)

    def order(self, counter, number=1, until=1000, pulse=500):
        body = bytes([number] * 8) + until.to_bytes(4, "little") + pulse.to_bytes(2, "little")
        return seal(self.session.to_board, 0x11, counter, body + b"\1")

    def result(self, line):
        answers = [p.body[8] for p in self.say(line) if p.kind == 0x91]
        return answers[0] if answers else None

    def test_an_order_closes_the_contact_for_its_pulse_alone(self):
        self.assertEqual(self.result(self.order(1)), 0)
        self.assertEqual(self.board.outputs & 1, 1)
        self.run_for(520)
        self.assertEqual(self.board.outputs & 1, 0)

    def test_the_same_frame_again_is_nothing(self):
        line = self.order(1)
        self.result(line)
        self.run_for(5000)
        self.assertTrue(self.result(line) is None)
        self.assertEqual(self.board.closings, 1)

    def test_the_same_order_in_a_new_frame_moves_nothing(self):
        self.result(self.order(1, until=2000))
        self.run_for(600)
        self.assertEqual(self.result(self.order(2, until=2000)), 0)
        self.assertEqual(self.board.closings, 1)

    def test_an_order_past_its_deadline_is_refused(self):
        self.run_for(1500)
        self.assertEqual(self.result(self.order(1)), 6)
        self.assertEqual(self.board.closings, 0)

    def test_a_changed_frame_is_nothing(self):
        line = bytearray(self.order(1))
        line[12] ^= 1
        self.assertTrue(self.result(bytes(line)) is None)
        self.assertEqual(self.board.closings, 0)

    def test_another_key_is_nothing(self):
        self.session = Session(Key(bytes(32)), bytes(16), bytes(16), self.board.uid)
        self.assertTrue(self.result(self.order(1)) is None)
        self.assertEqual(self.board.closings, 0)

    def test_nothing_opens_while_stop_is_pressed(self):
        self.board.circuits &= ~(1 << 7)
        self.run_for(100)
        self.assertEqual(self.result(self.order(1)), 2)
        self.assertEqual(self.board.closings, 0)

    def test_stop_ends_a_pulse(self):
        self.result(self.order(1))
        self.board.circuits &= ~(1 << 7)
        self.run_for(60)
        self.assertEqual(self.board.outputs & 1, 0)

    def test_fire_opens_without_a_host(self):
        self.board.circuits |= 1 << 6
        self.run_for(10000)
        self.assertEqual(self.board.outputs & 1, 1)

    def test_the_hand_button_opens_without_a_host(self):
        self.run_for(5000)
        self.board.circuits |= 1 << 8
        self.run_for(60)
        self.assertEqual(self.board.outputs & 1, 1)

    def test_every_pass_feeds_the_watchdog_once(self):
        before = self.board.feeds
        self.run_for(1000)
        self.assertEqual(self.board.feeds - before, 100)


suite = unittest.TestSuite()
suite.addTest(Frames)
suite.addTest(Sessions)
result = unittest.TestRunner().run(suite)
print("ran", result.testsRun, "failed", result.failuresNum + result.errorsNum)
