"""What an agency's account cannot do at the broker. Each case is tried with the agency's own credentials."""

from __future__ import annotations

import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import amqp
import pytest
from mpp_chassis import broker

from .conftest import Agency, Edge, subject, take

Act = Callable[[Any, str, str], Any]  # channel, own queue, a neighbour's queue


def publish(exchange: str, key: str) -> Act:
    """With a confirm, so that the refusal is waited for."""

    def act(channel: Any, own: str, other: str) -> Any:
        channel.confirm_select()
        return channel.basic_publish_confirm(
            amqp.Message("{}"), exchange=exchange, routing_key=key.format(own=own, other=other), confirm_timeout=5
        )

    return act


def bind(exchange: str, key: str, queue: str = "{own}") -> Act:
    return lambda channel, own, other: channel.queue_bind(queue.format(own=own, other=other), exchange, key)


def read(queue: str, **given: Any) -> Act:
    return lambda channel, own, other: channel.basic_consume(
        queue.format(own=own, other=other), callback=lambda message: None, **given
    )


FORBIDDEN: dict[str, Act] = {
    "everything": bind("public.events", "#"),
    "every version of all": bind("public.events", "*.v1.public"),
    "another entitlement's topic": bind("public.events", "complaint_filed.v1.public"),
    "the whole form, with personal data": bind("public.events", "ticket_called.v1"),
    "a granted topic with a line break": bind("public.events", "ticket_called.v1.public\n"),
    "a granted topic and more": bind("public.events", "ticket_called.v1.public.x"),
    "the services' exchange": bind("queue.events", "ticket_called.v1"),
    "the retries' exchange": bind("mpp.back", "#"),
    "the parked events' exchange": bind("mpp.parked", "#"),
    "the broker's trace": bind("amq.rabbitmq.trace", "#"),
    "a neighbour's queue bound": bind("public.events", "ticket_called.v1.public", "{other}"),
    "a neighbour's queue read": read("{other}"),
    "a neighbour's queue fetched": lambda channel, own, other: channel.basic_get(other),
    "a neighbour's queue emptied": lambda channel, own, other: channel.queue_purge(other),
    "a neighbour's queue deleted": lambda channel, own, other: channel.queue_delete(other),
    "a handler's queue read": read("notifications.tell_ticket_called"),
    "a handler's queue emptied": lambda channel, own, other: channel.queue_purge("notifications.tell_ticket_called"),
    "parked events read": read("notifications.tell_ticket_called.parked"),
    "the journal of all": read("public.journal"),
    "another entitlement's stream": read("public.complaints", arguments={"x-stream-offset": "first"}),
    "its stream deleted": lambda channel, own, other: channel.queue_delete("public.queue"),
    "its stream emptied": lambda channel, own, other: channel.queue_purge("public.queue"),
    "its own queue deleted": lambda channel, own, other: channel.queue_delete(own),
    "its own queue without bounds": lambda channel, own, other: channel.queue_declare(
        own, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"}
    ),
    "a queue of any name": lambda channel, own, other: channel.queue_declare("mine"),
    "a queue that the broker names": lambda channel, own, other: channel.queue_declare("", exclusive=True),
    "its own name with a line break": lambda channel, own, other: channel.queue_declare(own + "\n"),
    "an exchange": lambda channel, own, other: channel.exchange_declare("mine", "topic"),
    "an exchange of its own name": lambda channel, own, other: channel.exchange_declare(own, "fanout"),
    "the public exchange deleted": lambda channel, own, other: channel.exchange_delete("public.events"),
    "an exchange bound to an exchange": lambda channel, own, other: channel.exchange_bind(
        "public.events", "queue.events", "#"
    ),
    "published to agencies": publish("public.events", "ticket_called.v1.public"),
    "published as a service": publish("queue.events", "ticket_called.v1"),
    "published to its own queue": publish("", "{own}"),
    "published to a neighbour": publish("", "{other}"),
    "published to a handler": publish("", "notifications.tell_ticket_called"),
    "published as a retry": publish("mpp.back", "1000.notifications.tell_ticket_called"),
    "published to a standard exchange": publish("amq.topic", "x"),
}


@pytest.fixture(scope="module")
def pair(edge_session: Edge) -> tuple[Agency, Agency]:
    """An agency with the queue's events, and its neighbour."""
    return edge_session.granted("queue"), edge_session.granted("complaints")


@pytest.mark.parametrize("what", FORBIDDEN)
def test_refused(edge: Edge, pair: tuple[Agency, Agency], what: str) -> None:
    agency, neighbour = pair
    with pytest.raises((amqp.AccessRefused, amqp.AMQPNotImplementedError)):
        FORBIDDEN[what](edge.enter(agency), agency.account, neighbour.account)


def test_what_is_refused_has_no_effect_and_what_is_granted_goes_on(edge: Edge, pair: tuple[Agency, Agency]) -> None:
    """Also: a case above that would be refused for another reason, such as a broken account, is found out here."""
    agency, neighbour = pair
    channel = edge.enter(agency)
    for key in agency.grant.broker.routing_keys:
        channel.queue_bind(agency.account, "public.events", key)
    ticket = edge.call_ticket()
    assert ticket in map(subject, take(channel, agency.account))
    channel.queue_unbind(agency.account, "public.events", "ticket_called.v1.public")
    channel.queue_bind(agency.account, "public.events", "ticket_called.v1.public")
    beside = edge.enter(neighbour)
    assert ticket not in map(subject, take(beside, neighbour.account))
    channel.basic_consume("public.queue", callback=lambda message: None, arguments={"x-stream-offset": "next"})


def test_a_reader_that_wants_the_stream_for_itself_shuts_nobody_out(edge: Edge) -> None:
    first, second = edge.granted("queue"), edge.granted("queue")
    edge.enter(first).basic_consume("public.queue", callback=lambda message: None, exclusive=True)
    channel, found = edge.enter(second), []
    channel.basic_consume(
        "public.queue",
        callback=lambda m: (found.append(subject(m)), channel.basic_ack(m.delivery_tag)),
        arguments={"x-stream-offset": "next"},
    )
    ticket = edge.call_ticket()
    while ticket not in found:
        channel.connection.drain_events(timeout=10)


def test_passive_declaration_is_open_to_every_account(edge: Edge, pair: tuple[Agency, Agency]) -> None:
    """RabbitMQ asks no permission for it: an agency may learn that a queue exists and how long it is. No content.

    Kept as a test, so that it is known: should a version of the broker refuse it, say so in ADR 0021.
    """
    agency, neighbour = pair
    assert edge.enter(agency).queue_declare(neighbour.account, passive=True).queue == neighbour.account


def test_no_door_to_the_management_api(edge: Edge, pair: tuple[Agency, Agency]) -> None:
    agency, _ = pair
    base = edge.services.platform.stack.broker.management_uri
    host = base.rsplit("@", 1)[1]
    login = b64encode(f"{agency.account}:{agency.password}".encode()).decode()
    for path in ("whoami", "users", "definitions"):
        request = urllib.request.Request(f"http://{host}/api/{path}", headers={"Authorization": f"Basic {login}"})
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=30)
        assert caught.value.code == 401


def test_an_account_has_a_bounded_number_of_connections(edge: Edge, pair: tuple[Agency, Agency]) -> None:
    _, neighbour = pair
    for _ in range(20):
        edge.connect(neighbour.account, neighbour.password)
    with pytest.raises(amqp.AMQPError):
        edge.connect(neighbour.account, neighbour.password)


def test_the_queue_is_bounded_and_drops_its_oldest(edge: Edge, pair: tuple[Agency, Agency]) -> None:
    """Never reject-publish: that would make the full queue of one agency the trouble of all."""
    conn = broker.connection(edge.amqp_uri)
    agency, _ = pair
    arguments = {
        "x-queue-type": "quorum", "x-overflow": "drop-head", "x-max-length": 100_000,
        "x-max-length-bytes": 256 * 2**20, "x-message-ttl": 7 * 86_400_000,
    }  # fmt: skip
    try:
        conn.channel().queue_declare(agency.account, durable=True, auto_delete=False, arguments=arguments)
    finally:
        conn.close()
