"""The rules of an application, one by one: examples that a person can check against DOMAIN.md."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from mpp_applications.domain import (
    CLOSED,
    PICKUP_TRIES,
    TRANSITIONS,
    Action,
    Advanced,
    Application,
    Flag,
    Flagged,
    InvalidField,
    Offering,
    Opened,
    PickupLocked,
    Promise,
    RequirementsMissing,
    SealedApplicant,
    State,
    Ticket,
    Unit,
    WrongState,
    new_pickup_code,
    open_application,
)
from mpp_chassis.worktime import WorkCalendar

SITE = "sites/malang"
DUKCAPIL = f"{SITE}/agencies/dukcapil"
OFFERING = Offering(f"{SITE}/offerings/kartu-keluarga", DUKCAPIL, ("kk-lama", "ktp"), Promise(3, Unit.WORKING_DAY))
APPLICANT = SealedApplicant("sealed-name", "sealed-nik", "sealed-phone", "index")
WIB = ZoneInfo("Asia/Jakarta")
DAY = [(time(8), time(12)), (time(13), time(15))]
CALENDAR = WorkCalendar("Asia/Jakarta", dict.fromkeys(range(1, 6), DAY))
OFFICER = "officer:budi"
MONDAY = datetime(2025, 3, 3, 9, 0, tzinfo=WIB)


def draft(offering: Offering = OFFERING, **changes: object) -> Application:
    arguments: dict[str, object] = {
        "name": f"{SITE}/applications/a1",
        "site": SITE,
        "offering": offering,
        "ticket": "",
        "known_ticket": None,
        "applicant": APPLICANT,
        "warnings": (),
        "presented": offering.requirements,
        "owner_keys": ("nik:index",),
        "duplicate": False,
        "now": MONDAY,
        "actor": OFFICER,
    }
    return open_application(**{**arguments, **changes})  # type: ignore[arg-type]


def accepted(offering: Offering = OFFERING, now: datetime = MONDAY) -> Application:
    app = draft(offering, now=now).submit(presented=(), duplicate=False, now=now, actor=OFFICER)
    app = app.advance(Action.START_VERIFICATION, now=now, actor=OFFICER)
    app = app.accept(calendar=CALENDAR, at_risk_percent=80, now=now, actor=OFFICER)
    return replace(app, events=())


def processing(offering: Offering = OFFERING, now: datetime = MONDAY) -> Application:
    return step(accepted(offering, now), Action.START_PROCESSING, now)


def step(app: Application, action: Action, now: datetime = MONDAY, reason: str = "sebab") -> Application:
    after = app.advance(action, now=now, actor=OFFICER, reason=reason, calendar=CALENDAR)
    return replace(after, events=())


def issued() -> Application:
    app = step(processing(), Action.APPROVE)
    return replace(app.issue(document_number="KK-1", now=MONDAY, actor=OFFICER), events=())


def ready(code_hash: str = "right") -> Application:
    app = issued().mark_ready(code_hash=code_hash, sealed_code="sealed", now=MONDAY, actor=OFFICER)
    return replace(app, events=())


def test_a_draft_tells_that_it_was_opened() -> None:
    app = draft()
    assert app.state is State.DRAFT
    assert app.events == (Opened(MONDAY),)
    assert [(h.state, h.actor) for h in app.history] == [(State.DRAFT, OFFICER)]
    assert app.is_open


def test_offering_and_ticket_belong_to_the_site() -> None:
    with pytest.raises(InvalidField) as refused:
        draft(replace(OFFERING, name="sites/batu/offerings/kartu-keluarga"))
    assert refused.value.field == "offering"
    with pytest.raises(InvalidField) as refused:
        draft(ticket="sites/batu/queues/d/tickets/t1")
    assert refused.value.field == "ticket"
    # A prefix that only looks like the site is another site.
    with pytest.raises(InvalidField):
        draft(replace(OFFERING, name="sites/malang-kota/offerings/kartu-keluarga"))


def test_a_known_ticket_is_of_the_agency_and_an_unknown_one_may_come_late() -> None:
    ticket = f"{SITE}/queues/d/tickets/t1"
    assert draft(ticket=ticket).ticket == ticket
    assert draft(ticket=ticket, known_ticket=Ticket(ticket, DUKCAPIL)).ticket == ticket
    with pytest.raises(InvalidField) as refused:
        draft(ticket=ticket, known_ticket=Ticket(ticket, f"{SITE}/agencies/samsat"))
    assert refused.value.field == "ticket"


def test_a_requirement_nobody_asked_for_is_named() -> None:
    with pytest.raises(InvalidField, match="paspor") as refused:
        draft(presented=("ktp", "paspor"))
    assert refused.value.field == "presented_requirements"
    with pytest.raises(InvalidField, match="paspor"):
        draft().submit(presented=("paspor",), duplicate=False, now=MONDAY, actor=OFFICER)


def test_submitting_needs_every_requirement_and_lists_what_is_missing() -> None:
    app = draft(presented=())
    with pytest.raises(RequirementsMissing) as refused:
        app.submit(presented=("ktp",), duplicate=False, now=MONDAY, actor=OFFICER)
    assert refused.value.metadata == {"missing": "kk-lama"}
    done = draft(presented=("ktp",)).submit(presented=("kk-lama",), duplicate=False, now=MONDAY, actor=OFFICER)
    assert done.state is State.SUBMITTED
    assert done.presented == ("kk-lama", "ktp")


def test_a_returned_file_is_handed_in_again() -> None:
    app = draft().submit(presented=(), duplicate=False, now=MONDAY, actor=OFFICER)
    app = step(step(app, Action.START_VERIFICATION), Action.RETURN, reason="KTP buram")
    assert (app.state, app.reason) == (State.RETURNED, "KTP buram")
    again = app.submit(presented=(), duplicate=False, now=MONDAY, actor="citizen:siti")
    assert (again.state, again.reason) == (State.SUBMITTED, "")


@pytest.mark.parametrize("action", [Action.RETURN, Action.HOLD, Action.REJECT, Action.CORRECT, Action.REVOKE])
def test_a_reason_is_due(action: Action) -> None:
    state = next(s for s, ways in TRANSITIONS.items() if action in ways)
    app = replace(processing(), state=state)
    for empty in ("", "  \n"):
        with pytest.raises(InvalidField) as refused:
            app.advance(action, now=MONDAY, actor=OFFICER, reason=empty, calendar=CALENDAR)
        assert refused.value.field == "reason"
    assert app.advance(action, now=MONDAY, actor=OFFICER, reason="sebab").reason == "sebab"


@pytest.mark.parametrize(
    "reason",
    [
        "NIK 3573011201900001 salah",
        "3573 0112 0190 0001",
        "3573.0112-01900001",
        "+62 812-3456-7890",
        "hub. 081234567890",
    ],
)
def test_a_reason_never_carries_a_nik_or_a_phone(reason: str) -> None:
    with pytest.raises(InvalidField) as refused:
        processing().advance(Action.HOLD, now=MONDAY, actor=OFFICER, reason=reason)
    assert refused.value.field == "reason"
    assert not any(c.isdigit() for c in str(refused.value))


@pytest.mark.parametrize("reason", ["KTP 2 lembar, 2025-03-08", "surat 470/0812/35.73/2025", "kurang Rp 1.250.000"])
def test_ordinary_numbers_may_stand_in_a_reason(reason: str) -> None:
    assert processing().advance(Action.HOLD, now=MONDAY, actor=OFFICER, reason=reason).reason == reason


def test_accepting_starts_the_clock_of_the_standard() -> None:
    app = accepted()
    assert app.clock is not None
    assert app.clock.accepted_at == MONDAY
    assert app.clock.due_at == datetime(2025, 3, 6, 15, 0, tzinfo=WIB)
    # 5 h of Monday and 3 x 6 h are 23 h; four fifths are 18.4 h: 13.4 h after Monday, that is Thursday 9:24.
    assert app.clock.at_risk_at == datetime(2025, 3, 6, 9, 24, tzinfo=WIB)
    assert app.next_flag == (app.clock.at_risk_at, Flag.SLA_AT_RISK)


@pytest.mark.parametrize(
    ("promise", "due"),
    [
        (Promise(1, Unit.WORKING_DAY), datetime(2025, 3, 4, 15, 0, tzinfo=WIB)),
        (Promise(6, Unit.WORKING_HOUR), datetime(2025, 3, 4, 9, 0, tzinfo=WIB)),
        (Promise(15, Unit.MINUTE), datetime(2025, 3, 3, 9, 15, tzinfo=WIB)),
    ],
)
def test_the_three_units_of_a_promise(promise: Promise, due: datetime) -> None:
    app = accepted(replace(OFFERING, promise=promise))
    assert app.clock is not None
    assert app.clock.due_at == due


def test_a_standard_without_a_time_has_no_clock() -> None:
    app = draft(replace(OFFERING, promise=None)).submit(presented=(), duplicate=False, now=MONDAY, actor=OFFICER)
    app = step(app, Action.START_VERIFICATION)
    app = app.accept(calendar=None, at_risk_percent=80, now=MONDAY, actor=OFFICER)
    assert app.clock is None
    assert app.next_flag is None
    resumed = step(step(app, Action.HOLD), Action.RESUME)
    assert resumed.state is State.ACCEPTED


@pytest.mark.parametrize("pause", [Action.HOLD, Action.REQUEST_PAYMENT])
def test_a_pause_moves_the_deadline_by_its_working_time(pause: Action) -> None:
    app = step(processing(), pause, MONDAY + timedelta(hours=1))  # 10:00
    assert app.next_flag is None
    back = step(app, Action.RESUME, datetime(2025, 3, 4, 9, 0, tzinfo=WIB))  # 4 h of Monday, 1 h of Tuesday
    assert back.state is State.PROCESSING
    assert back.clock is not None
    assert back.clock.due_at == datetime(2025, 3, 7, 14, 0, tzinfo=WIB)
    assert back.next_flag is not None


def test_a_pause_over_a_weekend_moves_nothing() -> None:
    friday = datetime(2025, 3, 7, 15, 0, tzinfo=WIB)
    app = processing(now=friday - timedelta(hours=2))
    before = app.clock
    back = step(step(app, Action.HOLD, friday), Action.RESUME, datetime(2025, 3, 10, 8, 0, tzinfo=WIB))
    assert back.clock == before


def test_late_stays_late() -> None:
    app = processing()
    assert app.clock is not None
    late = app.clock.due_at + timedelta(hours=1)
    paused = app.advance(Action.HOLD, now=late, actor=OFFICER, reason="sebab")
    assert paused.flags == {Flag.SLA_AT_RISK, Flag.SLA_BREACHED}
    back = step(paused, Action.RESUME, late + timedelta(days=7))
    assert back.clock is not None
    assert back.clock.due_at == app.clock.due_at
    assert back.next_flag is None


def test_a_holiday_that_is_published_later_gives_its_day_back() -> None:
    app = processing()
    assert app.clock is not None
    paused = step(app, Action.HOLD, MONDAY + timedelta(hours=1))
    resumed = paused.advance(Action.RESUME, now=MONDAY + timedelta(hours=3), actor=OFFICER, calendar=CALENDAR)
    assert resumed.clock is not None
    assert resumed.recounted(CALENDAR, 80) is resumed, "nothing was published"
    joint_leave = replace(CALENDAR, holidays=frozenset({(MONDAY + timedelta(days=2)).date()}))
    for before, days in ((app, 1), (resumed, 3)):  # from Thursday to Friday; from Friday to Monday
        assert before.clock is not None
        moved = before.recounted(joint_leave, 80)
        assert moved.clock is not None
        assert moved.clock.due_at == before.clock.due_at + timedelta(days=days)
        assert moved.clock.at_risk_at > before.clock.at_risk_at
        assert moved.recounted(CALENDAR, 80) is moved, "a day that is taken back again is not taken from the agency"
        assert not moved.raise_due_flags(before.clock.due_at).flags & {Flag.SLA_BREACHED}
    assert paused.recounted(joint_leave, 80) is paused, "while it stands still nothing falls due"


def test_resuming_goes_back_to_what_was_left() -> None:
    app = processing()
    held = step(step(app, Action.START_INSPECTION), Action.HOLD)
    assert step(held, Action.RESUME).state is State.INSPECTION
    assert step(step(app, Action.START_INSPECTION), Action.RESUME).state is State.PROCESSING
    approved = step(app, Action.APPROVE)
    assert step(step(approved, Action.REQUEST_PAYMENT), Action.RESUME).state is State.APPROVED


def test_flags_are_raised_once_when_they_fall_due() -> None:
    app = processing()
    assert app.clock is not None
    assert app.raise_due_flags(app.clock.at_risk_at - timedelta(seconds=1)) is app
    risky = app.raise_due_flags(app.clock.at_risk_at)
    assert risky.flags == {Flag.SLA_AT_RISK}
    assert risky.events == (Flagged(Flag.SLA_AT_RISK, app.clock.due_at, app.clock.at_risk_at),)
    assert risky.raise_due_flags(app.clock.due_at - timedelta(seconds=1)) is risky
    late = risky.raise_due_flags(app.clock.due_at)
    assert late.flags == {Flag.SLA_AT_RISK, Flag.SLA_BREACHED}
    assert late.next_flag is None
    assert late.raise_due_flags(app.clock.due_at + timedelta(days=9)) is late


def test_issuing_ends_the_clock_and_an_unseen_breach_is_told() -> None:
    app = step(processing(), Action.APPROVE)
    assert app.clock is not None
    late = app.issue(document_number="KK-1", now=app.clock.due_at, actor=OFFICER)
    assert [type(e) for e in late.events] == [Flagged, Flagged, Advanced]
    assert late.next_flag is None
    in_time = app.issue(document_number="KK-1", now=MONDAY, actor=OFFICER)
    assert not in_time.flags
    assert in_time.raise_due_flags(MONDAY + timedelta(days=365)) is in_time


def test_a_duplicate_is_only_suspected_and_told_once() -> None:
    app = draft(duplicate=True)
    assert app.state is State.DRAFT
    assert app.flags == {Flag.DUPLICATE_SUSPECTED}
    assert app.events == (Opened(MONDAY), Flagged(Flag.DUPLICATE_SUSPECTED, None, MONDAY))
    again = replace(app, events=()).submit(presented=(), duplicate=True, now=MONDAY, actor=OFFICER)
    assert [type(e) for e in again.events] == [Advanced]


def test_the_pickup_code_opens_once() -> None:
    done = ready().collect(code_hash="right", now=MONDAY, actor=OFFICER)
    assert done.state is State.COLLECTED
    assert done.pickup is None
    with pytest.raises(WrongState):
        done.collect(code_hash="right", now=MONDAY, actor=OFFICER)


def test_five_wrong_codes_lock_the_pickup_until_a_new_code() -> None:
    app = ready()
    for left in range(PICKUP_TRIES - 1, -1, -1):
        app = app.collect(code_hash="wrong", now=MONDAY, actor=OFFICER)
        assert app.state is State.READY_FOR_PICKUP
        assert app.events == ()
        assert app.pickup is not None
        assert app.pickup.tries_left == left
    with pytest.raises(PickupLocked):
        app.collect(code_hash="right", now=MONDAY, actor=OFFICER)
    anew = app.mark_ready(code_hash="new", sealed_code="sealed-new", now=MONDAY, actor=OFFICER)
    assert anew.events == (Advanced(State.READY_FOR_PICKUP, State.READY_FOR_PICKUP, "", MONDAY, "sealed-new"),)
    assert anew.collect(code_hash="right", now=MONDAY, actor=OFFICER).state is State.READY_FOR_PICKUP
    assert anew.collect(code_hash="new", now=MONDAY, actor=OFFICER).state is State.COLLECTED


def test_the_code_has_six_digits_and_comes_from_the_source_it_is_given() -> None:
    codes = [new_pickup_code(random.Random(seed)) for seed in range(300)]
    assert all(len(c) == 6 and c.isdigit() for c in codes)
    assert any(c.startswith("0") for c in codes)
    assert codes[7] == new_pickup_code(random.Random(7))


def test_a_corrected_document_is_handed_over_anew_and_a_revoked_one_never() -> None:
    collected = ready().collect(code_hash="right", now=MONDAY, actor=OFFICER)
    corrected = step(collected, Action.CORRECT)
    assert not corrected.is_open
    again = corrected.mark_ready(code_hash="c", sealed_code="s", now=MONDAY, actor=OFFICER)
    assert again.state is State.READY_FOR_PICKUP
    revoked = step(corrected, Action.REVOKE)
    with pytest.raises(WrongState) as refused:
        revoked.mark_ready(code_hash="c", sealed_code="s", now=MONDAY, actor=OFFICER)
    assert refused.value.metadata == {"state": "REVOKED", "action": "MARK_READY"}


def test_the_table_knows_every_state_and_no_dead_end_but_the_ends() -> None:
    assert set(TRANSITIONS) == set(State)
    ends = {s for s, ways in TRANSITIONS.items() if not ways}
    assert ends == {State.REJECTED, State.WITHDRAWN, State.EXPIRED, State.REVOKED}
    assert ends < CLOSED
    reached, border = {State.DRAFT}, [State.DRAFT]
    while border:
        for target in TRANSITIONS[border.pop()].values():
            if target is not None and target not in reached:
                reached.add(target)
                border.append(target)
    assert reached == set(State)
    assert {a for ways in TRANSITIONS.values() for a in ways} == set(Action)


def test_nothing_is_withdrawn_after_issue() -> None:
    before_issue = {s for s, ways in TRANSITIONS.items() if Action.WITHDRAW in ways}
    assert before_issue == {
        State.DRAFT, State.SUBMITTED, State.VERIFYING, State.RETURNED, State.ACCEPTED, State.PROCESSING,
        State.INSPECTION, State.PAYMENT_DUE, State.ON_HOLD, State.APPROVED,
    }  # fmt: skip
