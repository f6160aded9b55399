"""Grants in the words of the protos: replies and events. Knows both sides, and nothing of how either is reached."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from mpp.subscriptions.v1 import events_pb2, grant_pb2, grants_service_pb2
from mpp_chassis.events import Event

from mpp_subscriptions.domain.access import Access, Entitlement
from mpp_subscriptions.domain.grants import Grant, State

_STATES = {State.ACTIVE: grant_pb2.Grant.STATE_ACTIVE, State.REVOKED: grant_pb2.Grant.STATE_REVOKED}


@dataclass(frozen=True, slots=True)
class Address:
    """Where agencies find the broker: no credentials in it."""

    uri: str  # "amqps://broker.example:5671"
    virtual_host: str


def grant(found: Grant, access: Access, address: Address) -> grant_pb2.Grant:
    pending, applied = grant_pb2.Grant.PROVISIONING_PENDING, grant_pb2.Grant.PROVISIONING_APPLIED
    return grant_pb2.Grant(
        name=found.name,
        agency=found.agency,
        state=_STATES[found.state],
        entitlements=found.entitlements,
        etag=found.etag,
        credential_version=found.credential_version,
        provisioning=pending if found.pending else applied,
        broker=broker_access(access, address) if found.active else None,
        created_at=stamp(found.created_at),
        updated_at=stamp(found.updated_at),
        provisioned_at=stamp(found.provisioned_at),
    )


def broker_access(access: Access, address: Address) -> grant_pb2.BrokerAccess:
    return grant_pb2.BrokerAccess(
        address=address.uri,
        virtual_host=address.virtual_host,
        username=access.username,
        queue=access.queue,
        exchange=access.exchange,
        routing_keys=access.routing_keys,
        streams=access.streams,
    )


def changed(found: Grant) -> Event:
    message = events_pb2.AgencyAccessChanged(
        grant=found.name,
        agency=found.agency,
        state=_STATES[found.state],
        entitlements=found.entitlements,
        credential_version=found.credential_version,
        at=stamp(found.updated_at),
    )
    return Event(message, found.name)


def entitlements(found: Iterable[Entitlement]) -> grants_service_pb2.ListEntitlementsResponse:
    return grants_service_pb2.ListEntitlementsResponse(
        entitlements=[
            grants_service_pb2.Entitlement(
                name=one.name, routing_keys=one.routing_keys, event_types=one.event_types, stream=one.stream
            )
            for one in found
        ]
    )


def stamp(moment: datetime | None) -> Timestamp | None:
    """Whole milliseconds, as the store keeps them: the same moment reads the same before and after it was stored."""
    if moment is None:
        return None
    told = Timestamp()
    told.FromDatetime(moment.replace(microsecond=moment.microsecond // 1000 * 1000))
    return told
