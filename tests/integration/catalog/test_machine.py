"""A random life of a catalogue on the real store against a model: agencies, services and channels come, change, go and come
back, while tickets open and end and what is told of them comes late, twice and out of order.

The catalogue runs in this process; its events are read from its documents.
"""

from __future__ import annotations

import itertools
import random
import uuid
from datetime import UTC, datetime
from typing import Any

import pymongo
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from mpp.catalog.v1 import agency_pb2, channel_pb2, offering_pb2, site_pb2
from mpp.catalog.v1 import catalog_service_pb2 as rpc
from mpp_catalog import domain, retiring, store, usecases, views
from mpp_catalog.memory import Memory
from mpp_catalog.openwork import TICKETS, OpenWork
from mpp_chassis import storage
from mpp_chassis.aggregates import Store
from mpp_chassis.call import Call, Caller, Command
from mpp_chassis.errors import FailedPrecondition, NotFound

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
AGENCIES, WORDS = st.sampled_from(["dinas", "kantor"]), st.sampled_from(["Satu", "Dua"])
TICKET = st.integers(0, 1)
DATABASE: dict[str, Any] = {}
SITES = itertools.count()


class Life(RuleBasedStateMachine):
    """`here`: what exists, with its text. `version`: every name's greatest sequence. `open`: tickets by agency, as the
    newest event says.
    """

    def __init__(self) -> None:
        super().__init__()
        kept = Store(DATABASE["db"], None, lambda: NOW, random.Random(7))
        catalogue = store.Catalogue.of(kept)
        self.app = usecases.App(catalogue, OpenWork(kept), Memory(catalogue, views.offering_shown, kept.clock))
        self.site = f"sites/uji-{next(SITES)}"
        self.here: dict[str, str] = {}
        self.version: dict[str, int] = {}
        self.heard: dict[str, tuple[int, str]] = {}  # ticket: (sequence, agency or "" when it ended)
        usecases.apply_site(self.app, *self.asked(rpc.ApplySiteRequest(site=self.a_site())))
        for apply in (self.apply_agency, self.apply_offering, self.apply_channel):  # so that there is something to lose
            apply("dinas", "Satu")

    # -- what is done

    @rule(agency=AGENCIES, word=WORDS)
    def apply_agency(self, agency: str, word: str) -> None:
        name = self.name("agencies", agency)
        queue = agency_pb2.QueueSpec(id=agency, prefix=agency[0].upper(), counters=[len(agency)], minutes_per_visit=5)
        message = agency_pb2.Agency(name=name, display_name=text(word), category="CATEGORY_PRIVATE", queue=queue)
        request = rpc.ApplyAgencyRequest(parent=self.site, agency=message)
        self.applied(name, word, lambda: usecases.apply_agency(self.app, *self.asked(request)), ())

    @rule(agency=AGENCIES, word=WORDS)
    def apply_offering(self, agency: str, word: str) -> None:
        name, owner = self.name("offerings", agency), self.name("agencies", agency)
        message = offering_pb2.Offering(name=name, agency=owner, display_name=text(word), kind="KIND_SERVICE")
        message.source = offering_pb2.Offering.SOURCE_SAMPLE
        request = rpc.ApplyOfferingRequest(parent=self.site, offering=message)
        self.applied(name, word, lambda: usecases.apply_offering(self.app, *self.asked(request)), (owner,))

    @rule(agency=AGENCIES, word=WORDS)
    def apply_channel(self, agency: str, word: str) -> None:
        name, owner, offering = (self.name(c, agency) for c in ("channels", "agencies", "offerings"))
        kind = channel_pb2.ChannelKind(name=f"{self.site}/channelKinds/room", display_name=text("Ruang"))
        usecases.apply_channel_kind(
            self.app, *self.asked(rpc.ApplyChannelKindRequest(parent=self.site, channel_kind=kind))
        )
        message = channel_pb2.Channel(
            name=name, kind=kind.name, agency=owner, display_name=text(word), offerings=[offering]
        )
        request = rpc.ApplyChannelRequest(parent=self.site, channel=message)
        self.applied(name, word, lambda: usecases.apply_channel(self.app, *self.asked(request)), (owner, offering))

    @rule(agency=AGENCIES, what=st.sampled_from(["Agency", "Offering", "Channel"]))
    def delete(self, agency: str, what: str) -> None:
        collection = {"Agency": "agencies", "Offering": "offerings", "Channel": "channels"}[what]
        name = self.name(collection, agency)
        request = getattr(rpc, f"Delete{what}Request")(name=name)
        command = getattr(retiring, f"delete_{what.lower()}")
        hold = self.holds(name, agency, what)
        if name not in self.here:
            with pytest.raises(NotFound):
                command(self.app, *self.asked(request))
        elif hold:
            with pytest.raises(domain.CatalogError) as caught:
                command(self.app, *self.asked(request))
            assert caught.value.reason == hold
        else:
            command(self.app, *self.asked(request))
            del self.here[name]
            self.version[name] += 1

    @rule(agency=AGENCIES, ticket=TICKET, sequence=st.integers(1, 6), ended=st.booleans())
    def hear_of_a_ticket(self, agency: str, ticket: int, sequence: int, ended: bool) -> None:
        """In any order, and again: the greatest sequence is what counts."""
        name, owner = f"{self.site}/queues/{agency}/tickets/{ticket}", self.name("agencies", agency)
        if ended:
            newer = self.app.open_work.ended(name, sequence, NOW)
        else:
            newer = self.app.open_work.opened(
                name, sequence, what=TICKETS, agency=owner, offering=self.name("offerings", agency)
            )
        assert newer == (sequence > self.heard.get(name, (0, ""))[0])
        if newer:
            self.heard[name] = (sequence, "" if ended else owner)

    # -- what holds

    @invariant()
    def what_is_shown_is_what_exists(self) -> None:
        site = rpc.ListAgenciesRequest(parent=self.site, page_size=1)
        found = {a.name: a.display_name.id for a in paged(views.list_agencies, self.app, site, "agencies")}
        offered = rpc.ListOfferingsRequest(parent=self.site)
        found |= {o.name: o.display_name.id for o in views.list_offerings(self.app, offered).offerings}
        channels = views.list_channels(self.app, rpc.ListChannelsRequest(parent=self.site)).channels
        found |= {c.name: c.display_name.id for c in channels}
        assert found == self.here

    @invariant()
    def every_change_has_its_event_and_sequences_only_grow(self) -> None:
        for name, version in self.version.items():
            document = DATABASE["db"][name.split("/")[2]].find_one({"_id": name})
            assert document["version"] == version
            told = [event["key"] for event in document["outbox"]["events"]]
            assert len(told) == version
            assert told[-1].endswith("_published.v1") == (name in self.here)

    @invariant()
    def nothing_refers_to_what_is_gone(self) -> None:
        for name in self.here:
            agency = name.rsplit("/", 1)[1]
            assert self.name("agencies", agency) in self.here
            assert "/channels/" not in name or self.name("offerings", agency) in self.here

    # -- the model

    def applied(self, name: str, word: str, apply: Any, needed: tuple[str, ...]) -> None:
        if not all(other in self.here for other in needed):
            with pytest.raises(FailedPrecondition):
                apply()
            return
        etag = apply().etag
        if self.here.get(name) != word:
            self.here[name] = word
            self.version[name] = self.version.get(name, 0) + 1
        assert etag == domain.etag(name, self.version[name])

    def holds(self, name: str, agency: str, what: str) -> str:
        """Why it may not go, or empty."""
        waiting = [t for t, (_, owner) in self.heard.items() if owner == self.name("agencies", agency)]
        if what != "Channel" and waiting:
            return "OPEN_TICKETS"
        if what != "Channel" and self.name("channels", agency) in self.here:
            return "HAS_CHANNELS"
        return "HAS_OFFERINGS" if what == "Agency" and self.name("offerings", agency) in self.here else ""

    def name(self, collection: str, last: str) -> str:
        return f"{self.site}/{collection}/{last}"

    def a_site(self) -> site_pb2.Site:
        return site_pb2.Site(name=self.site, display_name=text("Uji"), region_code="35.73", time_zone="Asia/Jakarta")

    @staticmethod
    def asked(request: Any) -> tuple[Any, Call]:
        request.request_id = str(uuid.uuid4())
        body = request.SerializeToString(deterministic=True).hex()
        command = Command(request.request_id, type(request).__name__, body, "platform_admin:ani", NOW)
        return request, Call(Caller("ani"), NOW, command, frozenset({"any"}), "platform_admin")


def text(word: str) -> site_pb2.LocalizedText:
    return site_pb2.LocalizedText(id=word)


def paged(read: Any, app: Any, request: Any, field: str) -> Any:
    """All pages of a listing."""
    while True:
        reply = read(app, request)
        yield from getattr(reply, field)
        if not reply.next_page_token:
            return
        request.page_token = reply.next_page_token


def test_a_catalogue_lives_as_the_model_does(mongodb_uri: str, database: Any) -> None:
    client: pymongo.MongoClient[Any] = pymongo.MongoClient(mongodb_uri, tz_aware=True)
    DATABASE["db"] = client[database.name]
    storage.ensure_indexes(DATABASE["db"], store.INDEXES, ("agencies", "offerings", "channels"))
    checks = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
    try:
        run_state_machine_as_test(
            Life,
            settings=settings(max_examples=8, stateful_step_count=30, deadline=None, suppress_health_check=checks),
        )
    finally:
        client.close()
