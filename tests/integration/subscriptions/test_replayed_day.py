"""An agency that replays a day from its streams comes to the same counts as the services themselves.

A small day, drawn from a seed, is lived through gRPC; then the agency reads it with its own credentials and counts.
"""

from __future__ import annotations

import contextlib
import json
import random
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from mpp.applications.v1 import application_pb2 as ap
from mpp.applications.v1 import applications_service_pb2 as applications
from mpp.applications.v1.applications_service_pb2_grpc import ApplicationsServiceStub
from mpp.complaints.v1 import complaint_pb2 as cp
from mpp.complaints.v1 import complaints_service_pb2 as complaints
from mpp.complaints.v1.complaints_service_pb2_grpc import ComplaintsServiceStub
from mpp.queue.v1 import queue_service_pb2 as queue
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub

from .conftest import Agency, Edge

AGENCY, QUEUE = "sites/malang/agencies/samsat", "sites/malang/queues/samsat"
COUNTER = 14  # as in sites/malang/agencies/samsat.yaml
TIMEOUT = 20


@dataclass
class Day:
    """One agency's day. `made`: names of what came to be, by kind."""

    services: Any
    rng: random.Random
    made: dict[str, set[str]] = field(
        default_factory=lambda: {"tickets": set(), "applications": set(), "complaints": set()}
    )

    def __post_init__(self) -> None:
        self.queue = self.services.stub("queue", QueueServiceStub)
        self.applications = self.services.stub("applications", ApplicationsServiceStub)
        self.complaints = self.services.stub("complaints", ComplaintsServiceStub)
        self.officer = self.services.auth("officer", site="malang", agency="samsat", counter=1)

    def ask(self, rpc: Any, request: Any, who: Any = None) -> Any:
        if "request_id" in request.DESCRIPTOR.fields_by_name:
            request.request_id = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        return rpc(request, metadata=who or self.officer, timeout=TIMEOUT)

    def live(self) -> None:
        self.tickets(18)
        for _ in range(7):
            self.application()
        for _ in range(6):
            self.complaint()

    def tickets(self, count: int) -> None:
        kiosk = self.services.auth("kiosk", site="malang")
        for _ in range(count):
            taken = self.ask(self.queue.TakeTicket, queue.TakeTicketRequest(parent=QUEUE), kiosk)
            self.made["tickets"].add(taken.ticket.name)
        for _ in range(self.rng.randint(9, 13)):
            called = self.ask(self.queue.CallNext, queue.CallNextRequest(parent=QUEUE, counter=COUNTER))
            if self.rng.random() < 0.25:
                self.ask(self.queue.MissTicket, queue.MissTicketRequest(name=called.name))
                continue
            self.ask(self.queue.StartServing, queue.StartServingRequest(name=called.name))
            self.ask(self.queue.FinishTicket, queue.FinishTicketRequest(name=called.name))
        called = self.ask(self.queue.CallNext, queue.CallNextRequest(parent=QUEUE, counter=COUNTER))
        assert called.state == called.STATE_CALLED  # one is at the counter when the day is looked at
        waiting = [n for n in sorted(self.made["tickets"]) if self.ticket(n).state == called.STATE_WAITING]
        self.ask(self.queue.CancelTicket, queue.CancelTicketRequest(name=waiting[0], reason="batal"))

    def ticket(self, name: str) -> Any:
        return self.ask(self.queue.GetTicket, queue.GetTicketRequest(name=name))

    def application(self) -> None:
        offering = self.services.database("applications")["offerings"].find_one({"agency": AGENCY})["_id"]
        person = ap.Applicant(full_name="Uji Coba", nik=f"357301150590{self.rng.randint(1, 9998):04d}")
        opening = applications.CreateApplicationRequest(parent="sites/malang", offering=offering, applicant=person)
        opened = self.ask(self.applications.CreateApplication, opening)
        self.made["applications"].add(opened.name)
        steps = self.rng.randint(0, 5)
        if steps:
            handing_in = applications.SubmitApplicationRequest(
                name=opened.name, presented_requirements=opened.requirements
            )
            self.ask(self.applications.SubmitApplication, handing_in)
        for command in ("START_VERIFICATION", "ACCEPT", "START_PROCESSING", "APPROVE")[: max(0, steps - 1)]:
            moving = applications.AdvanceApplicationRequest(name=opened.name, command=f"OFFICER_COMMAND_{command}")
            self.ask(self.applications.AdvanceApplication, moving)

    def complaint(self) -> None:
        manager = self.services.auth("site_manager", site="malang")
        filing = complaints.FileComplaintRequest(
            parent="sites/malang", agency=AGENCY, subject="Waktu tunggu", text="Terlalu lama menunggu.",
            visibility=cp.Complaint.VISIBILITY_ANONYMOUS,
        )  # fmt: skip
        filed = self.ask(self.complaints.FileComplaint, filing, self.services.auth("citizen", subject="warga-ulang"))
        self.made["complaints"].add(filed.name)
        for command in ("VERIFY", "ASSIGN", "START")[: self.rng.randint(0, 3)]:
            moving = complaints.AdvanceComplaintRequest(name=filed.name, command=f"HANDLER_COMMAND_{command}")
            self.ask(self.complaints.AdvanceComplaint, moving, manager)

    def counts(self) -> dict[str, Counter[str]]:
        """As the services tell them, each resource asked for by its RPC."""
        manager = self.services.auth("site_manager", site="malang")
        tickets = [self.ticket(n) for n in self.made["tickets"]]
        files = [
            self.ask(self.applications.GetApplication, applications.GetApplicationRequest(name=n))
            for n in self.made["applications"]
        ]
        grievances = [
            self.ask(self.complaints.GetComplaint, complaints.GetComplaintRequest(name=n), manager)
            for n in self.made["complaints"]
        ]
        return {
            "tickets": Counter(t.State.Name(t.state) for t in tickets),
            "applications": Counter(f.State.Name(f.state) for f in files),
            "complaints": Counter(c.State.Name(c.state) for c in grievances),
        }


def replay(edge: Edge, agency: Agency, since: datetime, enough: Callable[[list[Any]], bool]) -> list[Any]:
    """All events of the three streams since a time, as the agency's own account reads them."""
    channel, found = edge.enter(agency), []

    def keep(message: Any) -> None:
        channel.basic_ack(message.delivery_tag)
        if datetime.fromisoformat(message.headers["ce-time"]) >= since:
            found.append(message)

    for stream in agency.grant.broker.streams:
        channel.basic_consume(stream, callback=keep, arguments={"x-stream-offset": since})
    with contextlib.suppress(TimeoutError):
        while not enough(found):
            channel.connection.drain_events(timeout=20)
    with contextlib.suppress(TimeoutError):  # what comes beyond would be wrong, and must be seen
        while True:
            channel.connection.drain_events(timeout=0.5)
    return found


STATES = {
    "mpp.queue.v1.TicketIssued": lambda body: "STATE_WAITING",
    "mpp.queue.v1.TicketCalled": lambda body: "STATE_CALLED",
    "mpp.queue.v1.TicketServing": lambda body: "STATE_SERVING",
    # Missed: the ticket waits again.
    "mpp.queue.v1.TicketEnded": lambda body: {"STATE_MISSED": "STATE_WAITING"}.get(body["state"], body["state"]),
    "mpp.applications.v1.ApplicationOpened": lambda body: "STATE_DRAFT",
    "mpp.applications.v1.ApplicationAdvanced": lambda body: body["state"],
    "mpp.complaints.v1.ComplaintFiled": lambda body: "STATE_RECEIVED",
    "mpp.complaints.v1.ComplaintAdvanced": lambda body: body["state"],
}


def counted(messages: list[Any]) -> dict[str, Counter[str]]:
    """What an agency makes of them: of each resource the state of its newest event. Doubles and disorder do no harm."""
    newest: dict[str, tuple[int, str]] = {}
    for message in messages:
        state = STATES.get(message.headers["ce-type"])
        body, name = json.loads(message.body), message.headers["ce-subject"]
        if state is None or body["agency"] != AGENCY:
            continue
        newest[name] = max(newest.get(name, (0, "")), (int(message.headers["ce-sequence"]), state(body)))
    found: dict[str, Counter[str]] = {kind: Counter() for kind in ("tickets", "applications", "complaints")}
    for name, (_, state_name) in newest.items():
        found[name.split("/")[-2]][state_name] += 1
    return found


@pytest.mark.parametrize("seed", [2026])
def test_the_same_counts(malang: Any, edge: Edge, seed: int) -> None:
    agency = edge.granted("queue", "applications", "complaints")
    since = datetime.now(UTC)
    day = Day(malang, random.Random(f"{seed}-{uuid.uuid4()}"))
    day.live()
    malang.settled()
    theirs = day.counts()
    messages = replay(edge, agency, since, enough=lambda found: counted(found) == theirs)
    random.Random(seed).shuffle(messages)
    assert counted(messages + messages[::3]) == theirs
    assert sum(theirs["tickets"].values()) == len(day.made["tickets"])
    assert len(theirs["tickets"]) >= 3
    assert not [m for m in messages if "sealed" in m.body or "3573011505" in m.body]
