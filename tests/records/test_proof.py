"""Every change to a journal is found: hundreds of random ones, each on a fresh copy.

`POSTERN_MUTATIONS` sets how many (default 600); `POSTERN_SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from appliance import database, vault
from appliance.config import Config, Device
from appliance.records.access import Who
from appliance.records.acts import Act
from appliance.records.chain import canonical, entry_from, hashed
from appliance.records.issues import Issues
from appliance.records.journal import Journal
from appliance.records.keys import DeviceKeys, device_keys
from appliance.records.proof import ANCHOR, DATABASE, prove
from tests.records.room import Times

MUTATIONS = int(os.environ.get("POSTERN_MUTATIONS", "600"))
SEED = int(os.environ.get("POSTERN_SEED", str(random.randrange(10**6))))
ENTRIES = 60
TEXT = ("actor", "role", "organisation", "action", "purpose", "reason", "query", "clock", "at",
        "prev_hash", "hash", "seal")  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> tuple[Path, DeviceKeys]:
    """A whole, closed journal of 60 entries and six signed heads."""
    folder = tmp_path_factory.mktemp("base")
    config = Config(device=Device(state_dir=folder))
    vault.make_missing(config)
    keys, times = device_keys(config), Times()
    journal = Journal(folder / "journal", keys, Issues())
    for number in range(ENTRIES):
        who = Who(f"p{number % 3}", "manager", "Pine Court", "incident", f"case {number}")
        journal.append(Act(who, "look_up", {"plate": f"PSTN{number}"}, number), times())
        times.passes(hours=2.5)
    journal.close()
    return folder / "journal", keys


@pytest.fixture
def written(base, tmp_path) -> tuple[Path, DeviceKeys]:
    """A copy of it, to be spoilt."""
    shutil.copytree(base[0], tmp_path / "journal")
    return tmp_path / "journal", base[1]


def _flip_field(connection, dice):
    seq, column = dice.randint(1, ENTRIES), dice.choice((*TEXT, "rows"))
    if column == "rows":
        connection.execute("UPDATE entries SET rows = rows + 1 WHERE seq = ?", (seq,))
        return
    (text,) = connection.execute(f"SELECT {column} FROM entries WHERE seq = {seq}").fetchone()
    place = dice.randrange(len(text))
    other = dice.choice([c for c in "0123456789abcdefxyz" if c != text[place]])
    changed = text[:place] + other + text[place + 1 :]
    connection.execute(f"UPDATE entries SET {column} = ? WHERE seq = ?", (changed, seq))


def _delete(connection, dice):
    connection.execute("DELETE FROM entries WHERE seq = ?", (dice.randint(1, ENTRIES),))


def _delete_and_close_the_gap(connection, dice):
    seq = dice.randint(1, ENTRIES - 1)
    connection.execute("DELETE FROM entries WHERE seq = ?", (seq,))
    for later in range(seq + 1, ENTRIES + 1):
        connection.execute("UPDATE entries SET seq = seq - 1 WHERE seq = ?", (later,))


def _swap(connection, dice):
    one, two = dice.sample(range(1, ENTRIES + 1), 2)
    for step in ((one, -1), (two, one), (-1, two)):
        connection.execute("UPDATE entries SET seq = ? WHERE seq = ?", (step[1], step[0]))


def _truncate(connection, dice):
    connection.execute("DELETE FROM entries WHERE seq > ?", (dice.randint(0, ENTRIES - 1),))


def _truncate_with_its_heads(connection, dice):
    last = dice.randint(0, ENTRIES - 1)
    connection.execute("DELETE FROM entries WHERE seq > ?", (last,))
    connection.execute("DELETE FROM heads WHERE seq > ?", (last,))


def _append_with_every_hash_right(connection, dice):
    """By somebody who can write the database but has not the unit's seal."""
    row = connection.execute("SELECT * FROM entries WHERE seq = ?", (ENTRIES,)).fetchone()
    last = entry_from(row)
    forged = hashed(replace(last, seq=ENTRIES + 1, actor="forger", prev_hash=last.hash, hash=""))
    values = {**dict(zip(row.keys(), row, strict=True)), "seq": forged.seq, "actor": forged.actor,
              "prev_hash": forged.prev_hash, "hash": forged.hash,
              "seal": dice.choice([row["seal"], dice.randbytes(32).hex()])}  # fmt: skip
    connection.execute(f"INSERT INTO entries VALUES ({', '.join('?' * 14)})",
                       tuple(values.values()))  # fmt: skip


def _insert_below_the_first(connection, dice):
    connection.execute(
        "INSERT INTO entries SELECT ?, at, clock, actor, role, organisation, action, purpose,"
        " reason, query, rows, prev_hash, hash, seal FROM entries WHERE seq = 1",
        (-dice.randint(0, 5),),
    )


def _rewrite_the_rest(connection, dice):
    """Changes an entry and makes every hash after it right again."""
    start = dice.randint(1, ENTRIES)
    rows = connection.execute("SELECT * FROM entries WHERE seq >= ?", (start,)).fetchall()
    entries = [entry_from(row) for row in rows]
    before = entries[0].prev_hash
    for number, entry in enumerate(entries):
        changed = replace(entry, prev_hash=before, actor="x" if number == 0 else entry.actor)
        fresh = hashed(replace(changed, hash=""))
        before = fresh.hash
        connection.execute("UPDATE entries SET actor = ?, prev_hash = ?, hash = ? WHERE seq = ?",
                           (fresh.actor, fresh.prev_hash, fresh.hash, fresh.seq))  # fmt: skip


def _drop_a_head(connection, dice):
    connection.execute("DELETE FROM heads WHERE number = ?", (dice.randint(1, 6),))


def _change_a_head(connection, dice):
    column = dice.choice(["seq", "at", "hash", "signature"])
    wrong = {"seq": dice.randint(100, 999)}.get(column, dice.randbytes(32).hex())
    connection.execute(f"UPDATE heads SET {column} = ? WHERE number = ?",
                       (wrong, dice.randint(1, 6)))  # fmt: skip


ON_ROWS: list[Callable] = [
    _flip_field,
    _delete,
    _delete_and_close_the_gap,
    _swap,
    _truncate,
    _truncate_with_its_heads,
    _append_with_every_hash_right,
    _insert_below_the_first,
    _rewrite_the_rest,
    _drop_a_head,
    _change_a_head,
]


def _flip_byte(path: Path, dice: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


def _cut_file(path: Path, dice: random.Random) -> None:
    with path.open("r+b") as file:
        file.truncate(dice.randrange(path.stat().st_size))


def _swap_pages(path: Path, dice: random.Random) -> None:
    data = bytearray(path.read_bytes())
    one, two = (4096 * n for n in dice.sample(range(len(data) // 4096), 2))
    data[one : one + 4096], data[two : two + 4096] = data[two : two + 4096], data[one : one + 4096]
    path.write_bytes(data)


def test_every_random_change_is_found(written, tmp_path):
    folder, keys = written
    assert prove(folder, keys).whole
    dice = random.Random(SEED)
    missed = []
    for number in range(MUTATIONS):
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        if number % 4:
            change = dice.choice(ON_ROWS)
            connection = database.open_encrypted(copy / DATABASE, keys.journal)
            connection.execute("PRAGMA synchronous = OFF")
            change(connection, dice)
            connection.close()
        else:
            change = dice.choice([_flip_byte, _cut_file, _swap_pages])
            change(copy / dice.choice([DATABASE, DATABASE, ANCHOR])
                   if change is not _swap_pages else copy / DATABASE, dice)  # fmt: skip
        if prove(copy, keys).whole:
            missed.append(change.__name__)
        shutil.rmtree(copy)
    assert not missed, f"seed {SEED}"


def _changed(folder: Path, keys: DeviceKeys, *statements: str):
    connection = database.open_encrypted(folder / DATABASE, keys.journal)
    for statement in statements:
        connection.execute(statement)
    connection.close()
    return prove(folder, keys)


def test_a_whole_journal_is_told_with_its_span(written):
    found = prove(*written)
    assert (found.whole, found.entries, found.heads, found.why) == (True, 60, 6, "")
    assert (found.first_at, found.last_at) == (
        "2026-11-21T12:00:00.000Z",
        "2026-11-27T15:30:00.000Z",
    )


def test_the_first_bad_entry_and_the_gap_are_named(written):
    found = _changed(*written, "DELETE FROM entries WHERE seq BETWEEN 17 AND 21")
    assert (found.whole, found.first_bad, found.missing) == (False, 17, (17, 21))
    assert found.why == "entries 17 to 21 are missing"
    assert found.entries == 16


def test_a_cut_tail_is_named_as_a_gap(written):
    found = _changed(
        *written, "DELETE FROM entries WHERE seq > 59", "DELETE FROM heads WHERE seq > 59"
    )
    assert (found.first_bad, found.missing) == (60, (60, 60))
    assert found.why == "entry 60 is missing"


@pytest.mark.parametrize(
    ("statement", "first_bad", "why"),
    [
        ("UPDATE entries SET actor = 'x' WHERE seq = 9", 9, "its hash is not that of its content"),
        ("UPDATE entries SET at = 'noon' WHERE seq = 9", 9, "a field cannot be read"),
        ("UPDATE entries SET at = replace(at, 'T', ' ') WHERE seq = 9", 9, "cannot be read"),
        ("UPDATE entries SET seal = '' WHERE seq = 9", 9, "not written by this unit"),
        ("UPDATE heads SET signature = 'xy' WHERE number = 2", 18, "signed head at entry"),
        ("DELETE FROM heads WHERE number = 2", 28, "a signed head is missing"),
        ("DELETE FROM heads WHERE number = 6", 60, "a signed head is missing"),
        ("ALTER TABLE entries DROP COLUMN seal", 1, "damaged"),
        ("DROP TABLE heads", 1, "damaged"),
    ],
)
def test_why_is_said_in_words(written, statement, first_bad, why):
    found = _changed(*written, statement)
    assert not found.whole
    assert why in found.why
    assert abs(found.first_bad - first_bad) <= 6, found


def test_an_entry_after_the_anchor_is_a_crash_and_no_tampering(written):
    folder, keys = written
    anchor = (folder / ANCHOR).read_bytes()
    journal = Journal(folder, keys, Issues())
    journal.append(Act(Who("p", "manager"), "sign_in"), Times()())
    journal.close()
    (folder / ANCHOR).write_bytes(anchor)
    assert prove(folder, keys).whole
    issues = Issues()
    again = Journal(folder, keys, issues)
    again.append(Act(Who("p", "manager"), "sign_in"), Times()())
    again.close()
    assert not issues.listed()
    assert prove(folder, keys).entries == 62


def test_an_older_copy_of_the_database_is_found(written, tmp_path):
    folder, keys = written
    older = (folder / DATABASE).read_bytes()
    journal = Journal(folder, keys, Issues())
    journal.append(Act(Who("p", "manager"), "sign_in"), Times()())
    journal.close()
    (folder / DATABASE).write_bytes(older)
    assert prove(folder, keys).missing == (61, 61)


def test_an_entry_signed_into_a_head_cannot_be_replaced(written):
    """Even by the holder of the seal: the head names the hash that stood."""
    folder, keys = written
    connection = database.open_encrypted(folder / DATABASE, keys.journal)
    _rewrite_the_rest(connection, random.Random(1))
    for row in connection.execute("SELECT seq, hash FROM entries").fetchall():
        connection.execute("UPDATE entries SET seal = ? WHERE seq = ?",
                           (keys.mac(row["hash"].encode()), row["seq"]))  # fmt: skip
    connection.close()
    assert "not the one that was signed" in prove(folder, keys).why


def test_an_entry_taken_from_another_chain_does_not_follow(written):
    folder, keys = written
    connection = database.open_encrypted(folder / DATABASE, keys.journal)
    row = connection.execute("SELECT * FROM entries WHERE seq = 9").fetchone()
    other = hashed(replace(entry_from(row), prev_hash="f" * 64, hash=""))
    connection.execute(
        "UPDATE entries SET prev_hash = ?, hash = ?, seal = ? WHERE seq = 9",
        (other.prev_hash, other.hash, keys.mac(other.hash.encode())),
    )
    connection.close()
    found = prove(folder, keys)
    assert (found.first_bad, found.why) == (9, "entry 9 does not follow the entry before it")


def test_a_vanished_database_is_a_gap_from_the_first_entry(written):
    folder, keys = written
    (folder / DATABASE).unlink()
    assert prove(folder, keys).missing == (1, 60)


def test_canonical_json_has_one_spelling():
    assert canonical({"b": 1, "a": "ä"}) == '{"a":"ä","b":1}'.encode()
