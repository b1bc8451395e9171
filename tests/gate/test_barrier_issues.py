"""What the status page says is wrong with the barrier, from its view and figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from appliance.barrier.drivers.seam import Controller
from appliance.barrier.orders import LinkState, LinkView
from appliance.barrier.traffic import Counted
from appliance.gate.barrier_issues import (
    MOST_MISSED,
    TAILGATE_SHOWN_S,
    SettingsSeen,
    of_traffic,
    of_view,
)
from appliance.gate.issues import Issues
from tests.fakes.barrier import Recorder

READY = LinkView("bench", Recorder().capabilities(), LinkState.READY, entry_loop=False)


def _stand(*, presence_needed: bool = False, **changed: Any) -> set[str]:
    found = of_view(replace(READY, **changed), presence_needed=presence_needed)
    return {key for key, stands in found.items() if stands}


@pytest.mark.parametrize(("changed", "issues"), [
    ({}, set()),
    ({"state": LinkState.LOST}, {"barrier_link"}),
    ({"state": LinkState.STARTING}, {"barrier_link"}),
    ({"state": LinkState.FOREIGN}, {"foreign_controller"}),
    ({"state": LinkState.STOPPED}, set()),
    ({"stop": True}, {"stop_pressed"}), ({"stop": None}, set()),
    ({"fire": True}, {"fire_open"}), ({"tamper": True}, {"tamper"}),
    ({"faults": ("did_not_move",)}, {"did_not_move"}),
    ({"faults": ("not_moved",)}, {"did_not_move"}),
    ({"faults": ("stuck_safety",)}, {"stuck_input"}),
    ({"faults": ("relay", "stuck_photo")}, {"relay_fault", "stuck_input"}),
    ({"faults": ("settings",)}, {"controller_settings"}),
    ({"faults": ("cabinet",)}, {"barrier_fault"}), ({"faults": ("limits",)}, {"barrier_fault"}),
    ({"movement_disputed": True}, {"movement_disputed"}),
    ({"events_lost": 2}, {"events_forgotten"}),
])
def test_each_trouble_of_the_barrier_is_an_issue_of_its_own(changed, issues):
    assert _stand(**changed) == issues


@pytest.mark.parametrize(("changed", "missing"), [
    ({"entry_loop": None}, True), ({"entry_loop": False}, False), ({"entry_loop": True}, False),
    ({"entry_loop": None, "state": LinkState.LOST}, False),
])
def test_where_presence_is_wanted_an_unread_loop_is_an_issue(changed, missing):
    assert ("no_entry_loop" in _stand(presence_needed=True, **changed)) is missing
    assert "no_entry_loop" not in _stand(**changed)


@pytest.mark.parametrize(("share", "stands"), [
    (None, False), (MOST_MISSED, False), (MOST_MISSED + 0.01, True),
])
def test_too_many_missed_reads_are_an_issue(share, stands):
    assert of_traffic(Counted(0.0, missed_share=share), 0.0)["missed_reads"] is stands


@pytest.mark.parametrize(("ago_s", "stands"), [
    (None, False), (TAILGATE_SHOWN_S, True), (TAILGATE_SHOWN_S + 1, False),
])
def test_a_tailgate_is_an_issue_for_an_hour(ago_s, stands):
    last = None if ago_s is None else 10_000.0 - ago_s
    counted = Counted(0.0, last_tailgate_mono=last)
    assert of_traffic(counted, 10_000.0)["tailgating"] is stands


def test_changed_settings_of_a_controller_are_noticed_and_another_controllers_are_not():
    seen, board = SettingsSeen(), Controller(serial="a1", settings="d1")
    assert not seen.changed(Controller(), {})
    assert not seen.changed(board, {})
    assert not seen.changed(replace(board, boot=2), {})
    assert seen.changed(replace(board, settings="d2"), {})
    assert not seen.changed(Controller(serial="b2", settings="d2"), {})
    assert not seen.changed(Controller(serial="", settings="d3"), {})


def test_the_last_passed_test_says_which_settings_are_the_right_ones():
    board, tested = Controller(serial="a1", settings="d2"), {"a1": "d1"}
    assert SettingsSeen().changed(board, tested)
    assert not SettingsSeen().changed(replace(board, settings="d1"), tested)
    assert not SettingsSeen().changed(replace(board, serial="b2"), tested)


def test_every_issue_has_its_words():
    issues = Issues()
    for key in (*of_view(READY, presence_needed=True), *of_traffic(Counted(0.0), 0.0),
                "settings_changed"):
        issues.set(key, True)
    assert all(issue["message"] and issue["next_step"] for issue in issues.listed())
