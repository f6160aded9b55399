"""Subscribe with the real broker, store and processes."""

from __future__ import annotations

import contextlib
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp
from mpp.catalog.v1 import agency_pb2
from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp.notifications.v1 import events_pb2 as notification_events
from mpp.queue.v1 import events_pb2 as queue_events
from mpp.subscriptions.v1 import feed_service_pb2 as pb
from mpp.subscriptions.v1.feed_service_pb2_grpc import FeedServiceStub
from mpp_chassis import broker
from mpp_chassis.events import Event, WireMessage, encode, new_event_id
from mpp_subscriptions import cursor
from mppctl.main import app
from typer.testing import CliRunner

from tests.conftest import wait_for

pytestmark = pytest.mark.stack
SITE = "sites/uji-instansi"


class Reader:
    """An agency with a grant of the queue's events, and what it reads. One a test."""

    exchange = "queue.events"

    def __init__(self, edge: Any, entitlement: str = "queue") -> None:
        self.edge = edge
        agency = f"a{uuid.uuid4().hex[:10]}"
        self.agency = f"{SITE}/agencies/{agency}"
        self.grant = edge.create(self.agency, entitlement).grant.name
        self.account = edge.services.auth("service", site="uji-instansi", agency=agency)
        self.stub = edge.services.stub("subscriptions", FeedServiceStub)
        self.name = f"{self.agency}/subscriptions/utama"
        self.queue = f"{SITE}/queues/q{uuid.uuid4().hex[:10]}"
        self._publisher = broker.Publisher(edge.amqp_uri, confirm_timeout=60)
        self.told: list[str] = []

    def tell(self, count: int) -> None:
        """So many public events, pipelined."""
        rng, batch = random.Random(), []
        for _ in range(count):
            now, name = datetime.now(UTC), f"{self.queue}/tickets/{len(self.told):026d}"
            batch += [broker.Outgoing.of(self.exchange, self._wire(name, new_event_id(now, rng), now))]
            self.told.append(name)
        for i in range(0, len(batch), 500):
            part = batch[i : i + 500]
            assert len(self._publisher.publish(part).accepted) == len(part)

    def _wire(self, name: str, event_id: str, now: datetime) -> WireMessage:
        """The public form of an event."""
        event = Event(queue_events.TicketCalled(ticket=name, number="D-001", counter=1), name)
        return encode(event, sequence=1, event_id=event_id, time=now, traceparent="")[-1]

    def open(self, name: str = "", **given: Any) -> Any:
        """A stream that stands: its first sign of life has come."""
        request = pb.SubscribeRequest(
            name=name or self.name, subject_prefix=given.pop("subject_prefix", self.queue), **given
        )
        stream = self.stub.Subscribe(request, metadata=self.account, timeout=60)
        first = next(stream)
        assert not first.HasField("event")
        return stream

    def acknowledge(self, text: str, name: str = "") -> Any:
        request = pb.AcknowledgeRequest(name=name or self.name, cursor=text, request_id=str(uuid.uuid4()))
        return self.stub.Acknowledge(request, metadata=self.account, timeout=10)

    def close(self) -> None:
        """Takes its queue at the broker away, so that later tests publish to fewer."""
        self._publisher.close()
        with contextlib.suppress(grpc.RpcError):
            self.edge.do("RevokeGrant", self.grant)

    def get(self) -> Any:
        return self.stub.GetSubscription(pb.GetSubscriptionRequest(name=self.name), metadata=self.account, timeout=10)


def events(stream: Any, count: int) -> list[Any]:
    """The next `count` events, without signs of life."""
    found: list[Any] = []
    while len(found) < count:
        message = next(stream)
        if message.HasField("event"):
            found.append(message)
    return found


@pytest.fixture
def reader(edge: Any) -> Iterator[Reader]:
    here = Reader(edge)
    yield here
    here.close()


def test_events_come_at_once_with_their_attributes(reader: Reader) -> None:
    stream = reader.open()
    reader.tell(3)
    got = events(stream, 3)
    assert [e.event.subject for e in got] == reader.told
    first = got[0].event
    assert (first.type, first.source, first.sequence) == ("mpp.queue.v1.TicketCalled", "/mpp/queue", 1)
    called = json_format.ParseDict(json_format.MessageToDict(first.data), queue_events.TicketCalled())
    assert (called.ticket, called.number, called.counter) == (reader.told[0], "D-001", 1)
    assert abs(first.time.ToDatetime(UTC) - datetime.now(UTC)) < timedelta(minutes=1)
    stream.cancel()


class Notified(Reader):
    """Reads events that no other test's agency gets: ten thousand of them go to few queues."""

    exchange = "notifications.events"

    def __init__(self, edge: Any) -> None:
        super().__init__(edge, "notifications")

    def _wire(self, name: str, event_id: str, now: datetime) -> WireMessage:
        event = Event(notification_events.NotificationEnded(notification=name, template="uji"), name)
        return encode(event, sequence=1, event_id=event_id, time=now, traceparent="")[-1]


@pytest.fixture
def notified(edge: Any) -> Iterator[Notified]:
    here = Notified(edge)
    yield here
    here.close()


def test_ten_thousand_events_with_acknowledgements_and_a_break_in_the_middle(notified: Notified) -> None:
    """None lost, none out of order, and what comes twice is what was not acknowledged."""
    total, reader = 10_000, notified
    begin = reader.open()
    begin.cancel()  # the subscription begins here
    reader.tell(total)
    got: list[str] = []
    acknowledged, part = 0, 0
    while len(set(got)) < total:
        part += 1
        stream = reader.open(from_acknowledged=True, window=1000)
        first = True
        with contextlib.suppress(grpc.RpcError):
            for message in stream:
                if not message.HasField("event"):
                    continue
                if first:
                    assert message.event.subject == reader.told[acknowledged], "it goes on behind what was acknowledged"
                    first = False
                got.append(message.event.subject)
                position = reader.told.index(message.event.subject, acknowledged) + 1
                if position % 250 == 0:
                    reader.acknowledge(message.cursor)
                    acknowledged = position
                if (part == 1 and position == 3_333) or (part == 2 and position == 7_777) or position == total:
                    stream.cancel()
    assert part == 3
    assert list(dict.fromkeys(got)) == reader.told
    assert len(got) == total + 83 + 27, "only what was received and not acknowledged came again"


def test_never_more_than_the_window_ahead(reader: Reader) -> None:
    stream = reader.open(window=5)
    reader.tell(12)
    got = events(stream, 5)
    other = reader.open(name=f"{reader.agency}/subscriptions/kedua", cursor=got[-1].cursor)
    assert events(other, 7)[-1].event.subject == reader.told[-1], "they are there; the window holds them back"
    other.cancel()
    reader.acknowledge(got[1].cursor)
    more = events(stream, 2)
    assert [e.event.subject for e in more] == reader.told[5:7]
    reader.acknowledge(more[-1].cursor)
    assert [e.event.subject for e in events(stream, 5)] == reader.told[7:]
    stream.cancel()


def test_the_position_is_durable_and_only_grows(reader: Reader, refused: Any) -> None:
    stream = reader.open()
    reader.tell(4)
    got = events(stream, 4)
    stream.cancel()
    reader.acknowledge(got[2].cursor)
    assert reader.acknowledge(got[0].cursor).acknowledged_cursor == got[2].cursor
    assert reader.get().acknowledged_cursor == got[2].cursor
    again = reader.open(from_acknowledged=True)
    assert events(again, 1)[0].event.subject == reader.told[3]
    again.cancel()
    assert refused(lambda: reader.acknowledge("nonsense")).fields == ("cursor",)
    missing = refused(lambda: reader.acknowledge(got[0].cursor, f"{reader.agency}/subscriptions/tiada"))
    assert missing.code == "NOT_FOUND"


def test_a_place_that_the_journal_lost_does_not_keep_acknowledgements_away_for_ever(
    reader: Reader, refused: Any
) -> None:
    """As after a broker that was made anew, whose journal begins at 0: the place acknowledged before is far ahead."""
    stream = reader.open()
    reader.tell(2)
    got = events(stream, 2)
    stream.cancel()
    reader.acknowledge(cursor.encode(cursor.Position.of(10**9, "of another journal")))
    told = refused(lambda: list(reader.open()))
    assert (told.code, told.reason) == ("OUT_OF_RANGE", "CURSOR_EXPIRED")
    again = reader.open(cursor=got[0].cursor)
    assert events(again, 1)[0].event.subject == reader.told[1]
    again.cancel()
    assert reader.acknowledge(got[0].cursor).acknowledged_cursor == got[0].cursor
    onward = reader.open()
    assert events(onward, 1)[0].event.subject == reader.told[1]
    onward.cancel()


def test_replay_from_a_cursor_and_from_a_time(reader: Reader) -> None:
    began = datetime.now(UTC)
    reader.tell(5)
    moment = Timestamp()
    moment.FromDatetime(began)
    stream = reader.open(start_time=moment)
    got = events(stream, 5)
    assert [e.event.subject for e in got] == reader.told
    stream.cancel()
    behind = reader.open(cursor=got[1].cursor)
    assert [e.event.subject for e in events(behind, 3)] == reader.told[2:]
    behind.cancel()


def test_what_was_sent_first_and_lost_comes_again_before_any_acknowledgement(reader: Reader) -> None:
    stream = reader.open()
    reader.tell(2)
    events(stream, 2)
    stream.cancel()
    again = reader.open()
    assert [e.event.subject for e in events(again, 2)] == reader.told
    again.cancel()


def test_an_expired_cursor_is_told_with_the_oldest_place(reader: Reader, refused: Any) -> None:
    reader.tell(1)

    def ends(**given: Any) -> Any:
        return refused(lambda: list(reader.open(**given)))

    for lost in (cursor.Position.of(0, "another journal"), cursor.Position.of(10**9, "far ahead")):
        told = ends(cursor=cursor.encode(lost))
        assert (told.code, told.reason) == ("OUT_OF_RANGE", "CURSOR_EXPIRED")
    moment = Timestamp()
    moment.FromDatetime(datetime.now(UTC) - timedelta(days=8))
    with pytest.raises(grpc.RpcError) as caught:
        list(reader.open(start_time=moment))
    from google.rpc import error_details_pb2
    from grpc_status import rpc_status

    info = error_details_pb2.ErrorInfo()
    rpc_status.from_call(caught.value).details[0].Unpack(info)
    oldest = reader.open(cursor=info.metadata["oldest_cursor"], name=f"{reader.agency}/subscriptions/tua")
    oldest.cancel()
    assert datetime.fromisoformat(info.metadata["oldest_time"])


def test_only_granted_events_pass(reader: Reader, refused: Any) -> None:
    stream = reader.open(subject_prefix=SITE)
    agency = agency_pb2.Agency(name=f"{SITE}/agencies/uji")
    reader.edge.tell(catalog_events.AgencyPublished(agency=agency), agency.name)
    reader.tell(1)
    assert events(stream, 1)[0].event.subject == reader.told[0]
    stream.cancel()
    denied = refused(lambda: reader.open(event_types=["mpp.catalog.v1.AgencyPublished"]))
    assert (denied.code, denied.reason, denied.fields) == ("PERMISSION_DENIED", "NOT_GRANTED", ("event_types",))
    other = f"{SITE}/agencies/lain/subscriptions/utama"
    assert refused(lambda: reader.open(name=other)).code == "PERMISSION_DENIED"


def test_a_revoked_grant_ends_the_stream_within_seconds(reader: Reader, refused: Any) -> None:
    stream = reader.open()
    reader.edge.do("RevokeGrant", reader.grant)
    revoked = datetime.now(UTC)
    ended = refused(lambda: list(stream))
    assert (ended.code, ended.reason) == ("PERMISSION_DENIED", "GRANT_MISSING")
    assert datetime.now(UTC) - revoked < timedelta(seconds=20)
    assert refused(lambda: reader.open()).reason == "GRANT_MISSING"


def test_the_newest_stream_of_a_subscription_wins(reader: Reader, refused: Any) -> None:
    old = reader.open()
    new = reader.open()
    ended = refused(lambda: list(old))
    assert (ended.code, ended.reason) == ("ABORTED", "SUBSCRIPTION_TAKEN_OVER")
    reader.tell(1)
    assert events(new, 1)[0].event.subject == reader.told[0]
    new.cancel()


def test_an_agency_has_so_many_streams_at_most_and_gives_them_back(reader: Reader, refused: Any) -> None:
    names = [f"{reader.agency}/subscriptions/s{n}" for n in range(11)]
    streams = [reader.open(name=name) for name in names[:10]]
    full = refused(lambda: reader.open(name=names[10]))
    assert (full.code, full.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_STREAMS")
    for stream in streams:
        stream.cancel()

    def opened() -> bool:
        with contextlib.suppress(grpc.RpcError):
            reader.open(name=names[10]).cancel()
            return True
        return False

    wait_for(opened)


def test_a_deleted_subscription_ends_its_stream_and_begins_anew(reader: Reader, edge: Any) -> None:
    """By the agency itself, repeated, and by an operator's mppctl."""
    stream = reader.open()
    reader.tell(2)
    got = events(stream, 2)
    reader.acknowledge(got[0].cursor)
    request = pb.DeleteSubscriptionRequest(name=reader.name, request_id=str(uuid.uuid4()))
    stranger = edge.services.auth("service", site="uji-instansi", agency="lain")
    with pytest.raises(grpc.RpcError) as thief:
        reader.stub.DeleteSubscription(request, metadata=stranger, timeout=10)
    assert thief.value.code() is grpc.StatusCode.PERMISSION_DENIED
    for _ in range(2):
        reader.stub.DeleteSubscription(request, metadata=reader.account, timeout=10)
    with pytest.raises(grpc.RpcError) as ended:
        list(stream)
    assert (ended.value.code(), "deleted" in ended.value.details()) == (grpc.StatusCode.ABORTED, True)
    with pytest.raises(grpc.RpcError) as gone:
        reader.get()
    assert gone.value.code() is grpc.StatusCode.NOT_FOUND
    subscriptions = edge.services.database("subscriptions")["subscriptions"]
    wait_for(lambda: "outbox" not in subscriptions.find_one({"_id": reader.name}))  # its event is told

    new = reader.open()  # without a word of where: from now on, not from what was acknowledged
    reader.tell(1)
    assert events(new, 1)[0].event.subject == reader.told[-1]
    new.cancel()
    ends = edge.services.platform.endpoints()
    given = ["--profile=none", *(f"--endpoint={name}={ends[name]}" for name in ("subscriptions", "issuer"))]
    _, site, _, agency = reader.agency.split("/")

    def run(*arguments: str) -> str:
        return str(CliRunner(env={"COLUMNS": "300"}).invoke(app, [*given, *arguments]).output)

    assert reader.name in run("get", "subscriptions", site, agency)
    assert "nothing yet" in run("get", "subscription", reader.name)
    assert f"{reader.name} deleted" in run("delete", reader.name, "--yes")
    assert "nothing found" in run("get", "subscriptions", site, agency)
