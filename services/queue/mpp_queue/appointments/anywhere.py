"""One hold for a service that several agendas offer: which office gets it, and that a repetition gets the same one.

Knows the order of steps; the turn is domain/rotation.py, capacity is decided by each agenda's own day. What was chosen for a
request is written down before its place is taken, and marked as settled after; a choice that is settled never changes.
Whoever is killed in between leaves a hold that runs out by itself, and the repetition goes on from the choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

from mpp.queue.v1 import appointment_pb2, appointments_service_pb2
from mpp_chassis.call import Call
from mpp_chassis.errors import Aborted, FailedPrecondition, NotFound

from mpp_queue.appointments import holding, listing, messages, steps
from mpp_queue.appointments.app import App
from mpp_queue.appointments.domain.calendar import Agenda
from mpp_queue.appointments.domain.errors import SlotFull
from mpp_queue.appointments.domain.rotation import Office, in_turn
from mpp_queue.appointments.store import Choice, Occupancy
from mpp_queue.domain import InvalidField, QueueError
from mpp_queue.messages import group_of

pb = appointments_service_pb2
MINUTE = timedelta(minutes=1)
ATTEMPTS = 60


def list_any_slots(app: App, request: pb.ListAnySlotsRequest, call: Call) -> pb.ListAnySlotsResponse:
    """Slots of all that offer it, those of the same time as one. Raises InvalidField, and what Agendas.find raises when none
    of them can be booked.
    """
    agendas = _offering(app, _asked(app, request), request.offering, messages.variant_of(request.variant))
    found: list[appointment_pb2.Slot] = []
    for agenda in agendas:
        days = listing.bookable_days(agenda, request.from_day, request.days, call.now)
        group = group_of(request.priority_group).value
        found += listing.slots_of_days(app, agenda, days, request.slots, group, call.now)
    found.sort(key=_when)
    reply = pb.ListAnySlotsResponse(agendas=[agenda.parent for agenda in agendas])
    for _, same in groupby(found, key=_when):
        first, *more = same
        reply.slots.add().CopyFrom(first)
        reply.slots[-1].free += sum(slot.free for slot in more)
    return reply


def _when(slot: appointment_pb2.Slot) -> tuple[int, int, str, str]:
    return slot.start.seconds, slot.end.seconds, slot.day, slot.time


def hold_any_slot(app: App, request: pb.HoldAnySlotRequest, call: Call) -> appointment_pb2.Appointment:
    """Hold a slot at one of the agendas. The same request_id gets the same one.

    Raises what hold_slot raises, of an agenda that is full if there is one; FailedPrecondition for a request_id used with
    another body.
    """
    if call.role == "kiosk" and any(not name.startswith(f"{request.parent}/") for name in request.agendas):
        raise InvalidField("agendas", "a kiosk books at its own site")
    if call.role == "kiosk" and request.region:
        raise InvalidField("region", "a kiosk books at its own site")
    agendas = _offering(app, _asked(app, request), request.offering, messages.variant_of(request.variant))
    by_name = {agenda.parent: agenda for agenda in agendas}
    refused: dict[str, QueueError] = {}
    for _ in range(ATTEMPTS):
        choice = app.choices.find(call.mutation)
        if choice is None:
            choice = Choice(_next(app, agendas, refused, request, call.now))
            if not app.choices.make(call.mutation, request.parent.split("/")[1], choice):
                continue  # the same request at the same moment
        agenda = by_name.get(choice.agenda) or app.agendas.find(choice.agenda)
        try:
            held = holding.hold_at(app, agenda, _at(request, agenda), call)
        except QueueError as error:
            if choice.settled:
                raise
            refused[agenda.parent] = error
            _choose_again(app, agendas, choice, refused, request, call)
            continue
        if _settle(app, choice, request, call):
            return held
        holding.release_hold(app, held.name, call.now)  # the same request was faster, elsewhere
        refused[agenda.parent] = SlotFull("no place is free then")  # a repetition here would find the hold given back
    raise Aborted("too many book there at once; try again")


def _settle(app: App, choice: Choice, request: pb.HoldAnySlotRequest, call: Call) -> bool:
    """Whether what was held is what the request gets."""
    if choice.settled or app.choices.settle(call.mutation, choice.agenda):
        return True
    now_there = app.choices.find(call.mutation)
    if now_there is None:
        settled = Choice(choice.agenda, settled=True)
        return app.choices.make(call.mutation, request.parent.split("/")[1], settled)
    return now_there.agenda == choice.agenda


def _choose_again(
    app: App,
    agendas: Sequence[Agenda],
    choice: Choice,
    refused: dict[str, QueueError],
    request: pb.HoldAnySlotRequest,
    call: Call,
) -> None:
    """Another one for this request, unless somebody chose meanwhile. Raises the refusal when all refused."""
    try:
        other = _next(app, agendas, refused, request, call.now)
    except QueueError:
        app.choices.forget(call.mutation, choice.agenda)
        raise
    app.choices.change(call.mutation, choice.agenda, other)


def _next(
    app: App, agendas: Sequence[Agenda], refused: dict[str, QueueError], request: pb.HoldAnySlotRequest, now: datetime
) -> str:
    """The one whose turn it is among those that did not refuse. Raises the refusal that says most."""
    left = [agenda for agenda in agendas if agenda.parent not in refused]
    if not left:
        errors = list(refused.values())
        raise next((e for e in errors if isinstance(e, SlotFull)), errors[0])
    start = steps.moment("start", request.start)
    offices = [_office(app, agenda, start, now) for agenda in left]
    # The day's number, so that it is not the first in the alphabet every morning.
    turn = left[0].local_day(start).toordinal() + sum(office.booked for office in offices)
    return in_turn(offices, turn)[0]


def _office(app: App, agenda: Agenda, start: datetime, now: datetime) -> Office:
    """The public places of the day, and what of them is booked, held or cooling."""
    day = agenda.local_day(start)
    known = app.days.occupancy(agenda.site_id, agenda.parent, day, day).get(day, Occupancy())
    there = [o for o in known.occupied if o.counts(now) and not o.internal]
    capacity = len(agenda.slots_of(day)) * agenda.public_places * (agenda.slot // MINUTE)
    return Office(agenda.parent, sum((o.end - o.start) // MINUTE for o in there), capacity)


def _asked(app: App, request: pb.ListAnySlotsRequest | pb.HoldAnySlotRequest) -> Sequence[str]:
    """The agendas that the request names, else those that offer its service. Raises InvalidField."""
    if request.agendas:
        if request.region:
            raise InvalidField("region", "is for a request that names no agendas")
        return request.agendas
    if not request.offering:
        raise InvalidField("offering", "name a service, or agendas")
    found = app.offerers.of(request.parent, request.offering, request.region)
    if not found:
        raise InvalidField("offering", "nobody there offers it for booking")
    return found


def _offering(app: App, names: Sequence[str], offering: str, variant: str) -> list[Agenda]:
    """Those that can be booked and offer it. Raises InvalidField when none offers it, or why the first cannot be booked."""
    there: list[Agenda] = []
    closed: list[NotFound | FailedPrecondition] = []
    for name in names:
        try:
            there.append(app.agendas.find(name))
        except (NotFound, FailedPrecondition) as error:
            closed.append(error)
    if not there:
        raise closed[0]
    in_variant = [a for a in there if variant in a.variants]
    if not in_variant:
        raise InvalidField("variant", "none of these agendas offers it")
    found = [a for a in in_variant if not offering or not a.offerings or _own(a, offering) in a.offerings]
    if not found:
        raise InvalidField("offering", "none of these agendas offers it")
    return found


def _own(agenda: Agenda, offering: str) -> str:
    """The service of the same id at the agenda's own site."""
    return f"sites/{agenda.site_id}/offerings/{offering.rsplit('/', 1)[1]}"


def _at(request: pb.HoldAnySlotRequest, agenda: Agenda) -> pb.HoldSlotRequest:
    return pb.HoldSlotRequest(
        parent=agenda.parent,
        start=request.start,
        slots=request.slots,
        offering=_own(agenda, request.offering),
        priority_group=request.priority_group,
        nik=request.nik,
        variant=request.variant,
        email=request.email,
        request_id=request.request_id,
    )
