"""The files of a site (sites/<site>/) as messages of the catalogue's contract. See sites/README.md for the
format.

Knows the format of the files and the public messages; opens no connection. What a file leaves out stays
absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mpp.catalog.v1 import agency_pb2, offering_pb2, site_pb2

from mppctl.yamlfile import Fields, FileProblem, Value, read

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ZONES = {
    "WIB": ("Asia/Jakarta", "Asia/Pontianak"),
    "WITA": ("Asia/Makassar",),
    "WIT": ("Asia/Jayapura",),
}
_CATEGORIES = {
    "central_government": agency_pb2.Agency.CATEGORY_CENTRAL_GOVERNMENT,
    "regional_government": agency_pb2.Agency.CATEGORY_REGIONAL_GOVERNMENT,
    "state_owned_enterprise": agency_pb2.Agency.CATEGORY_STATE_OWNED_ENTERPRISE,
    "region_owned_enterprise": agency_pb2.Agency.CATEGORY_REGION_OWNED_ENTERPRISE,
    "private": agency_pb2.Agency.CATEGORY_PRIVATE,
}
_KINDS = {
    "goods": offering_pb2.Offering.KIND_GOODS,
    "service": offering_pb2.Offering.KIND_SERVICE,
    "administrative": offering_pb2.Offering.KIND_ADMINISTRATIVE,
}
_SOURCES = {
    "public": offering_pb2.Offering.SOURCE_PUBLIC,
    "sample": offering_pb2.Offering.SOURCE_SAMPLE,
}
_UNITS = {
    "working_day": offering_pb2.ServiceTime.UNIT_WORKING_DAY,
    "working_hour": offering_pb2.ServiceTime.UNIT_WORKING_HOUR,
    "minute": offering_pb2.ServiceTime.UNIT_MINUTE,
}
_RISKS = {risk: risk for risk in ("low", "medium_low", "medium_high", "high")}
# Components of a standard: name in the files -> name in the contract.
_TEXT_COMPONENTS = {
    "product_id": "product",
    "complaint_handling_id": "complaint_handling",
    "facilities_id": "facilities",
    "competence_id": "competence",
    "supervision_id": "internal_supervision",
    "service_guarantee_id": "service_guarantee",
    "security_guarantee_id": "security_guarantee",
    "evaluation_id": "performance_evaluation",
}
_COMPONENTS = {
    **_TEXT_COMPONENTS,
    "requirements": "requirements",
    "procedure_id": "procedure",
    "time": "time",
    "fee": "fee",
    "legal_basis": "legal_basis",
    "staff_count": "staff_count",
}


class FileProblems(Exception):
    """Everything wrong that was found, at most one problem a file."""

    def __init__(self, problems: Iterable[FileProblem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(slots=True)
class SiteFiles:
    """What one site's files say. `places` tells where each resource comes from (`file:line`)."""

    site_name: str
    site: site_pb2.Site | None = None  # None: only an agency's file was given
    agencies: list[agency_pb2.Agency] = field(default_factory=list)
    offerings: list[offering_pb2.Offering] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)


def load(path: Path) -> list[SiteFiles]:
    """Load a folder of sites, one site's folder, a site's file, or one agency's file.

    Raises FileProblems.
    """
    if path.is_dir():
        folders = [path] if (path / "site.yaml").exists() else sorted(p.parent for p in path.glob("*/site.yaml"))
        if not folders:
            raise FileProblems([FileProblem(path, 1, "", "holds no site.yaml, nor do its folders")])
        return [_load_site(folder) for folder in folders]
    if path.name == "site.yaml" or path.name.startswith("holidays-"):
        return [_only_site(path.parent)]
    files = SiteFiles("")
    _collect([path], lambda file: _agency_file(file, files))
    return [files]


def _load_site(folder: Path) -> SiteFiles:
    files = _only_site(folder)
    _collect(sorted((folder / "agencies").glob("*.yaml")), lambda file: _agency_file(file, files))
    return files


def _only_site(folder: Path) -> SiteFiles:
    files = SiteFiles("")

    def with_holidays(file: Path) -> None:
        files.site = _site(read(file), files)

    _collect([folder / "site.yaml"], with_holidays)
    assert files.site is not None
    days = files.site.holidays
    _collect(sorted(folder.glob("holidays-*.yaml")), lambda file: days.extend(_holidays(read(file), files)))
    return files


def _collect(paths: Iterable[Path], load_one: object) -> None:
    problems = []
    for path in paths:
        try:
            load_one(path)  # type: ignore[operator]
        except FileProblem as problem:
            problems.append(problem)
    if problems:
        raise FileProblems(problems)


# --- site and holidays


def _site(value: Value, files: SiteFiles) -> site_pb2.Site:
    f = value.fields(
        "kind id name_id region_code zone timezone opening_hours",
        "name_en site_kind opened declared_services declared_agencies source queues_source channels calendar",
    )
    f["kind"].choice({"Site": None})
    site_id = _identifier(f["id"])
    files.site_name = f"sites/{site_id}"
    _keep_place(files, files.site_name, value)
    if value.file.parent.name != site_id:
        raise f["id"].problem(f"must be the name of its folder, {value.file.parent.name!r}")
    site = site_pb2.Site(
        name=files.site_name,
        display_name=_name(f),
        region_code=f["region_code"].text(),
        time_zone=_zone(f),
        kind=f.text("site_kind"),
        opened=f.text("opened"),
        opening_hours=_opening_hours(f["opening_hours"]),
    )
    if channels := f.get("channels"):
        site.channels.extend(_channel(item) for item in channels.items())
    if services := f.get("declared_services"):
        site.declared_services = services.whole()
    if agencies := f.get("declared_agencies"):
        site.declared_agencies = agencies.whole()
    if (calendar := f.get("calendar")) and not (value.file.parent / calendar.text()).is_file():
        raise calendar.problem(f"there is no file {calendar.text()!r} beside this one")
    return site


def _zone(f: Fields) -> str:
    zones = f["zone"].choice(_ZONES)
    zone = f["timezone"].text()
    if zone not in zones:
        raise f["timezone"].problem(f"{zone!r} is not a zone of {f['zone'].text()}: {', '.join(zones)}")
    return zone


def _channel(value: Value) -> str:
    f = value.fields("id name_id", "name_en")
    f["name_id"].text()
    return _identifier(f["id"])


def _opening_hours(value: Value) -> Iterable[site_pb2.OpeningHours]:
    f = value.fields("", "source " + " ".join(_WEEKDAYS))
    for number, day in enumerate(_WEEKDAYS, start=1):
        intervals = f.get(day)
        for interval in intervals.items() if intervals else ():
            span = interval.fields("opens closes")
            yield site_pb2.OpeningHours(weekday=number, opens=span.text("opens"), closes=span.text("closes"))


def _holidays(value: Value, files: SiteFiles) -> Iterable[site_pb2.Holiday]:
    f = value.fields("kind site year days", "source confidence")
    f["kind"].choice({"HolidayCalendar": None})
    f["site"].choice({files.site_name.removeprefix("sites/"): None})
    year = f["year"].whole()
    if value.file.stem != f"holidays-{year}":
        raise f["year"].problem(f"the file of {year} must be named holidays-{year}.yaml")
    return [_holiday(item, year) for item in f["days"].items()]


def _holiday(value: Value, year: int) -> site_pb2.Holiday:
    f = value.fields("date kind name_id", "name_en")
    if not f.text("date").startswith(f"{year:04}-"):
        raise f["date"].problem(f"{f.text('date')} is not a date of {year}")
    joint_leave = f["kind"].choice({"national_holiday": False, "joint_leave": True})
    return site_pb2.Holiday(date=f.text("date"), name=f["name_id"].text(), joint_leave=joint_leave)


# --- agencies and their services


def _agency_file(file: Path, files: SiteFiles) -> None:
    value = read(file)
    f = value.fields(
        "kind site id name_id category services",
        "name_en declared_services source queue facilities",
    )
    f["kind"].choice({"Agency": None})
    site = f"sites/{_identifier(f['site'])}"
    if files.site_name and site != files.site_name:
        raise f["site"].problem(f"must be {files.site_name.removeprefix('sites/')!r}, the site of its folder")
    files.site_name = site
    agency = _agency(f, f"{site}/agencies/{_identifier(f['id'])}")
    if file.stem != f["id"].text():
        raise f["id"].problem(f"must be the name of its file, {file.stem!r}")
    offerings = []
    for item in f["services"].items():
        offering = _offering(item, site, agency.name)
        _keep_place(files, offering.name, item)
        offerings.append(offering)
    _keep_place(files, agency.name, value)
    files.agencies.append(agency)
    files.offerings.extend(offerings)


def _agency(f: Fields, name: str) -> agency_pb2.Agency:
    agency = agency_pb2.Agency(
        name=name, display_name=_name(f), category=f["category"].choice(_CATEGORIES), source=f.text("source")
    )
    if declared := f.get("declared_services"):
        agency.declared_services = declared.whole()
    if queue := f.get("queue"):
        agency.queue.CopyFrom(_queue(queue))
    if facilities := f.get("facilities"):
        agency.facilities.extend(_facility(item) for item in facilities.items())
    return agency


def _queue(value: Value) -> agency_pb2.QueueSpec:
    f = value.fields("id prefix counters minutes_per_visit")
    return agency_pb2.QueueSpec(
        id=_identifier(f["id"]),
        prefix=f["prefix"].text(),
        counters=[counter.whole() for counter in f["counters"].items()],
        minutes_per_visit=f["minutes_per_visit"].whole(),
    )


def _facility(value: Value) -> agency_pb2.Facility:
    f = value.fields("id name_id", "name_en")
    return agency_pb2.Facility(id=_identifier(f["id"]), display_name=_name(f))


def _offering(value: Value, site: str, agency: str) -> offering_pb2.Offering:
    f = value.fields("id name_id kind source standard", "name_en aliases risk")
    aliases, risk = f.get("aliases"), f.get("risk")
    return offering_pb2.Offering(
        name=f"{site}/offerings/{_identifier(f['id'])}",
        agency=agency,
        display_name=_name(f),
        aliases=aliases.texts() if aliases else [],
        kind=f["kind"].choice(_KINDS),
        source=f["source"].choice(_SOURCES),
        risk=risk.choice(_RISKS) if risk else "",
        standard=_standard(f["standard"]),
    )


def _standard(value: Value) -> offering_pb2.Standard:
    f = value.fields("", " ".join((*_COMPONENTS, "sample")))
    standard = offering_pb2.Standard()
    for key, name in _TEXT_COMPONENTS.items():
        setattr(standard, name, f.text(key))
    if requirements := f.get("requirements"):
        standard.requirements.extend(_requirement(item) for item in requirements.items())
    if procedure := f.get("procedure_id"):
        standard.procedure.extend(procedure.texts())
    if time := f.get("time"):
        span = time.fields("amount unit")
        standard.time.CopyFrom(
            offering_pb2.ServiceTime(amount=span["amount"].whole(), unit=span["unit"].choice(_UNITS))
        )
    if fee := f.get("fee"):
        standard.fee.CopyFrom(_fee(fee))
    if legal_basis := f.get("legal_basis"):
        standard.legal_basis.extend(legal_basis.texts())
    if staff := f.get("staff_count"):
        standard.staff_count = staff.whole()
    if sample := f.get("sample"):
        standard.sample_components.extend(item.choice(_COMPONENTS) for item in sample.items())
    return standard


def _requirement(value: Value) -> offering_pb2.Requirement:
    f = value.fields("id name_id", "name_en")
    return offering_pb2.Requirement(id=_identifier(f["id"]), display_name=_name(f))


def _fee(value: Value) -> offering_pb2.Fee:
    f = value.fields("", "amount_idr tariffs formula_id basis")
    fee = offering_pb2.Fee(formula=f.text("formula_id"), basis=f.text("basis"))
    if amount := f.get("amount_idr"):
        fee.amount_idr = amount.whole()
    if tariffs := f.get("tariffs"):
        fee.tariffs.extend(_tariff(item) for item in tariffs.items())
    if sum((fee.HasField("amount_idr"), bool(fee.tariffs), bool(fee.formula))) != 1:
        raise value.problem("needs exactly one of amount_idr, tariffs, formula_id")
    return fee


def _tariff(value: Value) -> offering_pb2.Tariff:
    f = value.fields("name_id amount_idr", "name_en")
    return offering_pb2.Tariff(display_name=_name(f), amount_idr=f["amount_idr"].whole())


# --- shared by all


def _name(f: Fields) -> site_pb2.LocalizedText:
    return site_pb2.LocalizedText(id=f["name_id"].text(), en=f.text("name_en"))


def _identifier(value: Value) -> str:
    text = value.text()
    if not _ID.fullmatch(text):
        raise value.problem(f"{text!r} is not an id: small letters, digits and hyphens")
    return text


def _keep_place(files: SiteFiles, name: str, value: Value) -> None:
    """Remember where a resource stands; a second one of that name would silently replace the first."""
    if name in files.places:
        raise value.problem(f"{name} stands already in {files.places[name]}")
    files.places[name] = f"{value.file}:{value.line}"
