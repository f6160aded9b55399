"""The catalogue's commands: load, decide, save.

Every Apply is an idempotent upsert. An unchanged resource writes nothing: no version, no event, the same
reply. `validate_only` checks all and writes nothing. Knows the domain, the store and the caller's reach;
never a transport.

Not guaranteed: a command that wrote nothing leaves no trace, so its `request_id` may be used again with
another body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from mpp.catalog.v1 import agency_pb2, catalog_service_pb2, channel_pb2, offering_pb2, site_pb2
from mpp_chassis.aggregates import Aggregates, Stale, Stored, Taken
from mpp_chassis.call import Call
from mpp_chassis.errors import Aborted, FailedPrecondition, InvalidField
from mpp_chassis.events import Event

from mpp_catalog import domain, messages, metrics, search, store
from mpp_catalog.memory import Memory
from mpp_catalog.openwork import OpenWork

R = TypeVar("R", domain.Site, domain.Agency, domain.Offering, domain.ChannelKind, domain.Channel)
M = TypeVar("M", bound=Message)
ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class App:
    """What the service's use cases work with."""

    catalogue: store.Catalogue
    open_work: OpenWork
    memory: Memory


@dataclass(frozen=True, slots=True)
class _Kind(Generic[R, M]):
    """How one kind of resource is kept and shown."""

    field: str  # of the request
    shelf: Aggregates
    reply: Callable[[str, int, Mapping[str, Any]], M]
    reply_type: type[M]
    to_domain: Callable[[M], R]


def apply_site(app: App, request: catalog_service_pb2.ApplySiteRequest, call: Call) -> site_pb2.Site:
    """Create or replace a site. Raises the domain's errors, and Aborted."""
    wanted = messages.to_site(request.site)
    kind = _Kind("site", app.catalogue.sites, messages.site, site_pb2.Site, messages.to_site)

    def extras(_: domain.Site | None) -> dict[str, Any]:
        return {}

    return _apply(kind, wanted, request.site.etag, request.validate_only, call, extras)


def apply_agency(app: App, request: catalog_service_pb2.ApplyAgencyRequest, call: Call) -> agency_pb2.Agency:
    """Create or replace an agency.

    Raises SITE_NOT_FOUND, QUEUE_CLAIMED (queue id, prefix or counter of another agency), the domain's
    errors, Aborted. Counters are unique except for two writes of the same moment, see store.py.
    """
    wanted = messages.to_agency(request.agency)
    _below(request.parent, "agency.name", wanted.name)
    kind = _Kind("agency", app.catalogue.agencies, messages.agency, agency_pb2.Agency, messages.to_agency)

    def extras(current: domain.Agency | None) -> dict[str, Any]:
        if current is None:
            _need_site(app, request.parent)
        if wanted.queue and wanted != current:
            others = app.catalogue.claimed(_site_id(wanted.name))
            wanted.refuse_claimed(others)
        return store.claims(wanted.name, messages.fields(wanted)["queue"])

    return _apply(kind, wanted, request.agency.etag, request.validate_only, call, extras)


def apply_offering(app: App, request: catalog_service_pb2.ApplyOfferingRequest, call: Call) -> offering_pb2.Offering:
    """Create or replace a public service of an agency.

    Raises PermissionDenied when the caller's reach covers not both the agency that has the service and the
    one that shall have it, AGENCY_NOT_FOUND, the domain's errors, Aborted.
    """
    wanted = messages.to_offering(request.offering)
    _below(request.parent, "offering.name", wanted.name)
    _below(request.parent, "offering.agency", wanted.agency)
    call.require(agency=wanted.agency)
    kind = _Kind("offering", app.catalogue.offerings, messages.offering, offering_pb2.Offering, messages.to_offering)

    def extras(current: domain.Offering | None) -> dict[str, Any]:
        if current is not None and current.agency != wanted.agency:
            call.require(agency=current.agency)
        agency = _need_agency(app, wanted.agency, "offering.agency")
        line = search.line(wanted.display_name.id, wanted.display_name.en, wanted.aliases)
        return {
            "missing_components": wanted.standard.missing(),
            "search": offering_words(messages.fields(wanted), agency.state),
            "search_line": line,
            "changed_at": app.catalogue.clock(),
        }

    reply = _apply(kind, wanted, request.offering.etag, request.validate_only, call, extras)
    app.memory.changed(_site_id(wanted.name))
    return reply


def apply_channel_kind(
    app: App, request: catalog_service_pb2.ApplyChannelKindRequest, call: Call
) -> channel_pb2.ChannelKind:
    """Create or replace a kind of channel.

    Raises SITE_NOT_FOUND, CHANNEL_UNFIT (a channel of the kind would not fit it any more), the domain's errors, Aborted.
    """
    wanted = messages.to_channel_kind(request.channel_kind)
    _below(request.parent, "channel_kind.name", wanted.name)
    kinds = app.catalogue.channel_kinds
    kind = _Kind("channel_kind", kinds, messages.channel_kind, channel_pb2.ChannelKind, messages.to_channel_kind)

    def extras(current: domain.ChannelKind | None) -> dict[str, Any]:
        if current is None:
            _need_site(app, request.parent)
        elif wanted != current:
            wanted.refuse_unfit(app.catalogue.settings(_site_id(wanted.name), wanted.name))
        return {}

    return _apply(kind, wanted, request.channel_kind.etag, request.validate_only, call, extras)


def apply_channel(app: App, request: catalog_service_pb2.ApplyChannelRequest, call: Call) -> channel_pb2.Channel:
    """Create or replace a channel of an agency.

    Raises PermissionDenied as `apply_offering`, CHANNEL_KIND_NOT_FOUND, AGENCY_NOT_FOUND, OFFERING_NOT_FOUND (also one
    of another agency), the domain's errors (settings that do not fit the kind, with their path), Aborted.
    """
    wanted = messages.to_channel(request.channel)
    for field, name in (("name", wanted.name), ("kind", wanted.kind), ("agency", wanted.agency)):
        _below(request.parent, f"channel.{field}", name)
    call.require(agency=wanted.agency)
    kind = _Kind("channel", app.catalogue.channels, messages.channel, channel_pb2.Channel, messages.to_channel)

    def extras(current: domain.Channel | None) -> dict[str, Any]:
        if current is not None and current.agency != wanted.agency:
            call.require(agency=current.agency)
        _kind_of(app, wanted).check_settings(wanted.settings)
        _need_agency(app, wanted.agency, "channel.agency")
        _need_offerings(app, wanted)
        return {}

    return _apply(kind, wanted, request.channel.etag, request.validate_only, call, extras)


def _kind_of(app: App, channel: domain.Channel) -> domain.ChannelKind:
    found = store.read(app.catalogue.channel_kinds, channel.kind)
    if found is None:
        text = f"there is no {channel.kind}"
        raise FailedPrecondition(text, reason="CHANNEL_KIND_NOT_FOUND", field="channel.kind")
    return messages.to_channel_kind(messages.channel_kind(found.name, found.version, found.state))


def _need_offerings(app: App, channel: domain.Channel) -> None:
    found = store.read_many(app.catalogue.offerings, channel.offerings)
    for index, name in enumerate(channel.offerings):
        if name not in found or found[name].state["agency"] != channel.agency:
            text = f"{channel.agency} has no {name}"
            raise FailedPrecondition(text, reason="OFFERING_NOT_FOUND", field=f"channel.offerings[{index}]")


def reindex_agency(app: App, name: str) -> int:
    """Give an agency's offerings the words of its present name. Returns how many had others. Idempotent.

    Not guaranteed: an offering applied in the same moment as the rename may keep the old words until either
    is applied again with a change.
    """
    agency = store.read(app.catalogue.agencies, name)
    if agency is None:
        return 0
    changed = 0
    for offering in app.catalogue.search_texts(_site_id(name), name):
        words = offering_words(offering.state, agency.state)
        if words != offering.state["search"]:
            changed += app.catalogue.set_words(offering, words)
    return changed


def offering_words(offering: Mapping[str, Any], agency: Mapping[str, Any]) -> list[str]:
    """The search tokens of a stored offering of a stored agency."""
    names = offering["display_name"]
    of_agency = agency["display_name"]
    return search.tokens((names["id"], names["en"]), offering["aliases"], f"{of_agency['id']} {of_agency['en']}")


def _apply(
    kind: _Kind[R, M],
    wanted: R,
    etag: str,
    validate_only: bool,
    call: Call,
    extras: Callable[[R | None], dict[str, Any]],
) -> M:
    """One upsert. `extras` checks references and claims against the store, and gives the fields that
    queries use.
    """
    for _ in range(ATTEMPTS):
        stored = kind.shelf.load(wanted.name)
        known = kind.shelf.repeated(stored, call.mutation, kind.reply_type) if stored else None
        if known is not None:
            return known
        there = stored if stored and not stored.state.get(store.RETIRED) else None  # a tombstone only lends its version
        current = _resource(kind, there) if there else None
        domain.check_etag(f"{kind.field}.etag", etag, wanted.name, there.version if there else None)
        after = domain.publish(current, wanted, now=call.now, actor=call.actor)
        state = {**messages.fields(after), **extras(current)}
        if there and not after.events:
            return kind.reply(there.name, there.version, public(there.state))
        reply = kind.reply(wanted.name, stored.version + 1 if stored else 1, public(state))
        if validate_only:
            reply.ClearField("etag")  # the version does not exist
            return reply
        try:
            written = _write(kind, stored, wanted.name, state, call, reply)
            if written is reply:  # else: the stored reply of a repeated command
                metrics.PUBLISHED.labels(_site_id(wanted.name), kind.field).inc()
            return written
        except (Stale, Taken):
            continue  # somebody was faster: look again, and say then what is wrong
    raise Aborted(f"{wanted.name} is being changed by too many at once; try again")


def _write(kind: _Kind[R, M], stored: Stored | None, name: str, state: dict[str, Any], call: Call, reply: M) -> M:
    events = [Event(messages.event(reply), name)]
    if stored is None:
        return kind.shelf.create(name, _site_id(name), state, call.mutation, reply, events)
    return kind.shelf.save(stored, state, call.mutation, reply, events)


def _resource(kind: _Kind[R, M], stored: Stored) -> R:
    return kind.to_domain(kind.reply(stored.name, stored.version, public(stored.state)))


def public(state: Mapping[str, Any]) -> dict[str, Any]:
    """A stored state without the fields that only queries use."""
    return {key: value for key, value in state.items() if key not in store.QUERY_FIELDS}


def _need_site(app: App, name: str) -> None:
    if store.read(app.catalogue.sites, name) is None:
        raise FailedPrecondition(f"there is no {name}", reason="SITE_NOT_FOUND", field="parent")


def _need_agency(app: App, name: str, field: str) -> Stored:
    agency = store.read(app.catalogue.agencies, name)
    if agency is None:
        raise FailedPrecondition(f"there is no {name}", reason="AGENCY_NOT_FOUND", field=field)
    return agency


def _below(parent: str, field: str, name: str) -> None:
    """The kit has checked the caller's site against `parent`; so everything named must be below it."""
    if domain.site_of(name) != parent:
        raise InvalidField(field, f"{name} is not below {parent}")


def _site_id(name: str) -> str:
    return name.split("/")[1]
