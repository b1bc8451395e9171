"""What the examination of a bundle finds, byte by byte."""

from __future__ import annotations

import io
import json
import random
import struct
from dataclasses import replace

import pytest

from appliance.errors import RecordError
from appliance.evidence import verify
from appliance.evidence.verify import BundleRefused, Verdict, WrongPassphrase, contents, examine
from appliance.records import bundle
from appliance.records.bundle import COST, Sealer, check_passphrase
from appliance.records.chain import canonical
from tests.evidence.making import AT, CHEAP, ENTRIES, OTHER_UNIT, PASSPHRASE, UNIT, sealed

GOOD = sealed()
MUTATIONS = 10_000


def test_a_bundle_as_it_was_made_is_whole_and_opens():
    outside = examine(GOOD)
    assert (outside.verdict, outside.why, outside.openings) == (Verdict.WHOLE, "", ())
    inside = contents(GOOD, outside, PASSPHRASE)
    assert inside.entries == ENTRIES
    assert inside.manifest["release"]["officer"] == "Sgt. Example"
    assert [e["name"] for e in inside.manifest["entries"]][1:] == list(ENTRIES)


def test_the_outside_names_no_plate_and_no_person():
    for word in (b"PSTN101", b"Example", b"passages/"):
        assert word not in GOOD


def test_the_price_of_a_guess_in_production():
    assert (COST.memory_kib, COST.passes) == (19_456, 4)


def test_another_passphrase_opens_nothing():
    with pytest.raises(WrongPassphrase):
        contents(GOOD, examine(GOOD), PASSPHRASE + " ")


def _mutated(chance: random.Random, data: bytes) -> bytes:
    """One random change: a flip, a deletion, an insertion, a swap, a cut, something appended."""
    spoilt, at = bytearray(data), chance.randrange(len(data))
    kind = chance.randrange(7)
    if kind == 0:
        spoilt[at] ^= 1 << chance.randrange(8)
    elif kind == 1:
        spoilt[at] = (spoilt[at] + chance.randrange(1, 256)) % 256
    elif kind == 2:
        del spoilt[at : at + chance.randrange(1, 64)]
    elif kind == 3:
        spoilt[at:at] = chance.randbytes(chance.randrange(1, 64))
    elif kind == 4:
        other = chance.randrange(len(data))
        spoilt[at], spoilt[other] = spoilt[other], spoilt[at]
    elif kind == 5:
        del spoilt[at:]
    else:
        spoilt += chance.choice((b"\0", b"\n", data[-64:], chance.randbytes(9)))
    return bytes(spoilt)


def test_ten_thousand_random_mutations_are_all_detected():
    chance, tried = random.Random(4711), 0
    small = sealed({"a": bytes(range(256))})
    while tried < MUTATIONS:
        whole = small if tried % 20 else GOOD
        spoilt = _mutated(chance, whole)
        if spoilt == whole:
            continue
        tried += 1
        assert examine(spoilt).verdict is not Verdict.WHOLE


def test_a_file_cut_anywhere_is_incomplete_not_tampered():
    for at in [*range(200), *range(200, len(GOOD), 997), *range(len(GOOD) - 150, len(GOOD))]:
        assert examine(GOOD[:at]).verdict is Verdict.INCOMPLETE, at


def test_an_end_that_was_never_written_is_incomplete():
    cut = len(GOOD) // 2
    found = examine(GOOD[:cut] + bytes(len(GOOD) - cut))
    assert found.verdict is Verdict.INCOMPLETE
    assert "never written" in found.why


@pytest.mark.parametrize("at", [0, 9, 13, 20, 2000, -5, -70, -80, -150])
def test_a_flipped_bit_is_tampering_wherever_it_lies(at):
    spoilt = bytearray(GOOD)
    spoilt[at] ^= 1
    assert examine(bytes(spoilt)).verdict is Verdict.TAMPERED


def test_zeros_in_place_of_what_was_there_do_not_pass_for_a_crash_when_the_start_is_wrong():
    spoilt = b"X" + GOOD[1:-100] + bytes(100)
    assert examine(spoilt).verdict is Verdict.TAMPERED


def _resealed(change, keys=UNIT) -> bytes:
    """A file whose header was changed and signed again by a unit."""
    size, _ = struct.unpack_from(">II", GOOD, 8)
    start = 16 + size + 64
    header = change(json.loads(GOOD[16 : 16 + size]))
    told = header if isinstance(header, bytes) else canonical(header)
    return GOOD[:8] + bundle.length(told) + told + keys.signer.sign(told) + GOOD[start:]


@pytest.mark.parametrize(
    "change",
    [
        {"cost": {"memory_kib": 2_000_000, "passes": 1}},
        {"cost": {"memory_kib": 8, "passes": 99}},
        {"size": 0},
        {"size": 5},
        {"salt": "00"},
        {"salt": "zz"},
        {"chunks": []},
        {"public_key": "00"},
        {"colour": "red"},
        {"made_at": 3},
    ],
)
def test_a_header_no_unit_writes_is_refused_even_when_signed(change):
    assert examine(_resealed(lambda h: {**h, **change})).verdict is Verdict.TAMPERED


@pytest.mark.parametrize("told", [b"[]", b'{"a": 1}', b"\xff", b"[" * 100_000])
def test_a_header_in_another_spelling_is_refused(told):
    assert examine(_resealed(lambda _: told)).verdict is Verdict.TAMPERED


def test_a_header_signed_by_another_unit_does_not_fit_what_is_sealed():
    theirs = _resealed(lambda h: {**h, "public_key": OTHER_UNIT.public.hex()}, OTHER_UNIT)
    outside = examine(theirs)
    assert outside.verdict is Verdict.TAMPERED  # the log is bound to the header's signature
    assert examine(sealed(keys=OTHER_UNIT)).fingerprint != examine(GOOD).fingerprint
    assert verify.Outside(Verdict.TAMPERED).fingerprint == ""


class _Lying(Sealer):
    """A unit gone wrong: seals what its manifest does not say."""

    def __init__(self, lie):
        super().__init__(io.BytesIO(), "export-1", PASSPHRASE, CHEAP)
        self.lie = lie

    def sealed(self, **told) -> bytes:
        out = io.BytesIO()
        self.add("a", b"1")
        self.add("b", b"2")
        self.lie(self)
        self.finish(out, told, UNIT, AT)
        return out.getvalue()


def _unlisted(sealer):
    sealer._take("c", b"3")


def _missing(sealer):
    sealer._entries.append({"name": "c", "size": 1, "sha256": "00" * 32})


def _other_hash(sealer):
    sealer._entries[1]["sha256"] = "00" * 32


def _other_order(sealer):
    sealer._entries.reverse()


def _twice(sealer):
    sealer._take("a", b"1")


def _cut_off(sealer):
    take = sealer._take

    def with_a_rest(name, content):
        take(name, content)
        sealer._waiting += b"xyz"
        sealer._size += 3

    sealer._take = with_a_rest


def _too_long(sealer):
    promised = bundle.ENTRY.pack(1, 99_999) + b"c"
    sealer._waiting += promised
    sealer._size += len(promised)


def _nameless(sealer):
    del sealer._entries[0]["name"]


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        (_unlisted, "does not list"),
        (_missing, "missing"),
        (_other_hash, "not the one"),
        (_other_order, "order"),
        (_twice, "twice"),
        (_cut_off, "cut off"),
        (_too_long, "cut off"),
        (_nameless, "cannot be understood"),
    ],
)
def test_what_the_manifest_does_not_list_is_refused(lie, why):
    data = _Lying(lie).sealed()
    outside = examine(data)
    assert outside.verdict is Verdict.WHOLE
    with pytest.raises(BundleRefused) as refused:
        contents(data, outside, PASSPHRASE)
    assert why in refused.value.next_step


def _with_manifest(content: bytes | None) -> bytes:
    class Forged(Sealer):
        def _take(self, name, told):
            if name == bundle.MANIFEST and content is None:
                return
            super()._take(name, content if name == bundle.MANIFEST else told)

    out = io.BytesIO()
    Forged(io.BytesIO(), "export-1", PASSPHRASE, CHEAP).finish(out, {}, UNIT, AT)
    return out.getvalue()


def _signed(told: dict[str, object]) -> bytes:
    return canonical({**told, "signature": UNIT.sign(canonical(told))})


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        (None, "no manifest"),
        (b"{", "cannot be understood"),
        (canonical({"signature": "00"}), "signature"),
        (_signed({"export": "export-2"}), "another bundle"),
    ],
)
def test_a_manifest_the_unit_did_not_make_for_this_bundle_is_refused(manifest, why):
    data = _with_manifest(manifest)
    with pytest.raises(BundleRefused) as refused:
        contents(data, examine(data), PASSPHRASE)
    assert why in refused.value.next_step


def test_what_is_not_whole_is_not_opened():
    broken = GOOD[:-1]
    with pytest.raises(BundleRefused, match="not whole"):
        contents(broken, examine(broken), PASSPHRASE)
    with pytest.raises(BundleRefused, match="not whole"):
        contents(GOOD, replace(examine(GOOD), header=None), PASSPHRASE)


def test_a_bundle_takes_each_name_once():
    sealer = Sealer(io.BytesIO(), "export-1", PASSPHRASE, CHEAP)
    sealer.add("a", b"1")
    for name in ("a", bundle.MANIFEST, bundle.LOG_KEY):
        with pytest.raises(RecordError):
            sealer.add(name, b"2")


@pytest.mark.parametrize("size", [65_536, 131_072, 0])
def test_sizes_at_the_border_of_a_chunk_open_too(size):
    data = sealed({"a": bytes(size)})
    assert contents(data, examine(data), PASSPHRASE).entries == {"a": bytes(size)}


@pytest.mark.parametrize("passphrase", ["", "short", " " * 20, "x" * 201, 12, None])
def test_a_passphrase_that_protects_nothing_is_refused(passphrase):
    with pytest.raises(RecordError):
        check_passphrase(passphrase)
    assert check_passphrase(f" {PASSPHRASE} ") == PASSPHRASE
