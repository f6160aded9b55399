"""An entry through the real processes of this service: opened, repeated, closed; its events; a channel that closes."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from mpp.catalog.v1 import channel_pb2
from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp.samplechannel.v1 import samplechannel_service_pb2 as pb
from mpp.samplechannel.v1.entry_pb2 import Entry
from mpp.samplechannel.v1.samplechannel_service_pb2_grpc import SampleChannelServiceStub
from mpp_chassis import broker
from mpp_chassis.events import Event, encode, new_event_id

pytestmark = pytest.mark.stack
SITE = "sites/uji-samplechannel"


def tell(amqp_uri: str, message: Message, subject: str, sequence: int) -> None:
    """What the catalogue would tell."""
    now = datetime.now(UTC)
    event_id = new_event_id(now, random.Random())
    wires = encode(Event(message, subject), sequence=sequence, event_id=event_id, time=now, traceparent="")
    publisher = broker.Publisher(amqp_uri)
    publisher.publish([broker.Outgoing.of("catalog.events", wires[0])])
    publisher.close()


def test_an_entry_is_opened_once_and_closed(services: Any, amqp_uri: str, eventually: Any) -> None:
    services.service("samplechannel")
    stub, database = services.stub("samplechannel", SampleChannelServiceStub), services.database("samplechannel")
    name = f"{SITE}/channels/c{uuid.uuid4().hex[:8]}"
    channel = channel_pb2.Channel(name=name, kind=f"{SITE}/channelKinds/samplechannel", agency=f"{SITE}/agencies/a1")
    tell(amqp_uri, catalog_events.ChannelPublished(channel=channel), name, 1)
    eventually(lambda: database["channels"].find_one({"_id": name}))

    kiosk = services.auth("kiosk", site="uji-samplechannel")
    officer = services.auth("officer", site="uji-samplechannel", agency="a1")
    request = pb.OpenEntryRequest(parent=name, request_id=str(uuid.uuid4()))
    entry = stub.OpenEntry(request, metadata=kiosk, timeout=10)
    assert stub.OpenEntry(request, metadata=kiosk, timeout=10) == entry
    assert stub.GetEntry(pb.GetEntryRequest(name=entry.name), metadata=officer, timeout=10) == entry
    close = pb.CloseEntryRequest(name=entry.name, request_id=str(uuid.uuid4()))
    assert stub.CloseEntry(close, metadata=officer, timeout=10).state == Entry.STATE_CLOSED
    eventually(lambda: not database["entries"].count_documents({"outbox.last": {"$gt": ""}}))

    tell(amqp_uri, catalog_events.ChannelRetired(channel=name), name, 2)
    eventually(lambda: database["channels"].find_one({"_id": name, "retired": True}))
    request = pb.OpenEntryRequest(parent=name, request_id=str(uuid.uuid4()))
    with pytest.raises(grpc.RpcError) as caught:
        stub.OpenEntry(request, metadata=kiosk, timeout=10)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
