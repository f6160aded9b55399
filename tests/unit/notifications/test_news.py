"""What events become: the template's key, the subject, the facts. And the delivery file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import mpp_notifications
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from mpp.applications.v1 import application_pb2
from mpp.applications.v1 import events_pb2 as applications
from mpp.complaints.v1 import complaint_pb2
from mpp.complaints.v1 import events_pb2 as complaints
from mpp.notifications.v1 import events_pb2 as notifications
from mpp.queue.v1 import appointment_pb2, ticket_pb2
from mpp.queue.v1 import events_pb2 as queue
from mpp_notifications import delivery, news, templates
from mpp_notifications.domain import Channel
from mpp_notifications.templates import EVENTS

TICKET = "sites/malang/queues/dukcapil/tickets/t1"
APPLICATION = "sites/malang/applications/0123456789abcdefghjkmnpqrs"
COMPLAINT = "sites/malang/complaints/0123456789abcdefghjkmnpqrs"
APPOINTMENT = "sites/malang/queues/imigrasi/agendas/2026-03-10/appointments/0123456789abcdefghjkmnpqrs"
CANCELLED = queue.AppointmentCancelled.CAUSE_CANCELLED
DUE = datetime(2026, 3, 9, 20, 30, tzinfo=UTC)


def stamp(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment)
    return made


EVERY_KIND = [
    news.ticket_issued(queue.TicketIssued(ticket=TICKET)),
    news.ticket_called(queue.TicketCalled(ticket=TICKET)),
    news.ticket_ended(queue.TicketEnded(ticket=TICKET)),
    news.ticket_near(TICKET, "a", "o", "D-001", "s", 2, ""),
    news.ticket_finished(queue.TicketEnded(ticket=TICKET), "https://x.example", "once"),
    news.overview(notifications.OverviewAsked(overview="sites/malang/overviews/o"), {"id": "x", "en": "y"}, ""),
    news.application_opened(applications.ApplicationOpened(application=APPLICATION)),
    news.application_advanced(applications.ApplicationAdvanced(application=APPLICATION)),
    news.complaint_filed(complaints.ComplaintFiled(complaint=COMPLAINT)),
    news.complaint_advanced(complaints.ComplaintAdvanced(complaint=COMPLAINT)),
    *(
        item
        for item in (
            news.appointment(queue.AppointmentConfirmed(appointment=APPOINTMENT)),
            news.appointment(queue.AppointmentRescheduled(appointment=APPOINTMENT)),
            news.appointment(queue.AppointmentCancelled(appointment=APPOINTMENT, cause=CANCELLED)),
            news.appointment(queue.AppointmentNoShow(appointment=APPOINTMENT)),
            news.appointment(queue.AppointmentDue(appointment=APPOINTMENT)),
        )
        if item is not None
    ),
]


@pytest.mark.parametrize("item", EVERY_KIND, ids=lambda item: item.event)
def test_news_fill_exactly_the_placeholders_that_templates_may_use(item: news.News) -> None:
    known = EVENTS[item.event]
    filled = {"site", *item.facts, *item.days, *item.times, *item.free_text, *item.said}
    filled |= {"agency"} if item.event != "OverviewAsked" else set()
    filled |= {"offering"} if item.offering is not None else set()
    filled |= known.maybe & {"pickup_code", "booking_code", "video_link"}
    assert filled == known.always | known.maybe


def test_every_event_has_its_news() -> None:
    assert {item.event for item in EVERY_KIND} == set(EVENTS)


def test_a_ticket() -> None:
    issued = news.ticket_issued(
        queue.TicketIssued(ticket=TICKET, number="D-001", sealed_phone="s", people_ahead=3, estimated_wait_minutes=25)
    )
    assert (issued.template, issued.site, issued.sealed_phone) == ("ticket_issued", "malang", "s")
    assert issued.facts == {"number": "D-001", "people_ahead": "3", "wait_minutes": "25", "tracking_link": ""}
    first = news.ticket_issued(queue.TicketIssued(ticket=TICKET, number="D-001"))
    assert first.facts["people_ahead"] == first.facts["wait_minutes"] == "", "nobody ahead: nothing to say of it"


@pytest.mark.parametrize(
    ("calls", "key"), [(1, "ticket_called"), (2, "ticket_called_again"), (3, "ticket_called_again")]
)
def test_a_call_and_a_call_again(calls: int, key: str) -> None:
    assert news.ticket_called(queue.TicketCalled(ticket=TICKET, calls=calls, counter=3)).template == key


@pytest.mark.parametrize("channel", ["appointment_phone", "appointment_video"])
def test_who_is_at_a_phone_or_a_screen_is_sent_to_no_counter(channel: str) -> None:
    issued = news.ticket_issued(queue.TicketIssued(ticket=TICKET, channel=channel))
    called = news.ticket_called(queue.TicketCalled(ticket=TICKET, channel=channel, calls=2))
    missed = news.ticket_ended(queue.TicketEnded(ticket=TICKET, state=ticket_pb2.Ticket.STATE_MISSED), remote=True)
    gone = news.ticket_ended(queue.TicketEnded(ticket=TICKET, state=ticket_pb2.Ticket.STATE_CANCELLED), remote=True)
    keys = [item.template for item in (issued, called, missed)]
    assert keys == ["ticket_issued_remote", "ticket_called_remote", "ticket_missed_remote"]
    assert (gone.template in TEMPLATES, gone.otherwise) == (False, "ticket_cancelled")
    for key in (*keys, "ticket_no_show_remote"):
        said = " ".join(word for language in ("id", "en") for word in TEMPLATES[key].texts[language])
        assert not [word for word in ("loket", "counter") if word in said]


@pytest.mark.parametrize("state", ["FINISHED", "CLOSED_AT_DAY_END"])
def test_of_an_end_that_needs_no_news_none_are_told(state: str) -> None:
    event = queue.TicketEnded(ticket=TICKET, state=ticket_pb2.Ticket.State.Value(f"STATE_{state}"))
    assert news.ticket_ended(event).template not in TEMPLATES


@pytest.mark.parametrize(
    ("state", "key"),
    [("MISSED", "ticket_missed"), ("NO_SHOW", "ticket_no_show"), ("CANCELLED", "ticket_cancelled")],
)
def test_an_ended_ticket(state: str, key: str) -> None:
    event = queue.TicketEnded(ticket=TICKET, state=ticket_pb2.Ticket.State.Value(f"STATE_{state}"), reason="r")
    assert news.ticket_ended(event).template == key


def test_an_application_with_its_code_and_its_day() -> None:
    event = applications.ApplicationAdvanced(
        application=APPLICATION,
        state=application_pb2.Application.STATE_READY_FOR_PICKUP,
        due_at=stamp(DUE),
        sealed_pickup_code="sealed-code",
        sealed_phone="sealed-phone",
        reason="kata Budi",
    )
    item = news.application_advanced(event)
    assert item.template == "application_ready_for_pickup"
    assert item.facts["reference"] == "JKMNPQRS"
    assert item.days == {"due_date": DUE}
    assert not [secret for secret in ("sealed-code", "sealed-phone", "Budi") if secret in repr(item)]


def test_a_complaint_without_a_day() -> None:
    item = news.complaint_advanced(
        complaints.ComplaintAdvanced(complaint=COMPLAINT, state=complaint_pb2.Complaint.STATE_CLOSED)
    )
    assert (item.template, item.days) == ("complaint_closed", {"due_date": None})


def test_an_appointment() -> None:
    event = queue.AppointmentConfirmed(
        appointment=APPOINTMENT, start=stamp(DUE), sealed_phone="sealed-phone", sealed_booking_code="sealed-code"
    )
    item = news.appointment(event)
    assert item is not None
    assert (item.template, item.site, item.sealed_booking_code) == ("appointment_confirmed", "malang", "sealed-code")
    assert (item.days, item.times) == ({"start_date": DUE}, {"start_time": DUE})
    assert not [secret for secret in ("sealed-code", "sealed-phone") if secret in repr(item)]


@pytest.mark.parametrize(
    ("variant", "key"), [("ON_SITE", ""), ("UNSPECIFIED", ""), ("PHONE", "_phone"), ("VIDEO", "_video")]
)
@pytest.mark.parametrize("kind", ["Confirmed", "Rescheduled", "Due", "Cancelled"])
def test_an_appointment_elsewhere_has_words_of_its_own(variant: str, key: str, kind: str) -> None:
    event = getattr(queue, f"Appointment{kind}")(
        appointment=APPOINTMENT, variant=f"APPOINTMENT_VARIANT_{variant}", place="Loket 3", sealed_email="sealed-mail"
    )
    if kind == "Cancelled":
        event.cause = CANCELLED
    item = news.appointment(event)
    assert item is not None
    base = f"appointment_{kind.lower()}"
    assert item.template == base + ("" if kind == "Cancelled" else key)
    assert (item.otherwise, item.sealed_email) == (base, "sealed-mail")
    assert item.said == ({} if kind == "Cancelled" else {"place": {"id": "Loket 3", "en": "Loket 3"}})
    assert "sealed-mail" not in repr(item)
    assert appointment_pb2.AppointmentVariant.Value(f"APPOINTMENT_VARIANT_{variant}") == event.variant


def test_what_a_calendar_has_to_learn() -> None:
    end = DUE + timedelta(minutes=30)
    times = {"appointment": APPOINTMENT, "start": stamp(DUE), "end": stamp(end)}
    made = news.appointment(queue.AppointmentConfirmed(**times))
    moved = news.appointment(queue.AppointmentRescheduled(replaces="old", **times))
    gone = news.appointment(queue.AppointmentCancelled(cause=CANCELLED, **times))
    due = news.appointment(queue.AppointmentDue(**times))
    entries = [item.calendar for item in (made, moved, gone, due) if item is not None]
    assert entries == [
        news.CalendarEntry(DUE, end),
        news.CalendarEntry(DUE, end, "old"),
        news.CalendarEntry(DUE, end, cancelled=True),
        None,
    ]


@pytest.mark.parametrize("cause", ["HOLD_EXPIRED", "RESCHEDULED"])
def test_of_a_place_that_was_given_back_otherwise_nothing_is_said(cause: str) -> None:
    cause_ = queue.AppointmentCancelled.Cause.Value(f"CAUSE_{cause}")
    assert news.appointment(queue.AppointmentCancelled(appointment=APPOINTMENT, cause=cause_)) is None


@pytest.mark.parametrize(("again", "key"), [(False, "appointment_missed"), (True, "appointment_missed_again")])
def test_a_second_chance_is_offered_once(again: bool, key: str) -> None:
    item = news.appointment(queue.AppointmentNoShow(appointment=APPOINTMENT, after_no_show=again))
    assert item is not None
    assert item.template == key


@pytest.mark.parametrize("subject", ["", "sites/", "sites/malang", "queues/x/tickets/y", "sites//tickets/y"])
def test_a_subject_that_is_below_no_site_is_refused(subject: str) -> None:
    with pytest.raises(ValueError, match="below a site"):
        _ = news.ticket_called(queue.TicketCalled(ticket=subject)).site


TEMPLATES = templates.parse(
    (Path(mpp_notifications.__file__).parent / "data" / "templates.yaml").read_text(encoding="utf-8")
).by_key
SHIPPED = (Path(mpp_notifications.__file__).parent / "data" / "delivery.yaml").read_text(encoding="utf-8")


def test_the_shipped_delivery_has_one_channel_and_no_fallback() -> None:
    shipped = delivery.parse(SHIPPED)
    assert shipped.route("malang") == delivery.Route(Channel.SMS, (), (Channel.EMAIL,))
    assert shipped.policy.claim.total_seconds() == 60


def test_a_site_may_have_its_own_channels() -> None:
    shipped = delivery.parse(SHIPPED)
    own = delivery.parse(SHIPPED.replace("sites: {}", "sites: {malang: {channel: whatsapp, fallbacks: [sms, email]}}"))
    assert own.route("malang") == delivery.Route(Channel.WHATSAPP, (Channel.SMS, Channel.EMAIL))
    assert own.route("sidoarjo") == shipped.default


BY_PHONE = {Channel.SMS, Channel.WHATSAPP}


@pytest.mark.parametrize(
    ("known", "ways"),
    [
        (set(), []),
        ({Channel.EMAIL}, [delivery.Route(Channel.EMAIL)]),
        (BY_PHONE, [delivery.Route(Channel.WHATSAPP, (Channel.SMS,))]),
        (BY_PHONE | {Channel.EMAIL}, [delivery.Route(Channel.WHATSAPP, (Channel.SMS,)), delivery.Route(Channel.EMAIL)]),
    ],
)
def test_people_are_told_by_the_addresses_that_they_gave(known: set[Channel], ways: list[delivery.Route]) -> None:
    assert delivery.Route(Channel.WHATSAPP, (Channel.SMS,), (Channel.EMAIL,)).ways(known) == ways
    line = delivery.Route(Channel.WHATSAPP, (Channel.EMAIL,)).ways({Channel.EMAIL})
    assert line == [delivery.Route(Channel.EMAIL)], "what cannot be reached is skipped"


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("channel: sms", "channel: pigeon", "default: 'pigeon'"),
        ("fallbacks: []", "fallbacks: [sms]", "default: a channel comes twice"),
        ("also: [email]}\n\nsites", "also: [sms]}\n\nsites", "default: a channel comes twice"),
        ("max_attempts: 5", "max_attempts: 0", "policy.max_attempts"),
        ("factor: 4", "factor: true", "policy.factor"),
        ("claim_seconds: 60", "claim_minutes: 1", "policy.claim_minutes: is not known"),
        ("claim_seconds: 60", "", "KeyError: 'claim_seconds'"),
        ("sites: {}", "sites: [", "Error"),
        ("max_attempts: 5", "max_attempts: 0.5", "policy.max_attempts: must be a whole number"),
        ("first_delay_seconds: 5", "first_delay_seconds: .nan", "policy.first_delay_seconds"),
        ("longest_delay_seconds: 900", "longest_delay_seconds: .inf", "policy.longest_delay_seconds"),
        ("factor: 4", "factor: 1e300", "policy.factor"),
        ("claim_seconds: 60", "claim_seconds: 60\n  patience: 3", "policy.patience: is not known"),
        ("sites: {}", "sites: {sites/malang: {channel: sms}}", "sites.sites/malang: is no site's id"),
        ("sites: {}", "sites: {malang: {channel: sms, fallback: [whatsapp]}}", "sites.malang: fallback is not known"),
    ],
)
def test_a_bad_delivery_file_is_refused_and_the_place_named(before: str, after: str, named: str) -> None:
    assert before in SHIPPED
    with pytest.raises(delivery.BadDelivery, match=named):
        delivery.parse(SHIPPED.replace(before, after, 1))
