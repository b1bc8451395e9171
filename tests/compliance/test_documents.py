"""Notice, policy and training follow the live policy, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from appliance.compliance import notices, policy_document, training
from appliance.compliance.words import kept, plain
from appliance.errors import DutyError
from appliance.values import PublishedPolicy, Purpose, Role

POLICY = PublishedPolicy(
    3, "Alder Court", "America/Chicago", "us-il", (Purpose.ACCESS_CONTROL, Purpose.AUDIT), 168.0,
    24.0, datetime(2026, 11, 22, 3, 0, tzinfo=UTC), "ana.reyes",
)


def text_of(parts):
    return " ".join(" ".join((p.heading, *p.sentences, *p.points)) for p in parts)


def test_the_notice_tells_what_why_how_long_who_and_rights():
    headings = [p.heading for p in notices.notice(POLICY, "the manager", plain)]
    assert headings == ["What happens here", "Why", "How long",
                        "Who sees it, and how it is protected", "Your rights"]


def test_a_changed_retention_changes_the_notice():
    before = text_of(notices.notice(POLICY, "the manager", plain))
    after = text_of(notices.notice(replace(POLICY, kept_hours_unmatched=36.0), "x", plain))
    assert "24 hours" in before
    assert "36 hours" in after
    assert "24 hours" not in after


def test_notice_and_policy_list_exactly_the_published_purposes():
    for parts in (notices.notice(POLICY, "x", plain), policy_document.sections(POLICY, plain)):
        points = [point for p in parts for point in p.points]
        assert points == ["letting cars in and answering at the gate",
                          "checking that the policy is kept"]


def test_the_policy_has_the_sections_the_law_asks_for_in_order():
    sections = policy_document.sections(POLICY, plain)
    assert [s.number for s in sections] == list(range(1, 8))
    assert "prohibited" in text_of(sections)
    assert "warrant" in text_of(sections)
    assert "7 days" in text_of(sections)


def test_the_day_of_publishing_is_the_sites_own():
    assert "2026-11-21" in text_of(policy_document.sections(POLICY, plain)[:1])


@pytest.mark.parametrize("hours", [0.0, 0.99, 720.1, float("nan"), float("inf")])
def test_nothing_is_kept_beyond_thirty_days_or_for_no_time(hours):
    with pytest.raises(DutyError):
        policy_document.check_hours(hours)


def test_thirty_days_is_the_ceiling_itself():
    assert policy_document.check_hours(720.0) == 720.0


@pytest.mark.parametrize("role", list(Role), ids=lambda r: r.value)
def test_every_role_learns_every_topic_with_questions(role):
    modules = training.modules(POLICY, role, plain)
    assert tuple(m.code for m in modules) == training.CODES
    for module in modules:
        assert 3 <= len(module.questions) <= 5
        for question in module.questions:
            assert 0 <= question.right < len(question.answers)
            assert len(set(question.answers)) == len(question.answers)


def test_training_teaches_the_sites_own_values():
    retention = training.modules(POLICY, Role.GUARD, plain)[3]
    assert "7 days" in retention.paragraphs[0]
    assert retention.questions[0].answers[retention.questions[0].right] == "24 hours"


def test_only_every_right_answer_passes():
    module = training.modules(POLICY, Role.GUARD, plain)[0]
    right = {i: q.right for i, q in enumerate(module.questions)}
    assert training.missed(module, right) == ()
    assert training.missed(module, {**right, 1: 2}) == (1,)
    assert training.missed(module, {}) == (0, 1, 2)


def test_retentions_are_said_as_people_say_them():
    assert [kept(h, plain) for h in (1, 24, 36, 48, 168)] == [
        "1 hours", "24 hours", "36 hours", "2 days", "7 days"]
