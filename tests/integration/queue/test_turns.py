"""Whose turn it is, and which command called whom, on the real store and in orders that somebody might wish for."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pymongo
import pytest
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1 import ticket_pb2
from mpp_chassis import storage
from mpp_queue import admitting, calling, main, sweeps, usecases
from mpp_queue.rooms import INDEXES

from tests.integration.queue.house import House

OFFICER, KIOSK = "officer:ani", "kiosk:k1"
ELDERLY = ticket_pb2.PRIORITY_GROUP_ELDERLY


@pytest.fixture
def house(mongodb_uri: str) -> Iterator[House]:
    client: pymongo.MongoClient[Any] = pymongo.MongoClient(mongodb_uri, tz_aware=True)
    name = f"t_{uuid.uuid4().hex[:12]}"
    storage.ensure_indexes(client[name], INDEXES, main.SERVICE.aggregates)
    yield House(client[name])
    client.drop_database(name)
    client.close()


def take(house: House, queue: str, group: Any = 0) -> str:
    request = pb.TakeTicketRequest(parent=queue, priority_group=group, request_id=str(uuid.uuid4()))
    return str(admitting.take_ticket(house.apps[0], request, house.by(KIOSK, "TakeTicket", request)).ticket.name)


def call_next(house: House, queue: str, request_id: str = "") -> Any:
    house.now += timedelta(seconds=1)
    request = pb.CallNextRequest(parent=queue, counter=40, request_id=request_id or str(uuid.uuid4()))
    return calling.call_next(house.apps[0], request, manager(house, "CallNext", request))


def manager(house: House, rpc: str, request: Any) -> Any:
    """An officer whom every agency of the site lets in: which agency is not what is tried here."""
    return house.by("site_manager:ani", rpc, request)


def step(house: House, rpc: str, name: str, **given: Any) -> Any:
    """A step of a ticket, a second after the one before."""
    house.now += timedelta(seconds=1)
    request = getattr(pb, f"{rpc}Request")(name=name, request_id=str(uuid.uuid4()), **given)
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in rpc).lstrip("_")
    room = calling if rpc == "ResumeTicket" else usecases
    return getattr(room, snake)(house.apps[0], request, manager(house, rpc, request))


def served(house: House, queue: str) -> Any:
    called = call_next(house, queue)
    step(house, "StartServing", called.name)
    return step(house, "FinishTicket", called.name)


def test_a_damaged_ticket_keeps_no_other_queue_open_overnight(house: House) -> None:
    queues = [house.line(queue, "S", [40]) for queue in ("aaa", "mmm", "zzz")]
    for queue in queues:
        take(house, queue)
    house.database["tickets"].update_one({"queue": queues[1]}, {"$unset": {"issued_at": ""}})
    house.now += timedelta(days=1)
    assert sweeps.close_earlier_days(house.apps[0], house.now) == 2
    open_ones = house.database["tickets"].find({"state": "waiting"})
    assert [d["queue"] for d in open_ones] == [queues[1]]


def test_a_call_that_is_repeated_late_calls_nobody_else(house: House) -> None:
    """Also when its own ticket is long over and the next one was called before, so that no unique key meets."""
    queue, request_id = house.line("samsat", "S", [40]), str(uuid.uuid4())
    missed, other = take(house, queue), take(house, queue)
    assert call_next(house, queue).name == missed
    step(house, "MissTicket", missed)
    first = call_next(house, queue, request_id)
    assert first.name == other
    step(house, "StartServing", other)
    step(house, "FinishTicket", other)
    assert call_next(house, queue, request_id) == first
    assert house.database["tickets"].find_one({"_id": missed})["state"] == "waiting"


def test_citizens_who_are_called_back_do_not_put_off_the_turn_of_a_class(house: House) -> None:
    """They come to a counter, but it is not their turn in the line: what counts is when each turn began."""
    queue, run = house.line("samsat", "S", [40, 41]), 3
    aside = [take(house, queue) for _ in range(9)]
    for name in aside:
        assert call_next(house, queue).name == name
        step(house, "ParkTicket", name, reason="mengisi formulir")
    for _ in range(6):
        take(house, queue, ELDERLY)
    waiting = take(house, queue)
    for _ in range(run):
        assert served(house, queue).name != waiting
    for name in aside:
        step(house, "ResumeTicket", name, counter=40)
        step(house, "ParkTicket", name, reason="mengisi formulir")
    assert call_next(house, queue).name == waiting
