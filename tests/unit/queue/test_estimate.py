"""The wait estimate: what always holds, what is learned, and that it beats the naive average on seeded days."""

from __future__ import annotations

import random
import time
from datetime import timedelta
from math import log, sqrt
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpp_queue.domain import estimate
from mpp_queue.domain.estimate import Ahead, Desk, Forecast, Pace, Seen, Times, Wait

from tests.bench import firstdays, waiting

MINUTE = timedelta(minutes=1)
OFFERINGS = ("ktp", "kk", "pickup", "")
paces = st.builds(
    Pace, st.floats(20, 5000), st.floats(estimate.LEAST_SPREAD, estimate.MOST_SPREAD), st.integers(0, 3000)
)


def every_four_hours(counters: list[float]) -> tuple[float, ...]:
    return tuple(counters[slot * 6 // estimate.SLOTS] for slot in range(estimate.SLOTS))


known = st.builds(
    Times,
    paces,
    st.dictionaries(st.sampled_from(OFFERINGS[:3]), paces),
    st.floats(0, 180),
    st.floats(0, 0.5),
    st.floats(0, 0.5),
    st.one_of(
        st.just(()), st.lists(st.sampled_from([0.0, 1.0, 2.0, 5.0]), min_size=6, max_size=6).map(every_four_hours)
    ),
)
desks = st.builds(
    Desk,
    st.sampled_from(OFFERINGS),
    st.one_of(st.none(), st.floats(0, 20_000)),
    st.one_of(st.just(0.0), st.floats(60, 5000)),
)
mixes = st.lists(
    st.builds(Ahead, st.sampled_from(OFFERINGS), st.integers(1, 30), st.sampled_from([0.0, 600.0, 3600.0])), max_size=5
)
moments = st.floats(0, 86_000)
aways = st.lists(st.floats(0, 6000), max_size=4)
visits_of_today = st.lists(st.builds(Seen, st.sampled_from(OFFERINGS), st.floats(0, 20_000)), max_size=30)


def ordered(wait: Wait) -> bool:
    whole = all(part % MINUTE == timedelta(0) for part in (wait.low, wait.expected, wait.high))
    return whole and timedelta(0) <= wait.low <= wait.expected <= wait.high <= timedelta(days=1)


def none_longer(short: Wait, long: Wait) -> bool:
    return short.low <= long.low and short.expected <= long.expected and short.high <= long.high


def no_later(short: Wait, long: Wait) -> bool:
    """The lower end aside: it may rise when less is unknown, and the case is kept below."""
    return short.expected <= long.expected and short.high <= long.high


def test_a_free_counter_narrows_the_range_from_both_sides() -> None:
    """One counter with a long visit, against the same one and a free one beside it."""
    times, ahead = Times(Pace(2963.0, 0.5, 0), gap=0.0), [Ahead("", 1, 600.0)]
    stuck, free = Desk(busy_for=0.0), Desk()
    alone, both = (estimate.forecast(times, at, ahead).wait(1) for at in ([stuck], [stuck, free]))
    assert both.low > alone.low
    assert no_later(both, alone)


@settings(deadline=None)
@given(
    known, st.lists(desks, max_size=8), mixes, visits_of_today, aways, moments, st.integers(0, 400), st.booleans(),
    st.sampled_from([0.0, 600.0, 9000.0]),
)  # fmt: skip
def test_range_and_one_more_ahead(
    times: Times, at: list[Desk], mix: list[Ahead], seen: list[Seen], away: list[float], now: float, ahead: int,
    first: bool, opens_in: float,
) -> None:  # fmt: skip
    made = estimate.forecast(times, at, mix, seen=seen, away=away, second_of_day=now, opens_in=opens_in)
    wait, more = made.wait(ahead, first_class=first), made.wait(ahead + 1, first_class=first)
    assert ordered(wait)
    assert none_longer(wait, more)
    assert made.wait(ahead, first_class=True).expected <= wait.expected or first


@settings(deadline=None)
@given(known, st.lists(desks, min_size=1, max_size=8), desks, mixes, aways, moments, st.integers(0, 400))
def test_one_more_counter_is_never_longer(
    times: Times, at: list[Desk], another: Desk, mix: list[Ahead], away: list[float], now: float, ahead: int
) -> None:
    fewer = estimate.forecast(times, at, mix, away=away, second_of_day=now)
    more = estimate.forecast(times, [*at, another], mix, away=away, second_of_day=now)
    back = estimate.forecast(times, at, mix, away=[*away, 1800.0], second_of_day=now)  # at least not known to be gone
    assert no_later(more.wait(ahead), fewer.wait(ahead))
    assert no_later(back.wait(ahead), fewer.wait(ahead))


@settings(deadline=None)
@given(known, st.lists(desks, max_size=8), mixes, st.integers(1, 20), st.integers(0, 400))
def test_one_more_planned_is_never_longer(
    times: Times, at: list[Desk], mix: list[Ahead], planned: int, ahead: int
) -> None:
    fewer, more = (estimate.forecast(times, at, mix, planned=n) for n in (planned, planned + 1))
    assert no_later(more.wait(ahead), fewer.wait(ahead))


@settings(deadline=None)
@given(known, st.lists(desks, min_size=1, max_size=6), mixes, st.sampled_from(OFFERINGS), moments)
def test_one_more_person_of_any_offering(
    times: Times, at: list[Desk], mix: list[Ahead], offering: str, now: float
) -> None:
    """Also when the one who comes has a short matter, so that the mean of those ahead falls."""
    people = sum(a.count for a in mix)
    fewer = estimate.forecast(times, at, mix, second_of_day=now).wait(people)
    more = estimate.forecast(times, at, [*mix, Ahead(offering)], second_of_day=now).wait(people + 1)
    assert none_longer(fewer, more) or not mix  # nobody ahead says nothing of the mix


@settings(deadline=None)
@given(st.lists(st.floats(0, 40_000), max_size=60), paces, st.floats(1, 20))
def test_learned_is_between_what_was_believed_and_what_was_seen(
    lengths: list[float], before: Pace, weight: float
) -> None:
    after = estimate.learn(lengths, before, weight)
    assert after.mean <= max([*lengths, before.mean]) + 1e-6
    assert after.mean >= min([*lengths, before.mean]) - 1e-6
    assert estimate.LEAST_SPREAD <= after.spread <= estimate.MOST_SPREAD


def test_few_visits_move_little_and_many_decide() -> None:
    declared = estimate.declared(10).whole
    assert estimate.learn([], declared, 5) == declared
    assert estimate.learn([240.0], declared, 5).mean == pytest.approx((240 + 5 * 600) / 6)
    assert estimate.learn([240.0] * 500, declared, 5).mean == pytest.approx(240, rel=0.02)


def test_a_visit_that_nobody_finished_does_not_spoil_it() -> None:
    declared = estimate.declared(10).whole
    usual = [300.0, 420.0, 360.0, 280.0, 500.0, 350.0, 410.0, 330.0]
    clean, spoilt = estimate.learn(usual, declared, 5), estimate.learn([*usual, 36_000.0], declared, 5)
    assert spoilt.mean < 1.4 * clean.mean


def test_an_offering_is_shrunk_to_its_queue() -> None:
    whole, offerings = estimate.learn_queue({"long": [1200.0] * 40, "rare": [60.0], "": [300.0] * 40}, 10)
    assert set(offerings) == {"long", "rare"}
    assert offerings["long"].mean > 1.3 * whole.mean
    assert offerings["rare"].mean == pytest.approx(whole.mean, rel=0.15)  # one visit says little


def test_what_is_left_of_a_visit_given_how_long_it_has_lasted() -> None:
    """Against a hundred thousand visits of that law."""
    pace = Pace(600, 0.6)
    variance, rng = log(1 + 0.36), random.Random(3)
    visits = [rng.lognormvariate(log(600) - variance / 2, sqrt(variance)) for _ in range(100_000)]
    for lasted in (0.0, 60.0, 300.0, 600.0, 1200.0):
        left = fmean(v - lasted for v in visits if v > lasted)
        assert estimate.remaining(pace, lasted) == pytest.approx(left, rel=0.05)
    assert estimate.remaining(pace, 1e6) <= estimate.LONGEST_REMAINING * 600


def made(*at: Desk, mix: tuple[Ahead, ...] = (), times: Times | None = None, **given: Any) -> Forecast:
    return estimate.forecast(times or Times(Pace(600, 0.6, 100), gap=0), at, mix, **given)


def test_a_free_counter_and_nobody_ahead_is_no_wait() -> None:
    assert made(Desk(), Desk("", 20)).wait(0) == estimate.NONE
    assert made(Desk(), opens_in=600.0).wait(0).low >= 10 * MINUTE


def test_the_textbook_one_counter_and_many() -> None:
    """One counter: what is left, and those ahead. Many that nobody knows more of: (n m + e) / C."""
    assert made(Desk("", 0.0)).wait(3).expected == 40 * MINUTE
    middle = 600 * (1 + 0.36) / 2
    unknown = made(declared_counters=6)
    assert unknown.wait(12).expected == round((12 * 600 + middle) / 6 / 60) * MINUTE


def test_the_mix_ahead_counts() -> None:
    times = Times(Pace(600, 0.6, 100), {"short": Pace(120, 0.6, 50), "long": Pace(1800, 0.6, 50)}, gap=0)
    short = made(Desk("", 0.0), mix=(Ahead("short", 5),), times=times).wait(5)
    long = made(Desk("", 0.0), mix=(Ahead("long", 5),), times=times).wait(5)
    booked = made(Desk("", 0.0), mix=(Ahead("short", 5, 1800.0),), times=times).wait(5)
    assert (short.expected, long.expected, booked.expected) == (20 * MINUTE, 160 * MINUTE, 160 * MINUTE)


def test_planned_staff_wins_over_what_is_seen_and_over_what_is_usual_later() -> None:
    staff = tuple(float(n) for n in [4] * 24 + [1] * 24)  # all but one leave at noon
    times = Times(Pace(600, 0.6, 100), gap=0, staff=staff)
    at = [Desk("", 300.0)] * 4
    noon = 12 * 3600.0
    usual = made(*at, times=times, second_of_day=noon - 1800).wait(40).expected
    stays = made(*at, times=times, second_of_day=noon - 1800, planned=4).wait(40).expected
    doubled = made(*at, times=times, second_of_day=noon - 1800, planned=8).wait(40).expected
    assert usual > 2 * stays
    assert doubled < 0.7 * stays


def test_in_the_first_minutes_those_who_are_usually_there_are_still_to_come() -> None:
    times = Times(Pace(600, 0.6, 100), gap=0, staff=(4.0,) * estimate.SLOTS)
    nobody = made(times=times).wait(8)
    one, later = (made(Desk(), times=times, starting=s).wait(8) for s in (True, False))
    assert none_longer(one, nobody)
    assert later.expected > 2 * one.expected


def test_today_may_be_slow() -> None:
    times = Times(Pace(600, 0.6, 100), gap=0)
    assert estimate.pace_of_today([], times) == 1
    assert estimate.pace_of_today([Seen("", 1200.0)] * 30, times) == pytest.approx(72 / 42)
    assert estimate.pace_of_today([Seen("", 1e6)], times) == pytest.approx(16 / 13)  # one wild visit


def test_a_first_day_believes_its_own_visits_soon() -> None:
    """Declared as half or twice of what it is; a queue that was learned goes on believing what it learned."""
    for minutes in (5, 20):
        first = estimate.declared(minutes)
        after = estimate.pace_of_today([Seen("", 600.0)] * 20, first) * first.whole.mean
        assert after == pytest.approx(600, rel=0.2)
    assert estimate.pace_of_today([Seen("", 600.0)] * 2, estimate.declared(20)) > 0.8  # two visits are not yet a pace


def test_offerings_are_told_apart_on_the_first_day() -> None:
    seen = [Seen("short", 120.0), Seen("long", 1800.0)] * 10
    short, long = (
        made(Desk(), mix=(Ahead(o, 5),), times=estimate.declared(10), seen=seen).wait(5) for o in ("short", "long")
    )
    assert long.expected > 2.5 * short.expected
    learned = Times(Pace(600, 0.6, 400), {"short": Pace(600, 0.6, 400)}, gap=0)
    today = estimate.with_today(learned, seen, 1.0)
    assert today.of("short").mean > 0.9 * 600  # many days outweigh ten visits


def test_those_who_are_away_at_noon_come_back() -> None:
    first = estimate.declared(10)
    alone = made(Desk("", 0.0), times=first).wait(12)
    lunch = made(Desk("", 0.0), times=first, away=[600.0, 600.0]).wait(12)
    gone = made(Desk("", 0.0), times=first, away=[9000.0, float("nan")]).wait(12)
    assert 50 * MINUTE < lunch.expected < 0.8 * alone.expected
    assert gone == alone
    known = Times(Pace(600, 0.6, 100), gap=0, staff=(1.0,) * estimate.SLOTS)  # usually one: nobody is expected
    assert made(Desk("", 0.0), times=known, away=[600.0]).wait(12) == made(Desk("", 0.0), times=known).wait(12)
    assert made(Desk("", 0.0), planned=1, away=[600.0]).wait(12) == made(Desk("", 0.0), planned=1).wait(12)


def test_everybody_is_away() -> None:
    """Who stands before an empty counter waits for the break to end, not for as many as the agency once declared."""
    noon = made(times=estimate.declared(10), declared_counters=4, away=[600.0, 1200.0]).wait(0)
    assert 20 * MINUTE <= noon.expected <= 45 * MINUTE


@pytest.mark.parametrize("rubbish", [float("nan"), float("inf"), -1.0, 1e300])
def test_rubbish_changes_nothing(rubbish: float) -> None:
    clean = made(Desk("", 60.0), times=estimate.declared(10))
    spoilt = made(Desk("", 60.0), times=estimate.declared(10), seen=[Seen("a", rubbish)] * 5)
    assert spoilt.wait(7) == clean.wait(7)
    assert estimate.learn([rubbish] * 3, Pace(600), 5) == Pace(600)
    assert ordered(made(Desk("", rubbish), away=[rubbish]).wait(3))


def test_usual_staff() -> None:
    nine = 9 * 3600.0
    busy = [(1, nine, nine + 600), (2, nine + 60, nine + 4000), (1, nine + 700, nine + 900)]
    staff = estimate.usual_staff([busy, busy, busy, [(1, nine, nine + 60)]])
    assert staff[18:21] == (2.0, 1.0, 0.0)  # counter 2 keeps its citizen all through half past nine
    assert estimate.usual_staff([]) == ()


def test_a_declared_length_must_be_one() -> None:
    with pytest.raises(ValueError, match="minutes_per_visit"):
        estimate.declared(0)


def test_thousands_a_second() -> None:
    """Counted in CPU time, with a margin of ten, so that a busy machine does not fail it."""
    at = [Desk("ktp", 60.0 * n) for n in range(8)]
    mix = [Ahead(offering, 20) for offering in OFFERINGS]
    started = time.process_time()
    for n in range(200):
        estimate.forecast(Times(Pace(600)), at, mix, second_of_day=30_000.0).wait(n)
    assert time.process_time() - started < 200 / 1000 * 2


@pytest.mark.parametrize("seed", [1, 7])
def test_backtest_on_seeded_days(seed: int) -> None:
    """Five days to learn from, four to be judged on; the same figures on every machine. `make bench` prints more days."""
    scores = waiting.backtest(seed, days=4)
    ours, naive = scores["ours"], scores["naive"]
    assert ours.told > 500
    assert ours.mean_error < 0.8 * naive.mean_error
    assert ours.mean_error < scores["of 0.2.0"].mean_error
    assert 0.7 <= ours.inside <= 0.95  # the range means about 80 %
    assert max(ours.below, ours.above) <= 0.2
    assert abs(ours.bias) < 0.5 * ours.mean_error
    first = scores["ours, first day"]  # lunch comes as a surprise, and is understood while it lasts
    assert first.mean_error < 0.8 * naive.mean_error
    assert 0.7 <= first.inside <= 0.95


@pytest.mark.parametrize("wrong", firstdays.WRONG)
def test_a_first_day_of_another_generator_declared_wrongly(wrong: float) -> None:
    """Days of `mppctl simulate`, after which the estimate was not made; counters all day, and with a lunch break."""
    for staff, better in (("all day", 0.95), ("lunch", 0.7)):
        scores = firstdays.first_days(5, wrong, staff)
        ours, naive = scores["ours"], scores["naive"]
        assert ours.told > 250
        assert ours.mean_error < (better if wrong == 1 else 0.75) * naive.mean_error
        assert 0.7 <= ours.inside <= 0.95
