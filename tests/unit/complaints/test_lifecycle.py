"""Any order of steps and any passing of time against a simple model: plain words, plain days."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from mpp_complaints import domain
from mpp_complaints.domain import Class, Limits, State, Terms, Visibility

DAY = timedelta(days=1)
DAYS = {"light": 2, "normative": 5, "non_supervisory": 14, "supervisory": 84}
LIMITS = Limits(reopenings=2, escalation_levels=3, info_requests=2)
# Written down by hand from DOMAIN.md, on purpose not from the table under test.
ALLOWED = {
    "request_info": "received verified assigned in_progress reopened escalated",
    "reply": "needs_info",
    "verify": "received",
    "assign": "verified reopened escalated",
    "start": "assigned reopened escalated",
    "escalate": "verified assigned in_progress reopened escalated",
    "reject": "received verified",
    "merge": "received needs_info verified assigned in_progress",
    "answer": "verified assigned in_progress reopened escalated",
    "rate": "answered",
    "reopen": "answered",
    "withdraw": "received needs_info verified assigned in_progress reopened escalated",
    "restore": "merged",
}
TO = {
    "request_info": "needs_info",
    "verify": "verified",
    "assign": "assigned",
    "start": "in_progress",
    "escalate": "escalated",
    "reject": "rejected",
    "merge": "merged",
    "answer": "answered",
    "rate": "closed",
    "withdraw": "withdrawn",
    "restore": "received",
}
ACCUSED, INSPECTORATE = "sites/malang/agencies/dukcapil", "sites/malang/agencies/inspektorat"
OFFERING = "sites/malang/offerings/ktp-el"
TARGET = "sites/malang/complaints/bbbbbbbbbb"


def terms(now: datetime) -> Terms:
    settle = {c: now + DAYS[c.value] * DAY for c in Class}
    return Terms(now + 3 * DAY, now + 5 * DAY, now + 10 * DAY, now + 60 * DAY, settle, LIMITS)


def longer(begun: datetime, days: int) -> Terms:
    plain, more = terms(begun), days * DAY
    settle = {c: at + more for c, at in plain.settle_by.items()}
    return replace(plain, verify_by=plain.verify_by + more, act_by=plain.act_by + more, settle_by=settle)


class Life(RuleBasedStateMachine):
    """The model is a word for the state, three counters, and the day the file was complete."""

    @initialize(
        klass=st.sampled_from(Class),
        visibility=st.sampled_from(Visibility),
        routed=st.sampled_from([None, "", INSPECTORATE]),
    )
    def file(self, klass: Class, visibility: Visibility, routed: str | None) -> None:
        self.overcharge = None if routed is None else domain.Overcharge(200_000, 50_000, b"fee", OFFERING)
        self.routed = routed
        self.now = datetime(2026, 1, 5, tzinfo=UTC)
        new = domain.NewComplaint(
            name="sites/malang/complaints/aaaaaaaaaa",
            agency=ACCUSED,
            subject="Antrean lama",
            sealed_words="s0",
            visibility=visibility,
            classified=klass,
            owner="sub:ani",
            routed_to=routed,
            overcharge=self.overcharge,
        )
        self.complaint = domain.file(new, terms(self.now), self.now, "citizen:ani")
        hidden = routed is not None and visibility is Visibility.PUBLIC
        self.state, self.asked_from = "received", ""
        self.visibility = Visibility.ANONYMOUS if hidden else visibility
        self.reopened = self.level = self.asked = self.said = 0
        self.steps = 1
        self.complete: datetime | None = None
        self.told: list[datetime] = []

    def act(self, step: str) -> domain.Complaint:
        c, t, n = self.complaint, terms(self.now), self.now
        calls = {
            "request_info": lambda: c.request_info("Loket berapa?", t, n, "h"),
            "reply": lambda: c.reply(f"s{self.said + 1}", t, n, "citizen:ani"),
            "verify": lambda: c.verify(None, t, n, "h"),
            "assign": lambda: c.assign(n, "h"),
            "start": lambda: c.start(n, "h"),
            "escalate": lambda: c.escalate("Terlalu lama", t, n, "h"),
            "reject": lambda: c.reject("Bukan wewenang", n, "h"),
            "merge": lambda: c.merge(TARGET, n, "h"),
            "answer": lambda: c.give_answer("Sudah diperbaiki.", t, n, "h"),
            "rate": lambda: c.rate(4, n, "citizen:ani"),
            "reopen": lambda: c.reopen("sealed why", t, n, "citizen:ani"),
            "withdraw": lambda: c.withdraw(n, "citizen:ani"),
            "restore": lambda: c.restore(t, n),
        }
        return calls[step]()

    @rule(step=st.sampled_from(sorted(ALLOWED)))
    def step(self, step: str) -> None:
        expected = self.expect(step)
        if expected:
            with pytest.raises(domain.ComplaintError) as refused:
                self.act(step)
            assert refused.value.reason == expected, (step, self.state)
            return
        before, after = self.complaint, self.act(step)
        self.complaint = after
        self.follow(step)
        (event,) = after.events
        assert isinstance(event, domain.Advanced)
        assert event.from_state == before.state
        assert after.history[:-1] == before.history

    def expect(self, step: str) -> str:
        """The reason of the refusal, or empty."""
        if self.state not in ALLOWED[step].split():
            return "WRONG_STATE"
        late = self.state in ("needs_info", "answered") and self.now >= self.entered + 10 * DAY
        if late and step in ("reply", "rate", "reopen", "withdraw"):
            return "REPLY_WINDOW_CLOSED"
        if step == "request_info" and self.asked == 2:
            return "LIMIT_REACHED"
        goes_up = step == "escalate" or (step == "reopen" and self.reopened == 2)
        return "LIMIT_REACHED" if goes_up and self.level == 3 else ""

    def follow(self, step: str) -> None:
        self.steps += 1
        source, self.entered = self.state, self.now
        if step == "request_info":
            self.asked, self.asked_from = self.asked + 1, source
        if step == "reply":
            self.state, self.said = self.asked_from, self.said + 1
        elif step == "reopen" and self.reopened < 2:
            self.state, self.reopened = "reopened", self.reopened + 1
        elif step == "reopen":
            self.state, self.level = "escalated", self.level + 1
        else:
            self.state = TO[step]
            self.level += step == "escalate"
        if step in ("verify", "reopen"):
            self.complete = self.now
        if step == "restore":
            self.complete = None

    @rule(hours=st.integers(1, 24 * 20))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    @precondition(lambda self: self.state not in ("closed", "rejected", "merged", "withdrawn"))
    def sweep(self) -> None:
        due = self.complaint.due_at
        assert due is not None, "an open complaint always has something due"
        after = self.complaint.tick(self.now)
        if self.now < due:
            assert after == self.complaint
        elif self.state in ("needs_info", "answered"):
            self.state = "closed"
            self.steps += 1
        elif due in self.told:
            assert after.events == ()
        else:
            assert [type(e) for e in after.events] == [domain.WentOverdue]
            self.told.append(due)
        self.complaint = after
        assert self.complaint.tick(self.now).events == (), "a second sweep finds nothing"

    @invariant()
    def same_as_the_model(self) -> None:
        c = self.complaint
        assert c.state == self.state
        assert (c.reopenings, c.escalation_level, c.info_requests) == (self.reopened, self.level, self.asked)
        assert c.words == tuple(f"s{i}" for i in range(self.said + 1))
        assert c.visibility is self.visibility
        assert list(c.missed) == self.told
        assert len(c.history) == self.steps
        assert (c.state in domain.ENDS) == (c.due_at is None)

    @invariant()
    def whoever_is_accused_of_taking_money_never_sees_it(self) -> None:
        c = self.complaint
        assert (c.overcharge, c.kind is domain.Kind.OVERCHARGE) == (self.overcharge, self.overcharge is not None)
        assert c.handled_by == (ACCUSED if self.routed is None else self.routed)
        if c.overcharge is not None:
            assert c.handled_by != c.agency
            assert not c.words_for(domain.Reader.OFFICER)
            assert not c.person_for(domain.Reader.OFFICER)
        assert c.words_for(domain.Reader.REPORTER)
        assert c.person_for(domain.Reader.REPORTER)

    @rule(more=st.integers(-1, 3))
    def holidays_are_published(self, more: int) -> None:
        """Days that a clock began to count before anybody knew of them come back; the legal maximum stays."""
        before = self.complaint
        self.complaint = after = before.recounted(lambda begun: longer(begun, more))
        assert replace(after, due_at=before.due_at, settle_by=before.settle_by) == before
        if before.due_at is None or self.state in ("needs_info", "answered") or more <= 0:
            assert after == before
        else:
            assert after.due_at is not None
            assert before.due_at <= after.due_at <= before.due_at + more * DAY

    @invariant()
    def the_legal_maximum_holds(self) -> None:
        if self.complete is not None and self.complaint.state in domain.HANDLED:
            assert self.complaint.due_at is not None
            assert self.complaint.due_at <= self.complete + 60 * DAY

    @invariant()
    def a_rating_only_where_it_is_closed(self) -> None:
        assert not self.complaint.rating or self.complaint.state is State.CLOSED


Life.TestCase.settings = settings(stateful_step_count=40, deadline=None)
TestLife = Life.TestCase
