"""Between the public messages, the domain, and the fields that a document holds.

The document's fields have the contract's names, so that a read turns into a reply without a detour over the
domain. Knows protos and the domain; never knows a store or a caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct, Value
from mpp.catalog.v1 import agency_pb2, channel_pb2, events_pb2, offering_pb2, site_pb2

from mpp_catalog import domain

_CATEGORY = agency_pb2.Agency.Category.DESCRIPTOR.values_by_name
_POLICY = agency_pb2.PriorityPolicy.Kind.DESCRIPTOR.values_by_name
_TYPE = channel_pb2.ChannelAttribute.Type.DESCRIPTOR.values_by_name
_KIND = offering_pb2.Offering.Kind.DESCRIPTOR.values_by_name
_SOURCE = offering_pb2.Offering.Source.DESCRIPTOR.values_by_name
_UNIT = offering_pb2.ServiceTime.Unit.DESCRIPTOR.values_by_name
_STAMP = ("published_at", "published_by")
_RULES = (
    "slot_minutes",
    "places",
    "public_places",
    "earliest_days",
    "latest_days",
    "max_slots",
    "hold_minutes",
    "cooling_minutes",
    "early_minutes",
    "late_minutes",
    "video_link",
    "max_open_per_email",
    "max_open_per_person",
)
_STANDARD_TEXTS = (
    "product",
    "complaint_handling",
    "facilities",
    "competence",
    "internal_supervision",
    "service_guarantee",
    "security_guarantee",
    "performance_evaluation",
)


def fields(resource: domain.Resource) -> dict[str, Any]:
    """What a document holds of a resource: everything but its name and its events."""
    state = asdict(resource)
    del state["name"], state["events"]
    return state


# --- sites


def site(name: str, version: int, state: Mapping[str, Any]) -> site_pb2.Site:
    """The public form of a stored site."""
    return site_pb2.Site(name=name, etag=domain.etag(name, version), **_public(state))


def to_site(message: site_pb2.Site) -> domain.Site:
    """What a caller asks for. The etag is not part of it."""
    return domain.Site(
        name=message.name,
        display_name=_text(message.display_name),
        region_code=message.region_code,
        time_zone=message.time_zone,
        kind=message.kind,
        opened=message.opened,
        declared_services=_optional(message, "declared_services"),
        declared_agencies=_optional(message, "declared_agencies"),
        opening_hours=tuple(domain.OpeningHours(h.weekday, h.opens, h.closes) for h in message.opening_hours),
        channels=tuple(message.channels),
        holidays=tuple(domain.Holiday(h.date, h.name, h.joint_leave) for h in message.holidays),
        maintenance=tuple(domain.Maintenance(m.starts, m.ends, _text(m.text)) for m in message.maintenance),
    )


# --- agencies


def agency(name: str, version: int, state: Mapping[str, Any]) -> agency_pb2.Agency:
    """The public form of a stored agency."""
    public = _public(state)
    public["category"] = _CATEGORY["CATEGORY_" + state["category"].upper()].number
    if (queue := state["queue"]) and (policy := queue.get("priority")):
        kind = _POLICY["KIND_" + policy["kind"].upper()].number
        public["queue"] = {**queue, "priority": {**policy, "kind": kind}}
    return agency_pb2.Agency(name=name, etag=domain.etag(name, version), **public)


def to_agency(message: agency_pb2.Agency) -> domain.Agency:
    """What a caller asks for. The etag is not part of it."""
    return domain.Agency(
        name=message.name,
        display_name=_text(message.display_name),
        category=agency_pb2.Agency.Category.Name(message.category).removeprefix("CATEGORY_").lower(),
        declared_services=_optional(message, "declared_services"),
        source=message.source,
        queue=to_queue(message.queue) if message.HasField("queue") else None,
        facilities=tuple(domain.Facility(f.id, _text(f.display_name)) for f in message.facilities),
        overseer=message.overseer,
    )


def to_queue(message: agency_pb2.QueueSpec) -> domain.QueueSpec:
    return domain.QueueSpec(
        id=message.id,
        prefix=message.prefix,
        counters=tuple(message.counters),
        minutes_per_visit=message.minutes_per_visit,
        priority=_policy(message.priority) if message.HasField("priority") else None,
        numbers=_numbers(message.numbers) if message.HasField("numbers") else None,
        daily_contingent=message.daily_contingent,
        quota=_quota(message.quota) if message.HasField("quota") else None,
        appointments=to_rules(message.appointments) if message.HasField("appointments") else None,
        hours_enforced=message.hours_enforced,
        closed_text=_text(message.closed_text) if message.HasField("closed_text") else None,
        draining=message.draining,
        draining_text=_text(message.draining_text) if message.HasField("draining_text") else None,
        closures=_closures(message.closures),
    )


def to_rules(message: agency_pb2.AppointmentRules) -> domain.AppointmentRules:
    """Of a queue or of a channel."""
    whole = {name: getattr(message, name) for name in _RULES}
    hours = tuple(domain.AgendaHours(h.weekday, h.opens, h.closes, tuple(h.weeks)) for h in message.hours)
    return domain.AppointmentRules(
        **whole, hours=hours, closures=tuple(message.closures), variants=tuple(message.variants)
    )


def _policy(message: agency_pb2.PriorityPolicy) -> domain.PriorityPolicy:
    return domain.PriorityPolicy(
        kind=agency_pb2.PriorityPolicy.Kind.Name(message.kind).removeprefix("KIND_").lower(),
        classes=tuple(
            domain.PriorityClass(c.id, _text(c.display_name), tuple(c.groups), c.boost_minutes) for c in message.classes
        ),
        run=message.run,
        max_wait_minutes=message.max_wait_minutes,
    )


def _numbers(message: agency_pb2.NumberRange) -> domain.NumberRange:
    return domain.NumberRange(message.first, message.last, tuple(message.blocked))


def _quota(message: agency_pb2.Quota) -> domain.Quota:
    return domain.Quota(**{f.name: getattr(message, f.name) for f in message.DESCRIPTOR.fields})


# --- offerings


def offering(name: str, version: int, state: Mapping[str, Any]) -> offering_pb2.Offering:
    """The public form of a stored offering, with its gaps."""
    public = _public(state)
    public["kind"] = _KIND["KIND_" + state["kind"].upper()].number
    public["source"] = _SOURCE["SOURCE_" + state["source"].upper()].number
    if time := state["standard"]["time"]:
        unit = _UNIT["UNIT_" + time["unit"].upper()].number
        public["standard"] = {**state["standard"], "time": {"amount": time["amount"], "unit": unit}}
    return offering_pb2.Offering(name=name, etag=domain.etag(name, version), **public)


def to_offering(message: offering_pb2.Offering) -> domain.Offering:
    """What a caller asks for. The etag and `missing_components` (output only) are not part of it."""
    return domain.Offering(
        name=message.name,
        agency=message.agency,
        display_name=_text(message.display_name),
        kind=offering_pb2.Offering.Kind.Name(message.kind).removeprefix("KIND_").lower(),
        source=offering_pb2.Offering.Source.Name(message.source).removeprefix("SOURCE_").lower(),
        standard=_standard(message.standard),
        aliases=tuple(message.aliases),
        risk=message.risk,
    )


def _standard(message: offering_pb2.Standard) -> domain.Standard:
    return domain.Standard(
        requirements=tuple(domain.Requirement(r.id, _text(r.display_name)) for r in message.requirements),
        procedure=tuple(message.procedure),
        time=_time(message.time) if message.HasField("time") else None,
        fee=_fee(message.fee) if message.HasField("fee") else None,
        legal_basis=tuple(message.legal_basis),
        staff_count=_optional(message, "staff_count"),
        sample_components=tuple(message.sample_components),
        **{name: getattr(message, name) for name in _STANDARD_TEXTS},
    )


def _time(message: offering_pb2.ServiceTime) -> domain.ServiceTime:
    unit = offering_pb2.ServiceTime.Unit.Name(message.unit).removeprefix("UNIT_").lower()
    return domain.ServiceTime(message.amount, unit)


def _fee(message: offering_pb2.Fee) -> domain.Fee:
    return domain.Fee(
        amount_idr=_optional(message, "amount_idr"),
        tariffs=tuple(domain.Tariff(_text(t.display_name), t.amount_idr) for t in message.tariffs),
        formula=message.formula,
        basis=message.basis,
    )


# --- channels and their kinds


def channel_kind(name: str, version: int, state: Mapping[str, Any]) -> channel_pb2.ChannelKind:
    """The public form of a stored kind."""
    public = _public(state)
    public["attributes"] = [_attribute(a) for a in state["attributes"]]
    return channel_pb2.ChannelKind(name=name, etag=domain.etag(name, version), **public)


def to_channel_kind(message: channel_pb2.ChannelKind) -> domain.ChannelKind:
    """What a caller asks for. The etag is not part of it."""
    attributes = tuple(_to_attribute(a) for a in message.attributes)
    return domain.ChannelKind(message.name, _text(message.display_name), attributes)


def channel(name: str, version: int, state: Mapping[str, Any]) -> channel_pb2.Channel:
    """The public form of a stored channel."""
    public = _public(state)
    settings = public.pop("settings")
    reply = channel_pb2.Channel(name=name, etag=domain.etag(name, version), **public)
    if settings:
        reply.settings.update(settings)
    return reply


def to_channel(message: channel_pb2.Channel) -> domain.Channel:
    """What a caller asks for. The etag is not part of it; a setting of null is one that is not there."""
    return domain.Channel(
        name=message.name,
        kind=message.kind,
        agency=message.agency,
        display_name=_text(message.display_name),
        offerings=tuple(message.offerings),
        settings=_settings(message.settings),
        appointments=to_rules(message.appointments) if message.HasField("appointments") else None,
        closures=_closures(message.closures),
    )


def _attribute(state: Mapping[str, Any]) -> dict[str, Any]:
    of_type = _TYPE["TYPE_" + state["type"].upper()].number
    return {**state, "type": of_type, "entries": [_attribute(entry) for entry in state["entries"]]}


def _to_attribute(message: channel_pb2.ChannelAttribute) -> domain.Attribute:
    return domain.Attribute(
        id=message.id,
        display_name=_text(message.display_name),
        type=channel_pb2.ChannelAttribute.Type.Name(message.type).removeprefix("TYPE_").lower(),
        required=message.required,
        least=message.least,
        most=message.most,
        words=tuple(message.words),
        entries=tuple(_to_attribute(entry) for entry in message.entries),
    )


def _settings(message: Struct) -> dict[str, Any]:
    plain = {key: _plain(value) for key, value in message.fields.items()}
    return {key: value for key, value in plain.items() if value is not None}


def _plain(value: Value) -> Any:
    """Whole numbers as such: a Struct knows only floats."""
    which = value.WhichOneof("kind")
    if which == "struct_value":
        return {key: _plain(item) for key, item in value.struct_value.fields.items()}
    if which == "list_value":
        return [_plain(item) for item in value.list_value.values]
    if which == "number_value":
        return int(value.number_value) if value.number_value.is_integer() else value.number_value
    return getattr(value, which) if which in ("string_value", "bool_value") else None


# --- events


def event(message: Message) -> Message:
    """The event that tells of a published resource, given in its public form."""
    if isinstance(message, site_pb2.Site):
        return events_pb2.SitePublished(site=message)
    if isinstance(message, agency_pb2.Agency):
        return events_pb2.AgencyPublished(agency=message)
    if isinstance(message, offering_pb2.Offering):
        return events_pb2.OfferingPublished(offering=message)
    if isinstance(message, channel_pb2.ChannelKind):
        return events_pb2.ChannelKindPublished(kind=message)
    if isinstance(message, channel_pb2.Channel):
        return events_pb2.ChannelPublished(channel=message)
    raise TypeError(f"{message.DESCRIPTOR.full_name} is not a resource of the catalogue")


def _public(state: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in state.items() if key not in _STAMP}


def _text(message: site_pb2.LocalizedText) -> domain.Text:
    return domain.Text(message.id, message.en)


def _closures(told: Iterable[site_pb2.Closure]) -> tuple[domain.Closure, ...]:
    return tuple(domain.Closure(c.date, _text(c.text) if c.HasField("text") else None) for c in told)


def _optional(message: Message, name: str) -> int | None:
    return int(getattr(message, name)) if message.HasField(name) else None
