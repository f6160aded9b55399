"""A report that more was asked than the tariff, on the real service: one call, the fee copied, the accused kept out."""

from __future__ import annotations

import uuid
from typing import Any

import grpc
from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp.catalog.v1 import offering_pb2
from mpp.complaints.v1 import complaint_pb2
from mpp.complaints.v1 import complaints_service_pb2 as rpc
from mpp.queue.v1 import events_pb2 as queue_events


def test_one_call_from_a_ticket_reaches_the_inspectorate_and_nobody_who_is_accused(
    desk: Any, ear: Any, public_ear: Any, refused: Any
) -> None:
    inspectorate, offering = f"{desk.name}/agencies/inspektorat", f"{desk.name}/offerings/ktp-{uuid.uuid4().hex[:8]}"
    ticket = f"{desk.name}/queues/q1/tickets/pungli-{uuid.uuid4().hex[:8]}"
    desk.tell_agency(inspectorate)
    free = offering_pb2.Standard(fee=offering_pb2.Fee(amount_idr=0, basis="UU 24/2013"))
    published = offering_pb2.Offering(name=offering, agency=desk.dukcapil, standard=free)
    desk.tell("catalog.events", catalog_events.OfferingPublished(offering=published), offering, 1)
    serving = queue_events.TicketServing(ticket=ticket, agency=desk.dukcapil, offering=offering, waited_seconds=60)
    desk.tell("queue.events", serving, ticket, 1)
    for collection, name in (("agencies", inspectorate), ("offerings", offering), ("ticket_waits", ticket)):
        desk.until(lambda c=collection, n=name: desk.database[c].find_one({"_id": n}))

    def report(request_id: str, **given: Any) -> complaint_pb2.Complaint:
        request = rpc.ReportOverchargeRequest(
            parent=desk.name, ticket=ticket, asked_idr=150_000, note=desk.secret, phone=desk.phone,
            request_id=request_id, **given,
        )  # fmt: skip
        answer: complaint_pb2.Complaint = desk.stub.ReportOvercharge(request, metadata=desk.citizen("ani-pungli"))
        return answer

    once = str(uuid.uuid4())
    told = report(once)
    assert (told.agency, told.handled_by, told.kind) == (desk.dukcapil, inspectorate, 1)
    assert (told.overcharge.excess_idr, told.overcharge.official_fee.basis) == (150_000, "UU 24/2013")
    assert report(once) == told, "a repetition is the same report"
    assert refused(lambda: report(str(uuid.uuid4()), agency=desk.samsat)).fields == ("agency",)

    for accused in (desk.admin(), desk.officer()):
        assert refused(lambda who=accused: desk.get(told.name, who)).code is grpc.StatusCode.PERMISSION_DENIED
        assert told.name not in {c.name for c in desk.list(accused, page_size=200).complaints}
    assert refused(lambda: desk.answer(told.name)).code is grpc.StatusCode.PERMISSION_DENIED
    inspector = desk.admin("inspektorat")
    seen = desk.get(told.name, inspector)
    assert (seen.text, seen.overcharge.asked_idr, seen.ticket) == (desk.secret, 150_000, "")
    assert "ani-pungli" not in str(seen)
    assert [c.name for c in desk.list(inspector).complaints] == [told.name]
    desk.advance(told.name, "VERIFY", inspector)

    (whole,) = desk.until(lambda: ear.of(told.name, "complaint_filed.v1"))
    assert whole["aboutAgency"] == desk.dukcapil
    heard = desk.until(lambda: [b for _, h, b in public_ear.listen() if h["ce-subject"] == told.name][:2])
    assert not [body for body in heard if "dukcapil" in body or "pungli" in body]
    stored = str(desk.database["complaints"].find_one({"_id": told.name}))
    assert desk.secret not in stored
    assert desk.phone not in stored
