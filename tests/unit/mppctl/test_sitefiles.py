"""What a site's files become, and what a person is told of a slip in them: file, key and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from mpp.catalog.v1 import agency_pb2, offering_pb2
from mppctl.sitefiles import FileProblems, load

ROOT = Path(__file__).resolve().parents[3]

SITE = """\
kind: Site
id: contoh
name_id: MPP Contoh
name_en: Example MPP
region_code: "35.73"
zone: WIB
timezone: Asia/Jakarta
site_kind: mini
opened: "2022-12-05"
declared_services: 9
opening_hours:
  source: sample
  monday: [{opens: "08:00", closes: "12:00"}, {opens: "13:00", closes: "16:00"}]
  sunday: []
channels:
  - {id: counter, name_id: Loket, name_en: Counter}
calendar: holidays-2026.yaml
"""
HOLIDAYS = """\
kind: HolidayCalendar
site: contoh
year: 2026
source: SKB
days:
  - {date: "2026-01-01", kind: national_holiday, name_id: "Tahun Baru", name_en: "New Year"}
  - {date: 2026-02-16, kind: joint_leave, name_id: "Cuti bersama"}
"""
AGENCY = """\
kind: Agency
site: contoh
id: dukcapil
name_id: Dinas Kependudukan
category: regional_government
declared_services: null
queue: {id: dukcapil, prefix: D, counters: [3, 4], minutes_per_visit: 10}
facilities: []
services:
  - id: kk
    name_id: Kartu Keluarga
    name_en: Family card
    aliases: [kk]
    kind: administrative
    source: public
    risk: null
    standard:
      requirements:
        - {id: kk-lama, name_id: "KK lama", name_en: "Old card"}
      procedure_id: [Datang, Pulang]
      time: {amount: 1, unit: working_day}
      fee: {amount_idr: 0, basis: "UU 24/2013"}
      product_id: KK
      legal_basis: [UU 24/2013]
      evaluation_id: SKM
      sample: [procedure_id, time]
"""

Write = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    site = tmp_path / "contoh"
    (site / "agencies").mkdir(parents=True)
    (site / "site.yaml").write_text(SITE)
    (site / "holidays-2026.yaml").write_text(HOLIDAYS)
    (site / "agencies" / "dukcapil.yaml").write_text(AGENCY)
    return site


def told(path: Path) -> list[str]:
    """The problems, with file names instead of paths."""
    with pytest.raises(FileProblems) as caught:
        load(path)
    return [f"{p.file.name}:{p.line}: {p.key}: {p.message}" for p in caught.value.problems]


def test_a_site_has_what_its_files_say(folder: Path) -> None:
    (files,) = load(folder)
    assert files.site
    assert files.site.name == files.site_name == "sites/contoh"
    assert (files.site.time_zone, files.site.kind) == ("Asia/Jakarta", "mini")
    assert files.site.declared_services == 9
    assert not files.site.HasField("declared_agencies")
    assert [(h.weekday, h.opens, h.closes) for h in files.site.opening_hours] == [
        (1, "08:00", "12:00"),
        (1, "13:00", "16:00"),
    ]
    assert list(files.site.channels) == ["counter"]
    assert [(h.date, h.joint_leave) for h in files.site.holidays] == [("2026-01-01", False), ("2026-02-16", True)]


def test_an_agency_has_what_its_file_says(folder: Path) -> None:
    (files,) = load(folder)
    (agency,) = files.agencies
    assert agency.name == "sites/contoh/agencies/dukcapil"
    assert agency.category == agency_pb2.Agency.CATEGORY_REGIONAL_GOVERNMENT
    assert not agency.HasField("declared_services")
    assert (agency.queue.prefix, list(agency.queue.counters)) == ("D", [3, 4])


def test_a_service_has_what_its_file_says_and_nothing_else(folder: Path) -> None:
    (files,) = load(folder)
    (offering,) = files.offerings
    assert (offering.name, offering.agency) == ("sites/contoh/offerings/kk", "sites/contoh/agencies/dukcapil")
    assert offering.source == offering_pb2.Offering.SOURCE_PUBLIC
    standard = offering.standard
    assert [r.id for r in standard.requirements] == ["kk-lama"]
    assert list(standard.procedure) == ["Datang", "Pulang"]
    assert (standard.time.amount, standard.time.unit) == (1, offering_pb2.ServiceTime.UNIT_WORKING_DAY)
    assert standard.fee.HasField("amount_idr")
    assert (standard.product, standard.performance_evaluation) == ("KK", "SKM")
    assert list(standard.sample_components) == ["procedure", "time"]
    assert not standard.HasField("staff_count")
    assert standard.facilities == ""


def test_one_agencys_file_comes_alone(folder: Path) -> None:
    (files,) = load(folder / "agencies" / "dukcapil.yaml")
    assert files.site is None
    assert files.site_name == "sites/contoh"
    assert len(files.offerings) == 1


@pytest.mark.parametrize("name", ["site.yaml", "holidays-2026.yaml"])
def test_the_site_comes_with_its_holidays_and_without_agencies(folder: Path, name: str) -> None:
    (files,) = load(folder / name)
    assert files.site
    assert len(files.site.holidays) == 2
    assert files.agencies == []


def test_a_folder_of_sites_gives_each_of_them(folder: Path) -> None:
    assert [files.site_name for files in load(folder.parent)] == ["sites/contoh"]


def test_the_reference_site_loads() -> None:
    (files,) = load(ROOT / "sites" / "malang")
    assert len(files.agencies) == 22
    assert [(o.name, o.overseer) for o in files.overseers] == [("sites/malang/agencies/inspektorat", True)]
    assert "sites/malang/offerings/kartu-keluarga-baru" in files.places


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("prefix: D", "perfix: D", "dukcapil.yaml:7: queue.perfix: unknown key; did you mean 'prefix'?"),
        ("    risk: null", "    colour: red", "dukcapil.yaml:16: services[0].colour: unknown key; known here:"),
        ("kind: Agency", "kind: Agent", "dukcapil.yaml:1: kind: 'Agent' is not one of Agency"),
        ("site: contoh", "site: malang", "dukcapil.yaml:2: site: must be 'contoh'"),
        ("id: dukcapil", "id: disduk", "dukcapil.yaml:3: id: must be the name of its file, 'dukcapil'"),
        ("id: dukcapil", "id: Dukcapil", "dukcapil.yaml:3: id: 'Dukcapil' is not an id"),
        ("name_id: Dinas Kependudukan\n", "", "dukcapil.yaml:1: : the key 'name_id' is missing"),
        ("name_id: Dinas Kependudukan", "name_id:", "dukcapil.yaml:4: name_id: must be a text"),
        ("regional_government", "kota", "dukcapil.yaml:5: category: 'kota' is not one of central_government,"),
        ("declared_services: null", "declared_services: six", "dukcapil.yaml:6: declared_services: must be a whole"),
        ("declared_services: null", "declared_services: -1", "dukcapil.yaml:6: declared_services: must be a whole"),
        ("declared_services: null", "declared_services: 010", "dukcapil.yaml:6: declared_services: must be a whole"),
        ("prefix: D", "prefix: NO", 'dukcapil.yaml:7: queue.prefix: must be a text; write it in quotes: "NO"'),
        ("[3, 4]", "3", "dukcapil.yaml:7: queue.counters: must be a list"),
        ("[3, 4]", "[3, x]", "dukcapil.yaml:7: queue.counters[1]: must be a whole number"),
        ("facilities: []", "facilities: []\nfacilities: []", "dukcapil.yaml:9: facilities: this key is written twice"),
        ("unit: working_day", "unit: day", "dukcapil.yaml:21: services[0].standard.time.unit: 'day' is not one of"),
        (
            "amount_idr: 0,",
            "amount_idr: 0, formula_id: x,",
            "dukcapil.yaml:22: services[0].standard.fee: needs exactly one of",
        ),
        ("amount_idr: 0, ", "", "dukcapil.yaml:22: services[0].standard.fee: needs exactly one of"),
        (
            "[procedure_id, time]",
            "[tempo]",
            "dukcapil.yaml:26: services[0].standard.sample[0]: 'tempo' is not one of",
        ),
        ("facilities: []", "facilities: [", "dukcapil.yaml:10: : is not YAML:"),
    ],
)
def test_a_slip_in_an_agencys_file_is_told_with_key_and_line(folder: Path, old: str, new: str, problem: str) -> None:
    assert old in AGENCY
    (folder / "agencies" / "dukcapil.yaml").write_text(AGENCY.replace(old, new, 1))
    (found,) = told(folder)
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("id: contoh", "id: lain", "site.yaml:2: id: must be the name of its folder, 'contoh'"),
        ("zone: WIB", "zone: WITA", "site.yaml:7: timezone: 'Asia/Jakarta' is not a zone of WITA: Asia/Makassar"),
        (
            'opens: "08:00"',
            "opens: 8:00",
            "site.yaml:13: opening_hours.monday[0].opens: must be a text; write it in quotes",
        ),
        ("  sunday: []", "  minggu: []", "site.yaml:14: opening_hours.minggu: unknown key"),
        ("holidays-2026", "holidays-2030", "site.yaml:17: calendar: there is no file 'holidays-2030.yaml'"),
    ],
)
def test_a_slip_in_a_sites_file_is_told_with_key_and_line(folder: Path, old: str, new: str, problem: str) -> None:
    assert old in SITE
    (folder / "site.yaml").write_text(SITE.replace(old, new, 1))
    assert told(folder)[0].startswith(problem)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("2026-01-01", "2025-01-01", "holidays-2026.yaml:6: days[0].date: 2025-01-01 is not a date of 2026"),
        ("year: 2026", "year: 2027", "holidays-2026.yaml:3: year: the file of 2027 must be named"),
        ("national_holiday", "holiday", "holidays-2026.yaml:6: days[0].kind: 'holiday' is not one of"),
    ],
)
def test_a_slip_in_a_calendar_is_told_with_key_and_line(folder: Path, old: str, new: str, problem: str) -> None:
    (folder / "holidays-2026.yaml").write_text(HOLIDAYS.replace(old, new, 1))
    assert told(folder)[0].startswith(problem)


def test_each_wrong_file_is_told_of_in_one_go(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / "agencies" / f"{name}.yaml").write_text("[]")
    assert told(folder) == [
        "a.yaml:1: : must be a mapping (key: value)",
        "b.yaml:1: : must be a mapping (key: value)",
    ]


def test_a_service_of_two_agencies_is_refused_with_both_places(folder: Path) -> None:
    other = AGENCY.replace("id: dukcapil\n", "id: other\n", 1)
    (folder / "agencies" / "other.yaml").write_text(other)
    (problem,) = told(folder)
    assert problem.startswith("other.yaml:10: services[0]: sites/contoh/offerings/kk stands already in ")
    assert problem.endswith("dukcapil.yaml:10")


def test_a_file_that_is_not_there_or_empty_is_told_of(tmp_path: Path) -> None:
    assert told(tmp_path / "x.yaml") == ["x.yaml:1: : cannot be read: No such file or directory"]
    (tmp_path / "x.yaml").write_text("# nothing\n")
    assert told(tmp_path / "x.yaml") == ["x.yaml:1: : is empty"]
    (tmp_path / "x.yaml").unlink()
    assert told(tmp_path)[0].endswith("holds no site.yaml, nor do its folders, nor other files")
