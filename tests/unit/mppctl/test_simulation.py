"""The simulated day without a platform: the generator, the invented sites, the ledger's invariants, the picture."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpp.catalog.v1 import agency_pb2, offering_pb2
from mppctl.main import app
from mppctl.problems import USAGE
from mppctl.simulation import picture, town
from mppctl.simulation.day import HOUR, Day, Mix, Outcome, Shape, Visit, make_day, service_seconds
from mppctl.simulation.ledger import At, Ledger
from mppctl.simulation.play import Result
from rich.console import Console
from typer.testing import CliRunner

SITES = [town.invented(n) for n in (1, 2, 3)]
PLAN = SITES[0].queues[0]


def day(seed: int = 7, visits: int = 2000, mix: Mix | None = None) -> Day:
    return make_day(SITES, visits, seed, mix=mix)


# --- the generator


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), visits=st.integers(0, 60))
def test_the_same_seed_gives_the_same_day(seed: int, visits: int) -> None:
    one, two = make_day(SITES, visits, seed), make_day(SITES, visits, seed)
    assert one == two
    assert len(one.visits) == 3 * visits
    assert len({v.id for v in one.visits}) == len(one.visits)
    assert [v.at for v in one.visits] == sorted(v.at for v in one.visits)
    queues = {q.name: q for s in SITES for q in s.queues}
    for visit in one.visits:
        assert one.shape.opens <= visit.at < one.shape.last_number
        assert visit.offering in {s.name for s in queues[visit.queue].services}
        assert visit.service_seconds >= 20
        assert 10 <= visit.walk_seconds <= 90


def test_the_day_is_written_down() -> None:
    """A change of the generator changes every simulated day: it must be meant."""
    first = make_day(SITES, 300, 1).visits[0]
    assert (first.id, first.queue, round(first.at, 2)) == ("sim-003/0001", "sites/sim-003/queues/dukcapil", 28899.56)


def test_another_seed_gives_another_day() -> None:
    assert day(1).visits != day(2).visits


def test_a_site_s_day_does_not_depend_on_the_others() -> None:
    alone = make_day(SITES[:1], 100, 5).visits
    assert [v for v in make_day(SITES, 100, 5).visits if v.id.startswith("sim-001/")] == list(alone)


def test_most_come_around_midday() -> None:
    by_hour = Counter(int(v.at // HOUR) for v in day().visits)
    assert set(by_hour) == set(range(8, 15))
    assert max(by_hour, key=by_hour.__getitem__) in (10, 11)
    assert by_hour[11] > 2 * by_hour[8]
    assert by_hour[11] > 2 * by_hour[14]


def test_shares_weights_and_times_are_as_asked() -> None:
    visits = day(visits=4000).visits
    outcomes = Counter(v.outcome for v in visits)
    for outcome, share in ((Outcome.LATE, 0.03), (Outcome.NO_SHOW, 0.04), (Outcome.CANCELS, 0.03)):
        assert outcomes[outcome] / len(visits) == pytest.approx(share, abs=0.008)
    assert sum(bool(v.group) for v in visits) / len(visits) == pytest.approx(0.12, abs=0.015)
    dukcapil = [v for v in visits if v.queue.endswith("/dukcapil")]
    assert len(dukcapil) / len(visits) == pytest.approx(0.35, abs=0.02)
    cards = [v.service_seconds for v in dukcapil if v.offering.endswith("/kartu-keluarga")]
    assert statistics.mean(cards) == pytest.approx(600, rel=0.05)
    assert statistics.median(cards) < statistics.mean(cards)


def test_a_mix_without_troubles_has_none() -> None:
    quiet = day(mix=Mix(priority=0, late=0, no_show=0, cancels=0))
    assert {v.outcome for v in quiet.visits} == {Outcome.SERVED}
    assert {v.group for v in quiet.visits} == {""}


def test_times_at_the_counter_have_bounds() -> None:
    class Extreme:
        def lognormvariate(self, mu: float, sigma: float) -> float:
            return 1e9 if mu > 6.9 else 0.0

    assert service_seconds(Extreme(), 20, 0.5) == 8 * 60 * 20  # type: ignore[arg-type]
    assert service_seconds(Extreme(), 5, 0.5) == 20  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Shape(opens=10 * HOUR, last_number=9 * HOUR),
        lambda: Shape(peak=20 * HOUR),
        lambda: Shape(peak_share=1.5),
        lambda: Shape(spread=0),
        lambda: Shape(spread=1e-12, peak=15 * HOUR),  # it drew for ever
        lambda: Shape(spread=float("nan")),
        lambda: Shape(spread=float("inf")),
        lambda: Mix(priority=float("nan")),
        lambda: Mix(late=-0.1),
        lambda: Mix(late=0.5, no_show=0.4, cancels=0.2),
    ],
)
def test_a_shape_or_mix_that_cannot_be_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"day opens|peak_share|share|late"):
        wrong()  # type: ignore[operator]


# --- sites


def test_an_invented_site_is_the_same_in_the_catalogue_and_in_the_plan() -> None:
    data, plan = town.catalogue(2), town.invented(2)
    assert data.site.name == f"sites/{plan.id}" == "sites/sim-002"
    assert {a.name: tuple(a.queue.counters) for a in data.agencies} == {q.agency: q.counters for q in plan.queues}
    assert {f"{data.site.name}/queues/{a.queue.id}" for a in data.agencies} == {q.name for q in plan.queues}
    assert {o.name for o in data.offerings} == {s.name for q in plan.queues for s in q.services}
    counters = [c for q in plan.queues for c in q.counters]
    assert len(counters) == len(set(counters))
    assert len({a.queue.prefix for a in data.agencies}) == len(data.agencies)


def test_an_existing_site_is_planned_from_what_the_catalogue_holds() -> None:
    queue = {"id": "dukcapil", "prefix": "D", "counters": [3, 4], "minutes_per_visit": 10}
    agencies = [
        agency_pb2.Agency(name="sites/x/agencies/dukcapil", queue=queue),
        agency_pb2.Agency(name="sites/x/agencies/pustaka"),
    ]
    offerings = [offering_pb2.Offering(name=f"sites/x/offerings/{o}", agency=agencies[0].name) for o in ("kk", "ktp")]
    plan = town.existing("x", agencies, offerings)
    assert [q.name for q in plan.queues] == ["sites/x/queues/dukcapil"]
    assert plan.queues[0].counters == (3, 4)
    assert [s.name for s in plan.queues[0].services] == ["sites/x/offerings/kk", "sites/x/offerings/ktp"]
    assert all(7 <= s.mean_minutes <= 13 for s in plan.queues[0].services)
    assert town.existing("x", agencies, []).queues[0].services[0].name == ""
    with pytest.raises(ValueError, match="sites/x has no queue"):
        town.existing("x", agencies[1:], [])


# --- the ledger


def visit(number: int = 1) -> Visit:
    return Visit(f"sim-001/{number:04d}", 0.0, PLAN.name, "", "", Outcome.SERVED, 60.0, 10.0, 300.0)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger({q.name: q for q in SITES[0].queues})


def take(ledger: Ledger, number: int, at: float = 0.0) -> str:
    name = f"{PLAN.name}/tickets/t{number}"
    ledger.taken(visit(number), name, f"D-{number:03d}", "2026-11-23", at)
    return name


def call(ledger: Ledger, name: str, counter: int, at: float = 60.0) -> object:
    return ledger.called(PLAN.name, name, f"D-{name[-1]:0>3}", "2026-11-23", counter, at)


def test_a_visit_is_counted_from_state_to_state(ledger: Ledger) -> None:
    name = take(ledger, 1)
    track, figures = ledger.tickets[name], ledger.lines[PLAN.name]
    assert (figures.waiting, figures.most_waiting) == (1, 1)
    call(ledger, name, 3)
    ledger.serving(PLAN.name, track)
    assert (figures.waiting, figures.called, figures.serving) == (0, 0, 1)
    ledger.ended(PLAN.name, track, At.FINISHED)
    assert (figures.finished, figures.waits, figures.at_counters) == (1, [60.0], 0)
    assert ledger.left() == []
    assert ledger.breaches == []


def test_a_number_given_twice_is_a_breach(ledger: Ledger) -> None:
    take(ledger, 1)
    ledger.taken(visit(2), f"{PLAN.name}/tickets/t2", "D-001", "2026-11-23", 0.0)
    assert "was given twice" in ledger.breaches[0]
    ledger.taken(visit(3), f"{PLAN.name}/tickets/t3", "D-001", "2026-11-24", 0.0)  # another day: a new range
    assert len(ledger.breaches) == 1


def test_one_ticket_for_two_visits_is_a_breach(ledger: Ledger) -> None:
    name = take(ledger, 1)
    ledger.taken(visit(2), name, "D-001", "2026-11-23", 0.0)
    assert "given to two visits" in ledger.breaches[0]


def test_a_ticket_called_by_two_counters_is_a_breach(ledger: Ledger) -> None:
    name = take(ledger, 1)
    call(ledger, name, 1)
    call(ledger, name, 2)
    assert "was called at counter 2 while called at 1" in ledger.breaches[0]


def test_a_counter_with_two_citizens_is_a_breach(ledger: Ledger) -> None:
    call(ledger, take(ledger, 1), 1)
    call(ledger, take(ledger, 2), 1)
    assert "counter 1 of sim-001 got" in ledger.breaches[0]


def test_a_missed_ticket_may_be_called_again(ledger: Ledger) -> None:
    name = take(ledger, 1)
    call(ledger, name, 1)
    track = ledger.tickets[name]
    track.missing = True
    ledger.missed(PLAN.name, track, At.WAITING)
    call(ledger, name, 2)
    assert (track.calls, track.misses, ledger.breaches) == (2, 1, [])


def test_answers_may_come_in_another_order_than_the_acts(ledger: Ledger) -> None:
    figures = ledger.lines[PLAN.name]
    name = take(ledger, 1)
    track = ledger.tickets[name]
    call(ledger, name, 1)
    track.missing = True
    call(ledger, name, 2)  # the next counter's call, before the answer to the miss
    ledger.missed(PLAN.name, track, At.WAITING)
    assert (track.where, track.counter, track.misses, figures.waiting) == (At.CALLED, 2, 1, 0)
    other = f"{PLAN.name}/tickets/t2"
    call(ledger, other, 1)  # a call before the answer to the one who took it
    ledger.taken(visit(2), other, "D-002", "2026-11-23", 0.0)
    assert ledger.tickets[other].visit == visit(2)
    third = take(ledger, 3)
    ledger.tickets[third].leaving = True
    ledger.ended(PLAN.name, ledger.tickets[third], At.CANCELLED)
    call(ledger, third, 3)  # called, given up; heard the other way round
    assert ledger.tickets[third].where is At.CANCELLED
    assert ledger.breaches == []


def test_what_the_platform_says_at_the_end_is_compared(ledger: Ledger) -> None:
    lost, other, closed, right = (take(ledger, n) for n in (1, 2, 3, 4))
    found = ledger.differences({lost: None, other: At.FINISHED, closed: At.CLOSED_AT_DAY_END, right: At.WAITING})
    assert len(found) == 2
    assert "D-001" in found[0]
    assert "is lost" in found[0]
    assert "acknowledged as waiting and is finished" in found[1]


# --- the picture


def printed(renderable: object, width: int = 110) -> str:
    console = Console(width=width, height=30, record=True, file=None, force_terminal=False, quiet=False)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def test_the_picture_shows_the_busiest_queues_and_what_went_wrong(ledger: Ledger) -> None:
    for n in range(1, 7):
        take(ledger, n)
    call(ledger, f"{PLAN.name}/tickets/t1", 1, at=1200.0)
    ledger.lines[PLAN.name].now = 11.7 * HOUR
    ledger.expect(PLAN.name, 10)
    ledger.error("call", "COUNTER_TAKEN")
    text = printed(picture.live(ledger, picture.Moment(2.0, 50, 0, behind=600.0), rows=2))
    assert "sim-001/dukcapil" in text
    assert "11:42" in text
    assert "█" in text
    assert "◐○○" in text
    assert "and 2 queues with fewer people" in text
    assert "6 of 10 came, 5 wait, 1 at counters" in text
    assert "25/s" in text
    assert "10 min behind" in text
    assert "1 x call: COUNTER_TAKEN" in text


def test_a_bar_is_as_wide_for_none_as_for_all() -> None:
    assert {len(picture.bar(now, most, 40).plain) for now, most in ((0, 0), (1, 40), (40, 40), (3, 20))} == {24}
    assert picture.bar(1, 400, 400).plain.startswith("█")  # somebody waits: that is seen


def result(ledger: Ledger) -> Result:
    return Result(ledger, 2.0, 8, 1, (0.01, 0.02), 2, False, ())


def test_the_summary_counts_and_a_breach_is_told(ledger: Ledger) -> None:
    name = take(ledger, 1)
    call(ledger, name, 1)
    good = result(ledger)
    figures = picture.summary(good)
    assert (figures["came"], figures["calls_a_second"], figures["wait_minutes"]["mean"]) == (1, 4.0, 1.0)
    assert figures["latency_ms"] == {"p50": 20.0, "p99": 20.0}
    assert "none called twice" in printed(picture.told(good))
    bad = printed(picture.told(replace(good, breaches=("D-001 is lost",), broken_off=True)))
    assert "1 breaches" in bad
    assert "D-001 is lost" in bad
    assert "Broken off" in bad
    assert "none called twice" not in bad


# --- the command


@pytest.mark.parametrize("options", [["--speed", "0"], ["--speed", "fast"], ["--sites", "0"], ["--visits", "0"]])
def test_wrong_options_are_refused(options: list[str]) -> None:
    done = CliRunner().invoke(app, ["--profile", "none", "simulate", *options])
    assert done.exit_code == USAGE


def test_without_a_platform_it_says_so() -> None:
    done = CliRunner().invoke(app, ["--profile", "none", "simulate"])
    assert done.exit_code == 4
    assert "issuer" in done.output
