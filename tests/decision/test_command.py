"""`postern decide`: the card a person reads, over the whole command line."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys

import pytest

from appliance import site
from appliance.commands import decide as command
from appliance.decision.policy import RULES
from appliance.values import Reason, Verdict
from tests.conftest import ROOT
from tests.gate.making import allow, publish


@pytest.fixture
def ask(box, tmp_path):
    settings = tmp_path / "postern.toml"
    settings.write_text(
        f'[device]\nstate_dir = "{box.device.state_dir}"\nrun_dir = "{box.device.run_dir}"\n')

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "appliance", "--config", str(settings), "decide", *words],
            cwd=ROOT, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"})

    return run


def test_a_listed_plate_opens_and_the_card_says_why(box, ask):
    publish(box, "PSTN101")
    done = ask("pstn 101", "--at", "2026-11-23T12:00")
    assert done.returncode == 0, done.stderr
    assert "PSTN101 at Monday 2026-11-23 12:00 CST, lane main, policy version 1" in done.stdout
    assert done.stdout.count("\N{CHECK MARK}") == len(RULES)
    assert "The gate opens. An entry of the allow list names this plate" in done.stdout
    assert "Entry 1: PSTN101, Unit 01" in done.stdout


@pytest.mark.parametrize(("words", "status", "reason"), [
    (("PSTN999",), 3, "not_listed"),
    (("PSTN555",), 4, "blocked"),
    (("PSTN1O1", "--weakest", "0.7", "--doubt", "6"), 0, "lookalike_granted"),
    (("PSTN1O1", "--weakest", "0.7", "--doubt", "1"), 3, "near_miss"),
    (("PSTN101", "--glimpses", "1"), 4, "too_few_glimpses"),
    (("PSTN101", "--glimpses", "2", "--score", "0.95"), 0, "granted"),
    (("PSTN101", "--score", "0.5", "--weakest", "0.5"), 3, "low_score"),
    (("PSTN101", "--direction", "out"), 4, "wrong_direction"),
    (("PSTN101", "--without-records"), 3, "no_records"),
    (("PSTN777", "--at", "2026-11-23T12:00:00-06:00"), 0, "granted"),
    (("PSTN777", "--at", "2026-11-23T18:00:00Z"), 0, "granted"),
    (("PSTN777", "--at", "2026-11-23T18:00:00"), 3, "outside_hours"),
    (("PSTN777", "--at", "2026-11-23T12:00", "--clock", "unknown"), 3, "clock_untrusted"),
    (("PSTN777", "--at", "2026-11-23T12:00", "--lane", "yard"), 3, "wrong_lane"),
])
def test_every_option_reaches_the_rules(box, words, status, reason, capsys):
    publish(box, "PSTN101")
    with contextlib.closing(site.open_writer(box)) as writer:
        allow(writer, "PSTN555", "block")
        allow(writer, "PSTN777")
        writer.execute("UPDATE grants SET lanes = '[\"main\"]', hours = ? WHERE plate = 'PSTN777'",
                       ('[{"days": [0], "from_minute": 480, "until_minute": 1020}]',))
    import argparse

    parser = argparse.ArgumentParser()
    command.configure(parser)
    assert command.run(parser.parse_args([*words, "--json"]), box) == status
    shown = json.loads(capsys.readouterr().out)
    assert shown["reason"] == reason
    assert shown["rules"]
    command.run(parser.parse_args(list(words)), box)
    assert "The gate" in capsys.readouterr().out


def test_without_a_time_it_is_now(box, ask):
    publish(box, "PSTN101")
    assert ask("PSTN101").returncode == 0


@pytest.mark.parametrize("words", [
    ("P",), ("PSTN101", "--at", "tomorrow"), ("PSTN101", "--doubt", "9"),
    ("PSTN101", "--score", "2"), ("PSTN101", "--direction", "up"),
])
def test_a_wrong_call_is_told_in_a_line(box, ask, words):
    publish(box, "PSTN101")
    done = ask(*words)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert done.stderr


def test_without_a_site_the_next_step_is_told(ask):
    done = ask("PSTN101")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_a_broken_entry_is_named_by_its_id(box, ask):
    publish(box, "not normalised")
    done = ask("PSTN101")
    assert done.returncode == 1
    assert "grant 1" in done.stderr


def test_every_verdict_reason_and_rule_has_its_words():
    assert set(command.REASONS) == set(Reason)
    assert set(command.VERDICTS) == set(Verdict) == set(command.EXIT)
    assert set(command.RULES) == {name for name, _ in RULES} | {"lookup"}
