"""`serve` | `work` | `migrate`: the composition root, the only reader of the environment.

Imports of the service happen inside the functions: `work` patches eventlet in before anything else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpp_chassis.process import Kit, Service, run
from mpp_chassis.settings import BadSettings

if TYPE_CHECKING:
    from mpp_queue import domain, rooms, views
    from mpp_queue.app import App as Hall
    from mpp_queue.appointments import app as appointments
    from mpp_queue.counters import usecases as counters
    from mpp_queue.displays import usecases as displays
    from mpp_queue.guard import usecases as guard
    from mpp_queue.kiosks import gate
    from mpp_queue.kiosks import usecases as kiosks
    from mpp_queue.reports import outlook
    from mpp_queue.reports import usecases as reports
    from mpp_queue.visits import usecases as visits


def compose(kit: Kit) -> rooms.Rooms:
    from mpp_queue import rooms

    tickets = _tickets(kit)
    return rooms.beside(
        tickets,
        appointments=_appointments(kit, tickets),
        displays=_displays(kit, tickets),
        kiosks=_kiosks(kit, tickets),
        guard_room=_guard(kit, tickets),
        reports=_reports(kit, tickets.queues),
        visits=_visits(kit, tickets),
    )


def _tickets(kit: Kit) -> Hall:
    from mpp_queue import boards, fees, numbering, store, views
    from mpp_queue.app import App
    from mpp_queue.guard.store import Endings, TypistClaims
    from mpp_queue.guard.usecases import Guard

    tickets, queues = store.Tickets(kit.store), views.Queues(kit.store)
    rules = rules_from(kit.settings.extra)

    def last(queue: str, day: str) -> int:
        return tickets.last_seq(queue.split("/")[1], queue, day)

    return App(
        tickets=tickets,
        queues=queues,
        views=views.QueueViews(tickets, rules=rules, outlook=_outlook(kit)),
        numbering=numbering.Numbering(last),
        cipher=kit.cipher,
        rules=rules,
        rng=kit.rng,
        clock=kit.clock,
        counters=_counters(kit, queues),
        index=kit.index,
        audit=kit.audit,
        guard=Guard(Endings(kit.store), TypistClaims(kit.store)),
        gate=_gate(kit),
        fees=fees.Fees(kit.store),
        boards=boards.Boards(kit.settings.amqp_uri),
    )


def _admit(tickets: Hall) -> Callable[[Any, Any], Any]:
    """How another room lets somebody into the line: the reply is what a kiosk prints, with the published fee."""
    from mpp_queue import admitting, messages

    def admit(admission: Any, command: Any) -> Any:
        fee = tickets.fees.of(admission.offering) if tickets.fees and admission.offering else None
        return admitting.admit(tickets, admission, command, lambda ticket: messages.issued(ticket, fee))

    return admit


def _outlook(kit: Kit) -> outlook.Outlook:
    """What the wait estimate goes by."""
    from mpp_queue.counters.store import Counters
    from mpp_queue.reports.outlook import Outlook
    from mpp_queue.reports.store import Learned, Staffing

    return Outlook(Learned(kit.store), Staffing(kit.store), Counters(kit.store).named, kit.clock)


def _counters(kit: Kit, queues: views.Queues) -> counters.App:
    from mpp_queue.counters import store
    from mpp_queue.counters.usecases import App

    return App(store.Counters(kit.store), store.Desks(kit.store), store.Layout(kit.store), queues)


def _appointments(kit: Kit, tickets: Hall) -> appointments.App:
    """MPP_QUEUE_AGENDA_DAYS (90): how long after its day what was booked is forgotten. Raises BadSettings."""
    from mpp_queue import messages
    from mpp_queue.appointments import agendas, offerers, store
    from mpp_queue.appointments.app import App

    def appointment_of(ticket: str) -> str:
        found = tickets.tickets.load(ticket)
        return found.appointment if found else ""

    def state_of(ticket: str) -> int:
        found = tickets.tickets.load(ticket)
        return messages.ticket(found).state if found else 0

    def check(queue: str, person_key: str, now: datetime) -> None:
        if tickets.guard is not None:
            tickets.guard.check(tickets.queues.find(queue), person_key, now)

    days = timedelta(days=_number(kit.settings.extra, "MPP_QUEUE_AGENDA_DAYS", 90, 1))
    channels = agendas.Channels(kit.store)
    return App(
        days=store.AgendaDays(kit.store, days),
        claims=store.Claims(kit.store),
        choices=store.Choices(kit.store),
        agendas=agendas.Agendas(kit.store, tickets.queues, channels),
        channels=channels,
        offerers=offerers.Offerers(kit.store),
        cipher=kit.cipher,
        index=kit.index,
        audit=kit.audit,
        rng=kit.rng,
        clock=kit.clock,
        admit=_admit(tickets),
        appointment_of=appointment_of,
        state_of=state_of,
        check=check,
    )


def _displays(kit: Kit, tickets: Hall) -> displays.App:
    from mpp_queue.displays import halls, store
    from mpp_queue.displays.usecases import App

    displays, layout = store.Displays(kit.store), tickets.counters.layout
    readings = halls.Halls(tickets.boards, tickets.queues, tickets.views, store.Calls(kit.store), layout, displays)
    return App(displays, readings, layout, kit.clock)


def _gate(kit: Kit) -> gate.Gate:
    from mpp_queue.kiosks import store, views
    from mpp_queue.kiosks.gate import Gate

    return Gate(views.Kiosks(kit.store), store.Duties(kit.store))


def _kiosks(kit: Kit, tickets: Hall) -> kiosks.App:
    """MPP_QUEUE_OFFLINE_LEASE_MINUTES (120), _OFFLINE_TOLERANCE_SECONDS (120), _OFFLINE_BLOCKS (4 a kiosk). Raises
    BadSettings.
    """
    from mpp_queue.kiosks import store
    from mpp_queue.kiosks.domain import BlockRules
    from mpp_queue.kiosks.usecases import App

    env = kit.settings.extra
    rules = BlockRules(
        lease=timedelta(minutes=_number(env, "MPP_QUEUE_OFFLINE_LEASE_MINUTES", 120, 1)),
        tolerance=timedelta(seconds=_number(env, "MPP_QUEUE_OFFLINE_TOLERANCE_SECONDS", 120, 0)),
        most_blocks=_number(env, "MPP_QUEUE_OFFLINE_BLOCKS", 4, 1),
    )
    blocks, duties = store.Blocks(kit.store), store.Duties(kit.store)
    return App(blocks, duties, _gate(kit), tickets, kit.index, rules)


def _guard(kit: Kit, tickets: Hall) -> guard.App:
    """MPP_QUEUE_GUARD names a file that replaces the package's guard.yaml. Raises BadSettings."""
    from mpp_chassis.challenge import Door, rules_from

    from mpp_queue.guard import policy, store
    from mpp_queue.guard.usecases import App, alarmed

    own, alarms = kit.settings.extra.get("MPP_QUEUE_GUARD"), store.Alarms(kit.store)
    try:
        rules = policy.parse(Path(own).read_text(encoding="utf-8")) if own else policy.default()
    except (OSError, policy.PolicyError) as e:
        raise BadSettings(f"MPP_QUEUE_GUARD: {e}") from e
    door = Door(rules_from(kit.settings.extra), kit.index.of("key", "challenge"), kit.rng, alarmed(alarms))
    return App(store.Endings(kit.store), store.Counts(kit.store), alarms, tickets.queues, rules, door)


def _reports(kit: Kit, queues: views.Queues) -> reports.App:
    """MPP_QUEUE_REPORT_DAYS (730): how long a ticket's figures are kept. Raises BadSettings."""
    from mpp_queue.appointments.agendas import Agendas, Channels
    from mpp_queue.counters.store import Layout
    from mpp_queue.reports import offered, store
    from mpp_queue.reports.usecases import App

    kept = timedelta(days=_number(kit.settings.extra, "MPP_QUEUE_REPORT_DAYS", 730, 1))
    past, layout = store.Past(kit.store, kept), Layout(kit.store)
    agendas = Agendas(kit.store, queues, Channels(kit.store))
    slots = offered.Offered(kit.store.database["channels"], layout, agendas)
    return App(past, store.Learned(kit.store), store.Staffing(kit.store), queues, layout.zone, slots)


def _number(env: Mapping[str, str], name: str, default: int, least: int) -> int:
    """Raises BadSettings naming the variable."""
    text = env.get(name, str(default))
    if not text.isdigit() or int(text) < least:
        raise BadSettings(f"{name} is not a whole number of at least {least}: {text!r}")
    return int(text)


def _visits(kit: Kit, tickets: Hall) -> visits.App:
    from mpp_queue import admitting
    from mpp_queue.visits import store
    from mpp_queue.visits.usecases import App

    return App(
        visits=store.Visits(kit.store),
        tickets=tickets.tickets,
        looks=store.VisitTickets(kit.store),
        served=store.Served(kit.store),
        queues=tickets.queues,
        views=tickets.views,
        layout=tickets.counters.layout,
        walk_in=partial(admitting.walk_in, tickets),
        admit=_admit(tickets),
        flights=tickets.flights,
    )


def rules_from(env: Mapping[str, str]) -> domain.Rules:
    """MPP_QUEUE_RECALL_GAP_SECONDS, _MAX_CALLS, _PRIORITY_RUN, _REST_SECONDS, _UNDO_SECONDS (whole numbers),
    _PRIORITY_GROUPS (comma-separated).

    Raises BadSettings naming the variable.
    """
    from mpp_queue.domain import PriorityGroup, Rules

    def number(name: str, default: int, least: int) -> int:
        return _number(env, name, default, least)

    groups = Rules().priority_groups
    if "MPP_QUEUE_PRIORITY_GROUPS" in env:
        try:
            wanted = env["MPP_QUEUE_PRIORITY_GROUPS"].split(",")
            groups = frozenset(PriorityGroup(g.strip()) for g in wanted) - {PriorityGroup.NONE}
        except ValueError as e:
            raise BadSettings(f"MPP_QUEUE_PRIORITY_GROUPS: {e}") from e
    return Rules(
        max_calls=number("MPP_QUEUE_MAX_CALLS", 3, 1),
        recall_gap=timedelta(seconds=number("MPP_QUEUE_RECALL_GAP_SECONDS", 15, 0)),
        priority_run=number("MPP_QUEUE_PRIORITY_RUN", 3, 1),
        priority_groups=groups,
        rest=timedelta(seconds=number("MPP_QUEUE_REST_SECONDS", 300, 0)),
        undo=timedelta(seconds=number("MPP_QUEUE_UNDO_SECONDS", 60, 0)),
    )


def api(app: rooms.Rooms) -> Sequence[Any]:
    from mpp.queue.v1 import (
        appointments_service_pb2,
        counters_service_pb2,
        displays_service_pb2,
        guard_service_pb2,
        kiosks_service_pb2,
        queue_service_pb2,
        reports_service_pb2,
        visits_service_pb2,
    )

    from mpp_queue.api import ERRORS, QueueApi
    from mpp_queue.appointments.api import AppointmentsApi
    from mpp_queue.counters.api import CountersApi
    from mpp_queue.displays.api import ERRORS as DISPLAY_ERRORS
    from mpp_queue.displays.api import DisplaysApi
    from mpp_queue.guard.api import ERRORS as GUARD_ERRORS
    from mpp_queue.guard.api import GuardApi
    from mpp_queue.guard.doors import Behind, repeated_by
    from mpp_queue.kiosks.api import ERRORS as KIOSK_ERRORS
    from mpp_queue.kiosks.api import KiosksApi
    from mpp_queue.reports.api import ReportsApi
    from mpp_queue.visits.api import VisitsApi

    described = queue_service_pb2.DESCRIPTOR.services_by_name["QueueService"]
    counters = counters_service_pb2.DESCRIPTOR.services_by_name["CountersService"]
    appointments = appointments_service_pb2.DESCRIPTOR.services_by_name["AppointmentsService"]
    displays = displays_service_pb2.DESCRIPTOR.services_by_name["DisplaysService"]
    kiosks = kiosks_service_pb2.DESCRIPTOR.services_by_name["KiosksService"]
    guard = guard_service_pb2.DESCRIPTOR.services_by_name["GuardService"]
    reports = reports_service_pb2.DESCRIPTOR.services_by_name["ReportsService"]
    visits = visits_service_pb2.DESCRIPTOR.services_by_name["VisitsService"]
    behind = partial(Behind, door=app.guard_room.door, repeated=repeated_by(app.tickets, app.visits.visits))
    return [
        (described, behind(QueueApi(app)), ERRORS),
        (counters, CountersApi(app.counters), ERRORS),
        (appointments, behind(AppointmentsApi(app.appointments)), ERRORS),
        (displays, DisplaysApi(app.displays), DISPLAY_ERRORS),
        (kiosks, KiosksApi(app.kiosks), KIOSK_ERRORS),
        (guard, GuardApi(app.guard_room), GUARD_ERRORS),
        (reports, ReportsApi(app.reports), ERRORS),
        (visits, behind(VisitsApi(app.visits)), ERRORS),
    ]


SERVICE = Service(
    name="queue",
    compose=compose,
    api=api,
    handlers="mpp_queue.handlers:Handlers",
    indexes="mpp_queue.rooms:INDEXES",
    aggregates=("tickets", "counters", "agendas", "displays", "kiosks", "offline_days", "booking_alarms", "visits"),
    events="mpp.queue.v1.events_pb2",
)

if __name__ == "__main__":
    sys.exit(run(SERVICE, sys.argv[1:], os.environ))
