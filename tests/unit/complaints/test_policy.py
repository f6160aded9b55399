"""The figures of deadlines.yaml are those of DOMAIN.md, with their marks; a wrong file is refused by name."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from mpp_complaints import policy
from mpp_complaints.domain import Class

T0 = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


class TwoForOne:
    """A calendar in which a working day lasts two days: tells the two units apart."""

    def add_working_days(self, start: datetime, n: int) -> datetime:
        return start + timedelta(days=2 * n)

    def add_days(self, start: datetime, n: int) -> datetime:
        return start + timedelta(days=n)


def test_the_defaults_are_those_of_the_domain() -> None:
    ours = policy.default()
    spans = {"verify": ours.verify, "act": ours.act, "reply": ours.reply, "legal": ours.legal_maximum}
    assert {k: (s.amount, s.working, s.mark) for k, s in spans.items()} == {
        "verify": (3, True, "C"),
        "act": (5, True, "S"),
        "reply": (10, False, "S"),
        "legal": (60, False, "S"),
    }
    assert [ours.classes[c].amount for c in Class] == [2, 5, 14, 60]
    assert {(s.working, s.mark) for s in ours.classes.values()} == {(True, "C")}
    assert ours.limits.reopenings == 2


def test_terms_use_working_days_and_days() -> None:
    due = policy.terms(policy.default(), TwoForOne(), T0)
    assert due.verify_by == T0 + timedelta(days=6)
    assert due.act_by == T0 + timedelta(days=10)
    assert due.reply_by == T0 + timedelta(days=10)
    assert due.legal_by == T0 + timedelta(days=60)
    assert due.settle_by[Class.SUPERVISORY] == T0 + timedelta(days=120)


SOUND = (
    "deadlines: {verify: {working_days: 3, source: a, mark: C}, act: {working_days: 5, source: a, mark: S},"
    " reply: {days: 10, source: a, mark: S}, legal_maximum: {days: 60, source: a, mark: S}}\n"
    "classes: {light: {working_days: 2, source: a, mark: C},"
    " normative: {working_days: 5, source: a, mark: C},"
    " non_supervisory: {working_days: 14, source: a, mark: C},"
    " supervisory: {working_days: 60, source: a, mark: C}}\n"
    "limits: {reopenings: {count: 2, source: a, mark: P}, escalation_levels: {count: 3, source: a, mark: P},"
    " info_requests: {count: 5, source: a, mark: P}}\n"
)


@pytest.mark.parametrize(
    ("was", "becomes", "named"),
    [
        ("verify:", "check:", "deadlines"),
        ("working_days: 3", "working_days: 0", "deadlines.verify.working_days"),
        ("days: 10", "days: ten", "deadlines.reply.days"),
        ("working_days: 2,", "working_days: 2, days: 3,", "classes.light"),
        ("mark: P", "mark: X", "limits.reopenings.mark"),
        ("source: a", "source: ''", "deadlines.verify.source"),
        ("count: 2", "count: true", "limits.reopenings.count"),
    ],
)
def test_a_wrong_file_is_refused_where_it_is_wrong(was: str, becomes: str, named: str) -> None:
    assert policy.parse(SOUND).verify.amount == 3
    with pytest.raises(policy.PolicyError, match=re.escape(named)):
        policy.parse(SOUND.replace(was, becomes, 1))
