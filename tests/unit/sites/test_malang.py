"""The data of MPP Merdeka Malang is well formed, consistent and honest about what it does not know.

Knows the file format of `sites/` (sites/README.md) and the counts of the reference catalogue.
Never knows how the catalogue service stores or serves them.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
import yaml

SITE_DIR = Path(__file__).parents[3] / "sites" / "malang"
Document = dict[str, Any]

ID = re.compile(r"[a-z][a-z0-9-]{1,30}")
PREFIX = re.compile(r"[A-Z]{1,2}")
CATEGORIES = {
    "central_government",
    "regional_government",
    "state_owned_enterprise",
    "region_owned_enterprise",
    "private",
}
SERVICE_KINDS = {"goods", "service", "administrative"}
SOURCES = {"public", "sample"}
RISKS = {None, "low", "medium_low", "medium_high", "high"}
# A rule as it is cited: "UU 24/2013", "PMK 16/PMK.010/2017", "PER-13/BC/2021".
RULE = re.compile(r"(?:[A-Z][A-Za-z]* |PER-)\d+(?:/[A-Z][A-Z.0-9]*)?/\d{4}")
CHECKED_HOW = {"public_page", "national_rule", "first_comparison"}
TIME_UNITS = {"working_day", "working_hour", "minute"}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

# The 14 components of a service standard (UU 25/2009, PermenPANRB 15/2014).
TEXT_COMPONENTS = (
    "product_id",
    "complaint_handling_id",
    "facilities_id",
    "competence_id",
    "supervision_id",
    "service_guarantee_id",
    "security_guarantee_id",
    "evaluation_id",
)
COMPONENTS = (*TEXT_COMPONENTS, "requirements", "procedure_id", "time", "fee", "legal_basis", "staff_count")

AGENCY_KEYS = [
    "kind",
    "site",
    "id",
    "name_id",
    "name_en",
    "category",
    "declared_services",
    "source",
    "queue",
    "facilities",
    "services",
]
# What they may hold, and how they fit together, is the catalogue's to say: see test_channels.py.
QUEUE_MORE = (
    "priority",
    "numbers",
    "daily_contingent",
    "quota",
    "appointments",
    "hours_enforced",
    "closed_text_id",
    "closed_text_en",
)
SERVICE_KEYS = ["id", "name_id", "name_en", "aliases", "kind", "source", "risk", "standard"]
SITE_KEYS = [
    "kind",
    "id",
    "name_id",
    "name_en",
    "region_code",
    "zone",
    "timezone",
    "site_kind",
    "opened",
    "declared_services",
    "declared_agencies",
    "source",
    "queues_source",
    "opening_hours",
    "channels",
    "calendar",
]

# DOMAIN.md, "MPP Merdeka Malang, the reference catalogue". None: the agency is present without a count.
DECLARED: dict[str, int | None] = {
    "imigrasi": 2,
    "kpp-malang-utara": 2,
    "kpp-malang-selatan": 2,
    "bpjs-kesehatan": 2,
    "bpjs-ketenagakerjaan": 3,
    "bank-jatim": 11,
    "samsat": 1,
    "disnaker-pmptsp": 129,
    "dukcapil": 6,
    "bapenda": 7,
    "perpustakaan": None,
    "tugu-tirta": 2,
    "bpr-tugu-artha": 3,
    "disporapar": None,
    "bea-cukai": None,
    "kejaksaan-negeri": None,
    "pengadilan-negeri": None,
    "pengadilan-agama": None,
    "polresta": None,
    "dpuprkp": None,
    "diskominfo": None,
    "dlh": None,
}


class StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key written twice, where YAML libraries silently keep the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = [key for key, count in Counter(keys).items() if count > 1]
        if twice:
            raise ValueError(f"line {node.start_mark.line + 1}: key {twice[0]!r} is written twice")
        return super().construct_mapping(node, deep)


def load(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=StrictLoader)


def keys(where: str, value: Any, required: list[str], optional: tuple[str, ...] = ()) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: must be a mapping, is {type(value).__name__}"
        return
    yield from (f"{where}: unknown key {key!r}" for key in value if key not in (*required, *optional))
    yield from (f"{where}: key {key!r} is missing" for key in required if key not in value)


def text(where: str, value: Any) -> Iterator[str]:
    if not isinstance(value, str) or not value.strip() or value != value.strip():
        yield f"{where}: must be a text without blanks around it, is {value!r}"


def identifier(where: str, value: Any) -> Iterator[str]:
    if not isinstance(value, str) or not ID.fullmatch(value):
        yield f"{where}: {value!r} is not an id (a-z, 0-9, hyphen; 2 to 31 characters, a letter first)"


def one_of(where: str, value: Any, allowed: set[Any]) -> Iterator[str]:
    if value not in allowed:
        yield f"{where}: {value!r} is not one of {sorted(map(str, allowed))}"


def whole(where: str, value: Any, least: int) -> Iterator[str]:
    if type(value) is not int or value < least:
        yield f"{where}: must be a whole number of at least {least}, is {value!r}"


def texts(where: str, value: Any) -> Iterator[str]:
    if not isinstance(value, list) or not value:
        yield f"{where}: must be a list with at least one text"
        return
    for index, item in enumerate(value):
        yield from text(f"{where}[{index}]", item)


def named(where: str, value: Any) -> Iterator[str]:
    """A list of {id, name_id, name_en} with ids unique in the list."""
    if not isinstance(value, list):
        yield f"{where}: must be a list"
        return
    for index, item in enumerate(value):
        wrong = list(keys(f"{where}[{index}]", item, ["id", "name_id", "name_en"]))
        yield from wrong
        if not wrong:
            yield from identifier(f"{where}[{index}].id", item["id"])
            yield from text(f"{where}[{index}].name_id", item["name_id"])
            yield from text(f"{where}[{index}].name_en", item["name_en"])
    ids = Counter(item["id"] for item in value if isinstance(item, dict) and "id" in item)
    yield from (f"{where}: id {key!r} is used twice" for key, count in ids.items() if count > 1)


def fee_problems(where: str, fee: Any, is_sample: bool) -> Iterator[str]:
    yield from keys(where, fee, [], ("amount_idr", "tariffs", "formula_id", "basis"))
    if not isinstance(fee, dict):
        return
    if len({"amount_idr", "tariffs", "formula_id"} & fee.keys()) != 1:
        yield f"{where}: needs exactly one of amount_idr, tariffs, formula_id"
    if "amount_idr" in fee:
        yield from whole(f"{where}.amount_idr", fee["amount_idr"], 0)
    if "formula_id" in fee:
        yield from text(f"{where}.formula_id", fee["formula_id"])
    if "tariffs" in fee:
        yield from tariff_problems(f"{where}.tariffs", fee["tariffs"])
    if "basis" in fee:
        yield from text(f"{where}.basis", fee["basis"])
    elif not is_sample:
        yield f"{where}: has no basis and is not listed in sample"


def tariff_problems(where: str, tariffs: Any) -> Iterator[str]:
    if not isinstance(tariffs, list) or not tariffs:
        yield f"{where}: must be a list with at least one tariff"
        return
    for index, tariff in enumerate(tariffs):
        at = f"{where}[{index}]"
        wrong = list(keys(at, tariff, ["name_id", "name_en", "amount_idr"]))
        yield from wrong
        if not wrong:
            yield from text(f"{at}.name_id", tariff["name_id"])
            yield from text(f"{at}.name_en", tariff["name_en"])
            yield from whole(f"{at}.amount_idr", tariff["amount_idr"], 0)


def sample_problems(where: str, standard: Document, source: Any) -> Iterator[str]:
    sample = standard.get("sample")
    if not isinstance(sample, list):
        yield f"{where}.sample: must be a list of component names"
        return
    for name in sample:
        if name not in COMPONENTS:
            yield f"{where}.sample: {name!r} is not a component"
        elif name not in standard:
            yield f"{where}.sample: {name!r} is absent from the standard"
    yield from (f"{where}.sample: {name!r} is named twice" for name, n in Counter(map(str, sample)).items() if n > 1)
    if source == "sample":
        unmarked = [name for name in COMPONENTS if name in standard and name not in sample]
        yield from (f"{where}.sample: the service is a sample, so {name!r} must be named" for name in unmarked)
    if source == "public":
        yield from public_problems(where, standard, sample)


def public_problems(where: str, standard: Document, sample: list[Any]) -> Iterator[str]:
    """A public service stands on a listed rule, and so does each of its facts that is not marked as a sample."""
    legal_basis = standard.get("legal_basis")
    if "requirements" not in standard:
        yield f"{where}: source public needs 'requirements'"
    if "legal_basis" in sample:
        yield f"{where}.sample: 'legal_basis' cannot be a sample when the source is public"
    if not legal_basis:
        yield f"{where}: source public needs 'legal_basis'"
        for name in ("requirements", "time", "fee"):
            if name in standard and name not in sample:
                yield f"{where}.{name}: is not listed in sample, but no legal basis is listed"
        return
    fee = standard.get("fee")
    if isinstance(fee, dict) and "fee" not in sample:
        listed = {rule for entry in legal_basis for rule in RULE.findall(str(entry))}
        for rule in RULE.findall(str(fee.get("basis", ""))):
            if rule not in listed:
                yield f"{where}.fee.basis: {rule} is not listed in legal_basis"


def time_problems(where: str, duration: Any) -> Iterator[str]:
    wrong = list(keys(where, duration, ["amount", "unit"]))
    yield from wrong
    if not wrong:
        yield from whole(f"{where}.amount", duration["amount"], 1)
        yield from one_of(f"{where}.unit", duration["unit"], TIME_UNITS)


def standard_problems(where: str, standard: Any, source: Any) -> Iterator[str]:
    yield from keys(where, standard, ["sample"], COMPONENTS)
    if not isinstance(standard, dict):
        return
    yield from sample_problems(where, standard, source)
    for name in TEXT_COMPONENTS:
        if name in standard:
            yield from text(f"{where}.{name}", standard[name])
    for name in ("procedure_id", "legal_basis"):
        if name in standard:
            yield from texts(f"{where}.{name}", standard[name])
    if "requirements" in standard:
        yield from named(f"{where}.requirements", standard["requirements"])
    if "staff_count" in standard:
        yield from whole(f"{where}.staff_count", standard["staff_count"], 1)
    if "fee" in standard:
        yield from fee_problems(f"{where}.fee", standard["fee"], "fee" in (standard.get("sample") or []))
    if "time" in standard:
        yield from time_problems(f"{where}.time", standard["time"])


def service_problems(where: str, service: Any) -> Iterator[str]:
    wrong = list(keys(where, service, SERVICE_KEYS))
    yield from wrong
    if wrong:
        return
    yield from identifier(f"{where}.id", service["id"])
    yield from text(f"{where}.name_id", service["name_id"])
    yield from text(f"{where}.name_en", service["name_en"])
    yield from texts(f"{where}.aliases", service["aliases"])
    yield from one_of(f"{where}.kind", service["kind"], SERVICE_KINDS)
    yield from one_of(f"{where}.source", service["source"], SOURCES)
    yield from one_of(f"{where}.risk", service["risk"], RISKS)
    yield from standard_problems(f"{where}.standard", service["standard"], service["source"])


def queue_problems(where: str, queue: Any) -> Iterator[str]:
    wrong = list(keys(where, queue, ["id", "prefix", "counters", "minutes_per_visit"], QUEUE_MORE))
    yield from wrong
    if wrong:
        return
    yield from identifier(f"{where}.id", queue["id"])
    if not isinstance(queue["prefix"], str) or not PREFIX.fullmatch(queue["prefix"]):
        yield f"{where}.prefix: {queue['prefix']!r} is not one or two capital letters"
    yield from whole(f"{where}.minutes_per_visit", queue["minutes_per_visit"], 1)
    if not isinstance(queue["counters"], list) or not queue["counters"]:
        yield f"{where}.counters: must be a list with at least one counter"
        return
    for index, counter in enumerate(queue["counters"]):
        yield from whole(f"{where}.counters[{index}]", counter, 1)


def agency_problems(filename: str, agency: Any) -> Iterator[str]:
    """Everything wrong in one agency's file; each text names the file and the key."""
    wrong = list(keys(filename, agency, AGENCY_KEYS))
    yield from wrong
    if wrong:
        return
    yield from one_of(f"{filename}: kind", agency["kind"], {"Agency"})
    yield from one_of(f"{filename}: site", agency["site"], {"malang"})
    yield from identifier(f"{filename}: id", agency["id"])
    yield from one_of(f"{filename}: id", agency["id"], {filename.removesuffix(".yaml")})
    for name in ("name_id", "name_en", "source"):
        yield from text(f"{filename}: {name}", agency[name])
    yield from one_of(f"{filename}: category", agency["category"], CATEGORIES)
    yield from named(f"{filename}: facilities", agency["facilities"])
    if not isinstance(agency["services"], list):
        yield f"{filename}: services: must be a list"
        return
    for index, service in enumerate(agency["services"]):
        label = service.get("id", index) if isinstance(service, dict) else index
        yield from service_problems(f"{filename}: services[{label}]", service)
    if agency["queue"] is not None:
        yield from queue_problems(f"{filename}: queue", agency["queue"])
    elif agency["services"]:
        yield f"{filename}: queue: an agency with services needs a queue"
    if not agency["services"] and not agency["facilities"]:
        yield f"{filename}: has neither a service nor a facility"
    declared = agency["declared_services"]
    if declared is not None:
        yield from whole(f"{filename}: declared_services", declared, 1)
        if type(declared) is int and len(agency["services"]) > declared:
            yield f"{filename}: itemises {len(agency['services'])} services but declares {declared}"


def clash_problems(agencies: dict[str, Document]) -> Iterator[str]:
    """Ids, prefixes and counters that two files claim."""
    claims: dict[tuple[str, Any], list[str]] = {}
    for filename, agency in agencies.items():
        for service in agency["services"]:
            claims.setdefault(("service id", service["id"]), []).append(filename)
        for facility in agency["facilities"]:
            claims.setdefault(("facility id", facility["id"]), []).append(filename)
        if queue := agency["queue"]:
            claims.setdefault(("queue id", queue["id"]), []).append(filename)
            claims.setdefault(("prefix", queue["prefix"]), []).append(filename)
            for counter in queue["counters"]:
                claims.setdefault(("counter", counter), []).append(filename)
    for (what, value), files in claims.items():
        if len(files) > 1:
            yield f"{' and '.join(files)}: {what} {value!r} is used twice"


AGENCIES: dict[str, Document] = {path.name: load(path) for path in sorted((SITE_DIR / "agencies").glob("*.yaml"))}
SITE: Document = load(SITE_DIR / "site.yaml")
CALENDARS: dict[str, Document] = {path.name: load(path) for path in sorted(SITE_DIR.glob("holidays-*.yaml"))}
CHECKED: Document = load(SITE_DIR / "checked.yaml")
SERVICES = [service for agency in AGENCIES.values() for service in agency["services"]]


@pytest.mark.parametrize("filename", AGENCIES)
def test_an_agency_file_follows_the_schema(filename: str) -> None:
    assert list(agency_problems(filename, AGENCIES[filename])) == []


def test_no_service_id_prefix_or_counter_is_used_twice() -> None:
    assert list(clash_problems(AGENCIES)) == []


def test_the_agencies_are_those_of_the_reference_catalogue_with_its_counts() -> None:
    assert {agency["id"]: agency["declared_services"] for agency in AGENCIES.values()} == DECLARED


def test_declared_totals_are_kept_apart_from_the_itemised_total() -> None:
    attributed = sum(agency["declared_services"] or 0 for agency in AGENCIES.values())
    assert SITE["declared_agencies"] == len(AGENCIES) == 22
    assert SITE["declared_services"] == 197
    assert attributed == 170
    assert SITE["declared_services"] - attributed == 27
    assert len(SERVICES) >= 100


def test_the_inspectorate_oversees_and_is_none_of_the_declared_agencies() -> None:
    """Where reports of an overcharge go is data of complaints: its agency is here, beside the 22."""
    overseers = {path.stem: load(path) for path in (SITE_DIR / "overseers").glob("*.yaml")}
    complaints = Path(__file__).parents[3] / "services" / "complaints" / "mpp_complaints" / "deadlines.yaml"
    assert load(complaints)["overcharge"]["inspectorate"]["agency"] in overseers
    assert not overseers.keys() & DECLARED.keys()
    for name, overseer in overseers.items():
        assert (overseer["id"], overseer["kind"], overseer["site"]) == (name, "Overseer", "malang")


def test_facilities_are_facilities_and_not_services() -> None:
    facilities = {a["id"]: a["facilities"][0]["id"] for a in AGENCIES.values() if a["facilities"]}
    assert facilities == {"perpustakaan": "reading-corner", "disporapar": "co-working-space"}
    for agency_id in facilities:
        agency = AGENCIES[f"{agency_id}.yaml"]
        assert agency["services"] == []
        assert agency["queue"] is None


def test_dukcapil_serves_the_six_free_documents_at_counter_3_with_prefix_d() -> None:
    dukcapil = AGENCIES["dukcapil.yaml"]
    assert len(dukcapil["services"]) == dukcapil["declared_services"] == 6
    assert dukcapil["queue"]["prefix"] == "D"
    assert 3 in dukcapil["queue"]["counters"]
    for service in dukcapil["services"]:
        assert service["standard"]["fee"] == {"amount_idr": 0, "basis": "UU 24/2013 pasal 79A"}, service["id"]


def test_kartu_keluarga_is_found_by_its_name_and_shows_its_gaps() -> None:
    wanted = "kartu keluarga"
    found = [s for s in SERVICES if wanted in s["name_id"].lower() or wanted in s["aliases"]]
    assert [service["id"] for service in found] == ["kartu-keluarga-baru"]
    gaps = {name for name in COMPONENTS if name not in found[0]["standard"]}
    assert {"staff_count", "competence_id"} <= gaps
    assert "requirements" not in gaps


@pytest.mark.parametrize(
    ("service_id", "amounts"),
    [
        ("paspor-baru", [350_000, 650_000, 650_000, 950_000, 1_000_000]),  # PP 45/2024
        ("sim-perpanjangan", [80_000, 75_000, 30_000]),  # PP 76/2020
        ("surat-tidak-pernah-dipidana", [10_000]),  # PP 5/2019
    ],
)
def test_a_fee_set_by_national_rule_is_that_fee(service_id: str, amounts: list[int]) -> None:
    fee = next(s["standard"]["fee"] for s in SERVICES if s["id"] == service_id)
    assert [t["amount_idr"] for t in fee.get("tariffs", [fee])] == amounts


def checked_problems(document: Any, services: list[Document]) -> Iterator[str]:
    """Where checked.yaml and the marks disagree: unmarked but not checked, or checked but marked or absent."""
    wrong = list(keys("checked.yaml", document, ["kind", "site", "checked"]))
    yield from wrong
    if wrong:
        return
    claims: Counter[tuple[str, str]] = Counter()
    for index, entry in enumerate(document["checked"]):
        at = f"checked.yaml: checked[{index}]"
        wrong = list(keys(at, entry, ["how", "against", "components", "services"]))
        yield from wrong
        if not wrong:
            yield from one_of(f"{at}.how", entry["how"], CHECKED_HOW)
            yield from text(f"{at}.against", entry["against"])
            claims.update((service, name) for service in entry["services"] for name in entry["components"])
    unmarked = {
        (service["id"], name)
        for service in services
        for name in service["standard"]
        if service["source"] == "public" and name in COMPONENTS
        if name != "legal_basis" and name not in service["standard"]["sample"]
    }
    for service_id, name in sorted(unmarked - claims.keys()):
        yield f"checked.yaml: {service_id}: {name!r} is neither checked nor listed in sample"
    for service_id, name in sorted(claims.keys() - unmarked):
        yield f"checked.yaml: {service_id}: {name!r} is checked, but absent or listed in sample"
    for (service_id, name), count in claims.items():
        if count > 1:
            yield f"checked.yaml: {service_id}: {name!r} is checked twice"


def test_only_what_was_checked_is_shown_without_the_sample_mark() -> None:
    assert list(checked_problems(CHECKED, SERVICES)) == []


@pytest.mark.parametrize(
    ("unmark", "mark", "message"),
    [
        ("time", None, "kartu-keluarga-baru: 'time' is neither checked nor listed in sample"),
        (None, "fee", "kartu-keluarga-baru: 'fee' is checked, but absent or listed in sample"),
    ],
)
def test_a_mark_that_disagrees_with_the_checks_is_named(unmark: str | None, mark: str | None, message: str) -> None:
    services = copy.deepcopy(SERVICES)
    sample = next(s["standard"]["sample"] for s in services if s["id"] == "kartu-keluarga-baru")
    if unmark:
        sample.remove(unmark)
    if mark:
        sample.append(mark)
    assert list(checked_problems(CHECKED, services)) == [f"checked.yaml: {message}"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"how": "hearsay"}, "checked[0].how: 'hearsay' is not one of"),
        ({"against": ""}, "checked[0].against: must be a text"),
        ({"services": ["no-such-service"]}, "no-such-service: 'fee' is checked, but absent"),
    ],
)
def test_a_check_that_says_nothing_is_named(change: Document, message: str) -> None:
    document = copy.deepcopy(CHECKED)
    document["checked"][0].update(change)
    problems = list(checked_problems(document, SERVICES))
    assert any(message in problem for problem in problems), problems


def test_the_steps_shared_by_all_counters_are_never_shown_as_a_fact() -> None:
    shared = Counter(tuple(s["standard"].get("procedure_id", ())) for s in SERVICES).most_common(1)[0][0]
    marked = [s["id"] for s in SERVICES if tuple(s["standard"].get("procedure_id", ())) == shared]
    assert len(marked) > 50
    assert all("procedure_id" in s["standard"]["sample"] for s in SERVICES if s["id"] in marked)


def test_the_standard_has_exactly_the_fourteen_components_of_the_law() -> None:
    assert len(set(COMPONENTS)) == len(COMPONENTS) == 14


def opening_hours_problems(hours: Document) -> Iterator[str]:
    yield from keys("site.yaml: opening_hours", hours, ["source", *WEEKDAYS])
    for day in WEEKDAYS:
        end = time.min
        for index, span in enumerate(hours.get(day, [])):
            at = f"site.yaml: opening_hours.{day}[{index}]"
            wrong = list(keys(at, span, ["opens", "closes"]))
            yield from wrong
            if not wrong:
                opens, closes = time.fromisoformat(span["opens"]), time.fromisoformat(span["closes"])
                if not end <= opens < closes:
                    yield f"{at}: {span['opens']}-{span['closes']} is empty or overlaps the span before it"
                end = closes


def minutes_of_break(day: list[Document]) -> int:
    closes, opens = time.fromisoformat(day[0]["closes"]), time.fromisoformat(day[1]["opens"])
    return (opens.hour - closes.hour) * 60 + opens.minute - closes.minute


def test_the_site_file_follows_the_schema() -> None:
    assert list(keys("site.yaml", SITE, SITE_KEYS)) == []
    assert list(named("site.yaml: channels", SITE["channels"])) == []
    assert list(opening_hours_problems(SITE["opening_hours"])) == []
    assert (SITE["kind"], SITE["id"], SITE["region_code"]) == ("Site", "malang", "35.73")
    assert (SITE["zone"], SITE["timezone"]) == ("WIB", "Asia/Jakarta")
    assert date.fromisoformat(SITE["opened"]) == date(2022, 12, 5)
    assert {channel["id"] for channel in SITE["channels"]} == {"counter", "kiosk", "online"}
    assert SITE["calendar"] in CALENDARS
    # Nobody told us the hours, the counters or the prefixes: the data must say so.
    assert SITE["opening_hours"]["source"] == SITE["queues_source"] == "sample"


def test_friday_has_the_longer_break() -> None:
    hours = SITE["opening_hours"]
    assert minutes_of_break(hours["friday"]) > minutes_of_break(hours["thursday"])


@pytest.mark.parametrize("filename", CALENDARS)
def test_a_holiday_calendar_is_ordered_unique_and_of_its_year(filename: str) -> None:
    calendar = CALENDARS[filename]
    assert list(keys(filename, calendar, ["kind", "site", "year", "source", "confidence", "days"])) == []
    assert filename == f"holidays-{calendar['year']}.yaml"
    assert calendar["confidence"] in {"primary", "secondary"}
    for index, day in enumerate(calendar["days"]):
        assert list(keys(f"{filename}: days[{index}]", day, ["date", "kind", "name_id", "name_en"])) == []
        assert day["kind"] in {"national_holiday", "joint_leave"}, (filename, day)
        assert date.fromisoformat(day["date"]).year == calendar["year"], (filename, day)
    dates = [day["date"] for day in calendar["days"]]
    assert dates == sorted(set(dates))


def test_2026_has_the_17_holidays_and_8_days_of_joint_leave_of_the_decree() -> None:
    kinds = Counter(day["kind"] for day in CALENDARS["holidays-2026.yaml"]["days"])
    assert kinds == {"national_holiday": 17, "joint_leave": 8}
    joint = [day for day in CALENDARS["holidays-2026.yaml"]["days"] if day["kind"] == "joint_leave"]
    assert all(date.fromisoformat(day["date"]).weekday() < 5 for day in joint)


# The validator itself: each defect below must be named, or the tests above prove nothing.
Defect = Callable[[Document], object]


def first(agency: Document) -> Document:
    standard: Document = agency["services"][0]["standard"]
    return standard


@pytest.mark.parametrize(
    ("defect", "message"),
    [
        (lambda a: a.update(nickname="x"), "dukcapil.yaml: unknown key 'nickname'"),
        (lambda a: a.pop("category"), "dukcapil.yaml: key 'category' is missing"),
        (lambda a: a.update(id="catpil"), "dukcapil.yaml: id: 'catpil' is not one of"),
        (lambda a: a.update(declared_services=5), "dukcapil.yaml: itemises 6 services but declares 5"),
        (lambda a: a.update(queue=None), "dukcapil.yaml: queue: an agency with services needs a queue"),
        (lambda a: a["queue"].update(prefix="DKC"), "queue.prefix: 'DKC'"),
        (lambda a: a["queue"].update(counters=["3"]), "queue.counters[0]: must be a whole number"),
        (lambda a: a["services"][0].update(note="x"), "services[kartu-keluarga-baru]: unknown key 'note'"),
        (lambda a: a["services"][0].update(source="rumour"), ".source: 'rumour' is not one of"),
        (lambda a: first(a).update(price=1), "services[kartu-keluarga-baru].standard: unknown key 'price'"),
        (lambda a: first(a).pop("legal_basis"), "standard: source public needs 'legal_basis'"),
        (lambda a: first(a).pop("requirements"), "standard: source public needs 'requirements'"),
        (lambda a: first(a).pop("legal_basis"), "standard.fee: is not listed in sample, but no legal basis"),
        (lambda a: first(a).update(legal_basis=[]), "standard.requirements: is not listed in sample, but no legal"),
        (
            lambda a: (first(a).pop("legal_basis"), first(a)["sample"].remove("time")),
            "standard.time: is not listed in sample, but no legal basis",
        ),
        (lambda a: first(a)["legal_basis"].remove("UU 24/2013"), "fee.basis: UU 24/2013 is not listed in legal_basis"),
        (lambda a: first(a)["sample"].append("legal_basis"), "'legal_basis' cannot be a sample"),
        (lambda a: first(a)["sample"].append("time"), "standard.sample: 'time' is named twice"),
        (lambda a: first(a)["sample"].append("tempo"), "standard.sample: 'tempo' is not a component"),
        (lambda a: a["services"][0].update(source="sample"), "the service is a sample, so 'fee' must be named"),
        (lambda a: first(a)["sample"].append("staff_count"), "'staff_count' is absent from the standard"),
        (lambda a: first(a)["fee"].pop("basis"), "standard.fee: has no basis and is not listed in sample"),
        (lambda a: first(a)["fee"].update(formula_id="x"), "standard.fee: needs exactly one of"),
        (lambda a: first(a)["fee"].update(amount_idr="0"), "fee.amount_idr: must be a whole number"),
        (lambda a: first(a)["time"].update(unit="day"), "standard.time.unit: 'day' is not one of"),
        (
            lambda a: first(a)["requirements"].append(first(a)["requirements"][0]),
            "id 'kk-lama' is used twice",
        ),
    ],
)
def test_a_defect_is_named_with_its_file_and_key(defect: Defect, message: str) -> None:
    agency = copy.deepcopy(AGENCIES["dukcapil.yaml"])
    defect(agency)
    problems = list(agency_problems("dukcapil.yaml", agency))
    assert any(message in problem for problem in problems), problems
    assert all(problem.startswith("dukcapil.yaml: ") for problem in problems)


@pytest.mark.parametrize(
    ("defect", "message"),
    [
        (lambda a: a["queue"].update(prefix="D"), "prefix 'D' is used twice"),
        (lambda a: a["queue"]["counters"].append(3), "counter 3 is used twice"),
        (lambda a: a["services"][0].update(id="akta-kelahiran"), "id 'akta-kelahiran' is used twice"),
    ],
)
def test_a_clash_between_two_files_names_both(defect: Defect, message: str) -> None:
    agencies = copy.deepcopy(AGENCIES)
    defect(agencies["samsat.yaml"])
    problems = list(clash_problems(agencies))
    assert len(problems) == 1
    assert problems[0].startswith("dukcapil.yaml and samsat.yaml: ")
    assert message in problems[0]


def test_a_key_written_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("id: a\nname: b\nid: c\n", encoding="utf-8")
    with pytest.raises(ValueError, match="key 'id' is written twice"):
        load(path)
