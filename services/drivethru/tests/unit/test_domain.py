"""The rules of a pass, one by one: plates, settings, tickets' news, stages, times."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_drivethru import domain
from mpp_drivethru.domain import (
    BadSettings,
    Cause,
    InvalidField,
    LaneBlocked,
    Pass,
    StageTaken,
    State,
    TicketNews,
    TicketState,
    WrongState,
)

T0 = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
SETTINGS: dict[str, Any] = {
    "queue": "polresta",
    "lanes": [{"id": "1", "display_name": "Lajur 1", "counter": 30}, {"id": "2"}],
    "stages": [
        {"id": "check", "display_name": {"id": "Periksa berkas", "en": "Check documents"}, "minutes": 3},
        {"id": "pay", "minutes": 2.0},
        {"id": "photo", "minutes": 4, "optional": True},
        {"id": "hand-over", "minutes": 1},
    ],
}
SPEC = domain.channel("sites/malang/channels/sim", "sites/malang/agencies/polresta", ["o1"], SETTINGS)
TICKET = "sites/malang/queues/polresta/tickets/t1"


def waiting(number: str = "K-001") -> Pass:
    return domain.register(
        f"sites/malang/channels/sim/passes/{number}", SPEC, ticket=f"{TICKET}{number}", number=number, offering="o1",
        day="2026-11-23", now=T0,
    )  # fmt: skip


def called(number: str = "K-001", counter: int = 31) -> Pass:
    return waiting(number).hear(TicketNews(TICKET, TicketState.CALLED, T0, counter, 2), SPEC)


def at(stage: str, number: str = "K-001", place: int = 1) -> Pass:
    """In lane 1 at a stage, everything before it done."""
    one = called(number).start("", "1", SPEC, ahead=[], last_place=place - 1, now=T0)
    while one.at_stage != stage:
        one = one.finish(SPEC, now=T0).start("", "", SPEC, ahead=[], last_place=0, now=T0)
    return one


def news(state: TicketState, sequence: int = 9) -> TicketNews:
    return TicketNews(TICKET, state, T0 + timedelta(minutes=5), 31, sequence)


def test_a_channel_is_read_from_its_settings() -> None:
    assert SPEC.queue == "sites/malang/queues/polresta"
    assert [s.id for s in SPEC.stages] == ["check", "pay", "photo", "hand-over"]
    assert (SPEC.stages[0].text.en, SPEC.stages[1].text.id, SPEC.stages[1].minutes) == ("Check documents", "pay", 2)
    assert (SPEC.lane_of(30), SPEC.lane_of(31), SPEC.lane_of(0)) == ("1", "", "")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"queue": ""}, "queue"),
        ({"queue": 7}, "queue"),
        ({"lanes": []}, "lanes"),
        ({"lanes": [{"id": "1"}, {"id": "1"}]}, "lanes[1].id"),
        ({"lanes": [{"id": "Satu"}]}, "lanes[0].id"),
        ({"lanes": [{"id": "1", "counter": "x"}]}, "lanes[0].counter"),
        ({"stages": [{"id": "a", "minutes": -1}]}, "stages[0].minutes"),
        ({"stages": [{"id": "a", "minutes": True}]}, "stages[0].minutes"),
        ({"stages": [{"id": "a", "optional": True}]}, "stages"),
        ({"stages": None}, "stages"),
    ],
)
def test_bad_settings_name_their_place(change: dict[str, Any], path: str) -> None:
    with pytest.raises(BadSettings) as caught:
        domain.channel("sites/x/channels/c", "sites/x/agencies/a", [], {**SETTINGS, **change})
    assert caught.value.path == path


@given(st.from_regex(r"[A-Z]{1,2} [0-9]{1,4} [A-Z]{1,3}", fullmatch=True))
def test_a_plate_is_one_however_it_is_written_and_its_mask_tells_little(text: str) -> None:
    plain = domain.plate(text)
    assert plain == domain.plate(text.lower().replace(" ", "-")) == domain.plate(text.replace(" ", ""))
    masked = domain.mask_plate(plain)
    assert len(masked) == len(plain)
    assert masked.count("*") == len(plain) - 2


@pytest.mark.parametrize("text", ["", "ABC", "Q", "W 1234 AB!", "N" * 20 + "1"])
def test_what_is_no_plate_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidField) as caught:
        domain.plate(text)
    assert caught.value.field == "plate"
    assert len(text) < 3 or text not in str(caught.value)


def test_a_call_brings_the_lane_of_its_counter() -> None:
    assert (called(counter=30).lane, called(counter=31).lane) == ("1", "")
    assert called().state is State.CALLED


def test_a_missed_call_goes_back_to_waiting_and_older_news_change_nothing() -> None:
    back = called().hear(news(TicketState.WAITING, 3), SPEC)
    assert (back.state, back.counter, back.lane) == (State.WAITING, 0, "")
    assert back.hear(news(TicketState.CALLED, 2), SPEC) is back
    assert back.hear(news(TicketState.CALLED, 4), SPEC).state is State.CALLED


@pytest.mark.parametrize(
    ("state", "end", "cause"),
    [
        (TicketState.NO_SHOW, State.ABANDONED, Cause.NO_SHOW),
        (TicketState.CANCELLED, State.ABANDONED, Cause.CANCELLED),
        (TicketState.CLOSED_AT_DAY_END, State.ABANDONED, Cause.CLOSED_AT_DAY_END),
        (TicketState.TRANSFERRED, State.ASIDE, Cause.TRANSFERRED),
        (TicketState.FINISHED, State.ABANDONED, Cause.SERVED_ELSEWHERE),
    ],
)
@pytest.mark.parametrize("before", [waiting(), called(), at("pay")], ids=["waiting", "called", "in lane"])
def test_a_ticket_that_ends_ends_the_pass(before: Pass, state: TicketState, end: State, cause: Cause) -> None:
    after = before.hear(news(state), SPEC)
    assert (after.state, after.cause) == (end, cause)
    assert after.ended_at is not None
    assert after.hear(news(TicketState.CALLED, 99), SPEC) is after


def test_a_ticket_finished_at_the_last_stage_is_a_pass_done() -> None:
    after = at("hand-over").hear(news(TicketState.FINISHED), SPEC)
    assert (after.state, after.cause) == (State.DONE, Cause.NONE)
    assert after.stages[-1].finished_at == T0 + timedelta(minutes=5)


def test_a_vehicle_in_the_lane_is_the_lanes() -> None:
    one = at("pay")
    assert one.hear(news(TicketState.CALLED), SPEC) is one
    assert one.hear(news(TicketState.WAITING), SPEC) is one


def test_through_all_stages_to_done() -> None:
    one, now = called(), T0
    for stage in ("check", "pay", "photo", "hand-over"):
        assert one.next_stage(SPEC) == stage
        one = one.start("", "1", SPEC, ahead=[one], last_place=0, now=now)
        assert one.at_stage == stage
        now += timedelta(minutes=2)
        one = one.finish(SPEC, now=now)
        assert one.events[0] == domain.Advanced(domain.Step.STAGE_FINISHED, now, stage, timedelta(minutes=2))
    assert one.state is State.DONE
    assert isinstance(one.events[-1], domain.Ended)
    with pytest.raises(WrongState):
        one.start("", "", SPEC, ahead=[], last_place=0, now=now)


def test_an_optional_stage_may_be_passed_over_and_no_other() -> None:
    paid = at("pay").finish(SPEC, now=T0)
    assert paid.start("hand-over", "", SPEC, ahead=[], last_place=0, now=T0).at_stage == "hand-over"
    checked = at("check").finish(SPEC, now=T0)
    for stage in ("photo", "hand-over", "check", "wash"):
        with pytest.raises(InvalidField):
            checked.start(stage, "", SPEC, ahead=[], last_place=0, now=T0)


def test_a_stage_that_is_taken_and_a_lane_that_is_blocked() -> None:
    first = at("check", "K-001", 1)
    second = called("K-002")
    with pytest.raises(StageTaken):
        second.start("", "1", SPEC, ahead=[first], last_place=1, now=T0)
    assert second.start("", "2", SPEC, ahead=[], last_place=0, now=T0).at_stage == "check"
    first = first.finish(SPEC, now=T0)
    second = second.start("", "1", SPEC, ahead=[first], last_place=1, now=T0).finish(SPEC, now=T0)
    with pytest.raises(LaneBlocked) as caught:  # the first has not come to pay yet
        second.start("pay", "", SPEC, ahead=[first, second], last_place=2, now=T0)
    assert caught.value.metadata["number"] == "K-001"
    gone = first.send_aside(Cause.INCOMPLETE_DOCUMENTS, now=T0)
    assert second.start("pay", "", SPEC, ahead=[gone], last_place=2, now=T0).at_stage == "pay"


def test_a_lane_must_be_known_and_is_kept() -> None:
    for lane in ("", "9"):
        with pytest.raises(InvalidField):
            called().start("", lane, SPEC, ahead=[], last_place=0, now=T0)
    inside = at("check").finish(SPEC, now=T0)
    with pytest.raises(InvalidField):
        inside.start("", "2", SPEC, ahead=[], last_place=0, now=T0)


def test_aside_is_for_who_was_called_or_is_in_the_lane() -> None:
    with pytest.raises(WrongState):
        waiting().send_aside(Cause.OTHER, now=T0)
    aside = at("pay").send_aside(Cause.PAYMENT, now=T0)
    assert (aside.state, aside.cause, aside.at_stage) == (State.ASIDE, Cause.PAYMENT, "")


def test_a_stage_that_the_channel_no_longer_has_does_not_lose_the_vehicle() -> None:
    without_pay = replace(SPEC, stages=tuple(s for s in SPEC.stages if s.id != "pay"))
    one = at("pay").finish(without_pay, now=T0)
    assert one.next_stage(without_pay) == "photo"


def test_a_plate_is_forgotten() -> None:
    one = replace(waiting(), sealed_plate="x", plate_index="y", masked_plate="N*B").forget_plate()
    assert (one.sealed_plate, one.plate_index, one.masked_plate) == ("", "", "")


@given(st.lists(st.integers(0, 10_000), min_size=1))
def test_nine_of_ten_are_not_longer_than_p90(seconds: list[int]) -> None:
    found = domain.statistics([timedelta(seconds=s) for s in seconds])
    longer = sum(timedelta(seconds=s) > found.p90 for s in seconds)
    assert longer <= len(seconds) / 10
    assert min(seconds) <= found.median.total_seconds() <= max(seconds)


def test_statistics_of_nothing() -> None:
    assert domain.statistics([]).count == 0


def test_offerings() -> None:
    assert domain.offering_of(SPEC, "") == "o1"
    with pytest.raises(InvalidField):
        domain.offering_of(SPEC, "o2")
    assert domain.offering_of(replace(SPEC, offerings=()), "anything") == "anything"


@pytest.mark.parametrize("minutes", [float("inf"), float("-inf"), float("nan"), 2.5, -1, 10_000, True, "5"])
def test_minutes_that_are_no_whole_number_are_bad_settings(minutes: Any) -> None:
    stages = [{"id": "check", "minutes": minutes}]
    with pytest.raises(BadSettings):
        domain.channel("sites/malang/channels/sim", "a", [], {**SETTINGS, "stages": stages})


@given(st.from_regex(r"[A-Z0-9]{2,12}", fullmatch=True))
def test_a_mask_hides_something_of_every_plate(plain: str) -> None:
    masked = domain.mask_plate(plain)
    assert len(masked) == len(plain)
    assert "*" in masked
    assert all(shown in ("*", clear) for shown, clear in zip(masked, plain, strict=True))


@given(st.lists(st.integers(-7200, 7200), min_size=9, max_size=9))
def test_a_clock_that_goes_back_turns_no_step_round(seconds: list[int]) -> None:
    """Whatever the clock says at each step: registered, started, finished, ... and the end never come before one another."""
    at, one = iter(T0 + timedelta(seconds=s) for s in seconds), called()
    while one.state is not State.DONE:
        one = one.start("", "1" if not one.stages else "", SPEC, ahead=[], last_place=0, now=next(at))
        one = one.finish(SPEC, now=next(at))
    assert one.ended_at is not None
    moments = [one.registered_at]
    for stage in one.stages:
        assert stage.finished_at is not None
        moments += [stage.started_at, stage.finished_at]
    assert moments == sorted(moments)
    assert one.ended_at >= moments[-1]
