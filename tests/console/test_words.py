"""Every code has a sentence in both languages, and every sentence has its Spanish."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask_babel import force_locale

from appliance.barrier.commissioning import How, Progress, Result, Trial
from appliance.barrier.drivers.seam import EventKind, Warns
from appliance.barrier.orders import Fault, LinkState
from appliance.console import barrier_words, catalogue, gate_sentences, rule_words, words
from appliance.console.gate_answers import INPUTS, Event
from appliance.console.permissions import Permission
from appliance.decision import policy
from appliance.gate import issues
from appliance.records.acts import ACTIONS
from appliance.values import (
    CameraState,
    ClockQuality,
    Direction,
    GrantKind,
    Moved,
    Purpose,
    Reason,
    Role,
    SecondFactor,
    Verdict,
)

TABLES = [
    (words.VERDICTS, Verdict), (words.NOW_VERDICTS, Verdict), (words.REASONS, Reason),
    (words.SHORT_REASONS, Reason), (words.PURPOSES, Purpose), (words.PURPOSE_SENTENCES, Purpose),
    (words.ROLES, Role), (words.ROLE_SENTENCES, Role), (words.KINDS, GrantKind),
    (words.DIRECTIONS, Direction), (words.MOVED, Moved), (words.CLOCKS, ClockQuality),
    (words.CAMERAS, CameraState), (words.PERMISSIONS, Permission),
    (words.SECOND_FACTORS, SecondFactor), (barrier_words.LINK_STATES, LinkState),
    (barrier_words.EVENTS, EventKind), (barrier_words.WARNS, Warns), (barrier_words.FAULTS, Fault),
    (barrier_words.RESULTS, Result), (barrier_words.HOWS, How),
    (barrier_words.PROGRESS, Progress), (barrier_words.TRIALS, Trial),
]


@pytest.mark.parametrize(("table", "codes"), TABLES, ids=lambda x: getattr(x, "__name__", ""))
def test_every_code_of_an_enum_has_words(table, codes):
    assert {c.value for c in codes} <= set(table)


def test_every_input_has_its_words_for_on_and_off():
    assert {*INPUTS, "contact"} <= set(barrier_words.INPUT_STATES)
    assert set(barrier_words.INPUT_STATES) == set(barrier_words.INPUTS)


def test_every_fault_of_the_board_has_a_meaning_a_next_step_and_a_short_name():
    page = (Path(__file__).parents[2] / "firmware/PROTOCOL.md").read_text("utf-8")
    section = page.split("## 8. Faults")[1].split("## 9.")[0]
    codes = {code.lower() for code in re.findall(r"\| \d+ \| ([A-Z_]+) \|", section)}
    assert len(codes) == 10
    assert codes <= set(barrier_words.FAULTS)
    assert codes == set(barrier_words.FAULT_NAMES)


def test_every_trouble_the_gate_can_tell_is_listed_for_translation():
    told = {sentence for pair in issues._WORDS.values() for sentence in pair}
    assert told == {str(sentence) for sentence in gate_sentences.ISSUES}


def test_what_the_gate_says_is_said_in_the_readers_language(desk):
    with desk.app.test_request_context(), force_locale("es"):
        assert gate_sentences.said("the barrier is busy") == "la barrera está ocupada"
        assert gate_sentences.said("something new") == "something new"


@pytest.mark.parametrize(("kind", "argument", "shown"), [
    ("manual_open", "", "Opened by the hand button"),
    ("fault_on", "relay", "Fault began: opening relay"),
    ("started", "watchdog", "The controller started (its watchdog)"),
    ("moon_rise", "", "moon rise"),
])
def test_an_event_is_said_with_what_its_argument_means(desk, kind, argument, shown):
    with desk.app.test_request_context():
        assert barrier_words.event(Event(1, 2, kind, argument, 0.0)) == shown


def test_every_journal_action_has_words_and_no_words_are_left_over():
    assert set(words.ACTIONS) == set(ACTIONS)


def test_every_rule_of_the_gate_has_words():
    assert {name for name, _ in policy.RULES} | {"lookup"} == set(rule_words.RULES)


def test_no_sentence_lacks_spanish_and_the_compiled_file_is_fresh():
    assert list(catalogue.troubles()) == []


def test_placeholders_survive_translation():
    for message in catalogue.read("es"):
        if not message.id:
            continue
        one = message.id if isinstance(message.id, str) else message.id[1]
        said = message.string if isinstance(message.string, str) else message.string[1]
        fields = r"%\(\w+\)s"
        assert set(re.findall(fields, one)) == set(re.findall(fields, said)), one


def test_spanish_is_spoken(desk):
    with desk.app.test_request_context(), force_locale("es"):
        assert words.say(words.VERDICTS, Verdict.OPEN) == "Abrió"
        assert words.say(words.REASONS, Reason.BLOCKED).startswith("Esta placa")


def test_a_code_of_a_newer_program_is_still_readable():
    assert words.say(words.REASONS, "moon_phase") == "moon phase"


@pytest.mark.parametrize(("note", "shown"), [
    ("5 agree, 3 needed", "5 agree, 3 needed"), ("0.08 s old", "0.08 s old"),
    ("1 doubtful, scores 0.84, under 0.80 needed, no other label of that shape",
     "1 doubtful character at 0.84, no other entry of that shape"),
    ("something new", "something new"),
])
def test_notes_of_the_rules_are_said_in_the_readers_words(desk, note, shown):
    with desk.app.test_request_context():
        assert rule_words.rule_note(note) == shown
