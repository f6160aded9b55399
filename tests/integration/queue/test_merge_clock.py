"""Merging what a kiosk printed, in this process on the real store, with a clock of the test's: after midnight, after a crash
between the two steps, and when every stored reply is forgotten.
"""

from __future__ import annotations

import base64
import random
import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf import struct_pb2
from mpp.catalog.v1 import agency_pb2, channel_pb2, site_pb2
from mpp.queue.v1 import kiosk_pb2
from mpp.queue.v1 import kiosks_service_pb2 as pb
from mpp_chassis import storage
from mpp_chassis.aggregates import Store
from mpp_chassis.call import Call, Caller, Command
from mpp_chassis.privacy import BlindIndex, FieldCipher
from mpp_queue import main, rooms, sweeps, usecases
from mpp_queue.kiosks import usecases as kiosks
from mpp_queue.kiosks.domain import BlockDay, Entry, MergeTooLate

SITE = "sites/malang"
QUEUE, AGENCY, KIOSK = f"{SITE}/queues/dukcapil", f"{SITE}/agencies/dukcapil", f"{SITE}/kiosks/lobi"
MORNING = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 08:00 in Malang
MERGED = kiosk_pb2.MergedEntry.OUTCOME_MERGED


class Lobby:
    """The service's parts in this process, and a kiosk's hands."""

    def __init__(self, database: Any) -> None:
        self.now = MORNING
        self.database = database
        kit = SimpleNamespace(
            store=Store(database, None, lambda: self.now, random.Random(7)),
            cipher=FieldCipher("k:" + base64.b64encode(bytes(32)).decode()),
            index=BlindIndex(base64.b64encode(bytes(32)).decode()),
            audit=SimpleNamespace(record=lambda *_: None),
            settings=SimpleNamespace(extra={}, amqp_uri=""),
            rng=random.Random(7),
            clock=lambda: self.now,
        )
        self.app: rooms.Rooms = main.compose(kit)  # type: ignore[arg-type]
        spec = agency_pb2.QueueSpec(id="dukcapil", prefix="D", counters=[3], minutes_per_visit=10)
        self.app.queues.learn_site(site_pb2.Site(name=SITE, time_zone="Asia/Jakarta"), 1)
        self.app.queues.learn_agency(agency_pb2.Agency(name=AGENCY, queue=spec), 1)
        channel = channel_pb2.Channel(
            name=f"{SITE}/channels/lobi", kind=f"{SITE}/channelKinds/kiosk", settings=struct_pb2.Struct()
        )
        self.app.appointments.channels.learn(channel, 1)

    def by(self, method: str, request: Any) -> Call:
        command = Command(request.request_id, method, request.SerializeToString().hex(), "kiosk:lobi", self.now)
        return Call(Caller(subject="lobi", roles=frozenset({"kiosk"})), self.now, command, frozenset({"site"}), "kiosk")

    def lease(self) -> kiosk_pb2.OfflineBlock:
        request = pb.LeaseBlockRequest(parent=QUEUE, kiosk=KIOSK, size=10, request_id=str(uuid.uuid4()))
        return kiosks.lease_block(self.app.kiosks, request, self.by("LeaseBlock", request))

    def merge(self, block: Any, *papers: pb.OfflineTicket) -> list[kiosk_pb2.MergedEntry]:
        request = pb.MergeOfflineRequest(name=block.name, tickets=papers, request_id=str(uuid.uuid4()))
        return list(kiosks.merge_offline(self.app.kiosks, request, self.by("MergeOffline", request)).entries)

    def paper(self, n: int, at: datetime | None = None) -> pb.OfflineTicket:
        printed = pb.OfflineTicket(n=n)
        printed.issued_at.FromDatetime(at or self.now)
        return printed

    def tickets(self) -> list[dict[str, Any]]:
        return list(self.database["tickets"].find({}).sort("seq", 1))


@pytest.fixture
def lobby(database: Any) -> Lobby:
    storage.ensure_indexes(database, rooms.INDEXES, main.SERVICE.aggregates)
    return Lobby(database)


def test_paper_of_yesterday_is_in_the_reports_and_in_nobodys_line(lobby: Lobby) -> None:
    block = lobby.lease()
    papers = [lobby.paper(1), lobby.paper(2, MORNING + timedelta(hours=5))]
    ahead = lobby.paper(3, MORNING + timedelta(hours=16, minutes=1))  # by a clock that is a minute ahead of midnight
    lobby.now = MORNING + timedelta(hours=17)  # 01:00 of the next day
    entries = lobby.merge(block, *papers, ahead)
    assert [(e.outcome, e.late) for e in entries] == [(MERGED, False), (MERGED, True), (MERGED, True)]
    assert {d["day"] for d in lobby.tickets()} == {"2026-11-23"}
    other = lobby.lease()
    assert (other.day, other.first) == ("2026-11-24", 1), "a new day, and numbers from 1"
    assert lobby.merge(other, lobby.paper(3))[0].outcome == MERGED
    assert sweeps.close_earlier_days(lobby.app, lobby.now) == 3
    assert sorted((d["day"], d["number"], d["state"]) for d in lobby.tickets()) == [
        ("2026-11-23", "D-K001", "closed_at_day_end"),
        ("2026-11-23", "D-K002", "closed_at_day_end"),
        ("2026-11-23", "D-K003", "closed_at_day_end"),
        ("2026-11-24", "D-K003", "waiting"),
    ]
    lobby.now = MORNING + timedelta(hours=16) + timedelta(days=1)
    with pytest.raises(MergeTooLate):
        lobby.merge(block, lobby.paper(4, MORNING))


def test_a_crash_between_the_claim_and_the_tickets_is_repaired_by_the_repetition(lobby: Lobby) -> None:
    block = lobby.lease()
    papers = [lobby.paper(n) for n in (1, 2, 3)]
    request = pb.MergeOfflineRequest(name=block.name, tickets=papers, request_id=str(uuid.uuid4()))
    app, call = lobby.app.kiosks, lobby.by("MergeOffline", request)

    def claim_only(day: BlockDay) -> tuple[BlockDay, Any]:
        held = day.blocks[0]
        entries = [Entry(p.n, p.issued_at.ToDatetime(tzinfo=UTC), kiosks._digest(app, p)) for p in papers]
        return day.claim(held, entries, now=lobby.now, rules=app.rules)

    app.blocks.claim(f"{QUEUE}/offlineDays/2026-11-23", call.mutation, pb.MergeOfflineResponse(), claim_only)
    assert lobby.tickets() == [], "the process died here"
    for again in (request, pb.MergeOfflineRequest(name=block.name, tickets=papers, request_id=str(uuid.uuid4()))):
        entries = kiosks.merge_offline(app, again, lobby.by("MergeOffline", again)).entries
        assert [e.outcome for e in entries] == [MERGED] * 3
    assert [d["number"] for d in lobby.tickets()] == ["D-K001", "D-K002", "D-K003"]


def test_it_is_once_also_when_replies_are_forgotten(lobby: Lobby) -> None:
    block, printed = lobby.lease(), lobby.paper(1)
    first = lobby.merge(block, printed)[0]
    lobby.now += timedelta(hours=26)
    command = Command(str(uuid.uuid4()), "AttachApplication", "x", "service:queue", lobby.now)
    assert usecases.attach_application(lobby.app, first.ticket, f"{SITE}/applications/{'0' * 26}", command)
    assert len(lobby.tickets()[0]["replies"]) == 1, "that of the merge is gone"
    again = lobby.merge(block, printed)[0]
    assert (again.outcome, again.ticket) == (MERGED, first.ticket)
    assert len(lobby.tickets()) == 1
    other = pb.OfflineTicket(n=1, offering=f"{SITE}/offerings/akta")
    other.issued_at.CopyFrom(printed.issued_at)
    assert lobby.merge(block, other)[0].reason == "NUMBER_DIFFERS"
