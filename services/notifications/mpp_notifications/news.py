"""What an event of another service means to a citizen: which template, about what, with which facts.

Knows the protos of the events. Never knows names from the catalogue (only resource names), texts, channels or
states of a message. Sealed values stay sealed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from mpp.applications.v1 import application_pb2
from mpp.applications.v1 import events_pb2 as applications
from mpp.complaints.v1 import complaint_pb2
from mpp.complaints.v1 import events_pb2 as complaints
from mpp.notifications.v1 import events_pb2 as notifications
from mpp.queue.v1 import appointment_pb2, ticket_pb2
from mpp.queue.v1 import events_pb2 as queue

_REFERENCE_LENGTH = 8
# Channels of tickets whose people do not come to a counter (ADR 0032).
REMOTE = frozenset({"appointment_phone", "appointment_video"})


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """What a calendar has to learn of an appointment. `replaces`: the one whose place it took."""

    start: datetime
    end: datetime
    replaces: str = ""
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened to `subject`. Without `sealed_phone` and `sealed_email` nobody asked to be told.

    `facts`, `days`, `times` and `said` (by language) fill placeholders of the templates; a day and a time of day are said
    in the site's zone and each language's words. `otherwise`: the template where a deployment has no `template`. `once`:
    told once for this, not once for each event. `single`: one message at most, however many ways there are.
    """

    event: str
    template: str
    subject: str
    agency: str
    offering: str | None = None  # None: this event does not speak of one
    sealed_phone: str = field(default="", repr=False)
    sealed_pickup_code: str = field(default="", repr=False)
    sealed_booking_code: str = field(default="", repr=False)
    sealed_email: str = field(default="", repr=False)
    sealed_link: str = field(default="", repr=False)
    otherwise: str = ""
    once: str = ""
    single: bool = False
    said: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    calendar: CalendarEntry | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    days: Mapping[str, datetime | None] = field(default_factory=dict)
    times: Mapping[str, datetime] = field(default_factory=dict)
    free_text: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def site(self) -> str:
        """`malang` of `sites/malang/...`. Raises ValueError when the subject is no such name."""
        head, _, rest = self.subject.partition("/")
        site, _, below = rest.partition("/")
        if head != "sites" or not site or not below:
            raise ValueError("the event's subject is not below a site")
        return site


def ticket_issued(event: queue.TicketIssued, link: str = "") -> News:
    """`link`: where the ticket can be followed; empty where there is no such page."""
    return News(
        event="TicketIssued",
        template="ticket_issued_remote" if event.channel in REMOTE else "ticket_issued",
        subject=event.ticket,
        agency=event.agency,
        offering=event.offering,
        sealed_phone=event.sealed_phone,
        facts={
            "number": event.number,
            "people_ahead": _count(event.people_ahead),
            "wait_minutes": _count(event.estimated_wait_minutes),
            "tracking_link": link,
        },
    )


def ticket_called(event: queue.TicketCalled) -> News:
    here = "ticket_called" if event.calls <= 1 else "ticket_called_again"
    return News(
        event="TicketCalled",
        template="ticket_called_remote" if event.channel in REMOTE else here,
        subject=event.ticket,
        agency=event.agency,
        sealed_phone=event.sealed_phone,
        facts={"number": event.number, "counter": str(event.counter)},
    )


def ticket_ended(event: queue.TicketEnded, *, remote: bool = False) -> News:
    """`remote`: the person is at a phone or a screen, which the event itself does not tell."""
    template = "ticket_" + _state(ticket_pb2.Ticket.State.Name(event.state))
    return News(
        event="TicketEnded",
        template=f"{template}_remote" if remote else template,
        otherwise=template,
        subject=event.ticket,
        agency=event.agency,
        offering=event.offering,
        sealed_phone=event.sealed_phone,
        facts={"number": event.number, "counter": _count(event.counter)},
        free_text={"reason": event.reason},
    )


def ticket_near(ticket: str, agency: str, offering: str, number: str, sealed_phone: str, ahead: int, link: str) -> News:
    """It is nearly the turn of who has `ticket`."""
    return News(
        event="TicketNear",
        template="ticket_near",
        subject=ticket,
        agency=agency,
        offering=offering,
        sealed_phone=sealed_phone,
        facts={"number": number, "people_ahead": _count(ahead), "tracking_link": link},
        once=f"near/{ticket}",
        single=True,
    )


def ticket_finished(event: queue.TicketEnded, link: str, once: str) -> News:
    """A question, not news: how was it?"""
    return News(
        event="TicketFinished",
        template="ticket_survey",
        subject=event.ticket,
        agency=event.agency,
        offering=event.offering,
        sealed_phone=event.sealed_phone,
        facts={"survey_link": link},
        once=once,
        single=True,
    )


def overview(event: notifications.OverviewAsked, items: Mapping[str, str], more: str) -> News:
    """`items`: by language."""
    return News(
        event="OverviewAsked",
        template="overview",
        subject=event.overview,
        agency="",
        sealed_phone=event.sealed_phone,
        sealed_email=event.sealed_email,
        said={"items": items},
        facts={"more": more},
        single=True,
    )


def application_opened(event: applications.ApplicationOpened) -> News:
    return News(
        event="ApplicationOpened",
        template="application_opened",
        subject=event.application,
        agency=event.agency,
        offering=event.offering,
        sealed_phone=event.sealed_phone,
        facts={"reference": reference(event.application)},
    )


def application_advanced(event: applications.ApplicationAdvanced) -> News:
    return News(
        event="ApplicationAdvanced",
        template="application_" + _state(application_pb2.Application.State.Name(event.state)),
        subject=event.application,
        agency=event.agency,
        offering=event.offering,
        sealed_phone=event.sealed_phone,
        sealed_pickup_code=event.sealed_pickup_code,
        facts={"reference": reference(event.application)},
        days={"due_date": _moment(event.HasField("due_at"), event.due_at)},
        free_text={"reason": event.reason},
    )


def complaint_filed(event: complaints.ComplaintFiled) -> News:
    return News(
        event="ComplaintFiled",
        template="complaint_filed",
        subject=event.complaint,
        agency=event.agency,
        sealed_phone=event.sealed_phone,
        facts={"reference": reference(event.complaint)},
        days={"due_date": _moment(event.HasField("due_at"), event.due_at)},
    )


def complaint_advanced(event: complaints.ComplaintAdvanced) -> News:
    came_back = event.from_state == complaint_pb2.Complaint.STATE_MERGED  # what it was joined with was withdrawn
    return News(
        event="ComplaintAdvanced",
        template="complaint_" + ("restored" if came_back else _state(complaint_pb2.Complaint.State.Name(event.state))),
        subject=event.complaint,
        agency=event.agency,
        sealed_phone=event.sealed_phone,
        facts={"reference": reference(event.complaint)},
        days={"due_date": _moment(event.HasField("due_at"), event.due_at)},
        free_text={"reason": event.reason},
    )


Appointment = (
    queue.AppointmentConfirmed
    | queue.AppointmentRescheduled
    | queue.AppointmentCancelled
    | queue.AppointmentNoShow
    | queue.AppointmentDue
)
_VARIANTS = {
    appointment_pb2.APPOINTMENT_VARIANT_PHONE: "_phone",
    appointment_pb2.APPOINTMENT_VARIANT_VIDEO: "_video",
}
_COMING = (queue.AppointmentConfirmed, queue.AppointmentRescheduled, queue.AppointmentDue)
_APPOINTMENTS = {
    "AppointmentConfirmed": "appointment_confirmed",
    "AppointmentRescheduled": "appointment_rescheduled",
    "AppointmentCancelled": "appointment_cancelled",
    "AppointmentNoShow": "appointment_missed",
    "AppointmentDue": "appointment_due",
}


def appointment(event: Appointment) -> News | None:
    """None where there is nothing to say: a hold that ran out was never sure, of a new time another event tells."""
    kind = type(event).__name__
    if isinstance(event, queue.AppointmentCancelled) and event.cause != queue.AppointmentCancelled.CAUSE_CANCELLED:
        return None
    template = _APPOINTMENTS[kind]
    if isinstance(event, queue.AppointmentNoShow) and event.after_no_show:
        template = "appointment_missed_again"
    start = event.start.ToDatetime(UTC)
    coming = isinstance(event, _COMING)
    return News(
        event=kind,
        template=template + (_VARIANTS.get(event.variant, "") if coming else ""),
        otherwise=template,
        subject=event.appointment,
        agency=event.agency,
        offering=event.offering,
        sealed_phone=event.sealed_phone,
        sealed_booking_code=getattr(event, "sealed_booking_code", ""),
        sealed_email=event.sealed_email,
        sealed_link=event.sealed_link if isinstance(event, _COMING) else "",
        said={"place": {"id": event.place, "en": event.place_en or event.place}} if coming else {},
        calendar=_calendar(event),
        facts={"reference": reference(event.appointment)},
        days={"start_date": start},
        times={"start_time": start},
    )


def _calendar(event: Appointment) -> CalendarEntry | None:
    """None: nothing to change in a calendar."""
    if not isinstance(event, queue.AppointmentConfirmed | queue.AppointmentRescheduled | queue.AppointmentCancelled):
        return None
    start, end = event.start.ToDatetime(UTC), event.end.ToDatetime(UTC)
    if end <= start:
        return None  # an event of before 0.2.0
    return CalendarEntry(
        start, end, getattr(event, "replaces", ""), cancelled=isinstance(event, queue.AppointmentCancelled)
    )


def reference(name: str) -> str:
    """What a person can read out: the last eight characters of the resource's id, in capitals. Not unique for
    ever.
    """
    return name.rpartition("/")[2][-_REFERENCE_LENGTH:].upper()


def _state(name: str) -> str:
    return name.removeprefix("STATE_").lower()


def _count(number: int) -> str:
    """Nothing to say of none."""
    return str(number) if number > 0 else ""


def _moment(present: bool, stamp: Timestamp) -> datetime | None:
    return stamp.ToDatetime(UTC) if present else None
