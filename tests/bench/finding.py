"""Searching the catalogue among 10,000 services of one site, beside a raw RPC of the same sizes.

The services are made here: Indonesian names as a city has them, copied from one that the catalogue itself wrote.
"""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any

import grpc
from mpp.catalog.v1 import agency_pb2, catalog_service_pb2, catalog_service_pb2_grpc, offering_pb2
from mpp_catalog import search
from mpp_localrun.platform import free_ports
from mppctl.simulation import town

from tests.bench.jobs import Figures, World
from tests.bench.measure import callers

NUMBER = 998  # of the invented site
SERVICES = 10_000
SETTLED_SECONDS = 5.0  # a `serve` process has the whole site in memory long before
_ACTS = (
    "Penerbitan", "Perpanjangan", "Penggantian", "Perubahan", "Pencabutan", "Legalisasi", "Pendaftaran", "Pengaduan",
    "Konsultasi", "Pemutakhiran",
)  # fmt: skip
_PAPERS = (
    "Kartu Keluarga", "KTP elektronik", "Kartu Identitas Anak", "Akta Kelahiran", "Akta Kematian", "Akta Perkawinan",
    "Surat Pindah", "SIM A", "SIM C", "SKCK", "Paspor", "Izin Usaha Mikro", "Nomor Induk Berusaha", "Izin Reklame",
    "Persetujuan Bangunan Gedung", "Sertifikat Laik Fungsi", "Pajak Bumi dan Bangunan", "Pajak Kendaraan Bermotor",
    "Surat Izin Praktik Dokter", "Surat Keterangan Ahli Waris",
)  # fmt: skip
_CAUSES = ("baru", "karena hilang", "karena rusak", "karena pindah", "bagi penyandang disabilitas")
_PLACES = (
    "Arjosari", "Balearjosari", "Bunulrejo", "Cemorokandang", "Dinoyo", "Gading Kasri", "Kauman", "Kedungkandang",
    "Klojen", "Lowokwaru",
)  # fmt: skip


class Search:
    """SearchOfferings by citizens without a token: whole names, aliases, beginnings of words as somebody types them."""

    name = "catalogue search"
    reach = "p99 <= 5 ms among 10,000 services"

    def __init__(self, world: World) -> None:
        world.need("issuer", "catalog-serve")
        self.stub = catalog_service_pb2_grpc.CatalogServiceStub(world.channel("catalog"))
        self.site = fill(world, self.stub)
        self.queries = typed(random.Random(5))
        request, reply = self._request(), self._first()
        assert len(reply.offerings) == 10, "the site was not filled"
        port = next(iter(free_ports(1)))
        self.echo = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.echo", str(port), str(reply.ByteSize())],
            stdout=subprocess.PIPE, cwd=world.platform.root,
        )  # fmt: skip
        assert self.echo.stdout is not None
        self.echo.stdout.readline()  # it says when it is ready
        self.body = request.SerializeToString()
        self.floor = grpc.insecure_channel(f"127.0.0.1:{port}").unary_unary("/Floor/Echo")

    def round(self, scale: int) -> Figures:
        rpc = callers(1, 40 * scale, lambda *_: self.floor(self.body, timeout=20))
        asked = callers(1, 40 * scale, lambda *_: self._search())
        return {
            "p50 ms": asked.quantile(0.5) * 1000,
            "p99 ms": asked.quantile(0.99) * 1000,
            "raw rpc p50 ms": rpc.quantile(0.5) * 1000,
            "raw rpc p99 ms": rpc.quantile(0.99) * 1000,
            "p50 / raw p50": asked.quantile(0.5) / rpc.quantile(0.5),
        }

    def _request(self) -> Any:
        return catalog_service_pb2.SearchOfferingsRequest(parent=self.site, query=next(self.queries))

    def _search(self) -> Any:
        return self.stub.SearchOfferings(self._request(), timeout=20)

    def _first(self) -> Any:
        """Searches for some seconds: what a fresh process learns at first is not what is measured."""
        request = catalog_service_pb2.SearchOfferingsRequest(parent=self.site, query="kartu keluarga")
        end = time.monotonic() + SETTLED_SECONDS
        while True:
            reply = self.stub.SearchOfferings(request, timeout=20)
            if time.monotonic() > end:
                return reply
            time.sleep(0.05)

    def close(self) -> None:
        self.echo.kill()
        self.echo.wait()


def fill(world: World, stub: Any) -> str:
    """The site's name. One service goes through the API; the others are its document with names and words of their own."""
    admin = {"metadata": world.auth("bench", "platform_admin"), "timeout": 20}
    site = town.catalogue(NUMBER).site
    stub.ApplySite(catalog_service_pb2.ApplySiteRequest(site=site, request_id=str(uuid.uuid4())), **admin)
    agency = agency_pb2.Agency(
        name=f"{site.name}/agencies/dukcapil",
        display_name={"id": "Dinas Kependudukan dan Pencatatan Sipil", "en": "Civil Registration"},
        category=agency_pb2.Agency.CATEGORY_REGIONAL_GOVERNMENT,
    )
    request = catalog_service_pb2.ApplyAgencyRequest(parent=site.name, agency=agency, request_id=str(uuid.uuid4()))
    stub.ApplyAgency(request, **admin)
    first = _offering(f"{site.name}/offerings/satu", agency.name)
    given = catalog_service_pb2.ApplyOfferingRequest(parent=site.name, offering=first, request_id=str(uuid.uuid4()))
    stub.ApplyOffering(given, **admin)
    shelf = world.client["mpp_catalog"]["offerings"]
    document = shelf.find_one({"_id": first.name})
    for key in ("outbox", "replies", "changed_at"):  # these were there long before
        document.pop(key, None)
    of_agency = f"{agency.display_name.id} {agency.display_name.en}"
    for chunk in _chunks(_like(document, site.name, of_agency), 500):
        shelf.insert_many(chunk, ordered=False)
    return str(site.name)


def typed(rng: random.Random) -> Iterator[str]:
    """What citizens type, without end: a paper, an act and a paper, a beginning, an abbreviation, a place."""
    shapes = (
        lambda: rng.choice(_PAPERS),
        lambda: f"{rng.choice(_ACTS)} {rng.choice(_PAPERS)}",
        lambda: f"{rng.choice(_PAPERS)} {rng.choice(_CAUSES)} {rng.choice(_PLACES)}",
        lambda: f"{rng.choice(_ACTS)[:5]} {rng.choice(_PAPERS).split()[-1][:4]}",
        lambda: f"{rng.choice(_PAPERS)} {rng.choice(_PLACES)[:3]}",
        lambda: rng.choice(_PAPERS)[:3],
        lambda: "kependudukan",  # the agency's word: all of them match
    )
    while True:
        yield rng.choice(shapes)()


def _like(document: dict[str, Any], site: str, agency: str) -> Iterator[dict[str, Any]]:
    parts = itertools.islice(itertools.product(_ACTS, _PAPERS, _CAUSES, _PLACES), SERVICES - 1)
    for number, (act, paper, cause, place) in enumerate(parts):
        name, english = f"{act} {paper} {cause} di {place}", f"{act} of {paper} {number}"
        aliases = ["".join(word[0] for word in paper.split()) + str(number), paper]
        yield {
            **document,
            "_id": f"{site}/offerings/uji-{number}",
            "display_name": {"id": name, "en": english},
            "aliases": aliases,
            "search": search.tokens((name, english), aliases, agency),
            "search_line": search.line(name, english, aliases),
        }


def _offering(name: str, agency: str) -> offering_pb2.Offering:
    """With a standard as long as those of `sites/malang`."""
    papers = [
        {"id": f"berkas-{n}", "display_name": {"id": f"Fotokopi berkas {n}", "en": f"Copy {n}"}} for n in range(6)
    ]
    return offering_pb2.Offering(
        name=name,
        agency=agency,
        display_name={"id": "Kartu Keluarga", "en": "Family card"},
        aliases=["kk"],
        kind=offering_pb2.Offering.KIND_ADMINISTRATIVE,
        source=offering_pb2.Offering.SOURCE_PUBLIC,
        standard={
            "requirements": papers,
            "time": {"amount": 1, "unit": offering_pb2.ServiceTime.UNIT_WORKING_DAY},
            "fee": {"amount_idr": 0, "basis": "UU 24/2013"},
            "legal_basis": ["UU 24/2013"],
        },
    )


def _chunks(documents: Iterator[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    while chunk := list(itertools.islice(documents, size)):
        yield chunk
