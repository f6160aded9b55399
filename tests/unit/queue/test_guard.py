"""The rules against brokers: the pause after a no-show, whose ticket it is, how fast one phone takes tickets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_queue.guard import domain
from mpp_queue.guard.domain import Alarm, AlreadyAcknowledged, CoolDown, Ending, PersonMismatch, Velocity

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_who_did_not_come_waits_for_the_next_place() -> None:
    endings = [Ending(NOW - timedelta(minutes=50)), Ending(NOW - timedelta(minutes=20))]
    with pytest.raises(CoolDown) as caught:
        domain.refuse_while_cooling(endings, HOUR, NOW)
    assert caught.value.metadata == {"until": "2026-11-23T03:40:00+00:00", "retry_after_seconds": "2400"}
    domain.refuse_while_cooling(endings, HOUR, NOW + timedelta(minutes=40))
    domain.refuse_while_cooling([], HOUR, NOW)


@pytest.mark.parametrize(
    ("bound", "shown", "refused"), [("a", "b", True), ("a", "a", False), ("", "b", False), ("a", "", False)]
)
def test_a_ticket_of_a_person_is_that_persons(bound: str, shown: str, refused: bool) -> None:
    if refused:
        with pytest.raises(PersonMismatch):
            domain.refuse_another(bound, shown)
    else:
        domain.refuse_another(bound, shown)


def _feed(minutes: list[int], after: int = 3) -> list[str]:
    """Tickets that raised an alarm, one a number of minutes, with a window of an hour."""
    velocity, raised = Velocity(), []
    for n, minute in enumerate(minutes):
        ticket = f"t{n}"
        velocity = velocity.with_ticket(ticket, NOW + timedelta(minutes=minute), window=HOUR, alarm_after=after)
        if velocity.trigger == ticket:
            raised.append(ticket)
    return raised


def test_more_than_expected_is_an_alarm_once_a_window() -> None:
    assert _feed([0, 1, 2]) == []
    assert _feed([0, 1, 2, 3]) == ["t3"]
    assert _feed([0, 1, 2, 3, 4, 5, 6, 7]) == ["t3"]
    assert _feed([0, 30, 61, 91, 121, 151]) == [], "never more than three in an hour"
    assert _feed([0, 1, 2, 3, 4, 64, 65, 66]) == ["t3"]
    assert _feed([0, 1, 2, 3, 64, 65, 66, 67]) == ["t3", "t7"]


def test_no_limit_no_count() -> None:
    assert Velocity().with_ticket("t", NOW, window=HOUR, alarm_after=0) == Velocity()


@given(st.lists(st.integers(0, 300), min_size=1, max_size=40), st.integers(1, 6))
def test_whatever_order_and_repetition_alarms_are_a_window_apart_and_deserved(minutes: list[int], after: int) -> None:
    events = [(f"t{n}", NOW + timedelta(minutes=m)) for n, m in enumerate(sorted(minutes))]
    twice = [e for e in events for _ in range(2)]
    velocity, alarms = Velocity(), []
    for ticket, at in twice:
        velocity = velocity.with_ticket(ticket, at, window=HOUR, alarm_after=after)
        if velocity.trigger == ticket and velocity.raised_at not in alarms:
            assert velocity.raised_at is not None
            alarms.append(velocity.raised_at)
            within = [t for t, then in events if at - HOUR < then <= at]
            assert after < velocity.count <= len(within)
    assert all(later - earlier >= HOUR for earlier, later in pairwise(alarms))
    # Nothing that deserved an alarm went without: quiet only where one was within the window before.
    for _, at in events:
        many = sum(1 for _, then in events if at - HOUR < then <= at) > after
        assert not many or any(at - HOUR < a <= at for a in alarms)


@given(st.permutations(range(8)))
def test_disorder_does_not_hide_a_broker(order: list[int]) -> None:
    velocity, raised = Velocity(), 0
    for n in order:
        velocity = velocity.with_ticket(f"t{n}", NOW + timedelta(minutes=n), window=HOUR, alarm_after=5)
        raised += velocity.trigger == f"t{n}"
    assert raised == 1


def test_an_alarm_is_acknowledged_once() -> None:
    alarm = Alarm("a", "malang", "q", "agency", "phone", "k", 4, HOUR, NOW, ("t",))
    seen = alarm.acknowledge(by="site_manager:m", reason="keluarga besar", now=NOW)
    assert (seen.acknowledged_by, seen.reason, seen.acknowledged_at) == ("site_manager:m", "keluarga besar", NOW)
    with pytest.raises(AlreadyAcknowledged):
        seen.acknowledge(by="x", reason="again", now=NOW)
