"""Search and pages on the real store; and that each read goes through an index, by the store's own explain."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
import pytest
from mpp.catalog.v1 import catalog_service_pb2 as rpc
from mpp_catalog import store
from mpp_chassis.aggregates import Store
from pymongo import monitoring

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
NAMES = {
    "kk": ("Kartu Keluarga", "Family card", ["kk"]),
    "kk-hilang": ("Penggantian Kartu Keluarga yang hilang", "Lost family card", []),
    "kia": ("Kartu Identitas Anak", "Child identity card", ["kia"]),
    "akta": ("Akta Kelahiran", "Birth certificate", ["akta lahir"]),
    "keluarga": ("Konseling keluarga", "Family counselling", ["kartu konseling"]),
}


@pytest.fixture
def shelf(office: Any) -> Any:
    for offering, (name, english, aliases) in NAMES.items():
        office.apply_offering(office.an_offering(offering, display_name={"id": name, "en": english}, aliases=aliases))
    office.apply_offering(office.an_offering("pajak", "samsat", display_name={"id": "Pajak kendaraan"}, aliases=[]))
    return office


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("kartu keluarga", ["kk", "kk-hilang", "keluarga"]),
        ("KELUARGA  kartu", ["kk", "kk-hilang", "keluarga"]),
        ("kar kel hil", ["kk-hilang"]),
        ("kk", ["kk"]),
        ("kartu anak", ["kia"]),
        ("Àkta-lahir", ["akta"]),
        ("birth", ["akta"]),
        ("samsat", ["pajak"]),
        ("kartu paspor", []),
        ("ka", []),
    ],
)
def test_citizens_find_what_they_mean_best_first(shelf: Any, query: str, found: list[str]) -> None:
    assert shelf.search(query) == found


def test_every_agencys_service_is_found_by_its_agency(shelf: Any) -> None:
    assert set(shelf.search("dinas kependudukan")) == set(NAMES)


def test_a_search_gives_at_most_what_was_asked_for(shelf: Any) -> None:
    assert shelf.search("kartu keluarga", page_size=1) == ["kk"]


def test_the_best_is_found_among_more_than_are_ranked(office: Any) -> None:
    for n in range(70):
        office.apply_offering(office.an_offering(f"a{n:02}", display_name={"id": f"Suratnya nomor {n}"}, aliases=[]))
    office.apply_offering(office.an_offering("zz", display_name={"id": "Surat pindah"}, aliases=[]))
    assert office.search("surat", page_size=3)[0] == "zz"


def test_a_query_without_a_word_is_refused(office: Any) -> None:
    refused = office.refused(lambda: office.search("?!"))
    assert (refused.code, refused.fields) == ("INVALID_ARGUMENT", ("query",))


def test_an_unknown_site_is_said_so(desk: Any) -> None:
    assert desk.refused(lambda: desk.search("kartu")).reason == "SITE_NOT_FOUND"
    listing = rpc.ListAgenciesRequest(parent=desk.site)
    assert desk.refused(lambda: desk.stub.ListAgencies(listing, timeout=30)).reason == "SITE_NOT_FOUND"


def test_a_renamed_agencys_services_are_found_by_its_new_name(shelf: Any, eventually: Any) -> None:
    shelf.apply_agency(shelf.an_agency("samsat", "S", [7], display_name={"id": "Bapenda Provinsi"}))
    eventually(lambda: shelf.search("bapenda") == ["pajak"])
    assert shelf.search("samsat") == []
    assert shelf.document("offerings", f"{shelf.site}/offerings/pajak")["version"] == 1


def pages(call: Callable[[str], Any]) -> list[Any]:
    found, token = [], ""
    while True:
        reply = call(token)
        found.append(reply)
        token = reply.next_page_token
        if not token:
            return found


def test_pages_give_each_service_once_in_the_order_of_names(shelf: Any) -> None:
    def one(token: str) -> Any:
        request = rpc.ListOfferingsRequest(parent=shelf.site, page_size=2, page_token=token)
        return shelf.stub.ListOfferings(request, timeout=30)

    got = [[o.name.rsplit("/", 1)[1] for o in reply.offerings] for reply in pages(one)]
    assert got == [["akta", "keluarga"], ["kia", "kk"], ["kk-hilang", "pajak"]]


def test_a_page_may_be_of_one_agency(shelf: Any) -> None:
    def one(token: str) -> Any:
        request = rpc.ListOfferingsRequest(
            parent=shelf.site, agency=f"{shelf.site}/agencies/dukcapil", page_size=3, page_token=token
        )
        return shelf.stub.ListOfferings(request, timeout=30)

    got = [o.name.rsplit("/", 1)[1] for reply in pages(one) for o in reply.offerings]
    assert got == sorted(NAMES)


def test_agencies_come_in_pages_too(office: Any) -> None:
    def one(token: str) -> Any:
        request = rpc.ListAgenciesRequest(parent=office.site, page_size=1, page_token=token)
        return office.stub.ListAgencies(request, timeout=30)

    got = [a.name.rsplit("/", 1)[1] for reply in pages(one) for a in reply.agencies]
    assert got == ["dukcapil", "samsat"]


def test_a_token_of_another_listing_is_refused(shelf: Any) -> None:
    request = rpc.ListOfferingsRequest(parent=shelf.site, page_size=1)
    token = shelf.stub.ListOfferings(request, timeout=30).next_page_token
    assert "offerings" not in token
    other = rpc.ListAgenciesRequest(parent=shelf.site, page_token=token)
    narrower = rpc.ListOfferingsRequest(parent=shelf.site, agency=f"{shelf.site}/agencies/samsat", page_token=token)
    rubbish = rpc.ListOfferingsRequest(parent=shelf.site, page_token="é{}")
    for call in (
        lambda: shelf.stub.ListAgencies(other, timeout=30),
        lambda: shelf.stub.ListOfferings(narrower, timeout=30),
        lambda: shelf.stub.ListOfferings(rubbish, timeout=30),
    ):
        assert shelf.refused(call).fields == ("page_token",)


# --- indexes


class Finds(monitoring.CommandListener):
    """Keeps the find commands that the store module sends."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name == "find":
            kept = ("find", "filter", "sort", "limit", "projection", "hint")
            self.seen.append({key: event.command[key] for key in kept if key in event.command})

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


WORK = ("of_agency", "of_offering", "of_channel")  # what openwork.py counts by


def stages(plan: Any) -> set[str]:
    if isinstance(plan, list):
        return {stage for item in plan for stage in stages(item)}
    if not isinstance(plan, dict):
        return set()
    own = {plan["stage"]} if "stage" in plan else set()
    return own | {stage for value in plan.values() for stage in stages(value)}


def test_every_read_uses_an_index(mongodb_uri: str, database: Any) -> None:
    finds = Finds()
    client: pymongo.MongoClient[Any] = pymongo.MongoClient(mongodb_uri, tz_aware=True, event_listeners=[finds])
    with contextlib.closing(client):
        own = client[database.name]
        for name, indexes in store.INDEXES.items():
            if indexes:
                own[name].create_indexes(indexes)
        for n in range(300):
            site = f"s{n % 30}"
            base = {"site_id": site, "version": 1, "search": ["kartu", f"w{n}"], "search_line": "kartu||"}
            written = {"agency": f"a{n % 3}", "changed_at": NOW - timedelta(minutes=n)}
            own["offerings"].insert_one({"_id": f"sites/{site}/offerings/o{n}", **written, **base})
            agency = {"_id": f"sites/{site}/agencies/a{n}", "claim_id": f"q{n}", "claim_prefix": f"p{n}"}
            channel = {"site_id": site, "version": 1, "agency": f"a{n % 3}", "kind": f"k{n % 3}", "settings": {}}
            own["channels"].insert_one({"_id": f"sites/{site}/channels/c{n}", "offerings": [], **channel})
            own["agencies"].insert_one({"site_id": site, "version": 1, "queue": None, **agency})
        catalogue = store.Catalogue.of(Store(own, None, lambda: datetime.now(UTC), random.Random(1)))
        finds.seen.clear()
        name = "sites/s1/offerings/o1"
        list(catalogue.claimed("s1"))
        catalogue.candidates("s1", ["kartu", "w1"], 60)
        list(catalogue.search_texts("s1", "a1"))
        store.read(catalogue.offerings, name)
        store.read_many(catalogue.offerings, [name, "sites/s1/offerings/o31"])
        store.page(catalogue.offerings, "sites/s1/offerings", after="", limit=10)
        store.page(catalogue.offerings, "sites/s1/offerings", after=name, limit=10, agency="a1")
        catalogue.offerings_of("s1", "a1")
        catalogue.channels_of("s1", "a1")
        list(catalogue.settings("s1", "k1"))
        store.page(catalogue.channels, "sites/s1/channels", after="", limit=10)
        store.page(catalogue.channels, "sites/s1/channels", after="", limit=10, agency="a1")
        store.page(catalogue.channels, "sites/s1/channels", after="", limit=10, kind="k1", agency="a1")
        store.page(catalogue.channels, "sites/s1/channels", after="", limit=10, kind="k1")
        list(catalogue.changed(NOW - timedelta(minutes=1)))
        catalogue.marks("s1", 60)
        list(catalogue.searched([name, "sites/s1/offerings/o31"]))
        assert len(finds.seen) == 17
        lines = [{"_id": f"t{n}", "what": "tickets", **dict.fromkeys(WORK, f"x{n}")} for n in range(300)]
        own[store.OPEN_WORK].insert_many(lines)
        finds.seen += [{"find": store.OPEN_WORK, "filter": {key: "x7", "what": "tickets"}} for key in WORK]
        for find in finds.seen:
            plan = own.command("explain", find, verbosity="queryPlanner")
            used = stages(plan["queryPlanner"]["winningPlan"])
            assert used & {"IXSCAN", "IDHACK", "EXPRESS_IXSCAN"}, f"{find} uses {used}"
            assert "COLLSCAN" not in used, f"{find} scans"
