"""The envelope: an event proto becomes a CloudEvents 1.0 message in binary mode, and back.

Knows protos, CloudEvents and the naming convention. Knows no broker and no store.

Naming: message `mpp.queue.v1.TicketCalled` -> exchange `queue.events`, routing key `ticket_called.v1`. An event that
agencies may read and that has personal fields is sent twice: whole under its key, and with those fields cleared under
`<key>.public`. The body is the proto's canonical JSON form and nothing else.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloudevents.core.bindings import rabbitmq
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from google.protobuf import json_format
from google.protobuf.message import Message
from mpp.options.v1 import options_pb2

PUBLIC_EXCHANGE = "public.events"
_FORMAT = JSONFormat()
_TYPES: dict[str, EventType] = {}


@dataclass(frozen=True, slots=True)
class EventType:
    """What the proto says of an event."""

    source: str
    name: str
    version: str
    message: type[Message]
    public: bool
    personal: tuple[str, ...]

    @property
    def exchange(self) -> str:
        return f"{self.source}.events"

    @property
    def routing_key(self) -> str:
        return f"{self.name}.{self.version}"

    @property
    def public_key(self) -> str | None:
        """Key under which agencies get it; None for an internal event."""
        if not self.public:
            return None
        return f"{self.routing_key}.public" if self.personal else self.routing_key


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to `subject` (a resource name), not yet in its envelope."""

    message: Message
    subject: str


@dataclass(frozen=True, slots=True)
class WireMessage:
    """A message as the broker gets it; also the form in which an event waits in its document."""

    id: str
    key: str
    headers: dict[str, str]
    body: str

    def to_document(self) -> dict[str, Any]:
        return {"id": self.id, "key": self.key, "headers": self.headers, "body": self.body}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> WireMessage:
        return cls(document["id"], document["key"], dict(document["headers"]), document["body"])


@dataclass(frozen=True, slots=True)
class Envelope:
    """The CloudEvents attributes of a received event."""

    id: str
    type: str
    source: str
    subject: str
    sequence: int
    time: datetime
    traceparent: str


class Undecodable(Exception):
    """The message is no event of the expected type; trying again cannot help."""


def event_type(message: type[Message]) -> EventType:
    """Read an event's type from its descriptor. Raises TypeError when the proto does not declare it an event."""
    known = _TYPES.get(message.DESCRIPTOR.full_name)
    if known is None:
        known = _TYPES[message.DESCRIPTOR.full_name] = _read_type(message)
    return known


def _read_type(message: type[Message]) -> EventType:
    descriptor = message.DESCRIPTOR
    options = extension(descriptor, options_pb2.event)
    _, source, version = descriptor.file.package.split(".")
    if options.audience == options_pb2.AUDIENCE_UNSPECIFIED:
        raise TypeError(f"{descriptor.full_name} is not declared an event (option mpp.options.v1.event)")
    return EventType(
        source=source,
        name=re.sub(r"(?<!^)(?=[A-Z])", "_", descriptor.name).lower(),
        version=version,
        message=message,
        public=options.audience == options_pb2.AUDIENCE_PUBLIC,
        personal=tuple(f.name for f in descriptor.fields if is_personal(f)),
    )


def is_personal(field: Any) -> bool:
    """Whether the proto marks a field (its descriptor) as personal data."""
    return bool(extension(field, options_pb2.personal))


def extension(descriptor: Any, option: Any) -> Any:
    """The value of one of our options on a descriptor; its default when it is not set."""
    return descriptor.GetOptions().Extensions[option]


def event_types(module: Any) -> list[EventType]:
    """All events that a generated `events_pb2` module declares."""
    found = []
    for name in module.DESCRIPTOR.message_types_by_name:
        message = getattr(module, name)
        if message.DESCRIPTOR.GetOptions().HasExtension(options_pb2.event):
            found.append(event_type(message))
    return found


def new_event_id(now: datetime, rng: random.Random) -> str:
    """32 hex characters, ordered by time (milliseconds), unique by 80 random bits: the shape of a UUIDv7 (RFC 9562)."""
    return f"{int(now.timestamp() * 1000):012x}{rng.getrandbits(80):020x}"


def id_before(moment: datetime) -> str:
    """Smaller than every event id made at or after `moment`."""
    return f"{int(moment.timestamp() * 1000):012x}"


def encode(event: Event, *, sequence: int, event_id: str, time: datetime, traceparent: str) -> list[WireMessage]:
    """The message of an event; two when agencies get a form of their own (see module text)."""
    kind = event_type(type(event.message))
    attributes: dict[str, Any] = {
        "id": event_id,
        "type": kind.message.DESCRIPTOR.full_name,
        "source": f"/mpp/{kind.source}",
        "specversion": "1.0",
        "time": time,
        "subject": event.subject,
        "sequence": str(sequence),
        "datacontenttype": "application/json",
    }
    if traceparent:
        attributes["traceparent"] = traceparent
    fields = json_format.MessageToDict(event.message)
    whole = rabbitmq.to_binary(CloudEvent(attributes, _body(fields)), _FORMAT)
    messages = [WireMessage(event_id, kind.routing_key, whole.headers, whole.body.decode())]
    if kind.public and kind.personal:
        by_name = kind.message.DESCRIPTOR.fields_by_name
        hidden = {by_name[name].json_name for name in kind.personal}
        bare = {name: value for name, value in fields.items() if name not in hidden}
        headers = {**whole.headers, "ce-id": f"{event_id}-p"}
        messages.append(WireMessage(f"{event_id}-p", f"{kind.routing_key}.public", headers, _body(bare).decode()))
    return messages


def _body(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()


def decode(kind: EventType, headers: Mapping[str, Any], body: bytes) -> tuple[Message, Envelope]:
    """Parse a message as an event of `kind`. Unknown fields are ignored: schemas only grow.

    Raises Undecodable; its text holds no content of the body.
    """
    try:
        ce = {k[3:]: str(v) for k, v in headers.items() if k.startswith("ce-")}
        if ce["type"] != kind.message.DESCRIPTOR.full_name:
            raise Undecodable(f"type is {ce['type'][:80]}, not {kind.message.DESCRIPTOR.full_name}")
        message = kind.message()
        if not body.lstrip().startswith(b"{"):  # the parser takes any empty JSON value for an empty message
            raise Undecodable("body is not a JSON object")
        json_format.Parse(body, message, ignore_unknown_fields=True)
        time, sequence = datetime.fromisoformat(ce["time"]), int(ce["sequence"])
        if time.tzinfo is None or not 0 <= sequence < 2**63 or not ce["id"]:
            raise Undecodable("malformed: ce-id is empty, ce-time has no offset, or ce-sequence is out of range")
        time.timestamp()
        envelope = Envelope(
            ce["id"], ce["type"], ce["source"], ce["subject"], sequence, time, ce.get("traceparent", "")
        )
    except Undecodable:
        raise
    except KeyError as e:
        raise Undecodable(f"header ce-{e.args[0]} is missing") from e
    except json_format.ParseError as e:
        raise Undecodable("body is not the JSON form of the event") from e
    except (ValueError, OverflowError, RecursionError) as e:
        raise Undecodable(f"malformed: {type(e).__name__}") from e
    return message, envelope
