"""What is exported is what was applied: files become messages, messages become files, and these become the same messages."""

from __future__ import annotations

from pathlib import Path

import pytest
from mpp.catalog.v1 import agency_pb2, channel_pb2, offering_pb2, site_pb2
from mppctl import displayfile, exporting, sitefiles
from mppctl.diffing import Change, changes
from mppctl.yamlfile import read_all

ROOT = Path(__file__).resolve().parents[3]
SITES = sorted(file.parent for file in (ROOT / "sites").glob("*/site.yaml"))


def reloaded(tmp_path: Path, *documents: exporting.Document) -> sitefiles.SiteFiles:
    file = tmp_path / "all.yaml"
    file.write_text("---\n".join(map(exporting.dump, documents)))
    (found,) = sitefiles.load(file)
    return found


@pytest.mark.parametrize("folder", SITES, ids=lambda f: f.name)
def test_a_site_comes_back_as_it_was(folder: Path, tmp_path: Path) -> None:
    (before,) = sitefiles.load(folder)
    assert before.site
    services: dict[str, list[offering_pb2.Offering]] = {}
    for offering in before.offerings:
        services.setdefault(offering.agency, []).append(offering)
    after = reloaded(
        tmp_path,
        exporting.site(before.site),
        *exporting.holidays(before.site).values(),
        *map(exporting.kind, before.kinds),
        *(exporting.agency(agency, services.get(agency.name, ())) for agency in before.agencies),
        *(exporting.agency(overseer, ()) for overseer in before.overseers),
        *map(exporting.channel, before.channels),
        *map(displayfile.document, before.displays),
    )
    assert after.site == before.site
    assert (after.kinds, after.agencies, after.channels) == (before.kinds, before.agencies, before.channels)
    assert (after.offerings, after.displays) == (before.offerings, before.displays)
    assert after.overseers == before.overseers


def test_a_service_alone_comes_back_with_its_agency(tmp_path: Path) -> None:
    (before,) = sitefiles.load(ROOT / "sites" / "malang" / "agencies" / "imigrasi.yaml")
    for offering in before.offerings:
        assert reloaded(tmp_path, exporting.offering_alone(offering)).offerings == [offering]


def test_every_field_of_a_queue_comes_back(tmp_path: Path) -> None:
    """No field of the contract is forgotten: each one is set here, and a new one fails this test until it is."""
    priority = agency_pb2.PriorityClass(
        id="umkm", display_name=site_pb2.LocalizedText(id="UMKM"), groups=["child"], boost_minutes=5
    )
    queue = agency_pb2.QueueSpec(
        id="loket",
        prefix="NO",
        counters=[1],
        minutes_per_visit=7,
        priority=agency_pb2.PriorityPolicy(kind="KIND_AGEING", classes=[priority], run=1, max_wait_minutes=2),
        numbers=agency_pb2.NumberRange(first=1, last=9, blocked=[4]),
        daily_contingent=3,
        quota=agency_pb2.Quota(
            per_day=1,
            cool_down_minutes=2,
            person_required=True,
            alarm_after=3,
            alarm_window_minutes=4,
            typed_people=6,
        ),
        appointments=RULES,
        hours_enforced=True,
        closed_text=site_pb2.LocalizedText(id="Tutup: kembali besok", en="Closed"),
        draining=True,
        draining_text=site_pb2.LocalizedText(id="Pindah", en="Moving"),
        closures=DAYS_OFF,
    )
    for message in (queue, queue.priority, queue.numbers, queue.quota, queue.appointments, priority):
        assert {f.name for f in message.DESCRIPTOR.fields} == {f.name for f, _ in message.ListFields()}
    agency = agency_pb2.Agency(
        name="sites/contoh/agencies/uji",
        display_name=site_pb2.LocalizedText(id="Yes"),
        category="CATEGORY_PRIVATE",
        declared_services=0,
        queue=queue,
    )
    assert reloaded(tmp_path, exporting.agency(agency, ())).agencies == [agency]


RULES = agency_pb2.AppointmentRules(
    slot_minutes=15,
    public_places=1,
    places=2,
    earliest_days=1,
    latest_days=9,
    max_slots=2,
    hours=[agency_pb2.AgendaHours(weekday=2, opens="08:00", closes="10:30", weeks=[1, 3])],
    hold_minutes=5,
    cooling_minutes=6,
    early_minutes=7,
    late_minutes=8,
    closures=["2026-12-24"],
    variants=["on_site", "video"],
    video_link="https://temu.example.id/{code}",
    max_open_per_email=3,
    max_open_per_person=2,
)
DAYS_OFF = [
    site_pb2.Closure(date="2026-12-24", text=site_pb2.LocalizedText(id="Pelatihan", en="Training")),
    site_pb2.Closure(date="2026-12-28"),
]


def test_maintenance_of_a_site_comes_back(tmp_path: Path) -> None:
    """No field of the contract is forgotten: each one is set here, and a new one fails this test until it is."""
    site = site_pb2.Site(
        name="sites/contoh",
        display_name=site_pb2.LocalizedText(id="Contoh"),
        region_code="35.73",
        time_zone="Asia/Jakarta",
        kind="mini",
        opened="2025-01-02",
        declared_services=0,
        declared_agencies=0,
        opening_hours=[site_pb2.OpeningHours(weekday=1, opens="08:00", closes="12:00")],
        channels=["kiosk"],
        holidays=[site_pb2.Holiday(date="2026-01-01", name="Tahun Baru", joint_leave=True)],
    )
    words = site_pb2.LocalizedText(id="Sedang dirawat", en="Under maintenance")
    site.maintenance.add(starts="2026-12-01T22:00", ends="2026-12-02T02:00", text=words)
    left = {f.name for f in site.DESCRIPTOR.fields} - {f.name for f, _ in site.ListFields()}
    assert left == {"etag"}
    after = reloaded(tmp_path, exporting.site(site), *exporting.holidays(site).values())
    assert after.site == site


def test_a_channels_settings_come_back_with_their_types(tmp_path: Path) -> None:
    channel = channel_pb2.Channel(
        name="sites/contoh/channels/pojok",
        kind="sites/contoh/channelKinds/drive_thru",
        agency="sites/contoh/agencies/uji",
        display_name=site_pb2.LocalizedText(id="Pojok", en="Corner"),
        appointments=RULES,
        closures=DAYS_OFF,
    )
    channel.settings.update({"lanes": [{"id": "1", "counter": 3, "open": False}], "note": {"id": "08:00", "en": "on"}})
    assert reloaded(tmp_path, exporting.channel(channel)).channels == [channel]


def test_a_change_is_told_field_by_field() -> None:
    old = agency_pb2.Agency(name="a", etag="1", source="x", queue=agency_pb2.QueueSpec(counters=[1, 2]))
    old.facilities.add(id="pojok-baca", display_name=site_pb2.LocalizedText(id="Pojok Baca"))
    new = agency_pb2.Agency(name="a", etag="2", declared_services=3, queue=agency_pb2.QueueSpec(counters=[1, 2, 5]))
    new.facilities.add(id="ruang", display_name=site_pb2.LocalizedText(id="Ruang"))
    new.facilities.add(id="pojok-baca", display_name=site_pb2.LocalizedText(id="Pojok Baca", en="Reading"))
    assert changes(old, new) == [
        Change("declared_services", None, "3"),
        Change("queue.counters", "[1, 2]", "[1, 2, 5]"),
        Change("facilities[ruang].id", None, "ruang"),
        Change("facilities[ruang].display_name.id", None, "Ruang"),
        Change("facilities[pojok-baca].display_name.en", None, "Reading"),
        Change("source", "x", None),
    ]
    assert changes(old, old) == []


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("agency.queue.counters[1]", (4, 32)),
        ("agency.queue.priority.classes[0].display_name.id", (6, 38)),
        ("agency.queue.appointments.hours[1]", (10, 30)),
        ("agency.queue.closed_text.id", (11, 19)),
        ("agency.display_name.en", (16, 10)),
        ("agency.name", (3, 5)),
        ("offering.standard.fee.tariffs[0].amount_idr", (15, 68)),
        ("offering.standard.product", (14, 37)),
        ("parent", (1, 1)),
    ],
)
def test_a_field_of_the_contract_is_found_in_the_file(tmp_path: Path, path: str, place: tuple[int, int]) -> None:
    file = tmp_path / "uji.yaml"
    file.write_text(FILE)
    (files,) = sitefiles.load(file)
    name = "sites/contoh/offerings/kk" if path.startswith("offering") else "sites/contoh/agencies/uji"
    assert files.where(name, path) == f"{file}:{place[0]}:{place[1]}"
    assert files.where("sites/contoh/agencies/lain", path) == ""


FILE = """\
kind: Agency
site: contoh
id: uji
queue: {id: uji, counters: [3, 4], prefix: U, minutes_per_visit: 5,
  priority: {kind: ratio, run: 1,
    classes: [{id: umkm, name_id:    UMKM}]},
  appointments: {slot_minutes: 5, places: 1,
    hours: {
      monday: [{opens: "08:00", closes: "09:00"}],
      tuesday:              [{opens: "08:00", closes: "09:00"}]}},
  closed_text_id: Tutup}
category: private
services:
  - {id: kk, standard: {product_id: KK,
      fee: {tariffs: [{name_id: A, amount_idr:                     5}]}}, name_id: KK, kind: goods, source: sample}
name_id: Uji
"""


def test_several_documents_come_from_one_file_or_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    (before,) = sitefiles.load(ROOT / "sites" / "malang" / "agencies" / "imigrasi.yaml")
    text = exporting.dump(exporting.agency(before.agencies[0], before.offerings))
    monkeypatch.setattr("sys.stdin", io.StringIO(f"# piped\n---\n{text}"))
    (piped,) = sitefiles.load(sitefiles.STDIN)
    assert piped.agencies == before.agencies
    assert len(read_all(tmp_path / "x", "a: 1\n---\nb: 2\n")) == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("site: x\n", "the key 'kind' is missing"),
        ("[]\n", "must be a mapping"),
        (
            "kind: Agenda\n",
            "'Agenda' is not one of Agency, Channel, ChannelKind, Display, HolidayCalendar, Offering, Overseer, Site",
        ),
        ("kind: HolidayCalendar\nsite: x\nyear: 2026\ndays: []\n", "a calendar follows its site"),
        (
            "kind: Channel\nsite: x\nid: ab\nchannel_kind: room\nagency: cd\nname_id: A\nsettings: [1]\n",
            "must be a mapping",
        ),
        ("kind: ChannelKind\nsite: x\nid: Ab\nname_id: A\nattributes: []\n", "'Ab' is not an id"),
    ],
)
def test_what_is_no_document_of_a_site_is_told(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text)
    with pytest.raises(sitefiles.FileProblems, match=problem.replace("[", r"\[")):
        sitefiles.load(file)
