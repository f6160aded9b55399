"""The catalogue's rules, one by one, and a random life of a site's agencies against a simple model."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from mpp_catalog import domain, messages
from mpp_catalog.domain import (
    Agency,
    Facility,
    Fee,
    Holiday,
    Maintenance,
    Offering,
    OpeningHours,
    QueueSpec,
    Requirement,
    ServiceTime,
    Site,
    Standard,
    Tariff,
    Text,
)

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 3, 1, 0, tzinfo=UTC)

SITE = Site(
    name="sites/malang",
    display_name=Text("MPP Merdeka Malang", "Merdeka Public Service Mall"),
    region_code="35.73",
    time_zone="Asia/Jakarta",
    opened="2022-12-05",
    opening_hours=(OpeningHours(1, "08:00", "12:00"), OpeningHours(1, "13:00", "16:00")),
    channels=("counter", "kiosk"),
    holidays=(Holiday("2026-01-01", "Tahun Baru"),),
)
AGENCY = Agency(
    name="sites/malang/agencies/dukcapil",
    display_name=Text("Dinas Kependudukan"),
    category="regional_government",
    queue=QueueSpec("dukcapil", "D", (3, 4, 5), 10),
)
OFFERING = Offering(
    name="sites/malang/offerings/kk",
    agency=AGENCY.name,
    display_name=Text("Kartu Keluarga", "Family card"),
    kind="administrative",
    source="public",
    standard=Standard(
        requirements=(Requirement("kk-lama", Text("KK lama")),),
        time=ServiceTime(1, "working_day"),
        fee=Fee(amount_idr=0, basis="UU 24/2013"),
        legal_basis=("UU 24/2013",),
        sample_components=("time",),
    ),
)


def refused(resource: Site | Agency | Offering) -> str | None:
    with pytest.raises(domain.InvalidField) as caught:
        domain.publish(None, resource, now=NOW, actor="platform_admin:ani")
    assert caught.value.reason == "INVALID_FIELD"
    return caught.value.field


@pytest.mark.parametrize("resource", [SITE, AGENCY, OFFERING])
def test_a_new_resource_is_stamped_and_announced_once(resource: Site | Agency | Offering) -> None:
    published = domain.publish(None, resource, now=NOW, actor="platform_admin:ani")
    assert (published.published_at, published.published_by) == (NOW, "platform_admin:ani")
    assert len(published.events) == 1
    assert published == resource


@pytest.mark.parametrize("resource", [SITE, AGENCY, OFFERING])
def test_an_unchanged_resource_makes_no_event_and_keeps_its_stamp(resource: Site | Agency | Offering) -> None:
    current = replace(domain.publish(None, resource, now=NOW, actor="a"), events=())
    again = domain.publish(current, resource, now=LATER, actor="b")
    assert again is current
    assert again.events == ()


def test_a_changed_resource_is_announced_with_its_new_content() -> None:
    current = replace(domain.publish(None, AGENCY, now=NOW, actor="a"), events=())
    wanted = replace(AGENCY, display_name=Text("Dispendukcapil"))
    published = domain.publish(current, wanted, now=LATER, actor="b")
    assert published.events == (domain.AgencyPublished(replace(published, events=())),)
    assert published.published_at == LATER


def test_one_resource_never_replaces_another() -> None:
    with pytest.raises(ValueError, match="cannot replace"):
        domain.publish(SITE, replace(SITE, name="sites/batu"), now=NOW, actor="a")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"opened": "2022-02-30"}, "site.opened"),
        ({"opened": "2022-W01-1"}, "site.opened"),
        ({"opened": "20221205"}, "site.opened"),
        ({"holidays": (Holiday("2026-01-01", "a"), Holiday("2026-13-01", "b"))}, "site.holidays[1].date"),
        ({"holidays": (Holiday("2025-02-29", "a"),)}, "site.holidays[0].date"),
        ({"holidays": (Holiday("2026-01-01", "a"), Holiday("2026-01-01", "a", True))}, "site.holidays"),
        ({"channels": ("kiosk", "kiosk")}, "site.channels"),
        ({"display_name": Text("  ")}, "site.display_name.id"),
        ({"region_code": "35.00"}, "site.region_code"),
        ({"region_code": "35.70"}, "site.region_code"),
        ({"opening_hours": (OpeningHours(1, "12:00", "12:00"),)}, "site.opening_hours[0]"),
        ({"opening_hours": (OpeningHours(1, "12:00", "08:00"),)}, "site.opening_hours[0]"),
        (
            {"opening_hours": (OpeningHours(1, "08:00", "12:00"), OpeningHours(1, "11:59", "16:00"))},
            "site.opening_hours[1]",
        ),
    ],
)
def test_a_site_names_the_field_that_is_wrong(change: dict[str, object], field: str) -> None:
    assert refused(replace(SITE, **change)) == field  # type: ignore[arg-type]


def test_intervals_may_touch_and_two_holidays_may_share_a_day() -> None:
    replace(
        SITE,
        opening_hours=(OpeningHours(1, "08:00", "12:00"), OpeningHours(1, "12:00", "16:00")),
        holidays=(Holiday("2008-05-01", "Hari Buruh"), Holiday("2008-05-01", "Kenaikan")),
    ).check()


@given(st.lists(st.tuples(st.integers(1, 2), st.integers(0, 23), st.integers(0, 23)), max_size=5))
def test_hours_are_accepted_exactly_when_no_minute_is_open_twice(spans: list[tuple[int, int, int]]) -> None:
    hours = tuple(OpeningHours(day, f"{a:02}:00", f"{b:02}:00") for day, a, b in spans)
    open_hours = [(day, hour) for day, a, b in spans for hour in range(a, b)]
    fine = all(a < b for _, a, b in spans) and len(open_hours) == len(set(open_hours))
    try:
        replace(SITE, opening_hours=hours).check()
    except domain.InvalidField:
        assert not fine
    else:
        assert fine


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"display_name": Text("")}, "agency.display_name.id"),
        ({"queue": QueueSpec("q", "Q", (1, 2, 1), 5)}, "agency.queue.counters"),
        ({"queue": QueueSpec("q", "Q", (), 5)}, "agency.queue.counters"),
        ({"facilities": (Facility("a", Text("A")), Facility("a", Text("B")))}, "agency.facilities"),
        ({"facilities": (Facility("a", Text(" ")),)}, "agency.facilities[0].display_name.id"),
        ({"overseer": True, "queue": None, "facilities": (Facility("a", Text("A")),)}, "agency.facilities"),
        ({"overseer": True, "queue": None, "declared_services": 0}, "agency.declared_services"),
        ({"overseer": True}, "agency.queue"),
    ],
)
def test_an_agency_names_the_field_that_is_wrong(change: dict[str, object], field: str) -> None:
    assert refused(replace(AGENCY, **change)) == field  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("other", "field"),
    [
        (QueueSpec("dukcapil", "X", (9,), 5), "agency.queue.id"),
        (QueueSpec("other", "D", (9,), 5), "agency.queue.prefix"),
        (QueueSpec("other", "X", (9, 5, 4), 5), "agency.queue.counters"),
    ],
)
def test_what_another_agency_holds_is_refused_with_its_name(other: QueueSpec, field: str) -> None:
    with pytest.raises(domain.QueueClaimed) as caught:
        AGENCY.refuse_claimed([("sites/malang/agencies/x", other)])
    assert caught.value.field == field
    assert caught.value.metadata["claimed_by"] == "sites/malang/agencies/x"
    if field == "agency.queue.counters":
        assert caught.value.metadata["value"] == "4, 5"


def test_an_agency_does_not_clash_with_itself_nor_without_a_queue() -> None:
    assert AGENCY.queue
    AGENCY.refuse_claimed([(AGENCY.name, AGENCY.queue)])
    replace(AGENCY, queue=None).refuse_claimed([("sites/malang/agencies/x", AGENCY.queue)])


def standard(**change: object) -> Offering:
    return replace(OFFERING, standard=replace(OFFERING.standard, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("offering", "field"),
    [
        (replace(OFFERING, agency="sites/batu/agencies/dukcapil"), "offering.agency"),
        (replace(OFFERING, display_name=Text("")), "offering.display_name.id"),
        (replace(OFFERING, aliases=("KK", "kk")), "offering.aliases"),
        (standard(legal_basis=()), "offering.standard.legal_basis"),
        (standard(fee=Fee()), "offering.standard.fee"),
        (standard(fee=Fee(amount_idr=0, formula="x")), "offering.standard.fee"),
        (standard(fee=Fee(amount_idr=1, tariffs=(Tariff(Text("a"), 1),))), "offering.standard.fee"),
        (
            standard(fee=Fee(tariffs=(Tariff(Text(""), 1),))),
            "offering.standard.fee.tariffs[0].display_name.id",
        ),
        (standard(requirements=(Requirement("a", Text("A")),) * 2), "offering.standard.requirements"),
        (
            standard(requirements=(Requirement("a", Text("")),)),
            "offering.standard.requirements[0].display_name.id",
        ),
        (standard(sample_components=("time", "time")), "offering.standard.sample_components"),
        (standard(sample_components=("tempo",)), "offering.standard.sample_components"),
        (standard(sample_components=("product",)), "offering.standard.sample_components"),
    ],
)
def test_an_offering_names_the_field_that_is_wrong(offering: Offering, field: str) -> None:
    assert refused(offering) == field


def test_a_sample_service_needs_no_legal_basis_and_the_gap_shows() -> None:
    offering = replace(standard(legal_basis=()), source="sample")
    offering.check()
    assert "legal_basis" in offering.standard.missing()


FILLED: dict[str, object] = {
    "requirements": (Requirement("a", Text("A")),),
    "procedure": ("Datang",),
    "time": ServiceTime(1, "minute"),
    "fee": Fee(amount_idr=0),
    "product": "KK",
    "complaint_handling": "Loket",
    "legal_basis": ("UU",),
    "facilities": "Ruang tunggu",
    "competence": "D3",
    "internal_supervision": "Atasan",
    "staff_count": 0,
    "service_guarantee": "Ya",
    "security_guarantee": "Ya",
    "performance_evaluation": "SKM",
}


@given(st.sets(st.sampled_from(domain.COMPONENTS)))
def test_the_gaps_are_the_components_that_are_absent_in_their_order(known: set[str]) -> None:
    filled = Standard(**{name: FILLED[name] for name in known})  # type: ignore[arg-type]
    assert filled.missing() == tuple(name for name in domain.COMPONENTS if name not in known)
    assert len(domain.COMPONENTS) == 14


def test_a_tag_is_of_one_version_of_one_resource() -> None:
    tags = {domain.etag(name, version) for name in ("sites/a", "sites/b") for version in (1, 2, 12)}
    assert len(tags) == 6


@pytest.mark.parametrize(
    ("given_tag", "version", "fine"),
    [
        ("", None, True),
        ("", 3, True),
        (domain.etag("sites/a", 3), 3, True),
        (domain.etag("sites/a", 2), 3, False),
        (domain.etag("sites/a", 1), None, False),
        ("rubbish", 3, False),
    ],
)
def test_a_tag_that_does_not_match_is_refused(given_tag: str, version: int | None, fine: bool) -> None:
    if fine:
        domain.check_etag("site.etag", given_tag, "sites/a", version)
        return
    with pytest.raises(domain.EtagMismatch) as caught:
        domain.check_etag("site.etag", given_tag, "sites/a", version)
    assert (caught.value.reason, caught.value.field) == ("ETAG_MISMATCH", "site.etag")


class AgenciesOfASite(RuleBasedStateMachine):
    """Agencies come and change at random; the model is a dict of who holds what."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, Agency] = {}
        self.holders: dict[tuple[str, object], str] = {}
        self.announced = 0
        self.changes = 0

    @rule(
        agency=st.sampled_from(["a", "b", "c", "d"]),
        display=st.sampled_from(["Satu", "Dua"]),
        queue=st.none()
        | st.builds(
            QueueSpec,
            id=st.sampled_from(["qa", "qb", "qc"]),
            prefix=st.sampled_from(["A", "B", "AB"]),
            counters=st.lists(st.integers(1, 6), min_size=1, max_size=3, unique=True).map(tuple),
            minutes_per_visit=st.just(5),
        ),
    )
    def apply(self, agency: str, display: str, queue: QueueSpec | None) -> None:
        name = f"sites/x/agencies/{agency}"
        wanted = Agency(name=name, display_name=Text(display), category="private", queue=queue)
        claims = (
            [] if queue is None else [("id", queue.id), ("prefix", queue.prefix), *(("c", c) for c in queue.counters)]
        )
        clash = any(self.holders.get(claim, name) != name for claim in claims)
        others = [(a.name, a.queue) for a in self.held.values() if a.queue]
        try:
            wanted.refuse_claimed(others)
        except domain.QueueClaimed as error:
            self.refused(error, clash, {holder for holder, _ in others} - {name})
            return
        assert not clash
        before = self.held.get(name)
        after = domain.publish(before, wanted, now=NOW, actor="x")
        self.changes += before != wanted
        self.announced += len(after.events)
        self.held[name] = replace(after, events=())
        self.holders = {claim: holder for claim, holder in self.holders.items() if holder != name}
        self.holders.update(dict.fromkeys(claims, name))

    @staticmethod
    def refused(error: domain.QueueClaimed, clash: bool, possible: set[str]) -> None:
        assert clash
        assert error.metadata["claimed_by"] in possible

    @invariant()
    def every_change_is_announced_once(self) -> None:
        assert self.announced == self.changes

    @invariant()
    def no_counter_has_two_holders(self) -> None:
        counters = [c for a in self.held.values() if a.queue for c in a.queue.counters]
        assert len(counters) == len(set(counters))


TestAgenciesOfASite = AgenciesOfASite.TestCase


NIGHT = Maintenance("2026-12-01T22:00", "2026-12-02T02:00", Text("Sistem sedang dirawat", "Under maintenance"))


@pytest.mark.parametrize(
    ("times", "field"),
    [
        ((replace(NIGHT, starts="2026-02-30T22:00"),), "maintenance[0].starts"),
        ((replace(NIGHT, ends="2026-12-02T2:00"),), "maintenance[0].ends"),
        ((replace(NIGHT, ends=NIGHT.starts),), "maintenance[0].ends"),
        ((replace(NIGHT, text=Text("", "Closed")),), "maintenance[0].text.id"),
        ((replace(NIGHT, text=Text("x" * 201)),), "maintenance[0].text"),
        ((NIGHT, replace(NIGHT, starts="2026-12-02T01:59", ends="2026-12-03T00:00")), "maintenance[1]"),
    ],
)
def test_maintenance_names_the_field_that_is_wrong(times: tuple[Maintenance, ...], field: str) -> None:
    assert refused(replace(SITE, maintenance=times)) == f"site.{field}"


def test_maintenance_that_only_touches_is_two_times_and_is_kept_as_it_is() -> None:
    site = replace(SITE, maintenance=(NIGHT, replace(NIGHT, starts=NIGHT.ends, ends="2026-12-02T04:00")))
    site.check()
    assert messages.to_site(messages.site(site.name, 1, messages.fields(site))) == site


@pytest.mark.parametrize(
    ("on", "reason"),
    [
        ({"agencies": ["sites/x/agencies/a"]}, "HAS_AGENCIES"),
        ({"channel_kinds": ["sites/x/channelKinds/room"]}, "HAS_CHANNEL_KINDS"),
    ],
)
def test_a_site_goes_only_when_it_is_empty(on: dict[str, list[str]], reason: str) -> None:
    domain.refuse_retiring("sites/x", domain.Dependants())
    with pytest.raises(domain.StillNeeded) as caught:
        domain.refuse_retiring("sites/x", domain.Dependants(**on))  # type: ignore[arg-type]
    assert caught.value.reason == reason
