"""The rules against brokers: the pause after a no-show, whose ticket it is, how fast one phone takes tickets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpp_queue.guard import domain, policy
from mpp_queue.guard.domain import Alarm, AlreadyAcknowledged, CoolDown, Ending, PersonMismatch, Velocity
from mpp_queue.guard.policy import Limit

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


@st.composite
def _happened(draw: st.DrawFn) -> list[int]:
    """Minutes at which something was taken; bursts are more likely than by mere chance."""
    bursts = draw(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 7)), min_size=1, max_size=6))
    return sorted(start + draw(st.integers(0, 70)) for start, many in bursts for _ in range(many))


def _counted_by_many(minutes: list[int], after: int, kept: int, data: st.DataObject) -> list[datetime]:
    """All alarms, as three processes raise them that race: each reads, decides, and writes only if nobody wrote since.

    What they are told comes in any order in which nothing comes a window or more after something newer.
    """
    stored, version, alarms = Velocity(), 0, list[datetime]()
    untold, reading = set(range(len(minutes))), dict[int, tuple[int, Velocity]]()
    while untold:
        timely = [n for n in sorted(untold) if minutes[n] < min(minutes[u] for u in untold) + 60]
        n = data.draw(st.sampled_from(timely))
        if n not in reading:
            if len(reading) < 3 or minutes[n] == min(minutes[u] for u in untold):
                reading[n] = (version, stored)
            continue
        seen, before = reading.pop(n)
        at = NOW + timedelta(minutes=minutes[n])
        later = before.with_ticket(f"t{n}", at, window=HOUR, alarm_after=after, least_kept=kept)
        if seen != version:
            reading[n] = (version, stored)  # lost the race: again
            continue
        if later.trigger == f"t{n}":
            alarms.append(at)
        stored, version = later, version + 1
        assert stored.with_ticket(f"t{n}", at, window=HOUR, alarm_after=after, least_kept=kept) is stored, "told twice"
        untold.remove(n)
    return alarms


@given(_happened(), st.integers(1, 5), st.sampled_from([0, 200]), st.data())
@settings(deadline=None)
def test_many_processes_miss_no_burst_that_one_would_see(
    minutes: list[int], after: int, kept: int, data: st.DataObject
) -> None:
    """The slack is none: whatever one process, told in order, would raise an alarm for, has one among its own tickets or
    less than a window from one of them; and no two alarms are nearer than a window."""
    alarms = sorted(_counted_by_many(minutes, after, kept, data))
    assert all(later - earlier >= HOUR for earlier, later in pairwise(alarms))
    for minute in minutes:
        burst = [NOW + timedelta(minutes=m) for m in minutes if minute - 60 < m <= minute]
        if len(burst) > after:
            assert any(abs(a - moment) < HOUR for a in alarms for moment in burst)
    if alarms:
        assert any(sum(1 for m in minutes if end - 60 < m <= end) > after for end in minutes), "deserved"


def test_who_floods_us_costs_no_writes() -> None:
    velocity = Velocity()
    for n in range(300):
        velocity = velocity.with_ticket(f"t{n}", NOW + timedelta(seconds=n), window=HOUR, alarm_after=3)
    assert len(velocity.taken) == domain.LEAST_KEPT
    assert velocity.with_ticket("more", NOW + timedelta(seconds=301), window=HOUR, alarm_after=3) is velocity
    later = velocity.with_ticket("next", NOW + timedelta(hours=1, seconds=5), window=HOUR, alarm_after=3)
    assert later.trigger == "next", "the next window has an alarm of its own"


def test_a_pseudonym_is_one_days_and_leads_to_nobody() -> None:
    first = Alarm("a", "malang", "", "", "phone", "k", 4, HOUR, NOW, ("t",))
    same, other = replace(first, name="b", raised_at=NOW + HOUR), replace(first, key="l")
    tomorrow = replace(first, raised_at=NOW + timedelta(days=1))
    assert first.pseudonym == same.pseudonym
    assert len({first.pseudonym, other.pseudonym, tomorrow.pseudonym}) == 3
    assert (first.reach, replace(first, queue="q").reach) == ("site", "queue")


def test_a_whole_sites_figures_are_data() -> None:
    told = policy.default()
    assert told.of("malang").of("taken", "phone") == Limit(10, HOUR)
    assert told.of("malang").of("held", "phone") == Limit(0, HOUR), "not counted"
    text = files("mpp_queue.guard").joinpath("guard.yaml").read_text()
    own = text.replace("sites: {}", "sites: {batu: {taken: {phone: {alarm_after: 3, window_minutes: 5}}}}")
    batu = policy.parse(own).of("batu")
    assert batu.of("taken", "phone") == Limit(3, timedelta(minutes=5))
    assert batu.of("taken", "person") == told.default.of("taken", "person")


@pytest.mark.parametrize(
    ("was", "becomes", "named"),
    [
        ("alarm_after: 10", "alarm_after: ten", "default.taken.phone.alarm_after"),
        ("window_minutes: 60", "window_minutes: 0", "default.taken.phone.window_minutes"),
        ("device:", "gadget:", "default.taken"),
        ("mark: P", "mark: X", "mark"),
        ("sites: {}", "sites: {batu: {given: {}}}", "sites.batu"),
        ("source:", "sauce:", "file"),
        ("default:", "default: [", "file"),
    ],
)
def test_wrong_figures_are_refused_where_they_are_wrong(was: str, becomes: str, named: str) -> None:
    text = files("mpp_queue.guard").joinpath("guard.yaml").read_text()
    with pytest.raises(policy.PolicyError, match=f"^{named}"):
        policy.parse("\n".join(line.replace(was, becomes) for line in text.splitlines()))


def test_an_alarm_is_acknowledged_once() -> None:
    alarm = Alarm("a", "malang", "q", "agency", "phone", "k", 4, HOUR, NOW, ("t",))
    seen = alarm.acknowledge(by="site_manager:m", reason="keluarga besar", now=NOW)
    assert (seen.acknowledged_by, seen.reason, seen.acknowledged_at) == ("site_manager:m", "keluarga besar", NOW)
    with pytest.raises(AlreadyAcknowledged):
        seen.acknowledge(by="x", reason="again", now=NOW)
