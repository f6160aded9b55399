"""A complaint as others see it: the reply for one reader, and the events for everybody.

Knows the protos and the domain. Never decides who may read: it is told by a `Sight`. Never knows keys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from mpp.catalog.v1 import offering_pb2
from mpp.complaints.v1 import complaint_pb2, events_pb2
from mpp_chassis.events import Event

from mpp_complaints import domain
from mpp_complaints.domain import Complaint, Party

COARSE = 300  # seconds


@dataclass(frozen=True, slots=True)
class Sight:
    """What one reader may see.

    `content`: the answer and the handlers' reasons. `person`: which person reports, and the ticket and application
    that would tell. `unseal`: opens the reporter's own words; None leaves them out, as in lists and in replies to
    commands, which are stored.
    """

    content: bool
    person: bool
    unseal: Callable[[str], str] | None = None


def state_of(state: domain.State) -> str:
    """The enum's name in the proto; so for the other two."""
    return f"STATE_{state.name}"


def class_of(classified: domain.Class) -> str:
    return f"CLASS_{classified.name}"


def visibility_of(visibility: domain.Visibility) -> str:
    return f"VISIBILITY_{visibility.name}"


def asked_class(value: int) -> domain.Class | None:
    """None when the request leaves it out."""
    name = complaint_pb2.Complaint.Class.Name(value)
    return None if value == 0 else domain.Class[name.removeprefix("CLASS_")]


def asked_visibility(value: int) -> domain.Visibility:
    name = complaint_pb2.Complaint.Visibility.Name(value)
    return domain.Visibility[name.removeprefix("VISIBILITY_")]


def reply(c: Complaint, sight: Sight, now: datetime) -> complaint_pb2.Complaint:
    words = [sight.unseal(w) for w in c.words] if sight.unseal and sight.content else []
    return complaint_pb2.Complaint(
        name=c.name,
        agency=c.agency,
        ticket=c.ticket if sight.person else "",  # both lead to the person
        application=c.application if sight.person else "",
        subject=c.subject,
        text="\n\n".join(words),
        visibility=visibility_of(c.visibility),
        state=state_of(c.state),
        received_at=_time(c.received_at),
        due_at=_time(c.due_at),
        answer=c.answer if sight.content else "",
        rating=c.rating,
        escalation_level=c.escalation_level,
        reason=_reason(c.history[-1], sight),
        measured_wait_seconds=_wait(c.waited_seconds, sight),
        overdue=c.overdue(now),
        history=[_entry(e, sight) for e in c.history],
        kind=kind_of(c.kind),
        handled_by=c.handled_by,
        overcharge=_overcharge(c.overcharge, sight),
        **{"class": class_of(c.classified)},
    )


def _wait(seconds: int | None, sight: Sight) -> int | None:
    """To the second it would tell which ticket it was, and so who reports: whoever must not know gets full `COARSE`."""
    return seconds if seconds is None or sight.person else seconds // COARSE * COARSE


def kind_of(kind: domain.Kind) -> complaint_pb2.Complaint.Kind:
    overcharge = kind is domain.Kind.OVERCHARGE
    return complaint_pb2.Complaint.KIND_OVERCHARGE if overcharge else complaint_pb2.Complaint.KIND_UNSPECIFIED


def _overcharge(o: domain.Overcharge | None, sight: Sight) -> complaint_pb2.Overcharge | None:
    """The sums are a part of what the reporter says."""
    if o is None or not sight.content:
        return None
    fee = offering_pb2.Fee.FromString(o.published) if o.published else None
    return complaint_pb2.Overcharge(
        asked_idr=o.asked_idr, official_fee=fee, offering=o.offering, excess_idr=o.excess_idr
    )


def events(c: Complaint) -> list[Event]:
    """One event for each thing that the domain says happened. Nothing of the reporter's words is in them."""
    return [Event(_event(c, e), c.name) for e in c.events]


def _event(c: Complaint, happened: domain.DomainEvent) -> Message:
    match happened:
        case domain.Filed():
            return events_pb2.ComplaintFiled(
                complaint=c.name,
                agency=c.handled_by,
                ticket=c.ticket,
                application=c.application,
                visibility=visibility_of(c.visibility),
                received_at=_time(c.received_at),
                due_at=_time(c.due_at),
                sealed_phone=c.sealed_phone,
                kind=kind_of(c.kind),
                about_agency=c.agency if c.routed_to is not None else "",
                **{"class": class_of(c.classified)},
            )
        case domain.Advanced():
            return events_pb2.ComplaintAdvanced(
                complaint=c.name,
                agency=c.handled_by,
                from_state=state_of(happened.from_state),
                state=state_of(c.state),
                at=_time(happened.at),
                due_at=_time(c.due_at),
                rating=c.rating,
                escalation_level=c.escalation_level,
                sealed_phone=c.sealed_phone,
                reason=happened.reason,
            )
        case domain.WentOverdue():
            return events_pb2.ComplaintOverdue(
                complaint=c.name,
                agency=c.handled_by,
                state=state_of(c.state),
                due_at=_time(happened.due_at),
                at=_time(happened.at),
            )


def _entry(e: domain.Entry, sight: Sight) -> complaint_pb2.ComplaintHistoryEntry:
    hidden = e.party is Party.REPORTER and not sight.person
    return complaint_pb2.ComplaintHistoryEntry(
        state=state_of(e.state),
        at=_time(e.at),
        actor=e.actor.split(":", 1)[0] if hidden else e.actor,
        reason=_reason(e, sight),
    )


def _reason(e: domain.Entry, sight: Sight) -> str:
    """A reporter's reason is sealed like the rest of what they wrote."""
    if not sight.content:
        return ""
    if e.party is not Party.REPORTER or not e.reason:
        return e.reason
    return sight.unseal(e.reason) if sight.unseal else ""


def _time(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment.astimezone(UTC))
    return stamp
