"""The files of a site (sites/<site>/) as messages of the catalogue's contract, and of the queue's for displays.
See sites/README.md for the format. A file, or what comes from a pipe, may hold several documents.

Knows the format of the files and the public messages; opens no connection. What a file leaves out stays
absent.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from mpp.catalog.v1 import agency_pb2, channel_pb2, offering_pb2, site_pb2
from mpp.queue.v1 import display_pb2

from mppctl import channelfile, displayfile, queuefile
from mppctl.fileparts import WEEKDAYS, identifier, name, text, week
from mppctl.yamlfile import Fields, FileProblem, Value, read, read_all, stream_text

STDIN = Path("-")
ZONES = {
    "WIB": ("Asia/Jakarta", "Asia/Pontianak"),
    "WITA": ("Asia/Makassar",),
    "WIT": ("Asia/Jayapura",),
}
_MOST_RUPIAH = 2**63 - 1
T = TypeVar("T")
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
TEXT_COMPONENTS = {
    "product_id": "product",
    "complaint_handling_id": "complaint_handling",
    "facilities_id": "facilities",
    "competence_id": "competence",
    "supervision_id": "internal_supervision",
    "service_guarantee_id": "service_guarantee",
    "security_guarantee_id": "security_guarantee",
    "evaluation_id": "performance_evaluation",
}
COMPONENTS = {
    **TEXT_COMPONENTS,
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
    site: site_pb2.Site | None = None  # None: only an agency's file, a channel's ... was given
    kinds: list[channel_pb2.ChannelKind] = field(default_factory=list)
    agencies: list[agency_pb2.Agency] = field(default_factory=list)
    overseers: list[agency_pb2.Agency] = field(default_factory=list)  # none of the site's own agencies
    offerings: list[offering_pb2.Offering] = field(default_factory=list)
    channels: list[channel_pb2.Channel] = field(default_factory=list)
    displays: list[display_pb2.Display] = field(default_factory=list)
    whole_displays: bool = False  # `displays` are all that the site shall have: a folder of them was given
    places: dict[str, str] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)

    @property
    def catalogued(self) -> bool:
        """Whether anything of the catalogue is in them."""
        return bool(self.site or self.kinds or self.agencies or self.overseers or self.offerings or self.channels)

    def leave_displays(self) -> None:
        """As if no display were in them: then the files do not say which the site shall have either."""
        self.displays.clear()
        self.whole_displays = False

    def keep_place(self, resource: str, value: Value) -> None:
        """Remember where a resource stands; a second one of that name would silently replace the first."""
        if resource in self.places:
            raise value.problem(f"{resource} stands already in {self.places[resource]}")
        self.places[resource] = f"{value.file}:{value.line}"
        self.values[resource] = value

    def where(self, resource: str, path: str) -> str:
        """`file:line:column` of what a service calls `agency.queue.counters[1]`; of the resource where it is not told
        in the file. Empty for a resource of no file.
        """
        value = self.values.get(resource)
        if value is None:
            return ""
        found = _deepest(value, path)
        return f"{found.file}:{found.line}:{found.column}"


def load(path: Path) -> list[SiteFiles]:
    """Load a folder of sites, one site's folder, its folder of displays, a folder of files, one file of any kind, or `-`
    (what is piped in).

    The displays in a site's folder are all that the site shall have, as in their own folder; without any there the files say
    nothing of displays. Raises FileProblems.
    """
    try:
        return _load(path)
    except (OSError, RuntimeError) as error:  # a folder that may not be read, or links that lead in a circle
        told = error.strerror if isinstance(error, OSError) else "its links lead in a circle"
        raise FileProblems([FileProblem(path, 1, "", f"cannot be read: {told}")]) from error


def _load(path: Path) -> list[SiteFiles]:
    if path == STDIN:
        return _documents([lambda: read_all(path, stream_text(path, sys.stdin))])
    if path.is_dir():
        folders = [path] if (path / "site.yaml").exists() else sorted(p.parent for p in path.glob("*/site.yaml"))
        if folders:
            return [_load_site(folder) for folder in folders]
        if path.resolve().name == "displays":
            return [_load_displays(path if path.name else path.resolve())]
        files = sorted(path.glob("*.yaml"))
        if not files:
            raise FileProblems([FileProblem(path, 1, "", "holds no site.yaml, nor do its folders, nor other files")])
        return _documents([lambda file=file: read_all(file) for file in files])  # type: ignore[misc]
    if path.name == "site.yaml" or path.name.startswith("holidays-"):
        return [_only_site(path.parent)]
    return _documents([lambda: read_all(path)])


def _documents(readers: Iterable[Callable[[], list[Value]]]) -> list[SiteFiles]:
    """Documents of any kind and any site, in any order but for calendars, which follow their site."""
    sites: dict[str, SiteFiles] = {}

    def load_one(reader: Callable[[], list[Value]]) -> None:
        values = reader()
        alone = len(values) == 1 and values[0].file.parent.name in _FOLDERS  # there the file's name counts
        for value in values:
            _document(value, sites, alone=alone)

    _collect(readers, load_one)
    return [sites[site] for site in sorted(sites)]


def _document(value: Value, sites: dict[str, SiteFiles], *, alone: bool) -> None:
    kind = value.child("kind")
    if not value.is_mapping:
        raise value.problem("must be a mapping (key: value)")
    if kind is None:
        raise value.problem("the key 'kind' is missing")
    text = kind.choice({one: one for one in ("Site", "HolidayCalendar", *_KINDS_OF_FILE)})
    owner = value.child("id" if text == "Site" else "site")
    site = f"sites/{identifier(owner)}" if owner else ""
    files = sites.setdefault(site, SiteFiles(site)) if owner else SiteFiles("")
    if text == "Site":
        files.site = _site(value, files, alone=alone)
    elif text == "HolidayCalendar":
        if files.site is None:
            raise value.problem("a calendar follows its site; give the site's folder, or both documents")
        files.site.holidays.extend(_holidays(value, files, alone=alone))
    else:
        _KINDS_OF_FILE[text](value, files, alone)


def _load_site(folder: Path) -> SiteFiles:
    files = _only_site(folder)
    for part in _FOLDERS:
        _collect(sorted((folder / part).glob("*.yaml")), lambda file: _resource_file(file, files))
    files.whole_displays = bool(files.displays)
    return files


def _load_displays(folder: Path) -> SiteFiles:
    """All displays of one site: that of the folder around, where that is a site's."""
    found = sorted(folder.glob("*.yaml"))
    if not found:
        raise FileProblems([FileProblem(folder, 1, "", "holds no display")])
    around = folder.resolve().parent
    files = SiteFiles(f"sites/{around.name}" if (around / "site.yaml").exists() else "", whole_displays=True)
    _collect(found, lambda file: _resource_file(file, files))
    return files


def _resource_file(file: Path, files: SiteFiles) -> None:
    value = read(file)
    if not value.is_mapping:
        raise value.problem("must be a mapping (key: value)")
    kind = value.child("kind")
    if kind is None:
        raise value.problem("the key 'kind' is missing")
    kind.choice(dict.fromkeys(_FOLDERS[file.parent.name]))
    _KINDS_OF_FILE[kind.text()](value, files, True)


def _only_site(folder: Path) -> SiteFiles:
    files = SiteFiles("")

    def with_holidays(file: Path) -> None:
        files.site = _site(read(file), files)

    _collect([folder / "site.yaml"], with_holidays)
    assert files.site is not None
    days = files.site.holidays
    _collect(sorted(folder.glob("holidays-*.yaml")), lambda file: days.extend(_holidays(read(file), files)))
    return files


def _collect(sources: Iterable[T], load_one: Callable[[T], object]) -> None:
    problems = []
    for source in sources:
        try:
            load_one(source)
        except FileProblem as problem:
            problems.append(problem)
    if problems:
        raise FileProblems(problems)


# --- site and holidays


def _site(value: Value, files: SiteFiles, *, alone: bool = True) -> site_pb2.Site:
    f = value.fields(
        "kind id name_id region_code zone timezone opening_hours",
        "name_en site_kind opened declared_services declared_agencies source queues_source channels calendar maintenance",
    )
    f["kind"].choice({"Site": None})
    site_id = identifier(f["id"])
    files.site_name = f"sites/{site_id}"
    files.keep_place(files.site_name, value)
    if alone and value.file.parent.name != site_id:
        raise f["id"].problem(f"must be the name of its folder, {value.file.parent.name!r}")
    site = site_pb2.Site(
        name=files.site_name,
        display_name=name(f),
        region_code=f["region_code"].text(),
        time_zone=_zone(f),
        kind=f.text("site_kind"),
        opened=f.text("opened"),
        opening_hours=_opening_hours(f["opening_hours"]),
    )
    if channels := f.get("channels"):
        site.channels.extend(_channel(item) for item in channels.items())
    if maintenance := f.get("maintenance"):
        site.maintenance.extend(_maintenance(item) for item in maintenance.items())
    if services := f.get("declared_services"):
        site.declared_services = services.whole()
    if agencies := f.get("declared_agencies"):
        site.declared_agencies = agencies.whole()
    if alone and (calendar := f.get("calendar")) and not (value.file.parent / calendar.text()).is_file():
        raise calendar.problem(f"there is no file {calendar.text()!r} beside this one")
    return site


def _maintenance(value: Value) -> site_pb2.Maintenance:
    f = value.fields("starts ends text_id", "text_en")
    return site_pb2.Maintenance(starts=f.text("starts"), ends=f.text("ends"), text=text(f, "text"))


def _zone(f: Fields) -> str:
    zones = f["zone"].choice(ZONES)
    zone = f["timezone"].text()
    if zone not in zones:
        raise f["timezone"].problem(f"{zone!r} is not a zone of {f['zone'].text()}: {', '.join(zones)}")
    return zone


def _channel(value: Value) -> str:
    f = value.fields("id name_id", "name_en")
    f["name_id"].text()
    return identifier(f["id"])


def _opening_hours(value: Value) -> Iterable[site_pb2.OpeningHours]:
    for weekday, span in week(value):
        yield site_pb2.OpeningHours(weekday=weekday, opens=span.text("opens"), closes=span.text("closes"))


def _holidays(value: Value, files: SiteFiles, *, alone: bool = True) -> Iterable[site_pb2.Holiday]:
    f = value.fields("kind site year days", "source confidence")
    f["kind"].choice({"HolidayCalendar": None})
    f["site"].choice({files.site_name.removeprefix("sites/"): None})
    year = f["year"].whole()
    if alone and value.file.stem != f"holidays-{year}":
        raise f["year"].problem(f"the file of {year} must be named holidays-{year}.yaml")
    return [_holiday(item, year) for item in f["days"].items()]


def _holiday(value: Value, year: int) -> site_pb2.Holiday:
    f = value.fields("date kind name_id", "name_en")
    if not f.text("date").startswith(f"{year:04}-"):
        raise f["date"].problem(f"{f.text('date')} is not a date of {year}")
    joint_leave = f["kind"].choice({"national_holiday": False, "joint_leave": True})
    return site_pb2.Holiday(date=f.text("date"), name=f["name_id"].text(), joint_leave=joint_leave)


# --- agencies and their services


def _agency_file(value: Value, files: SiteFiles, alone: bool) -> None:
    f = value.fields(
        "kind site id name_id category services",
        "name_en declared_services source queue facilities",
    )
    f["kind"].choice({"Agency": None})
    site = _of_site(f, files)
    agency = _agency(f, f"{site}/agencies/{identifier(f['id'])}")
    _named_as_its_file(f["id"], alone)
    offerings = []
    for item in f["services"].items():
        offering = _offering(item, site, agency.name)
        files.keep_place(offering.name, item)
        offerings.append(offering)
    files.keep_place(agency.name, value)
    files.agencies.append(agency)
    files.offerings.extend(offerings)


def _overseer_file(value: Value, files: SiteFiles, alone: bool) -> None:
    """Who oversees the site from outside, as a city's inspectorate does: an agency to which things are routed."""
    f = value.fields("kind site id name_id category", "name_en source")
    overseer = _agency(f, f"{_of_site(f, files)}/agencies/{identifier(f['id'])}")
    overseer.overseer = True
    _named_as_its_file(f["id"], alone)
    files.keep_place(overseer.name, value)
    files.overseers.append(overseer)


def _offering_file(value: Value, files: SiteFiles, alone: bool) -> None:
    """A service alone, as `export` writes one: what stands in an agency's file, with its site and agency."""
    f = value.fields("kind site agency id name_id service_kind source standard", "name_en aliases risk")
    site = _of_site(f, files)
    offering = _offering_of(f, f["service_kind"], site, f"{site}/agencies/{identifier(f['agency'])}")
    files.keep_place(offering.name, value)
    files.offerings.append(offering)


def _kind_file(value: Value, files: SiteFiles, alone: bool) -> None:
    kind = channelfile.kind(value)
    _of_site(_top(value), files)
    _named_as_its_file(_top(value)["id"], alone)
    files.keep_place(kind.name, value)
    files.kinds.append(kind)


def _channel_file(value: Value, files: SiteFiles, alone: bool) -> None:
    channel = channelfile.channel(value)
    _of_site(_top(value), files)
    _named_as_its_file(_top(value)["id"], alone)
    files.keep_place(channel.name, value)
    files.channels.append(channel)


def _display_file(value: Value, files: SiteFiles, alone: bool) -> None:
    display = displayfile.display(value)
    _of_site(_top(value), files)
    _named_as_its_file(_top(value)["id"], alone)
    files.keep_place(display.name, value)
    files.displays.append(display)


_KINDS_OF_FILE: dict[str, Callable[[Value, SiteFiles, bool], None]] = {
    "Agency": _agency_file,
    "Overseer": _overseer_file,
    "Offering": _offering_file,
    "ChannelKind": _kind_file,
    "Channel": _channel_file,
    "Display": _display_file,
}
_FOLDERS = {
    "kinds": ("ChannelKind",),
    "agencies": ("Agency",),
    "overseers": ("Overseer",),
    "channels": ("Channel",),
    "displays": ("Display",),
}


def _top(value: Value) -> Fields:
    return value.fields("", " ".join(value.keys()))


def _of_site(f: Fields, files: SiteFiles) -> str:
    site = f"sites/{identifier(f['site'])}"
    if files.site_name and site != files.site_name:
        raise f["site"].problem(f"must be {files.site_name.removeprefix('sites/')!r}, the site of its folder")
    files.site_name = site
    return site


def _named_as_its_file(value: Value, alone: bool) -> None:
    if alone and value.file.stem != value.text():
        raise value.problem(f"must be the name of its file, {value.file.stem!r}")


def _agency(f: Fields, resource: str) -> agency_pb2.Agency:
    agency = agency_pb2.Agency(
        name=resource, display_name=name(f), category=f["category"].choice(_CATEGORIES), source=f.text("source")
    )
    if declared := f.get("declared_services"):
        agency.declared_services = declared.whole()
    if queue := f.get("queue"):
        agency.queue.CopyFrom(queuefile.queue(queue))
    if facilities := f.get("facilities"):
        agency.facilities.extend(_facility(item) for item in facilities.items())
    return agency


def _facility(value: Value) -> agency_pb2.Facility:
    f = value.fields("id name_id", "name_en")
    return agency_pb2.Facility(id=identifier(f["id"]), display_name=name(f))


def _offering(value: Value, site: str, agency: str) -> offering_pb2.Offering:
    f = value.fields("id name_id kind source standard", "name_en aliases risk")
    return _offering_of(f, f["kind"], site, agency)


def _offering_of(f: Fields, kind: Value, site: str, agency: str) -> offering_pb2.Offering:
    aliases, risk = f.get("aliases"), f.get("risk")
    return offering_pb2.Offering(
        name=f"{site}/offerings/{identifier(f['id'])}",
        agency=agency,
        display_name=name(f),
        aliases=aliases.texts() if aliases else [],
        kind=kind.choice(_KINDS),
        source=f["source"].choice(_SOURCES),
        risk=risk.choice(_RISKS) if risk else "",
        standard=_standard(f["standard"]),
    )


def _standard(value: Value) -> offering_pb2.Standard:
    f = value.fields("", " ".join((*COMPONENTS, "sample")))
    standard = offering_pb2.Standard()
    for key, component in TEXT_COMPONENTS.items():
        setattr(standard, component, f.text(key))
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
        standard.sample_components.extend(item.choice(COMPONENTS) for item in sample.items())
    return standard


def _requirement(value: Value) -> offering_pb2.Requirement:
    f = value.fields("id name_id", "name_en")
    return offering_pb2.Requirement(id=identifier(f["id"]), display_name=name(f))


def _fee(value: Value) -> offering_pb2.Fee:
    f = value.fields("", "amount_idr tariffs formula_id basis")
    fee = offering_pb2.Fee(formula=f.text("formula_id"), basis=f.text("basis"))
    if amount := f.get("amount_idr"):
        fee.amount_idr = amount.whole(_MOST_RUPIAH)
    if tariffs := f.get("tariffs"):
        fee.tariffs.extend(_tariff(item) for item in tariffs.items())
    if sum((fee.HasField("amount_idr"), bool(fee.tariffs), bool(fee.formula))) != 1:
        raise value.problem("needs exactly one of amount_idr, tariffs, formula_id")
    return fee


def _tariff(value: Value) -> offering_pb2.Tariff:
    f = value.fields("name_id amount_idr", "name_en")
    return offering_pb2.Tariff(display_name=name(f), amount_idr=f["amount_idr"].whole(_MOST_RUPIAH))


# --- where a field stands


_STEP = re.compile(r"([a-z_]+)|\[(\d+)\]")


def _deepest(value: Value, path: str) -> Value:
    """The value that a path of the contract speaks of, or the nearest above it. The files' keys differ a little from the
    contract's: `display_name.id` is `name_id`, hours stand by weekday.
    """
    steps = [key or int(index) for key, index in _STEP.findall(path.partition(".")[2])]
    at = 0
    while at < len(steps):
        found, used = _next(value, steps[at:])
        if found is None:
            return value
        value, at = found, at + used
    return value


def _next(value: Value, steps: list[str | int]) -> tuple[Value | None, int]:
    first, second = steps[0], steps[1] if len(steps) > 1 else ""
    if isinstance(first, int):
        items = _flat(value)
        return (items[first], 1) if first < len(items) else (None, 0)
    stem = "name" if first == "display_name" else first
    if second in ("id", "en") and (found := value.child(f"{stem}_{second}")):
        return found, 2
    for key in (first, _FILE_KEYS.get(first, first), f"{stem}_id"):
        if found := value.child(key):
            return found, 1
    return None, 0


def _flat(value: Value) -> list[Value]:
    """Items of a list, or of a week's days one after the other."""
    if not value.is_mapping:
        return value.items() if value.is_list else []
    days = [value.child(day) for day in WEEKDAYS]
    return [item for day in days if day and day.is_list for item in day.items()]


_FILE_KEYS = {
    **{ours: theirs for theirs, ours in COMPONENTS.items()},
    "name": "id",
    "kind": "channel_kind",
    "time_zone": "timezone",
    "sample_components": "sample",
}
