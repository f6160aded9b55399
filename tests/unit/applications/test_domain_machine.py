"""Any sequence of commands, at any time, against a model that is nothing but a list of allowed steps and a
few sums.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from mpp_applications.domain import (
    PICKUP_TRIES,
    Action,
    Advanced,
    Application,
    Flag,
    Flagged,
    Offering,
    PickupLocked,
    Promise,
    RequirementsMissing,
    SealedApplicant,
    State,
    Unit,
    WrongState,
    open_application,
)
from mpp_chassis.worktime import WorkCalendar

DAY = [(time(8), time(12)), (time(13), time(15))]
CALENDAR = WorkCalendar("Asia/Jayapura", dict.fromkeys(range(1, 6), DAY), frozenset({date(2025, 3, 5)}))
SITE = "sites/malang"
# What may follow what, as a person would write it down; `PAUSED` steps go back to where they came from.
ALLOWED = """
DRAFT: SUBMITTED WITHDRAWN EXPIRED
SUBMITTED: VERIFYING WITHDRAWN
VERIFYING: RETURNED ACCEPTED REJECTED WITHDRAWN
RETURNED: SUBMITTED WITHDRAWN EXPIRED
ACCEPTED: PROCESSING PAYMENT_DUE ON_HOLD REJECTED WITHDRAWN
PROCESSING: INSPECTION PAYMENT_DUE ON_HOLD APPROVED REJECTED WITHDRAWN
INSPECTION: PROCESSING ON_HOLD APPROVED REJECTED WITHDRAWN
PAYMENT_DUE: REJECTED WITHDRAWN EXPIRED
ON_HOLD: REJECTED WITHDRAWN
APPROVED: PAYMENT_DUE ON_HOLD ISSUED WITHDRAWN
ISSUED: READY_FOR_PICKUP CORRECTED REVOKED
READY_FOR_PICKUP: READY_FOR_PICKUP COLLECTED CORRECTED REVOKED
COLLECTED: CORRECTED REVOKED
CORRECTED: READY_FOR_PICKUP CORRECTED REVOKED
REJECTED:
WITHDRAWN:
EXPIRED:
REVOKED:
"""
FOLLOWS = {line.split(":")[0]: set(line.split(":")[1].split()) for line in ALLOWED.strip().splitlines()}
TARGET = {
    Action.START_VERIFICATION: "VERIFYING", Action.RETURN: "RETURNED", Action.START_PROCESSING: "PROCESSING",
    Action.START_INSPECTION: "INSPECTION", Action.REQUEST_PAYMENT: "PAYMENT_DUE", Action.HOLD: "ON_HOLD",
    Action.APPROVE: "APPROVED", Action.REJECT: "REJECTED", Action.EXPIRE: "EXPIRED",
    Action.CORRECT: "CORRECTED", Action.REVOKE: "REVOKED",
}  # fmt: skip
WAITS = {"PAYMENT_DUE", "ON_HOLD"}


class Life(RuleBasedStateMachine):
    @initialize(
        promise=st.none() | st.builds(Promise, st.integers(1, 12), st.sampled_from(Unit)),
        presented=st.sets(st.sampled_from(["ktp", "kk"])),
        steps=st.integers(0, 9),
    )
    def begin(self, promise: Promise | None, presented: set[str], steps: int) -> None:
        self.now = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)
        offering = Offering(f"{SITE}/offerings/kk", f"{SITE}/agencies/dukcapil", ("kk", "ktp"), promise)
        self.app: Application = open_application(
            name=f"{SITE}/applications/a1", site=SITE, offering=offering, ticket="", known_ticket=None,
            applicant=SealedApplicant("n", "k", "p", "i"), warnings=(), presented=presented,
            owner_keys=("nik:i",), duplicate=False, now=self.now, actor="officer:a",
        )  # fmt: skip
        self.state, self.left, self.path = "DRAFT", "", ["DRAFT"]
        self.presented, self.wrong, self.code = presented, 0, ""
        self.flags: list[Flag] = []
        for _ in range(steps):
            self.go_on()

    def _took(self, after: Application, target: str) -> None:
        """The command was accepted: it must have been allowed, and told by exactly one step."""
        steps = [e for e in after.events[self._told_before(after) :] if isinstance(e, Advanced)]
        assert [(s.from_state, s.state) for s in steps] == [(self.state, target)]
        if target in WAITS:
            self.left = self.state
        self.state = target
        self.path.append(target)
        self._learn(after)

    def _told_before(self, after: Application) -> int:
        assert after.events[: len(self.app.events)] == self.app.events
        return len(self.app.events)

    def _learn(self, after: Application) -> None:
        fresh = after.events[self._told_before(after) :]
        self.flags += [e.flag for e in fresh if isinstance(e, Flagged)]
        self.app = after

    def _try(self, target: str, allowed: bool, act: object) -> None:
        try:
            after = act()  # type: ignore[operator]
        except WrongState:
            assert not allowed, f"{self.state} -> {target} was refused"
            return
        assert allowed, f"{self.state} -> {target} was let through"
        self._took(after, target)

    @rule(minutes=st.integers(0, 3000))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def go_on(self) -> None:
        """The usual next step, so that many lives get as far as the pickup."""
        if self.state in ("DRAFT", "RETURNED"):
            self.submit({"ktp", "kk"})
        elif self.state in ("ACCEPTED", "SUBMITTED", "PROCESSING"):
            usual = {
                "SUBMITTED": "START_VERIFICATION",
                "ACCEPTED": "START_PROCESSING",
                "PROCESSING": "APPROVE",
            }
            self.advance(Action(usual[self.state]))
        elif self.state in ("ISSUED", "CORRECTED"):
            self.mark_ready("a")
        elif self.state == "READY_FOR_PICKUP":
            self.collect("a")
        else:
            {"VERIFYING": self.accept, "APPROVED": self.issue}.get(self.state, self.resume)()

    @rule(more=st.sets(st.sampled_from(["ktp", "kk"])))
    def submit(self, more: set[str]) -> None:
        def act() -> Application:
            return self.app.submit(presented=more, duplicate=False, now=self.now, actor="citizen:c")

        if self.state in ("DRAFT", "RETURNED") and self.presented | more != {"ktp", "kk"}:
            with pytest.raises(RequirementsMissing) as refused:
                act()
            assert set(refused.value.metadata["missing"].split(",")) == {"ktp", "kk"} - self.presented - more
            return
        allowed = "SUBMITTED" in FOLLOWS[self.state]
        self._try("SUBMITTED", allowed, act)
        self.presented |= more if allowed else set()

    @rule(action=st.sampled_from(sorted(TARGET)))
    def advance(self, action: Action) -> None:
        target = TARGET[action]
        # A pause is left, and an inspection ended, by RESUME; processing is started once.
        allowed = target in FOLLOWS[self.state] and not (action == "START_PROCESSING" and self.state == "INSPECTION")
        self._try(
            target,
            allowed,
            lambda: self.app.advance(action, now=self.now, actor="officer:a", reason="sebab", calendar=CALENDAR),
        )

    @rule()
    def resume(self) -> None:
        target = self.left if self.state in WAITS else "PROCESSING"
        self._try(
            target,
            self.state in WAITS | {"INSPECTION"},
            lambda: self.app.advance(Action.RESUME, now=self.now, actor="officer:a", calendar=CALENDAR),
        )

    @rule()
    def accept(self) -> None:
        self._try(
            "ACCEPTED",
            "ACCEPTED" in FOLLOWS[self.state],
            lambda: self.app.accept(calendar=CALENDAR, at_risk_percent=80, now=self.now, actor="officer:a"),
        )

    @rule()
    def issue(self) -> None:
        self._try(
            "ISSUED",
            "ISSUED" in FOLLOWS[self.state],
            lambda: self.app.issue(document_number="1", now=self.now, actor="officer:a"),
        )

    @rule(code=st.sampled_from(["a", "b"]))
    def mark_ready(self, code: str) -> None:
        allowed = "READY_FOR_PICKUP" in FOLLOWS[self.state]

        def act() -> Application:
            return self.app.mark_ready(code_hash=code, sealed_code="s", now=self.now, actor="officer:a")

        self._try("READY_FOR_PICKUP", allowed, act)
        if allowed:
            self.code, self.wrong = code, 0

    @rule(code=st.sampled_from(["a", "b"]))
    def collect(self, code: str) -> None:
        try:
            after = self.app.collect(code_hash=code, now=self.now, actor="officer:a")
        except WrongState:
            assert self.state != "READY_FOR_PICKUP"
            return None
        except PickupLocked:
            assert self.wrong == PICKUP_TRIES
            return None
        assert self.state == "READY_FOR_PICKUP"
        assert self.wrong < PICKUP_TRIES
        if code == self.code:
            return self._took(after, "COLLECTED")
        self.wrong += 1
        assert after.state is State.READY_FOR_PICKUP
        assert after.pickup is not None
        assert after.pickup.tries_left == PICKUP_TRIES - self.wrong
        assert len(after.events) == len(self.app.events)
        self.app = after
        return None

    @rule(times=st.integers(2, PICKUP_TRIES + 1))
    def guess(self, times: int) -> None:
        for _ in range(times):
            self.collect("a wrong code")

    @rule()
    def withdraw(self) -> None:
        allowed = "WITHDRAWN" in FOLLOWS[self.state]
        self._try("WITHDRAWN", allowed, lambda: self.app.withdraw(now=self.now, actor="citizen:c"))

    @rule()
    def sweep(self) -> None:
        self._learn(self.app.raise_due_flags(self.now))

    @invariant()
    def counted_anew_by_the_same_days_the_deadline_is_the_same(self) -> None:
        """Pauses stop and resume the clock exactly: replaying the history comes to what was kept step by step."""
        assert self.app.recounted(CALENDAR, 80) is self.app

    @invariant()
    def agrees_with_the_model(self) -> None:
        if not hasattr(self, "app"):
            return
        assert self.app.state == self.state
        assert [h.state for h in self.app.history] == self.path

    @invariant()
    def flags_are_told_once_and_in_order(self) -> None:
        if not hasattr(self, "app"):
            return
        assert len(self.flags) == len(set(self.flags))
        assert set(self.flags) == set(self.app.flags)
        assert self.flags == [f for f in (Flag.SLA_AT_RISK, Flag.SLA_BREACHED) if f in self.flags]

    @invariant()
    def the_clock_keeps_its_promise(self) -> None:
        if not hasattr(self, "app"):
            return
        clock, promise = self.app.clock, self.app.promise
        if clock is None:
            assert promise is None or "ACCEPTED" not in self.path
            return
        assert clock.accepted_at <= clock.at_risk_at <= clock.due_at
        assert CALENDAR.is_working_day(CALENDAR.local_date(clock.due_at))
        if self.state in WAITS | {"ISSUED", "COLLECTED", "REJECTED", "WITHDRAWN", "EXPIRED"}:
            assert self.app.next_flag is None
        if Flag.SLA_BREACHED in self.app.flags:
            assert clock.due_at <= self.now


Life.TestCase.settings = settings(stateful_step_count=30, deadline=None)
TestLife = Life.TestCase
