"""The rules of a ticket, one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_queue import domain
from mpp_queue.domain import (
    Admission,
    Delivery,
    Policy,
    PolicyKind,
    PriorityClass,
    PriorityGroup,
    QueueSpec,
    Return,
    Rules,
    State,
    Ticket,
)

T0 = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
RULES = Rules()
QUEUE = "sites/malang/queues/dukcapil"
SPEC = QueueSpec(
    name=QUEUE,
    site_id="malang",
    agency="sites/malang/agencies/dukcapil",
    prefix="D",
    counters=(3, 4, 5),
    minutes_per_visit=10,
    zone="Asia/Jakarta",
)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def issued(seq: int = 1, group: PriorityGroup = PriorityGroup.NONE, seconds: float = 0, **fields: object) -> Ticket:
    """Number `seq` of the day, come at `seconds`."""
    admission = Admission(f"{QUEUE}/tickets/t{seq:07d}", QUEUE, "kiosk", at(seconds), group=group)
    ticket = domain.issue(
        SPEC,
        admission,
        day="2026-11-23",
        seq=seq,
        event=domain.Issued(0, timedelta(0)),
        now=at(seconds),
        actor="kiosk:k1",
        rules=RULES,
    )
    return replace(ticket, **fields)  # type: ignore[arg-type]


def called(ticket: Ticket, seconds: float = 0, key: str = "c1", counter: int = 3) -> Ticket:
    return ticket.call(now=at(seconds), actor="officer:o1", counter=counter, call_key=key)


def in_state(state: State) -> Ticket:
    """A ticket that came into `state` by real steps."""
    ticket = issued()
    if state is State.WAITING:
        return ticket
    if state is State.CANCELLED:
        return ticket.cancel(now=at(1), actor="a", reason="")
    if state is State.CLOSED_AT_DAY_END:
        return ticket.close(now=at(1), actor="a", today="2026-11-24")
    ticket = called(ticket)
    if state is State.CALLED:
        return ticket
    if state is State.NO_SHOW:
        back = ticket.miss(now=at(1), actor="a", rules=RULES)
        return called(back, 2).miss(now=at(3), actor="a", rules=RULES)
    ticket = ticket.serve(now=at(1), actor="a")
    if state is State.PARKED:
        return ticket.park(now=at(2), actor="a", reason="fotokopi")
    if state is State.TRANSFERRED:
        return transferred(ticket, 2)
    return ticket if state is State.SERVING else ticket.finish(now=at(2), actor="a")


OTHER = "sites/malang/queues/bpjs"


def transferred(ticket: Ticket, seconds: float) -> Ticket:
    child = f"{OTHER}/tickets/child0001"
    return ticket.transfer(now=at(seconds), actor="a", child=child, target=OTHER, offering="", reason="salah loket")


REACHABLE = [s for s in State if s is not State.MISSED]
STEPS = {
    domain.Step.CALL: lambda t: called(t, 60),
    domain.Step.RECALL: lambda t: t.recall(now=at(60), actor="a", rules=RULES),
    domain.Step.SERVE: lambda t: t.serve(now=at(60), actor="a"),
    domain.Step.FINISH: lambda t: t.finish(now=at(60), actor="a"),
    domain.Step.MISS: lambda t: t.miss(now=at(60), actor="a", rules=RULES),
    domain.Step.CANCEL: lambda t: t.cancel(now=at(60), actor="a", reason="pulang"),
    domain.Step.UNDO: lambda t: t.undo(now=at(60), actor=t.called_by, rules=RULES),
    domain.Step.PARK: lambda t: t.park(now=at(60), actor="a", reason="fotokopi"),
    domain.Step.RESUME: lambda t: t.resume(now=at(60), actor="a", counter=4),
    domain.Step.TRANSFER: lambda t: transferred(t, 60),
    domain.Step.REQUEUE: lambda t: t.requeue(now=at(60), actor="a", reason="listrik", reset_calls=False, rules=RULES),
    domain.Step.CLOSE: lambda t: t.close(now=at(60), actor="a", today="2026-11-24"),
}


@pytest.mark.parametrize("state", REACHABLE)
@pytest.mark.parametrize("step", STEPS)
def test_every_step_from_every_state(step: domain.Step, state: State) -> None:
    ticket = in_state(state)
    assert ticket.state is state
    if state in domain.ALLOWED[step]:
        after = STEPS[step](ticket)
        assert len(after.events) == 1
        assert after.history[:-1] == ticket.history
        assert after.history[-1].state is after.state
    else:
        with pytest.raises(domain.WrongState) as error:
            STEPS[step](ticket)
        assert error.value.metadata["state"] == state.value


@pytest.mark.parametrize(
    ("seq", "number"), [(1, "D-001"), (42, "D-042"), (999, "D-999"), (1000, "D-1000"), (12345, "D-12345")]
)
def test_numbers(seq: int, number: str) -> None:
    assert issued(seq).number == number


def test_a_new_ticket_holds_no_key() -> None:
    ticket = issued()
    assert {ticket.call_key, ticket.second_call_key, ticket.busy_key} == {""}


def test_only_a_ticket_at_a_counter_holds_the_counter() -> None:
    for state in REACHABLE:
        ticket = in_state(state)
        held = ticket.busy_key == f"{QUEUE}#3#2026-11-23"
        assert held is (state in domain.AT_A_COUNTER), state
        assert held or ticket.busy_key == ""


def test_an_offering_of_another_site_is_refused() -> None:
    admission = Admission("n", QUEUE, "kiosk", T0, offering="sites/batu/offerings/kk")
    event = domain.Issued(0, timedelta(0))
    with pytest.raises(domain.InvalidField) as error:
        domain.issue(SPEC, admission, day="2026-11-23", seq=1, event=event, now=T0, actor="a", rules=RULES)
    assert error.value.field == "offering"


def test_recall_waits_for_the_gap_and_stops_at_the_limit() -> None:
    ticket = called(issued())
    with pytest.raises(domain.RecallTooSoon) as soon:
        ticket.recall(now=at(14.2), actor="a", rules=RULES)
    assert soon.value.metadata == {"retry_after_seconds": "1"}
    ticket = ticket.recall(now=at(15), actor="a", rules=RULES).recall(now=at(30), actor="a", rules=RULES)
    assert ticket.calls == 3
    with pytest.raises(domain.RecallLimit) as limit:
        ticket.recall(now=at(100), actor="a", rules=RULES)
    assert limit.value.metadata == {"calls": "3", "called_seconds_ago": "70"}


def test_a_missed_ticket_waits_at_the_end_of_its_class_once() -> None:
    first, last, later = issued(1), issued(5, seconds=50), issued(6, seconds=361)
    back = called(first).miss(now=at(60), actor="a", rules=RULES)
    assert back.state is State.WAITING
    assert last.rank < back.rank < later.rank  # it rests for five minutes
    assert (back.counter, back.calls, back.called_at) == (0, 0, None)
    assert back.events == (domain.Ended(State.MISSED, "", at(60), 3, timedelta(seconds=60), timedelta(0)),)
    again = called(back, 90, key="c2")
    assert (again.call_key, again.second_call_key) == ("c1", "c2")
    gone = again.miss(now=at(120), actor="a", rules=RULES)
    assert (gone.state, gone.misses) == (State.NO_SHOW, 2)


def test_two_that_missed_keep_the_order_of_their_misses() -> None:
    one, two = called(issued(1)), called(issued(2), counter=4)
    two = two.miss(now=at(60), actor="a", rules=RULES)
    one = one.miss(now=at(61), actor="a", rules=RULES)
    assert two.rank < one.rank < issued(10, seconds=362).rank


def test_priority_comes_first_and_stays_in_its_class_when_missed() -> None:
    ahead, other = issued(7, PriorityGroup.ELDERLY), issued(1)
    assert ahead.rank < other.rank
    back = called(ahead).miss(now=at(60), actor="a", rules=RULES)
    assert back.rank < other.rank


def test_a_call_is_taken_back_as_if_it_had_not_been() -> None:
    before = issued(4)
    ticket = called(before, 100)
    for actor, seconds, cause in (("officer:o2", 101, "other_officer"), ("officer:o1", 161, "too_late")):
        with pytest.raises(domain.UndoRefused) as refused:
            ticket.undo(now=at(seconds), actor=actor, rules=RULES)
        assert refused.value.metadata["cause"] == cause
    back = ticket.undo(now=at(160), actor="officer:o1", rules=RULES)
    assert (back.state, back.rank, back.calls, back.last_call, back.turn_at) == (
        State.WAITING,
        before.rank,
        0,
        "",
        None,
    )
    assert (back.busy_key, back.counter, back.called_by) == ("", 0, "")
    assert back.events == (domain.Returned(Return.UNDONE, at(160), 3),)
    again = called(back, 170, key="c2")
    assert (again.calls, again.misses) == (1, 0)
    assert (again.call_key, again.second_call_key) == ("c1", "c2")  # the undone command stays known


def test_a_call_is_taken_back_with_its_recalls() -> None:
    twice = called(issued(4), 100).recall(now=at(120), actor="a", rules=RULES)
    back = twice.undo(now=at(130), actor="officer:o1", rules=RULES)
    assert (back.state, back.calls, back.turn_at) == (State.WAITING, 0, None)
    # What was called before, and put back for a reason, counts on.
    again = called(twice.requeue(now=at(130), actor="a", reason="listrik", reset_calls=False, rules=RULES), 140)
    assert again.undo(now=at(150), actor="officer:o1", rules=RULES).calls == 2


def test_a_resumed_citizen_whose_call_is_taken_back_is_parked_also_after_a_recall() -> None:
    """Not in the line: the visit is half over and its waiting time was told long ago."""
    aside = called(issued(4), 100).serve(now=at(130), actor="a").park(now=at(190), actor="a", reason="fotokopi")
    back = aside.resume(now=at(490), actor="officer:o1", counter=4).recall(now=at(510), actor="a", rules=RULES)
    undone = back.undo(now=at(515), actor="officer:o1", rules=RULES)
    assert (undone.state, undone.busy_key, undone.calls, undone.away_since) == (State.PARKED, "", 0, at(190))


def test_a_requeued_ticket_keeps_its_place_and_its_calls() -> None:
    before = issued(4)
    ticket = called(before).recall(now=at(20), actor="a", rules=RULES)
    back = ticket.requeue(now=at(30), actor="a", reason="listrik", reset_calls=False, rules=RULES)
    assert (back.rank, back.calls, back.history[-1].reason) == (before.rank, 2, "listrik")
    last = called(back, 40, key="c2")
    assert last.calls == 3
    with pytest.raises(domain.RecallLimit):
        last.requeue(now=at(50), actor="a", reason="listrik", reset_calls=False, rules=RULES)
    assert last.requeue(now=at(50), actor="a", reason="listrik", reset_calls=True, rules=RULES).calls == 0


def test_parking_frees_the_counter_and_is_no_time_served() -> None:
    ticket = called(issued(visit="sites/malang/visits/v1"), 100).serve(now=at(130), actor="a")
    assert (ticket.busy_key != "", ticket.visit_key) == (True, "sites/malang/visits/v1")
    aside = ticket.park(now=at(190), actor="a", reason="fotokopi")
    assert (aside.busy_key, aside.visit_key, aside.state) == ("", "", State.PARKED)
    back = aside.resume(now=at(490), actor="officer:o1", counter=4)
    assert (back.counter, back.calls, back.resumed, back.turn_at) == (4, 1, True, at(100))
    undone = back.undo(now=at(495), actor="officer:o1", rules=RULES)
    assert (undone.state, undone.busy_key) == (State.PARKED, "")
    done = back.serve(now=at(520), actor="a").finish(now=at(580), actor="a")
    (ended,) = done.events
    assert isinstance(ended, domain.Ended)
    assert (ended.waited, ended.served) == (timedelta(seconds=130), timedelta(seconds=120))
    facts = domain.facts_of(done)
    assert (facts.turns, facts.calls, facts.parked) == (1, 2, timedelta(seconds=300))
    assert facts.at_counter == timedelta(seconds=180)


def test_a_transfer_keeps_number_arrival_and_person() -> None:
    ticket = replace(issued(7, PriorityGroup.ELDERLY, seconds=5), owners=("sub:ani",), person_key="p", visit="v")
    over = transferred(called(ticket, 100).serve(now=at(110), actor="a"), 200)
    assert (over.state, over.busy_key, over.child) == (State.TRANSFERRED, "", f"{OTHER}/tickets/child0001")
    admission = domain.admission_of(over, OTHER, "")
    assert (admission.number, admission.arrived_at, admission.owners) == ("D-007", at(5), ("sub:ani",))
    assert (admission.parent, admission.person_key, admission.visit) == (ticket.name, "p", "v")
    assert admission.seq < 0
    assert not admission.counts
    there = domain.issue(
        replace(SPEC, name=OTHER, prefix="B"), admission, day=over.day, seq=admission.seq,
        event=domain.Issued(0, timedelta(0)), now=at(200), actor="a", rules=RULES,
    )  # fmt: skip
    assert (there.number, there.channel, there.issued_at, there.effective) == (
        "D-007", "transfer", at(200), domain.milliseconds(at(5)),
    )  # fmt: skip
    for target in (QUEUE, "sites/batu/queues/bpjs"):
        with pytest.raises(domain.InvalidField):
            called(ticket).transfer(now=at(1), actor="a", child="c", target=target, offering="", reason="")


def test_what_was_delivered_including_nothing() -> None:
    serving = in_state(State.SERVING)
    assert serving.finish(now=at(9), actor="a").delivery is Delivery.NOT_RECORDED
    none = serving.finish(now=at(9), actor="a", delivery=Delivery.RECORDED, time_inaccurate=True)
    assert (none.delivery, none.delivered, none.time_inaccurate) == (Delivery.RECORDED, (), True)
    for delivery, offering in (
        (Delivery.NOT_RECORDED, "sites/malang/offerings/kk"),
        (Delivery.RECORDED, "sites/b/offerings/kk"),
    ):
        with pytest.raises(domain.InvalidField):
            serving.finish(now=at(9), actor="a", delivery=delivery, delivered=[offering])


@pytest.mark.parametrize("state", REACHABLE)
def test_an_officer_may_end_a_visit_that_the_citizen_left(state: State) -> None:
    ticket = in_state(state)
    if state in domain.OPEN:
        assert ticket.cancel(now=at(60), actor="o", reason="pergi", by_officer=True).state is State.CANCELLED
    else:
        with pytest.raises(domain.WrongState):
            ticket.cancel(now=at(60), actor="o", reason="pergi", by_officer=True)


def test_the_class_of_a_ticket() -> None:
    classes = (PriorityClass("care", frozenset({PriorityGroup.ELDERLY})), PriorityClass("umkm"))
    policy = Policy(PolicyKind.STRICT, classes)
    spec = replace(SPEC, policy=policy)

    def index(group: PriorityGroup, named: str) -> tuple[int, str, bool]:
        admission = Admission("n", QUEUE, "kiosk", T0, group=group, priority_class=named)
        event = domain.Issued(0, timedelta(0))
        t = domain.issue(spec, admission, day="2026-11-23", seq=1, event=event, now=T0, actor="a", rules=RULES)
        return domain.index_of(policy, t.class_digit), t.priority_class, t.priority

    assert index(PriorityGroup.NONE, "umkm") == (1, "umkm", True)
    assert index(PriorityGroup.ELDERLY, "") == (0, "care", True)
    assert index(PriorityGroup.CHILD, "") == (2, "others", False)


def test_ranks_of_version_0_2_0_stand_before_those_of_today() -> None:
    old = issued(9, rank="1-000009-0000000000000", seconds=70)
    assert (domain.index_of(RULES.policy, old.class_digit), old.effective) == (1, domain.milliseconds(at(70)))
    assert old.rank < issued(1).rank
    at_counter = replace(old, state=State.CALLED, rank="1763805600123", priority=True)
    assert at_counter.class_digit == 0
    assert at_counter.miss(now=at(80), actor="a", rules=RULES).rank.startswith("0-")


@pytest.mark.parametrize("nik", ["3573010101900001", "3573014101900001", "3573016902000009"])
def test_a_nik_that_can_be(nik: str) -> None:
    domain.check_nik(nik)


@pytest.mark.parametrize(
    "nik", ["357301010190000", "3573013202900001", "3573010113900001", "3573010101900000", "35730101019000O1"]
)
def test_a_nik_that_cannot_be(nik: str) -> None:
    with pytest.raises(domain.InvalidField) as refused:
        domain.check_nik(nik)
    assert refused.value.field == "nik"
    assert nik not in str(refused.value)


def test_rank_of_called_tickets_is_the_time_of_the_last_call() -> None:
    early, late = called(issued(2), 10), called(issued(1), 20, key="c2", counter=4)
    assert early.rank < late.rank
    assert early.recall(now=at(30), actor="a", rules=RULES).rank > late.rank
    assert late.serve(now=at(40), actor="a").finish(now=at(50), actor="a").rank == late.rank


def test_which_groups_have_priority_is_a_setting() -> None:
    rules = Rules(priority_groups=frozenset({PriorityGroup.DISABILITY}))
    assert rules.has_priority(PriorityGroup.DISABILITY)
    assert not rules.has_priority(PriorityGroup.ELDERLY)
    assert not RULES.has_priority(PriorityGroup.NONE)


def test_the_day_closes_only_when_it_is_over() -> None:
    with pytest.raises(domain.WrongState):
        issued().close(now=at(0), actor="a", today="2026-11-23")
    closed = called(issued()).close(now=at(0), actor="a", today="2026-11-24")
    assert (closed.state, closed.reason) == (State.CLOSED_AT_DAY_END, "day_end")


def test_times_of_a_visit() -> None:
    ticket = called(issued(), 100).serve(now=at(130), actor="a")
    assert ticket.events == (domain.ServingStarted(timedelta(seconds=130), timedelta(seconds=30)),)
    done = ticket.finish(now=at(430), actor="a")
    ended = done.events[0]
    assert isinstance(ended, domain.Ended)
    assert (ended.waited, ended.served, ended.counter) == (timedelta(seconds=130), timedelta(seconds=300), 3)


def test_a_clock_that_goes_back_makes_no_negative_time() -> None:
    ticket = called(issued(), 100).serve(now=at(-5), actor="a")
    assert ticket.events == (domain.ServingStarted(timedelta(0), timedelta(0)),)


def test_an_application_is_attached_once_in_any_state() -> None:
    for state in REACHABLE:
        ticket = in_state(state).attach("sites/malang/applications/a1").attach("sites/malang/applications/a1")
        assert ticket.applications == ("sites/malang/applications/a1",)
        assert ticket.state is state


@pytest.mark.parametrize(
    ("ahead", "visit", "counters", "seconds"),
    [(0, 600, 3, 0), (1, 600, 3, 200), (2, 100, 3, 67), (5, 600, 0, 3000), (-2, 600, 1, 0)],
)
def test_estimate(ahead: int, visit: int, counters: int, seconds: int) -> None:
    assert domain.estimated_wait(ahead, timedelta(seconds=visit), counters) == timedelta(seconds=seconds)


def test_visit_length_needs_some_visits() -> None:
    minute = timedelta(minutes=1)
    assert domain.visit_length([minute, minute], 10) == timedelta(minutes=10)
    assert domain.visit_length([minute, 2 * minute, 90 * minute], 10) == 2 * minute


@pytest.mark.parametrize(
    ("waiting", "last_seq", "seq", "ahead"),
    [(0, 0, 1, 0), (5, 5, 6, 5), (5, 9, 12, 7), (5, 9, 9, 4), (0, 9, 9, 0)],
)
def test_people_ahead(waiting: int, last_seq: int, seq: int, ahead: int) -> None:
    assert domain.people_ahead(waiting, last_seq, seq) == ahead


@given(seqs=st.lists(st.integers(1, 99_999), unique=True), groups=st.data())
def test_rank_sorts_as_class_and_number(seqs: list[int], groups: st.DataObject) -> None:
    tickets = [issued(s, groups.draw(st.sampled_from(list(PriorityGroup)))) for s in seqs]
    by_rank = sorted(tickets, key=lambda t: t.rank)
    assert by_rank == sorted(tickets, key=lambda t: (not t.priority, t.seq))
