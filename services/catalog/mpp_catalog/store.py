"""The catalogue's documents: five collections, their indexes, and the reads that use them.

Knows pymongo and the fields that queries need; never knows what they mean to a citizen.

What the store guarantees and what it does not. Two agencies of a site never hold one queue id or one
prefix: unique indexes see to it, also when both come at the same moment. A *counter* that two agencies
claim at the same moment is not guarded so (a unique index on an array is outside the subset that every
store has): each write is checked against the site's other agencies just before, and two writes within those
milliseconds may both pass. A later apply of either agency with a change is refused until the clash is
mended.

What is retired stays as a tombstone: the name, the version and `retired_at`, so that a name that is published again
goes on with its sequence. Reads pass tombstones over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from mpp_chassis.aggregates import Aggregates, Store, Stored
from pymongo import ASCENDING, IndexModel

from mpp_catalog import domain

# Fields that only queries use; never part of a reply.
QUERY_FIELDS = ("search", "search_line", "claim_id", "claim_prefix", "changed_at")
OPEN_WORK = "open_work"
ENDED_KEPT_SECONDS = 35 * 86_400  # longer than any retry: an opening that comes late must find that it has ended
NAMED = 10  # a refusal need not name more
_PATHS = {"agencies": "agencies", "channel_kinds": "channelKinds"}
RETIRED = "retired_at"  # only a tombstone has it
# What a reply shows. Named one by one: a projection that leaves out is slower than one that picks.
_SHOWN = {
    "sites": domain.Site,
    "agencies": domain.Agency,
    "offerings": domain.Offering,
    "channel_kinds": domain.ChannelKind,
    "channels": domain.Channel,
}
_READ = {
    collection: dict.fromkeys(
        ("site_id", "version", "missing_components", RETIRED, *(f.name for f in fields(kind) if f.name != "events")), 1
    )
    for collection, kind in _SHOWN.items()
}
_MARKED = {"site_id": 1, "version": 1, "changed_at": 1}

INDEXES: dict[str, list[IndexModel]] = {
    "sites": [],
    "agencies": [
        IndexModel([("site_id", ASCENDING), ("claim_id", ASCENDING)], name="one_queue_id", unique=True),
        IndexModel([("site_id", ASCENDING), ("claim_prefix", ASCENDING)], name="one_prefix", unique=True),
    ],
    "offerings": [
        IndexModel([("site_id", ASCENDING), ("agency", ASCENDING), ("_id", ASCENDING)], name="by_agency"),
        IndexModel([("site_id", ASCENDING), ("search", ASCENDING)], name="by_word"),
        IndexModel([("changed_at", ASCENDING)], name="by_change"),
    ],
    "channel_kinds": [],
    "channels": [
        IndexModel([("site_id", ASCENDING), ("agency", ASCENDING), ("_id", ASCENDING)], name="by_agency"),
        IndexModel([("site_id", ASCENDING), ("kind", ASCENDING), ("_id", ASCENDING)], name="by_kind"),
    ],
    # Read model, see openwork.py.
    OPEN_WORK: [
        IndexModel([("of_agency", ASCENDING), ("what", ASCENDING)], name="of_agency"),
        IndexModel([("of_offering", ASCENDING), ("what", ASCENDING)], name="of_offering"),
        IndexModel([("of_channel", ASCENDING), ("what", ASCENDING)], name="of_channel"),
        IndexModel([("ended_at", ASCENDING)], name="forget", expireAfterSeconds=ENDED_KEPT_SECONDS),
    ],
}


@dataclass(frozen=True, slots=True)
class Mark:
    """Which state of an offering this is: its version, and when its words were written (None: by 0.2.0 or earlier)."""

    name: str
    version: int
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Searched:
    """An offering with what it is searched by. `stored` is None for a tombstone."""

    mark: Mark
    line: str
    tokens: tuple[str, ...]
    stored: Stored | None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The five collections. Safe for many threads and processes."""

    sites: Aggregates
    agencies: Aggregates
    offerings: Aggregates
    channel_kinds: Aggregates
    channels: Aggregates
    clock: Callable[[], datetime]

    @classmethod
    def of(cls, store: Store) -> Catalogue:
        return cls(**{name: Aggregates(store, name) for name in _SHOWN}, clock=store.clock)

    def claimed(self, site_id: str) -> Iterator[tuple[str, domain.Claim]]:
        """Agency name and what its queue claims, of each agency of the site that has one."""
        kept = {"queue.id": 1, "queue.prefix": 1, "queue.counters": 1}
        for document in self.agencies.collection.find({"site_id": site_id}, kept):
            if queue := document.get("queue"):
                yield document["_id"], domain.Claim(queue["id"], queue["prefix"], tuple(queue["counters"]))

    def candidates(self, site_id: str, tokens: Sequence[str], limit: int) -> dict[str, str]:
        """Names and search lines of at most `limit` offerings that hold every token, in no order."""
        wanted = {"site_id": site_id, "search": {"$all": list(tokens)}}
        found = self.offerings.collection.find(wanted, {"search_line": 1}).limit(limit)
        return {document["_id"]: document["search_line"] for document in found}

    def changed(self, since: datetime) -> Iterator[tuple[str, Mark]]:
        """Site and mark of each offering, tombstones too, whose words were written after that moment, of all sites."""
        for document in self.offerings.collection.find({"changed_at": {"$gt": since}}, _MARKED):
            yield document["site_id"], _mark(document)

    def marks(self, site_id: str, limit: int) -> list[Mark]:
        """Of the site's offerings, tombstones too, at most `limit`."""
        return [_mark(d) for d in self.offerings.collection.find({"site_id": site_id}, _MARKED).limit(limit)]

    def searched(self, names: Sequence[str]) -> Iterator[Searched]:
        """Those of the named offerings that exist, or did."""
        kept = {**_READ["offerings"], **_MARKED, "search": 1, "search_line": 1}
        for document in self.offerings.collection.find({"_id": {"$in": list(names)}}, kept):
            mark, tokens, line = _mark(document), tuple(document.pop("search", ())), document.pop("search_line", "")
            document.pop("changed_at", None)
            yield Searched(mark, line, tokens, None if document.get(RETIRED) else row(document))

    def settings(self, site_id: str, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Name and settings of each channel of a kind."""
        for document in self.channels.collection.find({"site_id": site_id, "kind": kind}, {"settings": 1}):
            yield document["_id"], document["settings"]

    def agencies_of(self, site_id: str) -> list[str]:
        """Names of the site's agencies."""
        return _names(self.agencies, site_id)

    def kinds_of(self, site_id: str) -> list[str]:
        """Names of the site's kinds of channel."""
        return _names(self.channel_kinds, site_id)

    def channels_of_kind(self, site_id: str, kind: str) -> list[str]:
        """Names of the channels of a kind."""
        found = self.channels.collection.find({"site_id": site_id, "kind": kind}, {"_id": 1})
        return sorted(document["_id"] for document in found)

    def offerings_of(self, site_id: str, agency: str) -> list[str]:
        """Names of the agency's services."""
        found = self.offerings.collection.find({"site_id": site_id, "agency": agency}, {"_id": 1})
        return sorted(document["_id"] for document in found)

    def channels_of(self, site_id: str, agency: str, offering: str = "") -> list[str]:
        """Names of the agency's channels, or of those that offer this service."""
        found = self.channels.collection.find({"site_id": site_id, "agency": agency}, {"offerings": 1})
        return sorted(d["_id"] for d in found if not offering or offering in d["offerings"])

    def search_texts(self, site_id: str, agency: str) -> Iterator[Stored]:
        """The agency's offerings with the fields that their words come from, and their present words."""
        wanted = {"site_id": site_id, "agency": agency}
        kept = {"site_id": 1, "version": 1, "display_name": 1, "aliases": 1, "search": 1}
        for document in self.offerings.collection.find(wanted, kept):
            yield row(document)

    def set_words(self, stored: Stored, tokens: Sequence[str]) -> bool:
        """Replace an offering's words; False when it was changed meanwhile (then that change brought new
        ones).
        """
        same = {"_id": stored.name, "version": stored.version}
        written = {"search": list(tokens), "changed_at": self.clock()}
        found = self.offerings.collection.update_one(same, {"$set": written})
        return bool(found.matched_count)


def read(shelf: Aggregates, name: str) -> Stored | None:
    """One resource for a reply: without stored replies and query fields. None for a tombstone too."""
    document = shelf.collection.find_one({"_id": name}, _READ[shelf.collection.name])
    return row(document) if document and not document.get(RETIRED) else None


def read_many(shelf: Aggregates, names: Sequence[str]) -> dict[str, Stored]:
    """Those of the named resources that exist."""
    found = shelf.collection.find({"_id": {"$in": list(names)}}, _READ[shelf.collection.name])
    return {document["_id"]: row(document) for document in found if not document.get(RETIRED)}


def page(shelf: Aggregates, parent: str, *, after: str, limit: int, agency: str = "", kind: str = "") -> list[Stored]:
    """At most `limit` resources below `parent` (`sites/malang/offerings`), of one agency or kind if it is given, in
    the order of their names, after the name `after`.
    """
    wanted: dict[str, Any] = {"site_id": parent.split("/")[1]}
    wanted["_id"] = {"$gt": after or f"{parent}/", "$lt": f"{parent}0"}  # "0" follows "/"
    wanted[RETIRED] = None  # absent; few names of a catalogue are ever retired
    wanted |= {name: value for name, value in (("agency", agency), ("kind", kind)) if value}
    found = shelf.collection.find(wanted, _READ[shelf.collection.name]).sort("_id", ASCENDING).limit(limit)
    # Read in the order of the primary key. Left alone, a planner may gather the whole site first and sort it then.
    return [row(document) for document in (found if agency or kind else found.hint("_id_"))]


def _names(shelf: Aggregates, site_id: str) -> list[str]:
    return [
        stored.name for stored in page(shelf, f"sites/{site_id}/{_PATHS[shelf.collection.name]}", after="", limit=NAMED)
    ]


def _mark(document: Mapping[str, Any]) -> Mark:
    return Mark(document["_id"], document["version"], document.get("changed_at"))


def row(document: Mapping[str, Any]) -> Stored:
    """A document that is only read: without its replies and events, so it must not be saved."""
    state = {k: v for k, v in document.items() if k not in ("_id", "site_id", "version")}
    return Stored(document["_id"], document["site_id"], document["version"], state)


def claims(name: str, queue: Mapping[str, Any] | None) -> dict[str, str]:
    """The fields of the unique indexes. An agency without a queue claims something that nobody else can."""
    if queue is None:
        return {"claim_id": f"none:{name}", "claim_prefix": f"none:{name}"}
    return {"claim_id": queue["id"], "claim_prefix": queue["prefix"]}
