"""Before the day: invented sites come into the catalogue by its Apply methods; existing ones are read from it.

Knows the catalogue's and the queue's contract, and makes calls.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import grpc
from mpp.catalog.v1 import catalog_service_pb2 as catalog
from mpp.queue.v1 import queue_service_pb2 as queue

from mppctl.simulation import town
from mppctl.simulation.calling import Badges, Caller, Refused
from mppctl.simulation.day import SitePlan

KNOWN_SECONDS = 120.0  # until the queue has heard of a new agency
PAGE = 200


async def invent(
    caller: Caller, badges: Badges, numbers: Iterable[int], done: Callable[[str], None] = lambda site: None
) -> list[SitePlan]:
    """Apply the invented sites of these numbers. Repeatable. Raises Refused."""

    async def one(number: int) -> SitePlan:
        data = town.catalogue(number)
        who = await badges.of("simulation", "platform_admin")
        await caller.call("ApplySite", catalog.ApplySiteRequest(site=data.site, request_id=_new()), who)
        for agency in data.agencies:
            request = catalog.ApplyAgencyRequest(parent=data.site.name, agency=agency, request_id=_new())
            await caller.call("ApplyAgency", request, who)
        for offering in data.offerings:
            service = catalog.ApplyOfferingRequest(parent=data.site.name, offering=offering, request_id=_new())
            await caller.call("ApplyOffering", service, who)
        done(data.site.name)
        return town.invented(number)

    return list(await asyncio.gather(*(one(number) for number in numbers)))


async def read(caller: Caller, site: str) -> SitePlan:
    """The plan of a site that the catalogue holds. Raises Refused; ValueError when it has no queue."""
    parent = f"sites/{site}"
    agencies = await _all(caller, "ListAgencies", catalog.ListAgenciesRequest(parent=parent), "agencies")
    offerings = await _all(caller, "ListOfferings", catalog.ListOfferingsRequest(parent=parent), "offerings")
    return town.existing(site, agencies, offerings)


async def until_known(caller: Caller, sites: Sequence[SitePlan]) -> None:
    """Until the queue service knows every queue and counter of these sites. Raises Refused, TimeoutError."""
    end = time.monotonic() + KNOWN_SECONDS

    async def one(name: str, counters: tuple[int, ...]) -> None:
        while True:
            try:
                status = await caller.call("GetQueue", queue.GetQueueRequest(name=name))
                if set(counters) <= set(status.counters):
                    return
            except Refused as refused:
                if refused.refusal.code is not grpc.StatusCode.NOT_FOUND or time.monotonic() > end:
                    raise
            if time.monotonic() > end:
                raise TimeoutError(f"{name} does not get the counters {counters} that the catalogue has for it")
            await asyncio.sleep(0.1)

    await asyncio.gather(*(one(q.name, q.counters) for site in sites for q in site.queues))


async def _all(caller: Caller, method: str, request: Any, items: str) -> list[Any]:
    found: list[Any] = []
    request.page_size = PAGE
    while True:
        reply = await caller.call(method, request)
        found += getattr(reply, items)
        request.page_token = reply.next_page_token
        if not request.page_token:
            return found


def _new() -> str:
    return str(uuid.uuid4())
