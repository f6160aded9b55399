"""What the catalogue holds in memory for the search is what its store has: on the real store, and beside real processes."""

from __future__ import annotations

import random
import re
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from mpp.catalog.v1 import catalog_service_pb2 as rpc
from mpp_catalog import search, views
from mpp_catalog.memory import Memory
from mpp_catalog.openwork import OpenWork
from mpp_catalog.store import INDEXES, Catalogue
from mpp_catalog.usecases import App
from mpp_chassis.aggregates import Store, Stored

from tests.integration.catalog.conftest import last

ACTS = ("Perpanjangan", "Penggantian", "Pencabutan Surat", "Legalisir É-")
PAPERS = ("Kartu Keluarga", "Kartu Identitas Anak", "SIM A", "Akta Kelahiran", "Jum’at Berkah", "x" * 30)
QUERIES = (
    "kartu",
    "kar kel",
    "perpanjangan sim",
    "sim a",
    "a",
    "dinas",
    "e kartu",
    "jum at",
    "pen akta",
    "xxxx",
    "surat",
)


def kept(database: Any) -> Store:
    return Store(database, None, lambda: datetime.now(UTC), random.Random(3))


def offering(number: int, rng: random.Random) -> dict[str, Any]:
    name, english = f"{rng.choice(ACTS)} {rng.choice(PAPERS)}", rng.choice(["Card", "", "Birth kartu"])
    aliases = [rng.choice(PAPERS)] if rng.random() < 0.3 else []
    return {
        "_id": f"sites/malang/offerings/o{number}",
        "site_id": "malang",
        "version": 1,
        "agency": "sites/malang/agencies/dinas",
        "search": search.tokens((name, english), aliases, "Dinas Kartu"),
        "search_line": search.line(name, english, aliases),
    }


@pytest.fixture
def remembering() -> Iterator[Callable[[Catalogue, Callable[[Stored], bytes]], Memory]]:
    made: list[Memory] = []

    def remember(catalogue: Catalogue, show: Callable[[Stored], bytes]) -> Memory:
        made.append(Memory(catalogue, show, catalogue.clock))
        return made[-1]

    yield remember
    for memory in made:
        memory.stop()


def test_memory_finds_what_the_stores_query_finds_in_the_same_order(
    database: Any, remembering: Callable[..., Memory], eventually: Callable[..., Any]
) -> None:
    database["offerings"].create_indexes(INDEXES["offerings"])
    rng = random.Random(11)
    database["offerings"].insert_many([offering(number, rng) for number in range(views.CANDIDATES)])
    catalogue = Catalogue.of(kept(database))
    memory = remembering(catalogue, lambda stored: stored.name.encode())
    app = App(catalogue, OpenWork(kept(database)), memory)
    memory.want("malang")
    held = eventually(lambda: memory.of("malang"))
    found = 0
    for query in QUERIES:
        words = search.query_words(query)
        for limit in (3, views.CANDIDATES):
            expected = views._best(app, "malang", words, limit)
            assert held.best(words, limit) == expected, query
            found += len(expected)
    assert found > 100


def test_a_process_follows_what_others_write(
    office: Any, remembering: Callable[..., Memory], eventually: Callable[..., Any]
) -> None:
    """This process reads beside those of the service: another replica, begun in the middle as after a kill."""
    office.apply_offering(office.an_offering("kk"))
    catalogue = Catalogue.of(kept(office.database))
    memory = remembering(catalogue, views.offering_shown)

    def found(query: str) -> list[str] | None:
        held = memory.of(office.site_id)
        return None if held is None else [last(name) for name in held.best(search.query_words(query), 10)]

    memory.want(office.site_id)
    eventually(lambda: found("kartu keluarga") == ["kk"])
    office.apply_offering(office.an_offering("sim", display_name={"id": "Surat Izin Mengemudi"}, aliases=["sim"]))
    assert office.search("sim") == ["sim"]  # the process that wrote it knows at once
    eventually(lambda: found("sim") == ["sim"])
    office.apply_agency(office.an_agency(display_name={"id": "Dispendukcapil"}))
    eventually(lambda: set(found("dispendukcapil") or ()) == {"kk", "sim"})  # by the event, in `work`
    office.delete_offering(f"{office.site}/offerings/kk")
    assert office.search("kartu keluarga") == []
    eventually(lambda: found("kartu keluarga") == [])


def test_what_comes_from_memory_is_what_the_store_shows(office: Any, eventually: Callable[..., Any]) -> None:
    """The first search asks the store; soon the process has the site, and says so in its metrics."""
    published = office.apply_offering(office.an_offering("kk"))
    request = rpc.SearchOfferingsRequest(parent=office.site, query="kartu keluarga")
    assert list(office.stub.SearchOfferings(request, timeout=15).offerings) == [published]
    eventually(lambda: services_held(office) > 0)
    assert list(office.stub.SearchOfferings(request, timeout=15).offerings) == [published]


def services_held(office: Any) -> float:
    process = office.services.platform.process("catalog", "serve")
    with urllib.request.urlopen(process.ready_url.replace("/readyz", "/metrics"), timeout=30) as reply:
        figure = re.search(r"^mpp_catalog_services_held (\S+)$", reply.read().decode(), re.MULTILINE)
    return float(figure[1]) if figure else 0.0
