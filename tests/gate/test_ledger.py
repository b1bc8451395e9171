"""The order ledger: what was ordered stays ordered, also after the process was killed."""

from __future__ import annotations

import os

import pytest

from appliance.barrier.orders import Fault, Order, OrderKind
from appliance.gate import ledger
from appliance.gate.ledger import SAME_CAR_S, Ledger
from appliance.values import Moved, Outcome

KEY = b"k" * 32


def _order(track: str, plate: str = "PSTN101") -> Order:
    return Order(f"auto-{track}", OrderKind.OPEN, 100.0, automatic=True, track=track, plate=plate)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "orders.ledger"


def test_a_track_is_claimed_once(path):
    book = Ledger(path, KEY)
    assert book.claim(_order("t1"), 100.0) is None
    assert book.claim(_order("t1", "PSTN555"), 900.0) is Fault.ALREADY_ORDERED


def test_a_claim_survives_the_process(path):
    Ledger(path, KEY).claim(_order("t1"), 100.0)
    again = Ledger(path, KEY)
    assert again.entry("t1").claimed_mono == 100.0
    assert again.entry("t1").acked_mono is None
    assert again.claim(_order("t1", "PSTN555"), 900.0) is Fault.ALREADY_ORDERED


def test_the_same_plate_is_the_same_car_for_ten_seconds(path):
    Ledger(path, KEY).claim(_order("t1"), 100.0)
    again = Ledger(path, KEY)
    assert again.ordered_plate("PSTN101", 100.0 + SAME_CAR_S - 0.01)
    assert again.claim(_order("t2"), 109.9) is Fault.ALREADY_ORDERED
    assert not again.ordered_plate("PSTN101", 100.0 + SAME_CAR_S)
    assert again.claim(_order("t2"), 110.0) is None
    assert not again.ordered_plate("PSTN555", 100.0)


def test_what_became_of_an_order_survives_too(path):
    book = Ledger(path, KEY)
    book.claim(_order("t1"), 100.0)
    book.settle("t1", Outcome("auto-t1", 100.0, 100.2, Moved.YES))
    book.settle("unheard of", Outcome("x", 1.0, 1.0, Moved.YES))
    entry = Ledger(path, KEY).entry("t1")
    assert (entry.acked_mono, entry.moved) == (100.2, Moved.YES)


def test_settling_an_old_order_does_not_shorten_the_memory_of_the_plate(path):
    book = Ledger(path, KEY)
    book.claim(_order("t1"), 100.0)
    book.claim(_order("t2"), 120.0)
    book.settle("t1", Outcome("auto-t1", 100.0, 100.2, Moved.YES))
    assert book.ordered_plate("PSTN101", 125.0)


def test_no_plate_stands_in_the_file(path):
    book = Ledger(path, KEY)
    book.claim(_order("t1"), 100.0)
    data = path.read_bytes()
    assert b"PSTN101" not in data
    assert b"t1" in data


def test_the_fingerprint_needs_the_key(path):
    Ledger(path, KEY).claim(_order("t1"), 100.0)
    assert not Ledger(path, b"other" * 6).ordered_plate("PSTN101", 101.0)


def test_only_its_owner_may_read_the_file(path):
    Ledger(path, KEY)
    assert path.stat().st_mode & 0o077 == 0


def test_records_of_an_earlier_boot_are_void(path):
    Ledger(path, KEY, boot=b"before__").claim(_order("t1"), 100.0)
    assert Ledger(path, KEY, boot=b"after___").entry("t1") is None


def test_a_torn_record_is_passed_over_and_the_others_stand(path):
    book = Ledger(path, KEY)
    for number in range(3):
        book.claim(_order(f"t{number}", f"PSTN10{number}"), 100.0)
    with path.open("r+b") as file:
        file.seek(128 + 30)
        file.write(b"torn")
    again = Ledger(path, KEY)
    assert again.entry("t0")
    assert not again.entry("t1")
    assert again.entry("t2")


def test_the_ring_forgets_the_oldest_first(path, monkeypatch):
    monkeypatch.setattr(ledger, "SLOTS", 4)
    book = Ledger(path, KEY)
    for number in range(6):
        book.claim(_order(f"t{number}", f"PSTN10{number}"), 100.0)
    for opened in (book, Ledger(path, KEY)):
        assert [bool(opened.entry(f"t{n}")) for n in range(6)] == [False] * 2 + [True] * 4
        assert not opened.ordered_plate("PSTN100", 101.0)
        assert opened.ordered_plate("PSTN105", 101.0)
    assert path.stat().st_size == 4 * 128


def test_forgetting_a_track_keeps_a_plate_that_came_again(path, monkeypatch):
    monkeypatch.setattr(ledger, "SLOTS", 2)
    book = Ledger(path, KEY)
    book.claim(_order("t1"), 100.0)
    book.claim(_order("t2"), 120.0)
    book.claim(_order("t3", "PSTN555"), 121.0)
    assert book.ordered_plate("PSTN101", 122.0)


def test_an_order_that_cannot_be_written_down_is_not_given(path):
    book = Ledger(path, KEY)
    book.close()
    assert book.claim(_order("t1"), 100.0) is Fault.NO_LEDGER
    assert book.entry("t1") is None


@pytest.mark.parametrize("track", ["x" * 49, "a\0b", "ä" * 25])
def test_a_track_that_does_not_fit_is_kept_by_its_digest(path, track):
    Ledger(path, KEY).claim(_order(track), 100.0)
    assert Ledger(path, KEY).entry(track)


def test_every_order_can_be_listed_once_oldest_first(box):
    assert ledger.read_all(box) == []
    book = Ledger(ledger.path_of(box), KEY)
    for number in range(3):
        book.claim(_order(f"t{number}", f"PSTN10{number}"), 100.0)
    book.settle("t1", Outcome("auto-t1", 100.0, 100.2, Moved.YES))
    assert ledger.read_all(box) == ["t0", "t1", "t2"]


def test_a_machine_without_a_boot_id_still_has_a_ledger(path, monkeypatch):
    monkeypatch.setattr(ledger, "_BOOT_ID", path / "missing")
    Ledger(path, KEY).claim(_order("t1"), 100.0)
    assert Ledger(path, KEY).entry("t1")


def test_claiming_writes_without_opening(path, monkeypatch):
    book = Ledger(path, KEY)
    monkeypatch.setattr(os, "open", None)
    assert book.claim(_order("t1"), 100.0) is None
