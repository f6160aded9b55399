"""Nobody new while the site is under maintenance or the channel has a day off; who is in line is served to the end."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp.catalog.v1 import site_pb2
from mpp.drivethru.v1 import drivethru_service_pb2 as pb
from mpp.drivethru.v1.pass_pb2 import Pass
from mpp.queue.v1 import queue_service_pb2

from .conftest import SITE, STAGES, TIMEOUT, Corner, Yard

pytestmark = pytest.mark.stack
ZONE = "Asia/Jakarta"


def tell_site(yard: Yard, sequence: int, *hours: tuple[int, int]) -> None:
    """With maintenance from and until so many hours from now; returns when both services know."""
    site, now = site_pb2.Site(name=f"sites/{SITE}", time_zone=ZONE), datetime.now(ZoneInfo(ZONE))
    for starts, ends in hours:
        window = site.maintenance.add(text={"id": "Sistem dirawat", "en": "Under maintenance"})
        window.starts, window.ends = ((now + timedelta(hours=h)).strftime("%Y-%m-%dT%H:%M") for h in (starts, ends))
    yard.tell("catalog.events", catalog_events.SitePublished(site=site), site.name, sequence)
    for service in ("drivethru", "queue"):
        sites = yard.services.database(service)["sites"]
        yard.until(lambda s=sites: (s.find_one({"_id": site.name}) or {}).get("sequence") == sequence)


def test_in_maintenance_nobody_new_and_the_line_is_served(yard: Yard, corner: Corner, refusal: Any) -> None:
    plate, request_id = yard.plate(), str(uuid.uuid4())
    inside = yard.register(corner, plate, request_id)
    request = queue_service_pb2.TakeTicketRequest(parent=corner.queue, request_id=str(uuid.uuid4()))
    on_paper = yard.queue.TakeTicket(request, metadata=yard.kiosk, timeout=TIMEOUT).ticket
    watch = yard.stub.WatchLane(pb.WatchLaneRequest(name=corner.lane()), timeout=60)
    assert next(watch).closed_reason == ""
    tell_site(yard, 2, (-1, 1), (-1, 2))
    try:
        shown = next(lane for lane in watch if lane.closed_reason)
        assert (shown.closed_reason, shown.closed_text.id) == ("MAINTENANCE", "Sistem dirawat")
        told = refusal(yard.register, corner)
        assert (told.code, told.reason, told.metadata["text_en"]) == (
            "FAILED_PRECONDITION", "MAINTENANCE", "Under maintenance",
        )  # fmt: skip
        ends = datetime.fromisoformat(told.metadata["ends_at"])
        assert ends.timestamp() == shown.opens_at.seconds
        assert yard.database["arrivals"].count_documents({"_id": {"$regex": f"^{corner.queue}/"}}) == 0

        assert yard.register(corner, plate, request_id) == inside
        came_with_paper = yard.register(corner, ticket=on_paper.name)
        assert came_with_paper.number == on_paper.number
        yard.call_next(corner, 1)
        for stage in STAGES:
            yard.do("StartStage", corner, inside, lane="1" if stage == STAGES[0] else "")
            ended = yard.do("FinishStage", corner, inside)
        assert ended.state == Pass.STATE_DONE
    finally:
        tell_site(yard, 3)
    next(lane for lane in watch if not lane.closed_reason)
    watch.cancel()


def test_a_day_off_of_the_channel(yard: Yard, corner: Corner, refusal: Any) -> None:
    today = datetime.now(ZoneInfo(ZONE)).date()
    known = yard.database["channels"].find_one({"_id": corner.name})
    assert known is not None
    days = [(today + timedelta(days=n)).isoformat() for n in (0, 1)]  # the suite may run at midnight
    yard.publish_channel(corner, known["settings"], 2, closures=days)
    yard.until(lambda: (d := yard.database["channels"].find_one({"_id": corner.name})) and d["sequence"] == 2)
    told = refusal(yard.register, corner)
    assert (told.code, told.reason) == ("FAILED_PRECONDITION", "CHANNEL_CLOSED")
    assert (told.metadata["cause"], told.metadata["text_id"]) == ("CLOSURE", "Pelatihan petugas")
    lane = yard.lane(corner)
    assert (lane.closed_reason, lane.closed_text.id) == ("CLOSURE", "Pelatihan petugas")
    assert datetime.fromisoformat(told.metadata["opens_at"]).timestamp() == lane.opens_at.seconds


def test_a_channel_that_moves_to_another_queue_or_breaks_still_hears_of_its_tickets(
    yard: Yard, corner: Corner, refusal: Any
) -> None:
    """Its open passes would stay open for ever, and their plates would be kept and refused as in line."""
    gone, called = yard.register(corner), yard.register(corner)
    known = yard.database["channels"].find_one({"_id": corner.name})
    assert known is not None
    yard.publish_channel(corner, {**known["settings"], "queue": "lain"}, 2)
    yard.until(lambda: (d := yard.database["channels"].find_one({"_id": corner.name})) and d["sequence"] == 2)
    yard.at_queue("CancelTicket", corner, gone, 2, reason="pergi")
    yard.until(lambda: yard.get(corner, gone).state == Pass.STATE_ABANDONED)
    yard.publish_channel(corner, {"queue": "lain", "lanes": []}, 3)
    yard.until(lambda: (d := yard.database["channels"].find_one({"_id": corner.name})) and d["sequence"] == 3)
    assert refusal(yard.register, corner).reason == "CHANNEL_MISCONFIGURED"
    assert yard.lane(corner).closed_reason == "CHANNEL_CLOSED"
    yard.call_next(corner, 1)
    yard.until(lambda: yard.get(corner, called).state == Pass.STATE_CALLED)
    assert yard.do("StartStage", corner, called, lane="1").state == Pass.STATE_IN_LANE


def test_passes_of_one_millisecond_are_on_one_page_or_the_next(yard: Yard, corner: Corner) -> None:
    made = [yard.register(corner).name for _ in range(5)]
    moment = yard.database["passes"].find_one({"_id": made[0]})
    assert moment is not None
    yard.database["passes"].update_many({"_id": {"$in": made}}, {"$set": {"registered_at": moment["registered_at"]}})
    listed, token = [], ""
    for _ in range(5):
        request = pb.ListPassesRequest(parent=corner.name, page_size=2, page_token=token)
        page = yard.stub.ListPasses(request, metadata=yard.officer(corner), timeout=TIMEOUT)
        listed += [p.name for p in page.passes]
        token = page.next_page_token
        if not token:
            break
    assert listed == sorted(made)
