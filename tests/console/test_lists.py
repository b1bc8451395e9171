"""Grants: add, change, end; twins asked about; journaled first; the gate told after."""

from __future__ import annotations

import pytest

from appliance import site
from appliance.values import GrantKind, Role, WeeklyHours

ENTRY = {"kind": "allow", "plate": "pstn 101", "label": "M. Okafor", "unit": "Flat 12"}


def grants(desk):
    with desk.console.store.reading() as connection:
        return site.snapshot(connection).grants


@pytest.fixture
def manager(desk):
    return desk.signed_in(Role.MANAGER, purpose="access_control")


def test_an_entry_is_journaled_saved_and_told_to_the_gate(desk, manager):
    assert manager.post("/grants/new", ENTRY).status_code == 302
    (grant,) = grants(desk)
    assert (grant.kind, grant.plate, grant.label) == (GrantKind.ALLOW, "PSTN101", "M. Okafor")
    assert desk.fakes.records.actions[-1] == "grant_added"
    assert f'"grant": {grant.id}' in desk.fakes.records.journal[-1]["query"]
    assert "PSTN" not in desk.fakes.records.journal[-1]["query"]
    assert desk.fakes.door.reloads == 1


def test_nothing_is_saved_while_the_journal_cannot_be_written(desk, manager):
    desk.fakes.records.stop()
    assert manager.post("/grants/new", ENTRY).status_code == 503
    assert grants(desk) == ()
    assert desk.fakes.door.reloads == 0


def test_a_dead_gate_does_not_stop_a_change(desk, manager):
    desk.fakes.door.stop()
    assert manager.post("/grants/new", ENTRY).status_code == 302
    assert len(grants(desk)) == 1
    assert "it reads the lists when it is back" in manager.get("/grants/").text


def test_weekly_hours_and_dates_are_kept_as_they_were_meant(desk, manager):
    form = {**ENTRY, "days0": ["0", "1", "4"], "from0": "07:30", "until0": "17:00",
            "days1": ["5"], "from1": "22:00", "until1": "02:00",
            "from": "2026-11-22T08:00", "until": "2026-12-01T18:00", "lanes": "main, back"}
    assert manager.post("/grants/new", form).status_code == 302
    (grant,) = grants(desk)
    assert grant.hours == (WeeklyHours((0, 1, 4), 450, 1020), WeeklyHours((5,), 1320, 120))
    assert grant.from_at.isoformat() == "2026-11-22T14:00:00+00:00"
    assert grant.until_at.isoformat() == "2026-12-02T00:00:00+00:00"
    assert grant.lanes == ("main", "back")
    page = manager.get(f"/grants/{grant.id}").text
    assert 'value="07:30"' in page
    assert 'value="2026-11-22T08:00"' in page


@pytest.mark.parametrize(("field", "value"), [
    ("plate", "?"), ("plate", ""), ("kind", "vip"), ("until", "soon"), ("days0", "9"),
])
def test_what_cannot_be_meant_is_refused(desk, manager, field, value):
    assert manager.post("/grants/new", {**ENTRY, field: value}).status_code == 400
    assert grants(desk) == ()


def test_an_end_before_the_beginning_is_refused(desk, manager):
    form = {**ENTRY, "from": "2026-12-01T00:00", "until": "2026-11-30T00:00"}
    assert manager.post("/grants/new", form).status_code == 400


def test_days_without_times_are_refused(desk, manager):
    assert manager.post("/grants/new", {**ENTRY, "days0": "1"}).status_code == 400


def test_a_visitor_pass_needs_an_end(desk, manager):
    assert manager.post("/grants/new", {**ENTRY, "kind": "visitor"}).status_code == 400
    form = {**ENTRY, "kind": "visitor", "until": "2026-11-23T12:00"}
    assert manager.post("/grants/new", form).status_code == 302


def test_a_look_alike_of_another_unit_must_be_seen_before_it_is_saved(desk, manager):
    manager.post("/grants/new", {**ENTRY, "plate": "PSTN0B8", "unit": "Flat 3"})
    twin = {**ENTRY, "plate": "PSTNO88"}
    answer = manager.post("/grants/new", twin)
    assert answer.status_code == 400
    assert "PSTN0B8" in answer.text
    assert len(grants(desk)) == 1
    assert manager.post("/grants/new", {**twin, "seen_twins": "yes"}).status_code == 302
    assert len(grants(desk)) == 2


def test_a_look_alike_of_the_same_unit_and_list_needs_no_question(desk, manager):
    manager.post("/grants/new", {**ENTRY, "plate": "PSTN0B8"})
    assert manager.post("/grants/new", {**ENTRY, "plate": "PSTNO88"}).status_code == 302


def test_the_same_plate_twice_must_be_seen(desk, manager):
    manager.post("/grants/new", ENTRY)
    assert manager.post("/grants/new", ENTRY).status_code == 400
    assert len(grants(desk)) == 1


def test_a_change_keeps_the_entrys_number(desk, manager):
    manager.post("/grants/new", ENTRY)
    (before,) = grants(desk)
    form = {**ENTRY, "label": "N. Okafor", "kind": "block"}
    assert manager.post(f"/grants/{before.id}", form).status_code == 302
    (after,) = grants(desk)
    assert (after.id, after.label, after.kind) == (before.id, "N. Okafor", GrantKind.BLOCK)
    assert desk.fakes.records.actions[-1] == "grant_changed"


def test_ending_is_at_once_and_the_entry_stays_readable(desk, manager):
    manager.post("/grants/new", ENTRY)
    (grant,) = grants(desk)
    assert manager.post(f"/grants/{grant.id}/end").status_code == 302
    assert grants(desk) == ()
    assert "PSTN101" in manager.get("/grants/?ended=1").text
    assert desk.fakes.records.actions[-3:] == ["grant_added", "grant_ended", "look_up"]
    assert manager.post(f"/grants/{grant.id}", ENTRY).status_code == 404


def test_a_guard_reads_the_lists_and_changes_nothing(desk, manager):
    manager.post("/grants/new", ENTRY)
    (grant,) = grants(desk)
    guard = desk.signed_in(Role.GUARD, purpose="access_control")
    assert "PSTN101" in guard.get("/grants/").text
    assert guard.post("/grants/new", ENTRY).status_code == 403
    assert guard.post(f"/grants/{grant.id}/end").status_code == 403
    assert len(grants(desk)) == 1


def test_reading_the_lists_is_a_look_up(desk, manager):
    manager.get("/grants/?kind=block")
    entry = desk.fakes.records.journal[-1]
    assert (entry["action"], entry["purpose"]) == ("look_up", "access_control")
    assert "block" in entry["query"]


def test_a_policy_change_is_a_new_version_told_to_the_gate(desk, manager):
    form = {"site_name": "Alder Court", "site_zone": "America/Chicago", "purposes": ["incident"],
            "kept_matched": "72", "kept_unmatched": "4", "agree": "yes"}
    assert manager.post("/policy/new", form).status_code == 302
    with desk.console.store.reading() as connection:
        policy = site.published(connection)
    assert (policy.version, policy.kept_hours_unmatched) == (2, 4.0)
    assert desk.fakes.door.reloads == 1
    assert "policy_published" in desk.fakes.records.actions
    assert manager.get("/").headers["Location"] == "/training/"
