"""No journal entry, no answer: with the journal unwritable nothing that names a plate is told."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from appliance import codec
from appliance.records import journal as journal_module
from appliance.records.proof import ANCHOR, DATABASE
from tests.records.room import AUDITOR, MANAGER, Room, passage


def _asked(passage_id: str) -> dict[str, dict[str, object]]:
    """Every verb that names a plate or a person, and one act of another program."""
    return {
        "find": {**MANAGER, "query": {"plate": "PSTN*"}},
        "open_passage": {**MANAGER, "passage_id": passage_id},
        "journal_page": {**AUDITOR},
        "verify": {**AUDITOR},
        "receipts": {**AUDITOR},
        "journal": {**MANAGER, "action": "view_at_gate"},
    }


def test_with_the_journal_broken_every_look_up_is_refused_and_keeping_goes_on(room: Room):
    passage_id = room.see("a", "PSTN101")
    room.break_journal()
    for verb, fields in _asked(passage_id).items():
        assert room.refusal(verb, **fields) == "record", verb
    told = codec.encode(passage("b", "PSTN102", room.times))
    assert room.ask("keep", b"jpeg", passage=told).header["records_ok"] is False
    status = room.status()
    assert (status["ok"], status["key"], status["passages"]) == (False, "journal_down", 2)
    assert "journal_down" in {issue["key"] for issue in status["issues"]}
    room.mend_journal()
    for verb, fields in _asked(passage_id).items():
        assert room.ask(verb, **fields).header["ok"], verb
    assert room.status()["ok"] is True
    assert room.ask("keep", b"jpeg", passage=told).header["records_ok"] is True
    assert room.plates() == ["PSTN102", "PSTN101"]
    assert room.prove().whole


def test_the_walk_covers_every_verb_that_takes_a_person(room: Room):
    """A verb added later must be put in the walk above, or among those that name no plate."""
    silent = {"keep", "counts", "feed", "status"}
    from appliance.records.service import Service

    verbs = set(Service(room.records.parts, room.times).handlers())
    assert verbs == silent | set(_asked(""))


def test_the_entry_is_on_disk_when_the_answer_arrives(room: Room):
    room.see("a", "PSTN101")
    room.find(plate="PSTN101")
    copy = room.config.device.state_dir / "copy"
    shutil.copytree(room.records.parts.journal.folder, copy)
    from appliance.records.proof import prove

    assert prove(copy, room.records.parts.keys).entries == room.status()["journal_seq"]
    assert room.entries(action="look_up")[0]["query"] == '{"page":1,"plate":"PSTN101"}'


def test_where_the_anchor_cannot_be_written_the_answer_is_refused(room: Room, monkeypatch):
    room.see("a", "PSTN101")

    def full(*_):
        raise OSError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(journal_module, "write_anchor", full)
        assert room.refusal("find", **MANAGER, query={}) == "record"
    assert room.plates() == ["PSTN101"]
    assert room.prove().whole


def test_a_vanished_journal_is_not_silently_made_anew(room: Room):
    room.stop()
    for file in room.records.parts.journal.folder.glob("journal.db*"):
        file.unlink()
    room.start()
    assert room.refusal("find", **MANAGER, query={}) == "record"
    assert room.status()["ok"] is False
    room.see("a", "PSTN101")
    assert not (room.records.parts.journal.folder / DATABASE).exists()
    assert not room.prove().whole


def test_a_damaged_journal_file_refuses_look_ups_and_says_so(room: Room):
    room.stop()
    path = room.records.parts.journal.folder / DATABASE
    path.write_bytes(b"nonsense" * 1000)
    room.start()
    assert room.refusal("find", **MANAGER, query={}) == "record"
    assert room.refusal("journal_page", **AUDITOR) == "record"
    assert room.issues() == {"journal_down"}
    assert room.prove().first_bad == 1


def test_a_journal_whose_tail_was_cut_goes_on_but_never_hides_it(room: Room):
    for _ in range(5):
        room.find()
    room.stop()
    connection = room.journal_db()
    connection.execute("DELETE FROM entries WHERE seq > 3")
    connection.close()
    anchor = (room.records.parts.journal.folder / ANCHOR).read_bytes()
    room.start()
    room.find()
    assert "journal_broken" in room.issues()
    found = room.prove()
    assert (found.first_bad, found.missing) == (4, (4, 6))
    assert room.entries()[0]["seq"] == 8  # 7 is `started`; the lost numbers are not given again
    assert (room.records.parts.journal.folder / ANCHOR).read_bytes() == anchor
    room.restart()
    room.times.passes(days=1)
    room.find()
    assert room.prove().missing == (4, 6)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff", b'{"seq":1,"hash":"","heads":0,"signature":"00"}']
)
def test_a_journal_whose_anchor_was_spoilt_says_so_at_start(room: Room, content):
    room.stop()
    path = room.records.parts.journal.folder / ANCHOR
    path.write_bytes(content)
    room.start()
    assert "journal_broken" in room.issues()
    assert room.plates() == []
    assert path.read_bytes() == content
    assert "anchor" in room.prove().why


def test_an_anchor_that_names_another_entry_says_so_at_start(room: Room):
    room.find()
    room.stop()
    connection = room.journal_db()
    connection.execute("UPDATE entries SET hash = prev_hash WHERE seq = 2")
    connection.close()
    room.start()
    assert "journal_broken" in room.issues()


def test_a_crash_before_the_first_entry_leaves_a_whole_empty_journal(bare: Room):
    """The anchor is made before the database; a kill between the two is not a loss."""
    bare.stop()
    folder = bare.records.parts.journal.folder
    for file in folder.iterdir():
        file.unlink()
    journal_module.write_anchor(folder / ANCHOR, bare.records.parts.keys, 0, "0" * 64, 0)
    assert bare.prove().whole
    bare.start()
    assert bare.status()["journal_seq"] == 1
    assert bare.prove().whole


def test_many_askers_at_once_make_one_chain(room: Room):
    room.see("a", "PSTN101")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: room.see(f"k{n}", f"PSTN{n}"), range(200, 220)))
        totals = list(pool.map(lambda _: room.find()["total"], range(20)))
    assert totals == [21] * 20
    found = room.prove()
    assert (found.whole, found.entries) == (True, 21)


def test_a_head_is_signed_once_a_day(room: Room):
    for _ in range(3):
        room.find()
        room.times.passes(hours=20)
    room.find()
    with_heads = room.prove()
    assert (with_heads.whole, with_heads.heads) == (True, 3)
    room.restart()
    assert room.prove().heads == 3


def test_the_room_keeps_on_telling_a_broken_journal(room: Room):
    room.find()
    connection = room.journal_db()
    connection.execute("UPDATE entries SET actor = 'nobody' WHERE seq = 2")
    connection.close()
    room.records.prove()
    assert "journal_broken" in room.issues()
    connection = room.journal_db()
    connection.execute("UPDATE entries SET actor = 'mara' WHERE seq = 2")
    connection.close()
    room.times.passes(days=2)
    room.records.prove()
    assert "journal_broken" not in room.issues()


def test_a_car_is_kept_while_the_journal_is_down_from_the_start(box):
    room = Room(box)
    room.publish()
    room.start()
    room.stop()
    (room.records.parts.journal.folder / DATABASE).write_bytes(b"nonsense" * 1000)
    room.start()
    told = codec.encode(passage("a", "PSTN101", room.times))
    assert room.ask("keep", b"", passage=told).header["ok"]
    room.records.prove()
    room.stop()
