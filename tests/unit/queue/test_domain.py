"""The rules of a ticket, one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_queue import domain
from mpp_queue.domain import PriorityGroup, QueueSpec, Rules, State, Ticket

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


def issued(seq: int = 1, group: PriorityGroup = PriorityGroup.NONE, **fields: object) -> Ticket:
    ticket = domain.issue(
        SPEC,
        name=f"{QUEUE}/tickets/t{seq:07d}",
        day="2026-11-23",
        seq=seq,
        offering="",
        group=group,
        owners=(),
        sealed_phone="",
        masked_phone="",
        people_ahead=0,
        estimated_wait=timedelta(0),
        now=at(0),
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
        back = ticket.miss(now=at(1), actor="a", last_seq=1, rules=RULES)
        return called(back, 2).miss(now=at(3), actor="a", last_seq=1, rules=RULES)
    ticket = ticket.serve(now=at(1), actor="a")
    return ticket if state is State.SERVING else ticket.finish(now=at(2), actor="a")


REACHABLE = [s for s in State if s is not State.MISSED]
STEPS = {
    domain.Step.CALL: lambda t: called(t, 60),
    domain.Step.RECALL: lambda t: t.recall(now=at(60), actor="a", rules=RULES),
    domain.Step.SERVE: lambda t: t.serve(now=at(60), actor="a"),
    domain.Step.FINISH: lambda t: t.finish(now=at(60), actor="a"),
    domain.Step.MISS: lambda t: t.miss(now=at(60), actor="a", last_seq=9, rules=RULES),
    domain.Step.CANCEL: lambda t: t.cancel(now=at(60), actor="a", reason="pulang"),
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
    with pytest.raises(domain.InvalidField) as error:
        domain.issue(
            SPEC, name="n", day="2026-11-23", seq=1, offering="sites/batu/offerings/kk", group=PriorityGroup.NONE,
            owners=(), sealed_phone="", masked_phone="", people_ahead=0, estimated_wait=timedelta(0),
            now=T0, actor="a", rules=RULES,
        )  # fmt: skip
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
    first, last, later = issued(1), issued(5), issued(6)
    back = called(first).miss(now=at(60), actor="a", last_seq=5, rules=RULES)
    assert back.state is State.WAITING
    assert last.rank < back.rank < later.rank
    assert (back.counter, back.calls, back.called_at) == (0, 0, None)
    assert back.events == (domain.Ended(State.MISSED, "", at(60), 3, timedelta(seconds=60), timedelta(0)),)
    again = called(back, 90, key="c2")
    assert (again.call_key, again.second_call_key) == ("c1", "c2")
    gone = again.miss(now=at(120), actor="a", last_seq=6, rules=RULES)
    assert (gone.state, gone.misses) == (State.NO_SHOW, 2)


def test_two_that_missed_keep_the_order_of_their_misses() -> None:
    one, two = called(issued(1)), called(issued(2), counter=4)
    two = two.miss(now=at(60), actor="a", last_seq=9, rules=RULES)
    one = one.miss(now=at(61), actor="a", last_seq=9, rules=RULES)
    assert two.rank < one.rank < issued(10).rank


def test_priority_comes_first_and_stays_in_its_class_when_missed() -> None:
    ahead, other = issued(7, PriorityGroup.ELDERLY), issued(1)
    assert ahead.rank < other.rank
    back = called(ahead).miss(now=at(60), actor="a", last_seq=50, rules=RULES)
    assert back.rank < other.rank


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


def test_priority_does_not_starve_the_others() -> None:
    urgent, others = [issued(9, PriorityGroup.CHILD)], [issued(1)]
    assert domain.turn_order(urgent, others, [True, True], RULES)[0] is urgent[0]
    assert domain.turn_order(urgent, others, [True, True, False, True], RULES)[0] is urgent[0]
    assert domain.turn_order(urgent, others, [True, True, True], RULES)[0] is others[0]
    assert domain.turn_order(urgent, [], [True, True, True], RULES) == urgent


def test_the_day_closes_only_when_it_is_over() -> None:
    with pytest.raises(domain.WrongState):
        issued().close(now=at(0), actor="a", today="2026-11-23")
    closed = called(issued()).close(now=at(0), actor="a", today="2026-11-24")
    assert (closed.state, closed.reason) == (State.CLOSED_AT_DAY_END, "day_end")


def test_times_of_a_visit() -> None:
    ticket = called(issued(), 100).serve(now=at(130), actor="a")
    assert ticket.events == (domain.ServingStarted(waited=timedelta(seconds=130)),)
    done = ticket.finish(now=at(430), actor="a")
    ended = done.events[0]
    assert isinstance(ended, domain.Ended)
    assert (ended.waited, ended.served, ended.counter) == (timedelta(seconds=130), timedelta(seconds=300), 3)


def test_a_clock_that_goes_back_makes_no_negative_time() -> None:
    ticket = called(issued(), 100).serve(now=at(-5), actor="a")
    assert ticket.events == (domain.ServingStarted(waited=timedelta(0)),)


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
