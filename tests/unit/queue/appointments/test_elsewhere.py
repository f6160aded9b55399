"""By phone and by video: who is needed to be reached, who begins, and what nobody may see."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from mpp.queue.v1 import appointment_pb2, events_pb2
from mpp_chassis.events import is_personal
from mpp_queue.appointments import codes, messages, persons
from mpp_queue.appointments.domain.agenda_day import AgendaDay, Wish
from mpp_queue.appointments.domain.booking import Personal, State
from mpp_queue.appointments.domain.calendar import ON_SITE, PHONE, VIDEO
from mpp_queue.appointments.domain.errors import Elsewhere
from mpp_queue.domain import InvalidField, Text

from .test_calendar import MONDAY, agenda
from .test_rules import NINE, NOW, empty

OPEN = agenda(variants=frozenset({ON_SITE, PHONE, VIDEO}), queue="sites/x/queues/q", place=Text("MPP", "Service mall"))
SERVICE = "service:queue"


def day(variant: str, a: Any = OPEN, **person: str) -> AgendaDay:
    wish = Wish(NINE, variant=variant, personal=Personal(**person))
    held = empty().hold(a, wish, id="b", now=NOW, actor="citizen:x", rng=random.Random(1))
    (booking,) = held.bookings
    sure = booking.confirm(
        a, now=NOW, actor="citizen:x", personal=booking.personal, code_key="k", sealed_code="s", sealed_link="l"
    )
    return replace(held.change(replace(sure, reminded=True)), events=())


@pytest.mark.parametrize(("variant", "person", "field"), [
    (PHONE, {}, "phone"), (PHONE, {"sealed_email": "e"}, "phone"), (VIDEO, {}, "email"),
    (PHONE, {"sealed_phone": "p"}, ""), (VIDEO, {"sealed_phone": "p"}, ""), (VIDEO, {"sealed_email": "e"}, ""),
    (ON_SITE, {}, ""),
])  # fmt: skip
def test_whom_the_office_is_to_reach_it_must_be_able_to(variant: str, person: dict[str, str], field: str) -> None:
    if not field:
        assert day(variant, **person).bookings[0].state is State.CONFIRMED
        return
    with pytest.raises(InvalidField) as refused:
        day(variant, **person)
    assert refused.value.field == field


def test_only_what_the_agenda_offers() -> None:
    with pytest.raises(InvalidField) as refused:
        day(VIDEO, replace(OPEN, variants=frozenset({ON_SITE, PHONE})), sealed_email="e")
    assert refused.value.field == "variant"


@pytest.mark.parametrize("late", [timedelta(0), timedelta(hours=3)])
def test_at_its_time_it_stands_in_the_line_by_itself_and_is_never_late(late: timedelta) -> None:
    before = day(PHONE, sealed_phone="p")
    assert before.due_at(OPEN) == NINE
    assert before.tick(OPEN, now=NINE - timedelta(seconds=1), actor=SERVICE) == before
    (begun,) = before.tick(OPEN, now=NINE + late, actor=SERVICE).bookings
    assert (begun.state, begun.late) == (State.CHECKED_IN, False)
    assert begun.arrived_at == NINE - OPEN.early
    assert begun.ticket == "sites/x/queues/q/tickets/apt-b"


def test_an_office_that_never_called_is_not_the_citizens_no_show() -> None:
    (gone,) = day(PHONE, sealed_phone="p").tick(OPEN, now=NINE + timedelta(days=1), actor=SERVICE).bookings
    assert gone.state is State.CANCELLED
    assert gone.given_up_at is None


def test_where_nothing_draws_a_ticket_an_officer_begins_and_no_kiosk() -> None:
    a = replace(OPEN, queue="")
    (sure,) = day(VIDEO, a, sealed_email="e").bookings
    with pytest.raises(Elsewhere):
        sure.check_in(a, now=NINE, actor="kiosk:k", ticket="")
    begun = sure.check_in(a, now=NINE, actor="officer:o", ticket="")
    assert begun.tick(a, now=sure.end + timedelta(hours=1), actor=SERVICE).state is State.FULFILLED
    assert sure.tick(a, now=sure.lost_at(a), actor=SERVICE) is sure  # the office has all day
    assert sure.tick(a, now=a.day_end(NINE), actor=SERVICE).state is State.CANCELLED


def test_a_citizen_whose_ticket_told_nothing_is_not_checked_in_for_ever() -> None:
    (sure,) = day(ON_SITE).bookings
    here = sure.check_in(OPEN, now=NINE, actor="kiosk:k", ticket="t")
    at = OPEN.settled_at(NINE)
    assert OPEN.local_day(at) == MONDAY + timedelta(days=1)
    assert here.tick(OPEN, now=at - timedelta(seconds=1), actor=SERVICE) is here
    assert here.tick(OPEN, now=at, actor=SERVICE).state is State.CANCELLED


def test_another_time_keeps_how_they_meet_and_the_link() -> None:
    before = day(VIDEO, sealed_email="e")
    (sure,) = before.bookings
    wish = Wish(NINE + timedelta(hours=1), variant=sure.variant, personal=sure.personal)
    on_site_only = replace(OPEN, variants=frozenset({ON_SITE}))
    after = before.book_instead(on_site_only, wish, sure, "old", id="new", now=NOW, actor="citizen:x")
    new = after.find("new")
    assert new is not None
    assert (new.variant, new.sealed_link, new.personal.sealed_email) == (VIDEO, "l", "e")


def test_a_team_that_calls_needs_no_road() -> None:
    a = replace(OPEN, areas=frozenset({"Klojen"}))
    assert day(PHONE, a, sealed_phone="p").bookings
    with pytest.raises(InvalidField):
        day(ON_SITE, a)


@pytest.mark.parametrize(("variant", "place"), [(ON_SITE, "MPP"), (VIDEO, "")])
def test_events_tell_where_and_how_and_the_link_to_nobody_outside(variant: str, place: str) -> None:
    wish = Wish(NINE, variant=variant, personal=Personal(sealed_email="e"))
    held = empty().hold(OPEN, wish, id="b", now=NOW, actor="citizen:x", rng=random.Random(1))
    (booking,) = held.bookings
    sure = booking.confirm(
        OPEN, now=NOW, actor="c", personal=booking.personal, code_key="k", sealed_code="s", sealed_link="l"
    )
    told = [event.message for event in messages.events(held.change(sure), NOW, OPEN.place)]
    assert [(e.place, messages.variant_of(e.variant)) for e in told] == [(place, variant)] * 2
    assert (told[1].sealed_email, told[1].sealed_link) == ("e", "l")
    fields = events_pb2.AppointmentConfirmed.DESCRIPTOR.fields_by_name
    assert is_personal(fields["sealed_email"])
    assert is_personal(fields["sealed_link"])


def test_a_reply_shows_no_link_and_no_address_by_itself() -> None:
    (sure,) = day(VIDEO, sealed_email="e", masked_email="b***@g***.id").bookings
    reply = messages.appointment(empty(), sure)
    assert (reply.video_link, reply.booking_code, reply.masked_email) == ("", "", "b***@g***.id")
    assert reply.variant == appointment_pb2.APPOINTMENT_VARIANT_VIDEO
    assert [line.actor for line in reply.history] == ["citizen", "citizen"]


def test_codes_hold_no_markup() -> None:
    """A booking code and a link's code are shown on pages: letters and digits, whatever the dice say."""
    rng = random.Random(4)
    for _ in range(200):
        code, link = codes.new_code(rng), codes.new_link_code(rng)
        assert set(code) <= {*codes.CODE_LETTERS, "-"}
        assert set(link) <= set("0123456789abcdef")
        assert len(link) == 32


@pytest.mark.parametrize(("one", "same"), [
    ("Budi@Example.id", "budi@example.id"), ("budi+mpp@example.id", "budi@example.id"), ("+x@example.id", "+x@example.id"),
])  # fmt: skip
def test_two_spellings_of_one_mailbox(one: str, same: str) -> None:
    assert persons.normal_email(one) == same


def test_a_mask_tells_no_address() -> None:
    assert messages.mask_email("budi.santoso@example.co.id") == "b***@e***.id"
    assert messages.mask_email("") == ""
