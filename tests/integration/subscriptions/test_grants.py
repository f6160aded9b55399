"""Grants on the running service: what an operator is told, idempotency, who may see what, and what the broker does then."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import amqp
import pytest
from mpp.applications.v1 import events_pb2 as applications_events
from mpp.subscriptions.v1 import grants_service_pb2 as pb

from .conftest import SITE, TIMEOUT, Edge, subject, take

Refused = Callable[[Callable[[], Any]], Any]


def test_an_agency_reads_what_was_granted_and_nothing_else(edge: Edge, eventually: Any) -> None:
    agency = edge.granted("queue")
    ticket = edge.call_ticket()
    application = f"{SITE}/applications/{uuid.uuid4().hex[:26]}"
    edge.tell(applications_events.ApplicationOpened(application=application, agency=agency.name), application)
    later = edge.call_ticket()
    channel, found = edge.enter(agency), []
    eventually(lambda: found.extend(take(channel, agency.grant.broker.queue)) or later in map(subject, found))
    assert {ticket, later} <= set(map(subject, found))
    assert {m.headers["ce-type"].split(".")[1] for m in found} == {"queue"}
    assert application not in map(subject, found)


def test_a_grant_tells_all_that_a_client_needs(edge: Edge) -> None:
    agency = edge.granted("queue", "applications")
    told, site_id = agency.grant.broker, SITE.removeprefix("sites/")
    assert told.username == told.queue == f"agency.{site_id}.{agency.name.rsplit('/')[-1]}"
    assert told.address.startswith("amqp://127.0.0.1:")
    assert (told.virtual_host, told.exchange) == ("/", "public.events")
    assert list(told.streams) == ["public.applications", "public.queue"]
    assert "ticket_called.v1.public" in told.routing_keys
    assert len(agency.password) == 43
    assert agency.grant.credential_version == 1


def test_the_password_is_told_once_and_kept_nowhere(edge: Edge) -> None:
    name, request_id = f"{SITE}/agencies/a{uuid.uuid4().hex[:10]}", str(uuid.uuid4())
    first = edge.create(name, "queue", request_id=request_id)
    again = edge.create(name, "queue", request_id=request_id)
    assert first.password
    assert not again.password
    assert again.grant == first.grant
    edge.connect(first.grant.broker.username, first.password)  # the repetition changed nothing
    assert first.password not in str(edge.database["grants"].find_one({"_id": first.grant.name}))
    assert first.password not in edge.services.log("subscriptions-serve") + edge.services.log("subscriptions-work")


def test_a_request_id_holds_one_body(edge: Edge, refused: Refused) -> None:
    name, request_id = f"{SITE}/agencies/a{uuid.uuid4().hex[:10]}", str(uuid.uuid4())
    edge.create(name, "queue", request_id=request_id)
    assert refused(lambda: edge.create(name, "catalog", request_id=request_id)).reason == "REQUEST_ID_REUSED"
    assert refused(lambda: edge.create(name, "queue")).code == "ALREADY_EXISTS"


def test_what_cannot_be_granted_is_named(edge: Edge, refused: Refused) -> None:
    name = f"{SITE}/agencies/a{uuid.uuid4().hex[:10]}"
    unknown = refused(lambda: edge.create(name, "queue", "subscriptions"))
    assert (unknown.code, unknown.reason) == ("INVALID_ARGUMENT", "ENTITLEMENT_UNKNOWN")
    assert unknown.fields == ("entitlements[1]",)
    assert refused(lambda: edge.create("sites/malang/agencies/dukcapil", "queue")).fields == ("agency",)
    assert refused(lambda: edge.do("RotateGrant", f"{SITE}/grants/nobody")).code == "NOT_FOUND"


def test_only_the_operator_grants_and_an_admin_sees_its_own(edge: Edge, refused: Refused) -> None:
    one, other = edge.granted("queue"), edge.granted("queue")
    site_id = SITE.removeprefix("sites/")
    admin = edge.services.auth("agency_admin", site=site_id, agency=one.name.rsplit("/")[-1])
    manager = edge.services.auth("site_manager", site=site_id)
    assert edge.get(one.grant.name, admin) == one.grant
    assert refused(lambda: edge.get(other.grant.name, admin)).code == "PERMISSION_DENIED"
    listed = edge.stub.ListGrants(pb.ListGrantsRequest(parent=SITE), metadata=admin, timeout=TIMEOUT)
    assert [g.name for g in listed.grants] == [one.grant.name]
    for who in (admin, manager):
        assert (
            refused(lambda who=who: edge.create(f"{SITE}/agencies/neu", "queue", who=who)).code == "PERMISSION_DENIED"
        )
        for rpc in ("RotateGrant", "RevokeGrant"):
            found = refused(lambda who=who, rpc=rpc: edge.do(rpc, one.grant.name, who=who))
            assert found.code == "PERMISSION_DENIED"


def test_all_grants_of_a_site_page_by_page(edge: Edge) -> None:
    made = {edge.granted("queue").grant.name for _ in range(3)}
    found: list[str] = []
    token = ""
    while True:
        request = pb.ListGrantsRequest(parent=SITE, page_size=2, page_token=token)
        page = edge.stub.ListGrants(request, metadata=edge.operator, timeout=TIMEOUT)
        found += [g.name for g in page.grants]
        token = page.next_page_token
        if not token:
            break
    assert found == sorted(set(found))
    assert made <= set(found)


def test_entitlements_come_from_the_protos(edge: Edge) -> None:
    found = edge.stub.ListEntitlements(pb.ListEntitlementsRequest(), timeout=TIMEOUT).entitlements
    by_name = {one.name: one for one in found}
    assert {"applications", "catalog", "complaints", "notifications", "queue"} <= set(by_name)
    assert "subscriptions" not in by_name  # it tells nothing to agencies
    assert "mpp.queue.v1.TicketCalled" in by_name["queue"].event_types
    assert by_name["queue"].stream == "public.queue"


def test_rotation_lets_the_old_password_in_no_more_and_closes_what_it_opened(edge: Edge, eventually: Any) -> None:
    agency = edge.granted("queue")
    old = edge.connect(agency.account, agency.password)
    new = edge.do("RotateGrant", agency.grant.name)
    assert new.grant.credential_version == 2
    assert new.password not in ("", agency.password)
    eventually(lambda: closed(old))
    with pytest.raises(amqp.AccessRefused):
        edge.connect(agency.account, agency.password)
    edge.connect(agency.account, new.password)


def test_revocation_ends_everything_of_this_agency_and_nothing_of_another(
    edge: Edge, eventually: Any, refused: Refused
) -> None:
    agency, neighbour = edge.granted("queue"), edge.granted("queue")
    old, beside = edge.connect(agency.account, agency.password), edge.connect(neighbour.account, neighbour.password)
    revoked = edge.do("RevokeGrant", agency.grant.name)
    assert revoked.state == revoked.STATE_REVOKED
    assert revoked.provisioning == revoked.PROVISIONING_APPLIED
    assert not revoked.HasField("broker")
    eventually(lambda: closed(old))
    with pytest.raises(amqp.AccessRefused):
        edge.connect(agency.account, agency.password)
    with pytest.raises(amqp.NotFound):
        beside.channel().queue_declare(agency.account, passive=True)
    assert not closed(beside)
    assert edge.do("RevokeGrant", agency.grant.name).etag == revoked.etag  # again: nothing changes
    assert refused(lambda: edge.do("RotateGrant", agency.grant.name)).code == "FAILED_PRECONDITION"
    back = edge.create(agency.name, "catalog")
    assert (back.grant.credential_version, list(back.grant.entitlements)) == (2, ["catalog"])
    edge.connect(agency.account, back.password)


def test_a_withdrawn_entitlement_is_read_no_more(edge: Edge, eventually: Any, refused: Refused) -> None:
    agency = edge.granted("queue", "applications")
    reading = edge.enter(agency)
    reading.basic_consume("public.queue", callback=lambda message: None, arguments={"x-stream-offset": "first"})
    changed = edge.do("UpdateGrant", agency.grant.name, entitlements=["applications"], etag=agency.grant.etag)
    assert list(changed.broker.streams) == ["public.applications"]
    eventually(lambda: closed(reading.connection))
    channel = edge.enter(agency)  # the password stays
    with pytest.raises(amqp.AccessRefused):
        channel.basic_consume("public.queue", callback=lambda message: None)
    channel = edge.enter(agency)
    take(channel, agency.account)
    edge.call_ticket()
    assert not take(channel, agency.account)  # the binding is gone, too
    stale = refused(lambda: edge.do("UpdateGrant", agency.grant.name, entitlements=["queue"], etag=agency.grant.etag))
    assert (stale.code, stale.reason) == ("FAILED_PRECONDITION", "ETAG_MISMATCH")
    same = edge.do("UpdateGrant", agency.grant.name, entitlements=["applications"])
    assert same.etag == changed.etag


def closed(conn: Any) -> bool:
    """Whether the broker has ended the connection."""
    try:
        conn.drain_events(timeout=0.05)
    except TimeoutError:
        return False
    except (amqp.ConnectionError, OSError):
        return True
    return False
