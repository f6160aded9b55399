"""The figures of deadlines.yaml are those of DOMAIN.md, with their marks; a wrong file is refused by name."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from mpp_chassis.worktime import WorkCalendar
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


def malang() -> WorkCalendar:
    """March 2026 of the reference site: Nyepi and Idulfitri, with joint leave around them."""
    hours = {d: [(time(8), time(12)), (time(13), time(15 if d == 5 else 16))] for d in range(1, 6)}
    holidays = frozenset(date(2026, 3, d) for d in (18, 19, 20, 21, 22, 23, 24))
    return WorkCalendar("Asia/Jakarta", hours, holidays)


@pytest.mark.parametrize(
    ("filed", "due"),
    [
        ("2026-03-02 10:00", "2026-03-05 16:00"),  # Monday to Thursday
        ("2026-03-03 10:00", "2026-03-06 15:00"),  # Friday closes earlier
        ("2026-03-05 10:00", "2026-03-10 16:00"),  # over a weekend
        ("2026-03-07 23:30", "2026-03-11 16:00"),  # filed on a Saturday night
        ("2026-03-16 16:30", "2026-03-26 16:00"),  # 17, then seven days off, then 25 and 26
    ],
)
def test_verification_is_due_after_three_working_days_of_the_site(filed: str, due: str) -> None:
    wib = timezone(timedelta(hours=7))
    start = datetime.fromisoformat(filed).replace(tzinfo=wib)
    reckoned = policy.terms(policy.default(), malang(), start)
    assert reckoned.verify_by == datetime.fromisoformat(due).replace(tzinfo=wib)
    assert reckoned.reply_by == start + timedelta(days=10), "the reporter's days are calendar days"


def test_sixty_working_days_end_after_the_legal_maximum() -> None:
    reckoned = policy.terms(policy.default(), malang(), T0)
    assert reckoned.settle_by[Class.SUPERVISORY] > reckoned.legal_by == T0 + timedelta(days=60)


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


OVERCHARGE = (
    "overcharge: {class: {name: supervisory, source: a, mark: S},"
    " inspectorate: {agency: inspektorat, sites: {batu: '', malang: apip}, source: a, mark: S}}\n"
)


def test_where_a_report_of_an_overcharge_goes_is_data() -> None:
    told = policy.parse(SOUND + OVERCHARGE).overcharge
    assert told.classified is Class.SUPERVISORY
    assert [told.inspectorate(f"sites/{s}") for s in ("sidoarjo", "malang", "batu")] == ["inspektorat", "apip", ""]
    assert policy.parse(SOUND).overcharge.inspectorate("sites/malang") == "", "an older file: the site manager"
    assert policy.default().overcharge.inspectorate("sites/malang") == "inspektorat"


@pytest.mark.parametrize(
    ("was", "becomes", "named"),
    [
        ("name: supervisory", "name: grave", "overcharge.class.name"),
        ("agency: inspektorat", "agency: Inspektorat Kota", "overcharge.inspectorate"),
        ("sites: {", "sites: [], other: {", "overcharge.inspectorate"),
        ("mark: S}}", "mark: X}}", "overcharge.inspectorate.mark"),
    ],
)
def test_a_wrong_route_is_refused_where_it_is_wrong(was: str, becomes: str, named: str) -> None:
    with pytest.raises(policy.PolicyError, match=re.escape(named)):
        policy.parse(SOUND + OVERCHARGE.replace(was, becomes, 1))
