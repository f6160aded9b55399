"""AsyncAPI 3.0 of what agencies read: the public events, and the three ways to them.

Knows the topology that mpp_chassis.broker declares and the envelope of mpp_chassis.events, by their names. Personal
fields are not in it, because they are not in what agencies get.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mpp_chassis.broker import entitlement_stream
from mpp_chassis.events import PUBLIC_EXCHANGE

from mpp_apidocs.contract import Contract, Message, Method
from mpp_apidocs.openapi import callers
from mpp_apidocs.schemas import Schema, Schemas

BASE = "#/components/schemas/"
FEED, ENVELOPE, WEBHOOK = "FeedService.Subscribe", "CloudEventHeaders", "WebhookBody"
_AMQP = "0.3.0"


def document(contract: Contract, samples: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The whole document. `samples`: payloads by the event's full name, shown as examples."""
    events = contract.public_events()
    schemas = Schemas(contract, BASE, hide_personal=True)
    messages = {e.full_name: _message(schemas, e, samples.get(e.full_name)) for e in events}
    channels, operations = _amqp_ways(events)
    feed = next((m for m in contract.methods() if m.operation == FEED), None)
    if feed is not None:
        messages["FeedEvent"] = _feed_message(contract, feed)
        channels["feed"], operations["readFeed"] = _feed_channel(feed)
    messages["WebhookDelivery"] = _webhook_message()
    channels["webhook"], operations["receiveWebhook"] = _webhook_channel()
    return {
        "asyncapi": "3.0.0",
        "id": "urn:mpp:public-events",
        "info": _info(version),
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": {
                **dict(sorted(schemas.components.items())),
                ENVELOPE: _envelope(),
                WEBHOOK: _webhook_body(events),
                **(_feed_schemas(contract, feed) if feed else {}),
            },
            "securitySchemes": _security(),
        },
    }


def _info(version: str) -> dict[str, Any]:
    return {
        "title": "MPP public events",
        "version": version,
        "description": "What happens at the Mal Pelayanan Publik, for the agencies that work there. Generated from the "
        "protos.\n\n"
        "- An event is a CloudEvents 1.0 message; its body is the JSON form of a proto message. Fields with their "
        "default (empty text, 0) are left out. No event holds personal data.\n"
        "- At least once: the same event may come twice (same `id`), and out of order. `subject` names the resource and "
        "`sequence` counts its changes: apply what is newer, ignore the rest.\n"
        "- The contract only grows: ignore fields and values that you do not know. What changes its meaning gets a new "
        "version (`ticket_called.v2`) beside the old one.\n"
        "- Three ways in: AMQP 0-9-1 (a queue of your own, and streams that replay a week), a gRPC stream with "
        "acknowledgement, and signed webhooks. An agency reads what it was granted: an *entitlement* is named after the "
        "service whose events it opens.",
        "license": {"name": "Apache-2.0"},
        "tags": [{"name": "agencies"}],
    }


def _servers() -> dict[str, Any]:
    host = {"host": {"default": "mpp.example", "description": "The platform's host; ask its operator."}}
    return {
        "broker": {
            "host": "{host}:5671",
            "protocol": "amqps",
            "protocolVersion": "0.9.1",
            "description": "RabbitMQ. Every agency has an account of its own.",
            "variables": host,
            "security": [{"$ref": "#/components/securitySchemes/agencyAccount"}],
        },
        "gateway": {
            "host": "{host}",
            "protocol": "grpc",
            "description": "gRPC through the gateway, over TLS.",
            "variables": host,
            "security": [{"$ref": "#/components/securitySchemes/bearer"}],
        },
        "agency": {
            "host": "{receiver}",
            "protocol": "https",
            "description": "Your own HTTPS endpoint: the platform calls it.",
            "variables": {"receiver": {"default": "agency.example", "description": "Where your webhook listens."}},
            "security": [{"$ref": "#/components/securitySchemes/webhookSignature"}],
        },
    }


def _message(schemas: Schemas, event: Message, sample: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": event.full_name,
        "title": event.name,
        "summary": event.comment or re.sub(r"(?<!^)(?=[A-Z])", " ", event.name).capitalize() + ".",
        "contentType": "application/json",
        "headers": {
            "allOf": [
                {"$ref": BASE + ENVELOPE},
                {"type": "object", "properties": {"ce-type": {"const": event.full_name}}},
            ]
        },
        "payload": schemas.reference(event.full_name),
        "bindings": {"amqp": {"contentEncoding": "utf-8", "messageType": event.full_name, "bindingVersion": _AMQP}},
        "tags": [{"name": event.service}],
        "x-mpp-routing-key": event.public_key,
        "x-mpp-entitlement": event.service,
    }
    if sample is not None:
        shown["examples"] = [{"name": "sample", "payload": sample}]
    return shown


def _envelope() -> Schema:
    def text(description: str, **more: Any) -> Schema:
        return {"type": "string", "description": description, **more}

    return {
        "type": "object",
        "description": "CloudEvents 1.0 attributes as AMQP headers (binary mode).",
        "properties": {
            "ce-specversion": {"const": "1.0"},
            "ce-id": text("Unique; the same event may come twice with the same id.", minLength=1),
            "ce-type": text("Full name of the proto message."),
            "ce-source": text("`/mpp/<service>`.", pattern="^/mpp/[a-z_]+$"),
            "ce-subject": text("Resource name that it is about: `sites/malang/queues/dukcapil/tickets/...`."),
            "ce-sequence": text("Version of that resource, growing: a smaller one is older.", pattern="^[0-9]+$"),
            "ce-time": text("When it happened, RFC 3339.", format="date-time"),
            "ce-traceparent": text("W3C trace context."),
        },
        "required": ["ce-specversion", "ce-id", "ce-type", "ce-source", "ce-subject", "ce-sequence", "ce-time"],
    }


def _refer(names: list[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _operation(channel: str, title: str, description: str, amqp: bool = True) -> dict[str, Any]:
    found: dict[str, Any] = {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "title": title,
        "description": description,
    }
    if amqp:
        found["bindings"] = {"amqp": {"deliveryMode": 2, "ack": True, "bindingVersion": _AMQP}}
    return found


def _amqp_ways(events: list[Message]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Topics of the public exchange, the replayable streams, and an agency's own queue."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    broker = [{"$ref": "#/servers/broker"}]
    exchange = {"name": PUBLIC_EXCHANGE, "type": "topic", "durable": True, "autoDelete": False, "vhost": "/"}
    for event in events:
        channels[event.public_key] = {
            "address": event.public_key,
            "title": event.name,
            "description": f"Routing key `{event.public_key}` of the exchange `{PUBLIC_EXCHANGE}`. "
            f"Entitlement: `{event.service}`.",
            "servers": broker,
            "messages": _refer([event.full_name]),
            "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": _AMQP}},
        }
        text = event.comment or f"{event.name}, as it happens."
        operations[f"publish_{event.public_key}"] = _operation(event.public_key, event.name, text)
    for service in sorted({e.service for e in events}):
        stream = entitlement_stream(service)
        channels[stream] = {
            "address": stream,
            "title": f"Stream of the entitlement {service}",
            "description": f"A RabbitMQ stream with the public events of `{service}` of the last seven days. Consume it "
            "with `basic.qos` and the argument `x-stream-offset`: `first`, `last`, `next`, an offset, or a timestamp.",
            "servers": broker,
            "messages": _refer([e.full_name for e in events if e.service == service]),
            "bindings": {"amqp": _queue(stream)},
        }
        operations[f"replay_{stream}"] = _operation(
            stream, f"Replay {service}", "Any number of readers, each where it likes."
        )
    queue = "agency.{site}.{agency}"
    channels["agencyQueue"] = {
        "address": queue,
        "title": "An agency's own queue",
        "description": "Made when the agency is granted access; it gets every granted event from then on. Bounded: when "
        "nobody reads, the oldest are dropped. What was missed is in the streams.",
        "servers": broker,
        "parameters": {
            "site": {"description": "Id of the site.", "examples": ["malang"]},
            "agency": {"description": "Id of the agency.", "examples": ["dukcapil"]},
        },
        "messages": _refer([e.full_name for e in events]),
        "bindings": {"amqp": _queue(queue)},
    }
    operations["deliverToAgency"] = _operation("agencyQueue", "Deliver to an agency", "Acknowledge what you have kept.")
    return channels, operations


def _queue(name: str) -> dict[str, Any]:
    queue = {"name": name, "durable": True, "exclusive": False, "autoDelete": False, "vhost": "/"}
    return {"is": "queue", "queue": queue, "bindingVersion": _AMQP}


def _feed_channel(feed: Method) -> tuple[dict[str, Any], dict[str, Any]]:
    text = feed.comment or "The granted events as a gRPC stream."
    channel = {
        "address": feed.grpc_path,
        "title": "gRPC stream",
        "description": f"{text}\n\n{callers(feed)}",
        "servers": [{"$ref": "#/servers/gateway"}],
        "messages": _refer(["FeedEvent"]),
    }
    return channel, _operation("feed", "Subscribe", text, amqp=False)


def _feed_message(contract: Contract, feed: Method) -> dict[str, Any]:
    return {
        "name": feed.response,
        "title": "FeedEvent",
        "summary": "One event with the cursor after it (protobuf; shown in its JSON form).",
        "contentType": "application/grpc+proto",
        "payload": {"$ref": BASE + feed.response},
    }


def _feed_schemas(contract: Contract, feed: Method) -> dict[str, Schema]:
    schemas = Schemas(contract, BASE)
    schemas.reference(feed.response)
    return schemas.components


def _webhook_message() -> dict[str, Any]:
    def text(description: str, **more: Any) -> Schema:
        return {"type": "string", "description": description, **more}

    headers = {
        "type": "object",
        "properties": {
            "webhook-id": text("Id of the event: the same at each attempt. Keep it to recognise repetitions."),
            "webhook-timestamp": text("Unix seconds of this attempt; refuse what is older than five minutes."),
            "webhook-signature": text(
                "`v1,<base64>`, HMAC-SHA256 over `id.timestamp.body` with your secret; two of them, separated by a space, "
                "while a secret is rotated.",
                pattern="^v1,",
            ),
        },
        "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
    }
    return {
        "name": "WebhookDelivery",
        "title": "Webhook",
        "summary": "One event, by Standard Webhooks (standardwebhooks.com), as a structured CloudEvent.",
        "contentType": "application/cloudevents+json",
        "headers": headers,
        "payload": {"$ref": BASE + WEBHOOK},
        "bindings": {"http": {"headers": headers, "bindingVersion": "0.3.0"}},
    }


def _webhook_body(events: list[Message]) -> Schema:
    text = {"type": "string"}
    return {
        "type": "object",
        "description": "CloudEvents 1.0 in structured mode; `data` is the event.",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": text,
            "type": {"type": "string", "enum": [e.full_name for e in events]},
            "source": {"type": "string", "pattern": "^/mpp/[a-z_]+$"},
            "subject": text,
            "sequence": {"type": "string", "pattern": "^[0-9]+$"},
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "data": {"anyOf": [{"$ref": BASE + e.full_name} for e in events]},
        },
        "required": ["specversion", "id", "type", "source", "data"],
    }


def _webhook_channel() -> tuple[dict[str, Any], dict[str, Any]]:
    text = (
        "The platform POSTs each granted event to the URL that you registered. Answer 2xx within ten seconds when you "
        "have kept it. Anything else is tried again with growing pauses; 410 ends it."
    )
    channel = {
        "address": None,
        "title": "Webhook",
        "description": text,
        "servers": [{"$ref": "#/servers/agency"}],
        "messages": _refer(["WebhookDelivery"]),
    }
    operation = _operation("webhook", "Deliver by webhook", text, amqp=False)
    operation["bindings"] = {"http": {"method": "POST", "bindingVersion": "0.3.0"}}
    return channel, operation


def _security() -> dict[str, Any]:
    return {
        "agencyAccount": {
            "type": "userPassword",
            "description": "The agency's account at the broker (`mppctl agency grant`), shown once, rotated at will.",
        },
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A token of the agency's service account at the OIDC issuer.",
        },
        "webhookSignature": {
            "type": "httpApiKey",
            "in": "header",
            "name": "webhook-signature",
            "description": "Standard Webhooks: check it with the secret that you got when the webhook was made.",
        },
    }
