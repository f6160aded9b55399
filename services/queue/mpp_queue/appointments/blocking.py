"""Places taken out of booking by those who serve, and given back. Never touches a booking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from mpp.queue.v1 import appointment_pb2, appointments_service_pb2
from mpp_chassis.call import Call, new_id
from mpp_chassis.events import Event
from mpp_chassis.privacy import looks_personal

from mpp_queue.appointments import messages
from mpp_queue.appointments.app import App
from mpp_queue.appointments.domain.agenda_day import AgendaDay, Block
from mpp_queue.appointments.domain.calendar import Agenda
from mpp_queue.appointments.steps import day_of, moment
from mpp_queue.domain import InvalidField

pb = appointments_service_pb2


def block_slots(app: App, request: pb.BlockSlotsRequest, call: Call) -> appointment_pb2.Agenda:
    """Take places out of booking. Raises InvalidField, WrongState, NotFound, FailedPrecondition."""
    if looks_personal(request.reason):
        raise InvalidField("reason", "leave out NIK, phone numbers and e-mail addresses")
    agenda = app.agendas.find(request.parent.rsplit("/agendas/", 1)[0])
    call.require(agency=agenda.agency)
    start, end = moment("start", request.start), moment("end", request.end)
    if end <= start or agenda.local_day(start) != agenda.local_day(end - timedelta(microseconds=1)):
        raise InvalidField("end", "must be later than start, on the same local day")
    if agenda.local_day(start) != day_of(request.parent):
        raise InvalidField("start", "is not of this day")
    block = Block(new_id(call.mutation), start, end, request.places, request.reason, call.actor, call.now)
    return _change_blocks(app, agenda, request.parent, call, lambda day: day.block(block))


def unblock_slots(app: App, request: pb.UnblockSlotsRequest, call: Call) -> appointment_pb2.Agenda:
    """Twice is once. Raises NotFound, FailedPrecondition."""
    day_name, block_id = request.name.rsplit("/blocks/", 1)
    agenda = app.agendas.find(day_name.rsplit("/agendas/", 1)[0])
    call.require(agency=agenda.agency)
    return _change_blocks(app, agenda, day_name, call, lambda day: day.unblock(block_id))


def _change_blocks(
    app: App, agenda: Agenda, name: str, call: Call, change: Callable[[AgendaDay], AgendaDay]
) -> appointment_pb2.Agenda:
    day_of(name)

    def decide(day: AgendaDay) -> tuple[AgendaDay, appointment_pb2.Agenda, Sequence[Event]]:
        after = change(day)
        return after, messages.agenda(agenda, after, call.now), ()

    return app.days.change(agenda, name, call.mutation, appointment_pb2.Agenda, decide)
