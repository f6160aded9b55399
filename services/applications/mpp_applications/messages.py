"""From the domain to the wire: masked replies and events. Knows protos and masks; never decides anything.

The only place that opens what is sealed, and only to mask it in the same breath.
"""

from __future__ import annotations

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from mpp.applications.v1 import application_pb2 as pb
from mpp.applications.v1 import events_pb2
from mpp_chassis.events import Event as WireEvent
from mpp_chassis.privacy import FieldCipher, mask_name, mask_nik, mask_phone

from mpp_applications import domain

SEALED_NAME, SEALED_NIK, SEALED_PHONE, SEALED_PICKUP_CODE = "name", "nik", "phone", "pickup_code"


def application(a: domain.Application, cipher: FieldCipher) -> pb.Application:
    """The reply that owner and agency see: masked, and without any pickup code."""
    return pb.Application(
        name=a.name,
        offering=a.offering,
        agency=a.agency,
        ticket=a.ticket,
        state=state(a.state),
        applicant=_masked(a.applicant, cipher),
        requirements=a.requirements,
        presented_requirements=a.presented,
        created_at=_timestamp(a.created_at),
        accepted_at=_timestamp(a.clock.accepted_at) if a.clock else _accepted_at(a),
        due_at=_timestamp(a.clock.due_at) if a.clock else None,
        reason=a.reason,
        document_number=a.document_number,
        flags=[flag(f) for f in domain.Flag if f in a.flags],
        updated_at=_timestamp(a.updated_at),
        history=[
            pb.HistoryEntry(state=state(h.state), at=_timestamp(h.at), actor=h.actor, reason=h.reason)
            for h in a.history
        ],
        warnings=a.warnings,
    )


def events(a: domain.Application) -> list[WireEvent]:
    """What is new in `a`, for the other services. The phone goes along as it is stored: sealed."""
    return [WireEvent(_event(a, event), a.name) for event in a.events]


def state(value: domain.State) -> pb.Application.State:
    number: pb.Application.State = getattr(pb.Application, f"STATE_{value}")
    return number


def flag(value: domain.Flag) -> pb.Application.Flag:
    number: pb.Application.Flag = getattr(pb.Application, f"FLAG_{value}")
    return number


def action(value: pb.OfficerCommand) -> domain.Action:
    """Of a defined and specified value."""
    return domain.Action(pb.OfficerCommand.Name(value).removeprefix("OFFICER_COMMAND_"))


def _event(
    a: domain.Application, event: domain.Event
) -> events_pb2.ApplicationOpened | events_pb2.ApplicationAdvanced | events_pb2.ApplicationFlagged:
    match event:
        case domain.Opened():
            return events_pb2.ApplicationOpened(
                application=a.name,
                offering=a.offering,
                agency=a.agency,
                ticket=a.ticket,
                opened_at=_timestamp(event.at),
                sealed_phone=a.applicant.phone,
            )
        case domain.Advanced():
            return events_pb2.ApplicationAdvanced(
                application=a.name,
                offering=a.offering,
                agency=a.agency,
                ticket=a.ticket,
                from_state=state(event.from_state),
                state=state(event.state),
                reason=event.reason,
                at=_timestamp(event.at),
                due_at=_timestamp(a.clock.due_at) if a.clock else None,
                sealed_phone=a.applicant.phone,
                sealed_pickup_code=event.sealed_pickup_code,
            )
        case domain.Flagged():
            return events_pb2.ApplicationFlagged(
                application=a.name,
                agency=a.agency,
                flag=flag(event.flag),
                due_at=_timestamp(event.due_at) if event.due_at else None,
                at=_timestamp(event.at),
            )


def _masked(applicant: domain.SealedApplicant, cipher: FieldCipher) -> pb.MaskedApplicant:
    return pb.MaskedApplicant(
        masked_name=mask_name(cipher.open(applicant.full_name, SEALED_NAME)),
        masked_nik=mask_nik(cipher.open(applicant.nik, SEALED_NIK)),
        masked_phone=mask_phone(cipher.open(applicant.phone, SEALED_PHONE)),
    )


def _accepted_at(a: domain.Application) -> Timestamp | None:
    """Where the standard promises no time there is no clock, but the file was accepted all the same."""
    at = next((h.at for h in a.history if h.state is domain.State.ACCEPTED), None)
    return _timestamp(at) if at else None


def _timestamp(at: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp
