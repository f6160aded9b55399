"""Invented sites to play a day at: plans for the generator, and the same as messages for the catalogue. Pure.

Every name begins with `sim-`. Nothing of it is a real office; sizes are near a middling MPP: four queues, nine counters,
about 300 visits a day. Zones go round (WIB, WITA, WIT), because a platform for a country has three middays.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from mpp.catalog.v1 import agency_pb2, offering_pb2, site_pb2

from mppctl.simulation.day import QueuePlan, Service, SitePlan

ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")


@dataclass(frozen=True, slots=True)
class _Trade:
    """An agency as every invented site has it: (id, Indonesian, English, minutes, weight) a service."""

    id: str
    name: tuple[str, str]
    prefix: str
    counters: tuple[int, ...]
    weight: float
    services: tuple[tuple[str, str, str, float, float], ...]

    @property
    def mean_minutes(self) -> float:
        return sum(s[3] * s[4] for s in self.services) / sum(s[4] for s in self.services)


_TRADES = (
    _Trade("dukcapil", ("Dinas Kependudukan (simulasi)", "Population office (simulated)"), "D", (1, 2, 3), 35, (
        ("kartu-keluarga", "Kartu Keluarga", "Family card", 10, 5),
        ("ktp-elektronik", "KTP elektronik", "Identity card", 7, 4),
        ("akta-kelahiran", "Akta kelahiran", "Birth certificate", 14, 2),
    )),
    _Trade("samsat", ("Samsat (simulasi)", "Vehicle tax (simulated)"), "S", (4, 5), 25, (
        ("pajak-kendaraan", "Pajak kendaraan tahunan", "Yearly vehicle tax", 5, 8),
        ("balik-nama", "Balik nama kendaraan", "Change of a vehicle's owner", 12, 2),
    )),
    _Trade("imigrasi", ("Kantor Imigrasi (simulasi)", "Immigration (simulated)"), "I", (6, 7), 20, (
        ("paspor-baru", "Paspor baru", "New passport", 14, 5),
        ("paspor-ganti", "Penggantian paspor", "Passport renewal", 10, 5),
    )),
    _Trade("ptsp", ("DPMPTSP (simulasi)", "Licensing office (simulated)"), "P", (8, 9), 20, (
        ("nib", "Pendampingan NIB", "Help with a business number", 9, 6),
        ("izin-praktik", "Izin praktik", "Licence to practise", 7, 4),
    )),
)  # fmt: skip


def site_id(number: int) -> str:
    """`sim-001`."""
    return f"sim-{number:03d}"


def invented(number: int) -> SitePlan:
    """The plan of the `number`th invented site, from 1."""
    site = f"sites/{site_id(number)}"
    queues = tuple(
        QueuePlan(
            name=f"{site}/queues/{trade.id}",
            agency=f"{site}/agencies/{trade.id}",
            counters=trade.counters,
            services=tuple(Service(f"{site}/offerings/{s[0]}", s[3], s[4]) for s in trade.services),
            weight=trade.weight,
        )
        for trade in _TRADES
    )
    return SitePlan(site_id(number), queues)


@dataclass(frozen=True, slots=True)
class SiteData:
    """An invented site as the catalogue's Apply methods take it."""

    site: site_pb2.Site
    agencies: tuple[agency_pb2.Agency, ...]
    offerings: tuple[offering_pb2.Offering, ...]


def catalogue(number: int) -> SiteData:
    """What brings `invented(number)` into being. No opening hours: a simulated day is at any hour."""
    name = f"sites/{site_id(number)}"
    site = site_pb2.Site(
        name=name,
        display_name={"id": f"MPP simulasi {number}", "en": f"Simulated MPP {number}"},
        region_code="35.73",
        time_zone=ZONES[(number - 1) % len(ZONES)],
        kind="simulated",
    )
    agencies = tuple(_agency(name, trade) for trade in _TRADES)
    return SiteData(site, agencies, tuple(o for trade in _TRADES for o in _offerings(name, trade)))


def _agency(site: str, trade: _Trade) -> agency_pb2.Agency:
    return agency_pb2.Agency(
        name=f"{site}/agencies/{trade.id}",
        display_name={"id": trade.name[0], "en": trade.name[1]},
        category=agency_pb2.Agency.CATEGORY_REGIONAL_GOVERNMENT,
        source="mppctl simulate",
        queue={
            "id": trade.id,
            "prefix": trade.prefix,
            "counters": trade.counters,
            "minutes_per_visit": round(trade.mean_minutes),
        },
    )


def _offerings(site: str, trade: _Trade) -> Iterable[offering_pb2.Offering]:
    for service, indonesian, english, minutes, _ in trade.services:
        yield offering_pb2.Offering(
            name=f"{site}/offerings/{service}",
            agency=f"{site}/agencies/{trade.id}",
            display_name={"id": indonesian, "en": english},
            kind=offering_pb2.Offering.KIND_ADMINISTRATIVE,
            source=offering_pb2.Offering.SOURCE_SAMPLE,
            standard={"time": {"amount": round(minutes), "unit": offering_pb2.ServiceTime.UNIT_MINUTE},
                      "sample_components": ["time"]},
        )  # fmt: skip


def existing(site: str, agencies: Iterable[agency_pb2.Agency], offerings: Iterable[offering_pb2.Offering]) -> SitePlan:
    """A plan from what the catalogue holds. Queues weigh as much as they have counters; services alike.

    Raises ValueError when no agency of the site has a queue.
    """
    services: dict[str, list[str]] = {}
    for offering in offerings:
        services.setdefault(offering.agency, []).append(offering.name)
    queues = [
        QueuePlan(
            name=f"sites/{site}/queues/{agency.queue.id}",
            agency=agency.name,
            counters=tuple(agency.queue.counters),
            services=tuple(Service(name, _minutes(agency, name)) for name in services.get(agency.name, [""])),
            weight=len(agency.queue.counters) / agency.queue.minutes_per_visit,
        )
        for agency in agencies
        if agency.HasField("queue")
    ]
    if not queues:
        raise ValueError(f"sites/{site} has no queue in the catalogue")
    return SitePlan(site, tuple(queues))


def _minutes(agency: agency_pb2.Agency, offering: str) -> float:
    """Services differ: between 0.7 and 1.3 of what the agency declares, always the same for the same name."""
    return agency.queue.minutes_per_visit * random.Random(offering).uniform(0.7, 1.3)
