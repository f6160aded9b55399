"""The catalogue's reads: one resource, pages, search. Open to everyone (UU 25/2009: standards are published).

Knows the store's reads and the public messages; never changes anything.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from google.protobuf.message import Message
from mpp.catalog.v1 import agency_pb2, catalog_service_pb2, channel_pb2, offering_pb2, site_pb2
from mpp_chassis.aggregates import Aggregates, Stored
from mpp_chassis.errors import InvalidField, NotFound

from mpp_catalog import messages, metrics, search, store
from mpp_catalog.finder import Finder
from mpp_catalog.usecases import App

M = TypeVar("M", bound=Message)
PAGE = 100  # resources a page, when the caller does not say
FOUND = 10  # services a search returns, when the caller does not say
CANDIDATES = 40  # services of each group that a search in the store ranks; more when the caller asks for more


def get_site(app: App, name: str) -> site_pb2.Site:
    """Raises NotFound with reason SITE_NOT_FOUND."""
    return _get(app.catalogue.sites, name, messages.site, "SITE_NOT_FOUND")


def get_agency(app: App, name: str) -> agency_pb2.Agency:
    """Raises NotFound with reason AGENCY_NOT_FOUND."""
    return _get(app.catalogue.agencies, name, messages.agency, "AGENCY_NOT_FOUND")


def get_offering(app: App, name: str) -> offering_pb2.Offering:
    """Raises NotFound with reason OFFERING_NOT_FOUND."""
    return _get(app.catalogue.offerings, name, messages.offering, "OFFERING_NOT_FOUND")


def get_channel_kind(app: App, name: str) -> channel_pb2.ChannelKind:
    """Raises NotFound with reason CHANNEL_KIND_NOT_FOUND."""
    return _get(app.catalogue.channel_kinds, name, messages.channel_kind, "CHANNEL_KIND_NOT_FOUND")


def get_channel(app: App, name: str) -> channel_pb2.Channel:
    """Raises NotFound with reason CHANNEL_NOT_FOUND."""
    return _get(app.catalogue.channels, name, messages.channel, "CHANNEL_NOT_FOUND")


def list_agencies(
    app: App, request: catalog_service_pb2.ListAgenciesRequest
) -> catalog_service_pb2.ListAgenciesResponse:
    """A site's agencies in the order of their names. Raises NotFound for an unknown site, InvalidField for
    a bad token.

    A page holds what is there when it is read: something that is added behind the reader is not seen.
    """
    limit = request.page_size or PAGE
    after = _after(request.page_token, request.parent)
    rows = store.page(app.catalogue.agencies, f"{request.parent}/agencies", after=after, limit=limit + 1)
    if not rows and not after:
        get_site(app, request.parent)
    agencies = [_show(messages.agency, row) for row in rows[:limit]]
    token = _token(agencies[-1].name, request.parent) if len(rows) > limit else ""
    return catalog_service_pb2.ListAgenciesResponse(agencies=agencies, next_page_token=token)


def list_offerings(
    app: App, request: catalog_service_pb2.ListOfferingsRequest
) -> catalog_service_pb2.ListOfferingsResponse:
    """A site's (or an agency's) services in the order of their names. Raises as `list_agencies`."""
    if request.agency and not request.agency.startswith(request.parent + "/"):
        raise InvalidField("agency", f"{request.agency} is not below {request.parent}")
    limit = request.page_size or PAGE
    after = _after(request.page_token, request.parent, request.agency)
    rows = store.page(
        app.catalogue.offerings,
        f"{request.parent}/offerings",
        after=after,
        limit=limit + 1,
        agency=request.agency,
    )
    if not rows and not after:
        get_agency(app, request.agency) if request.agency else get_site(app, request.parent)
    offerings = [_show(messages.offering, row) for row in rows[:limit]]
    token = _token(offerings[-1].name, request.parent, request.agency) if len(rows) > limit else ""
    return catalog_service_pb2.ListOfferingsResponse(offerings=offerings, next_page_token=token)


def list_channel_kinds(
    app: App, request: catalog_service_pb2.ListChannelKindsRequest
) -> catalog_service_pb2.ListChannelKindsResponse:
    """A site's kinds of channel in the order of their names. Raises as `list_agencies`."""
    limit = request.page_size or PAGE
    after = _after(request.page_token, request.parent, "channelKinds")
    rows = store.page(app.catalogue.channel_kinds, f"{request.parent}/channelKinds", after=after, limit=limit + 1)
    if not rows and not after:
        get_site(app, request.parent)
    kinds = [_show(messages.channel_kind, row) for row in rows[:limit]]
    token = _token(kinds[-1].name, request.parent, "channelKinds") if len(rows) > limit else ""
    return catalog_service_pb2.ListChannelKindsResponse(channel_kinds=kinds, next_page_token=token)


def list_channels(
    app: App, request: catalog_service_pb2.ListChannelsRequest
) -> catalog_service_pb2.ListChannelsResponse:
    """A site's channels (or an agency's, or those of a kind) in the order of their names. Raises as `list_agencies`."""
    for field, name in (("agency", request.agency), ("kind", request.kind)):
        if name and not name.startswith(request.parent + "/"):
            raise InvalidField(field, f"{name} is not below {request.parent}")
    limit, asked = request.page_size or PAGE, (request.parent, "channels", request.agency, request.kind)
    after = _after(request.page_token, *asked)
    rows = store.page(
        app.catalogue.channels,
        f"{request.parent}/channels",
        after=after,
        limit=limit + 1,
        agency=request.agency,
        kind=request.kind,
    )
    if not rows and not after:
        get_agency(app, request.agency) if request.agency else get_site(app, request.parent)
    channels = [_show(messages.channel, row) for row in rows[:limit]]
    token = _token(channels[-1].name, *asked) if len(rows) > limit else ""
    return catalog_service_pb2.ListChannelsResponse(channels=channels, next_page_token=token)


def search_offerings(
    app: App, request: catalog_service_pb2.SearchOfferingsRequest
) -> catalog_service_pb2.SearchOfferingsResponse:
    """Services that match every word of the query, best first. Raises NotFound for an unknown site.

    Services whose own names or aliases hold all the words whole come before all others. Each of these two
    groups is ranked exactly where it has at most CANDIDATES members (from memory: finder.RANKED). Where it has more (one
    very common word), only so many are ranked: a longer query is the way to a certain service.
    """
    words = search.query_words(request.query)
    if not words:
        raise InvalidField("query", "has no letter or digit to look for")
    site_id, limit = _site_id(request.parent), request.page_size or FOUND
    held = app.memory.of(
        site_id
    )  # without a service it is false: then it is the store that says whether there is a site
    found = _held(held, words, limit) if held else _asked(app, site_id, words, limit)
    if not found.offerings and not held:
        get_site(app, request.parent)
    metrics.SEARCHES.labels(site_id, "yes" if found.offerings else "no").inc()
    return found


def offering_shown(stored: Stored) -> bytes:
    """A service as a search shows it, in the wire's form."""
    return _show(messages.offering, stored).SerializeToString()


def _held(held: Finder, words: list[str], limit: int) -> catalog_service_pb2.SearchOfferingsResponse:
    reply = catalog_service_pb2.SearchOfferingsResponse()
    for name in held.best(words, limit):
        reply.offerings.add().MergeFromString(held.shown(name))
    return reply


def _asked(app: App, site_id: str, words: list[str], limit: int) -> catalog_service_pb2.SearchOfferingsResponse:
    """From the store, while the site is not in memory. It will be: somebody searches it, and it is there."""
    names = _best(app, site_id, words, limit)
    if names:
        app.memory.want(site_id)
    rows = store.read_many(app.catalogue.offerings, names)
    found = [_show(messages.offering, rows[name]) for name in names if name in rows]
    return catalog_service_pb2.SearchOfferingsResponse(offerings=found)


def _best(app: App, site_id: str, words: list[str], limit: int) -> list[str]:
    """Two small reads at the most."""
    bound = max(CANDIDATES, limit)
    whole = app.catalogue.candidates(site_id, [search.NAME_MARK + word for word in words], bound)
    names = search.best(words, whole, limit)
    if len(names) == limit:
        return names
    found = app.catalogue.candidates(site_id, words, bound + len(whole))
    rest = {name: line for name, line in found.items() if name not in whole}
    return names + search.best(words, rest, limit - len(names))


def _get(shelf: Aggregates, name: str, show: Callable[[str, int, Mapping[str, Any]], M], reason: str) -> M:
    row = store.read(shelf, name)
    if row is None:
        raise NotFound(f"there is no {name}", reason=reason, field="name")
    return _show(show, row)


def _show(show: Callable[[str, int, Mapping[str, Any]], M], row: Stored) -> M:
    return show(row.name, row.version, row.state)


def _token(last: str, *query: str) -> str:
    """Opaque: where the page ended, bound to what was asked."""
    text = json.dumps([_digest(query), last], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _after(token: str, *query: str) -> str:
    if not token:
        return ""
    try:
        digest, last = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError, TypeError):
        digest = last = None
    if digest != _digest(query) or not isinstance(last, str):
        raise InvalidField("page_token", "is not a token of this listing; start again without one")
    return last


def _digest(query: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(query).encode()).hexdigest()[:12]


def _site_id(name: str) -> str:
    return name.split("/")[1]
