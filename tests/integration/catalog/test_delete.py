"""What goes leaves a tombstone; what citizens wait for, or something refers to, cannot go."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from mpp.catalog.v1 import catalog_service_pb2 as rpc
from mpp.queue.v1 import events_pb2 as queue_events
from mpp.queue.v1 import ticket_pb2


def test_an_agency_goes_when_nothing_hangs_on_it_and_its_name_comes_back(office: Any, eventually: Any) -> None:
    ear, agency = office.ear(), f"{office.site}/agencies/dukcapil"
    offering = office.apply_offering()
    refused = office.refused(lambda: office.delete_agency(agency))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "HAS_OFFERINGS")
    office.delete_offering(offering.name)
    office.delete_agency(agency)
    for gone, method, request in (
        (agency, office.stub.GetAgency, rpc.GetAgencyRequest(name=agency)),
        (offering.name, office.stub.GetOffering, rpc.GetOfferingRequest(name=offering.name)),
    ):
        assert office.refused(lambda m=method, r=request: m(r, timeout=30)).code == "NOT_FOUND", gone
    listed = office.stub.ListAgencies(rpc.ListAgenciesRequest(parent=office.site), timeout=30).agencies
    assert [a.name.rsplit("/", 1)[1] for a in listed] == ["samsat"]
    assert list(office.stub.ListOfferings(rpc.ListOfferingsRequest(parent=office.site), timeout=30).offerings) == []
    assert office.search("kartu keluarga") == []
    assert office.refused(office.apply_offering).reason == "AGENCY_NOT_FOUND"
    office.apply_agency(office.an_agency("dlh", "D", [3]))  # prefix and counter are free again
    office.apply_agency(office.an_agency("dukcapil", "X", [9]))
    eventually(lambda: len(ear.listen()) == 5)
    told = [(key, sequence) for key, sequence, body in ear.heard if "dlh" not in str(body)]
    assert told == [
        ("offering_published.v1", 1),
        ("offering_retired.v1", 2),
        ("agency_retired.v1", 2),
        ("agency_published.v1", 3),
    ]
    assert ear.heard[2][2] == {"agency": agency}


def test_a_deletion_is_a_command_like_others(office: Any) -> None:
    agency, request_id = f"{office.site}/agencies/samsat", str(uuid.uuid4())
    assert office.refused(lambda: office.delete_agency(agency, etag="feedface")).reason == "ETAG_MISMATCH"
    office.delete_agency(agency, validate_only=True)
    assert office.document("agencies", agency)["version"] == 1
    etag = office.stub.GetAgency(rpc.GetAgencyRequest(name=agency), timeout=30).etag
    office.delete_agency(agency, etag=etag, request_id=request_id)
    office.delete_agency(agency, etag=etag, request_id=request_id)
    assert office.document("agencies", agency)["version"] == 2
    refused = office.refused(lambda: office.delete_agency(agency))
    assert (refused.code, refused.reason) == ("NOT_FOUND", "AGENCY_NOT_FOUND")
    for who in (office.admin("samsat"), office.manager("lain")):
        assert office.refused(lambda w=who: office.delete_agency(agency, who=w)).code == "PERMISSION_DENIED"


def test_a_service_of_a_channel_stays(office: Any) -> None:
    offering = office.apply_offering()
    office.apply_channel_kind()
    channel = office.apply_channel()
    assert office.refused(lambda: office.delete_offering(offering.name)).reason == "HAS_CHANNELS"
    assert office.refused(lambda: office.delete_agency(channel.agency)).reason == "HAS_CHANNELS"
    office.delete_channel(channel.name)
    office.delete_offering(offering.name, who=office.admin("dukcapil"))


@pytest.mark.parametrize("what", ["agency", "offering"])
def test_what_citizens_wait_for_cannot_vanish(office: Any, queue_says: Any, eventually: Any, what: str) -> None:
    """A ticket that was missed still waits; an old event that comes late opens nothing again."""
    offering = office.apply_offering()
    agency = offering.agency
    if what == "agency":
        office.delete_offering(offering.name)
    delete = (
        (lambda: office.delete_agency(agency)) if what == "agency" else lambda: office.delete_offering(offering.name)
    )
    ticket = f"{office.site}/queues/dukcapil/tickets/{uuid.uuid4().hex[:26]}"
    issued = queue_events.TicketIssued(ticket=ticket, agency=agency, offering=offering.name)
    ended = queue_events.TicketEnded(ticket=ticket, agency=agency, offering=offering.name)
    queue_says(issued, ticket, 1)
    ended.state = ticket_pb2.Ticket.STATE_MISSED
    queue_says(ended, ticket, 3)
    eventually(lambda: office.document("open_work", ticket))
    refused = office.refused(delete)
    assert (refused.code, refused.reason, refused.metadata["count"]) == ("FAILED_PRECONDITION", "OPEN_TICKETS", "1")
    ended.state = ticket_pb2.Ticket.STATE_FINISHED
    queue_says(ended, ticket, 7)
    eventually(lambda: "ended_at" in office.document("open_work", ticket))
    queue_says(issued, ticket, 1)
    last = f"{ticket}x"
    queue_says(queue_events.TicketIssued(ticket=last, agency=f"{office.site}/agencies/samsat"), last, 1)
    eventually(lambda: office.document("open_work", last))
    delete()
    assert office.document("open_work", ticket)["ended_at"] <= datetime.now(UTC)


def test_a_channel_that_is_booked_stays(office: Any, queue_says: Any, eventually: Any) -> None:
    """Held, confirmed, no longer: only while it is open does it hold the channel, its service and its agency."""
    office.apply_offering()
    office.apply_channel_kind()
    channel = office.apply_channel()
    booking = f"{channel.name}/agendas/2026-11-23/appointments/{uuid.uuid4().hex[:26]}"
    given = {"appointment": booking, "agency": channel.agency, "offering": channel.offerings[0]}
    queue_says(queue_events.AppointmentConfirmed(**given), booking, 5)
    eventually(lambda: office.document("open_work", booking))
    queue_says(queue_events.AppointmentHeld(**given), booking, 4)
    for delete in (
        lambda: office.delete_channel(channel.name),
        lambda: office.delete_offering(channel.offerings[0]),
        lambda: office.delete_agency(channel.agency),
    ):
        assert office.refused(delete).reason == "OPEN_APPOINTMENTS"
    queue_says(queue_events.AppointmentCancelled(**given), booking, 6)
    eventually(lambda: "ended_at" in office.document("open_work", booking))
    office.delete_channel(channel.name)
