"""Where the tour plays: a site of its own with two agencies and a kiosk, applied as an operator would, and who acts there.

The site is in a zone where the day does not end within the tour. Knows no scene.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import grpc
from mpp.catalog.v1 import agency_pb2, catalog_service_pb2, catalog_service_pb2_grpc, channel_pb2, site_pb2
from mpp.queue.v1 import (
    appointments_service_pb2_grpc,
    counters_service_pb2,
    counters_service_pb2_grpc,
    kiosks_service_pb2_grpc,
    queue_service_pb2_grpc,
    reports_service_pb2_grpc,
    ticket_pb2,
    visits_service_pb2_grpc,
)
from mpp.queue.v1 import queue_service_pb2 as queue_pb
from rich.console import Console

from mpp_localrun.onlookers import Board
from mpp_localrun.platform import Platform
from mpp_localrun.walk import Walk, fault_of

Ticket = ticket_pb2.Ticket
ZONES = {"contoh-barat": "Asia/Jakarta", "contoh-timur": "Asia/Jayapura"}
AGENCIES = {
    "kependudukan": ("Kependudukan", "Civil registry", "A", (1, 2)),
    "perizinan": ("Perizinan", "Licences", "B", (11, 12)),
}


class Ground(Walk):
    """The tour's site, its people's tokens, and what officers do again and again."""

    def __init__(self, platform: Platform, console: Console, site: str) -> None:
        self.site_id = site.removeprefix("sites/")
        self._platform = platform
        super().__init__(platform, console, site=site, manager=self.manager_of(site))
        self.registry, self.licences = (f"{site}/queues/{agency}" for agency in AGENCIES)
        self.kiosk = platform.token("kios-contoh", ["kiosk"], site=self.site_id)
        self.served = self.transferred = 0  # at the registry; the report must say the same
        self.queue = self.stub("queue", queue_service_pb2_grpc.QueueServiceStub)
        self.counters = self.stub("queue", counters_service_pb2_grpc.CountersServiceStub)
        self.visits = self.stub("queue", visits_service_pb2_grpc.VisitsServiceStub)
        self.appointments = self.stub("queue", appointments_service_pb2_grpc.AppointmentsServiceStub)
        self.kiosks = self.stub("queue", kiosks_service_pb2_grpc.KiosksServiceStub)
        self.reports = self.stub("queue", reports_service_pb2_grpc.ReportsServiceStub)
        self._officers: dict[str, str] = {}

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(ZONES[self.site_id])

    def manager_of(self, site: str) -> str:
        return self._platform.token("manajer-contoh", ["site_manager"], site=site.removeprefix("sites/"))

    def officer(self, queue: str) -> str:
        """A token of the officer who serves a queue."""
        agency = queue.rsplit("/", 1)[1]
        if agency not in self._officers:
            self._officers[agency] = self.platform.token(
                f"petugas-{agency}", ["officer"], site=self.site_id, agency=agency
            )
        return self._officers[agency]

    def counter(self, queue: str) -> int:
        """The first counter of a queue: the one that the scenes use."""
        return AGENCIES[queue.rsplit("/", 1)[1]][3][0]

    # -- what happens again and again

    def take(self, queue: str, group: int = 0, **given: Any) -> Ticket:
        """A number from the kiosk."""
        request = queue_pb.TakeTicketRequest(parent=queue, priority_group=group, **given)  # type: ignore[arg-type]
        issued: Ticket = self.call(self.queue.TakeTicket, request, self.kiosk).ticket
        return issued

    def call_next(self, queue: str) -> Ticket:
        request = queue_pb.CallNextRequest(parent=queue, counter=self.counter(queue))
        called: Ticket = self.call(self.queue.CallNext, request, self.officer(queue))
        self.event("TicketCalled", called.name, calls=called.calls)
        return called

    def serve(self, ticket: Ticket, queue: str) -> None:
        self.call(self.queue.StartServing, queue_pb.StartServingRequest(name=ticket.name), self.officer(queue))

    def finish(self, ticket: Ticket, queue: str, *, serve: bool = True) -> None:
        """Serve the citizen to the end, and wait until that was announced."""
        if serve:
            self.serve(ticket, queue)
        self.call(self.queue.FinishTicket, queue_pb.FinishTicketRequest(name=ticket.name), self.officer(queue))
        self.event("TicketEnded", ticket.name, state="STATE_FINISHED")
        self.served += queue == self.registry

    def board(self, queue: str) -> Board:
        return Board(self.platform, queue)


def settle(platform: Platform, console: Console, at: datetime) -> Ground:
    """The site with its agencies, known to the queue, and nobody in line."""
    late = at.astimezone(ZoneInfo("Asia/Jakarta")) + timedelta(minutes=30)
    site = "contoh-timur" if late.date() != at.astimezone(late.tzinfo).date() else "contoh-barat"
    ground = Ground(platform, console, f"sites/{site}")
    ground.listen("queue", "catalog")
    with ground.step("Two agencies join a site of the tour's own, while everything runs"):
        _apply(ground)
        for queue in (ground.registry, ground.licences):
            ground.until(f"{queue}, open", partial(_knows, ground, queue))
            _clear(ground, queue)
        ground.say(
            f"{ground.site}: loket 1 and 2 of {AGENCIES['kependudukan'][0]}, 11 and 12 of {AGENCIES['perizinan'][0]}"
        )
    return ground


def _apply(ground: Ground) -> None:
    catalog = ground.stub("catalog", catalog_service_pb2_grpc.CatalogServiceStub)
    admin, pb, site = ground.platform.token("admin-platform", ["platform_admin"]), catalog_service_pb2, ground.site
    request = pb.ApplySiteRequest(
        site=site_pb2.Site(
            name=site, display_name=_text("MPP Contoh", "Example mall"), region_code="35.73",
            time_zone=ZONES[ground.site_id], kind="mini",
        )
    )  # fmt: skip
    ground.call(catalog.ApplySite, request, admin)
    for agency in AGENCIES:
        ground.call(catalog.ApplyAgency, pb.ApplyAgencyRequest(parent=site, agency=_agency(site, agency)), admin)
    kind = channel_pb2.ChannelKind(name=f"{site}/channelKinds/kiosk", display_name=_text("Kios", "Kiosk"))
    types = channel_pb2.ChannelAttribute
    for name, of in (("queues", types.TYPE_TEXTS), ("offline_numbers", types.TYPE_NUMBER)):
        kind.attributes.add(id=name, display_name=_text(name, name), type=of)
    ground.call(catalog.ApplyChannelKind, pb.ApplyChannelKindRequest(parent=site, channel_kind=kind), admin)
    kiosk = channel_pb2.Channel(
        name=f"{site}/channels/kios-contoh", kind=kind.name, agency=f"{site}/agencies/kependudukan",
        display_name=_text("Kios", "Kiosk"),
    )  # fmt: skip
    kiosk.settings.update({"queues": list(AGENCIES), "offline_numbers": 20})
    ground.call(catalog.ApplyChannel, pb.ApplyChannelRequest(parent=site, channel=kiosk), admin)


def _agency(site: str, agency: str) -> agency_pb2.Agency:
    indonesian, english, prefix, counters = AGENCIES[agency]
    made = agency_pb2.Agency(
        name=f"{site}/agencies/{agency}", display_name=_text(indonesian, english), source="tour",
        category=agency_pb2.Agency.CATEGORY_REGIONAL_GOVERNMENT,
    )  # fmt: skip
    made.queue.CopyFrom(agency_pb2.QueueSpec(id=agency, prefix=prefix, counters=counters, minutes_per_visit=5))
    policy = agency_pb2.PriorityPolicy(kind=agency_pb2.PriorityPolicy.KIND_STRICT, max_wait_minutes=60)
    groups = ("disability", "elderly", "pregnant_or_nursing", "child", "disaster_victim")
    policy.classes.add(id="priority", display_name=_text("Kelompok rentan", "Priority groups"), groups=groups)
    made.queue.priority.CopyFrom(policy)
    rules = agency_pb2.AppointmentRules(slot_minutes=5, places=100, public_places=100, latest_days=1, max_slots=1)
    rules.hours.extend(agency_pb2.AgendaHours(weekday=day, opens="00:00", closes="23:59") for day in range(1, 8))
    made.queue.appointments.CopyFrom(rules)
    return made


def _text(indonesian: str, english: str) -> site_pb2.LocalizedText:
    return site_pb2.LocalizedText(id=indonesian, en=english)


def _knows(ground: Ground, queue: str) -> bool:
    try:
        return bool(ground.call(ground.queue.GetQueue, queue_pb.GetQueueRequest(name=queue)).open)
    except grpc.RpcError as e:
        if fault_of(e)[0] != "QUEUE_UNKNOWN":
            raise
        return False


def _clear(ground: Ground, queue: str) -> None:
    """What an interrupted tour left: its citizens go home, its counter is closed."""
    officer = ground.officer(queue)
    left = ground.call(ground.queue.ListTickets, queue_pb.ListTicketsRequest(parent=queue), officer).tickets
    for ticket in left:
        gone = queue_pb.CancelTicketRequest(name=ticket.name, reason="tur terhenti")
        ground.call(ground.queue.CancelTicket, gone, officer)
        ground.event("TicketEnded", ticket.name)
    name = f"{ground.site}/counters/{ground.counter(queue)}"
    request = counters_service_pb2.ReleaseCounterRequest(name=name, reason="tur terhenti")
    try:
        ground.call(ground.counters.ReleaseCounter, request, ground.manager)
    except grpc.RpcError as e:
        if fault_of(e)[0] not in ("COUNTER_CLOSED", "NOT_FOUND"):
            raise
