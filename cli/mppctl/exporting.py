"""`mppctl export`: what the catalogue holds of a site, and its displays, as files that `apply` takes again without a change.
Knows the format of the files (sites/README.md) and the public messages.

What the catalogue does not keep is not written: remarks, where a calendar comes from, the names of a site's channels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from google.protobuf import json_format
from google.protobuf.message import Message
from mpp.catalog.v1 import agency_pb2, channel_pb2, offering_pb2, site_pb2
from mpp.catalog.v1 import catalog_service_pb2 as pb
from mpp.catalog.v1 import catalog_service_pb2_grpc as rpc

from mppctl import applying, displayfile, displays
from mppctl.connection import Connection
from mppctl.fileparts import WEEKDAYS
from mppctl.getting import site_id, site_name
from mppctl.problems import errors, explained
from mppctl.showing import console
from mppctl.sitefiles import COMPONENTS, TEXT_COMPONENTS, ZONES

Document = dict[str, Any]
_ZONE = {zone: name for name, zones in ZONES.items() for zone in zones}
_COMPONENT = {ours: theirs for theirs, ours in COMPONENTS.items()}


def export(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help="A site (`malang`), `sites/malang/displays`, or the name of one resource.")
    ],
    folder: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write files below this folder instead of the screen.")
    ] = None,
) -> None:
    """Write what is there as YAML that `apply` takes again: a site with its displays, these alone, or one resource."""
    connection: Connection = context.obj
    with explained():
        site = site_name(name)
        files = _site_files(connection, site) if site.count("/") == 1 else _one(connection, site)
    if folder is None:
        typer.echo("---\n".join(map(dump, files.values())), nl=False)
        return
    with explained():
        for path, document in files.items():
            _write(folder / path, dump(document))
    console.print(f"{len(files)} files below {folder}")


def _write(target: Path, text: str) -> None:
    """Whole or not at all: an interruption leaves the file as it was. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(target)


def dump(document: Document) -> str:
    """YAML in the order of the keys. Texts that YAML would take for something else come in quotes."""
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120))


def _site_files(connection: Connection, name: str) -> dict[str, Document]:
    """File below the sites' folder -> document; the order is that in which `apply` needs them."""
    stub = connection.stub("catalog", rpc.CatalogServiceStub)
    message = connection.call(stub.GetSite, pb.GetSiteRequest(name=name))
    found, short = {f"{_last(name)}/site.yaml": site(message)}, _last(name)
    for year, days in holidays(message).items():
        found[f"{short}/holidays-{year}.yaml"] = days
    for one in applying.channel_kinds(connection, name):
        found[f"{short}/kinds/{_last(one.name)}.yaml"] = kind(one)
    services: dict[str, list[Any]] = {}
    for offered in applying.offerings(connection, name):
        services.setdefault(offered.agency, []).append(offered)
    for member in applying.agencies(connection, name):
        folder = "overseers" if member.overseer else "agencies"
        found[f"{short}/{folder}/{_last(member.name)}.yaml"] = agency(member, services.get(member.name, ()))
    for way in applying.channels(connection, name):
        found[f"{short}/channels/{_last(way.name)}.yaml"] = channel(way)
    if connection.knows("queue"):
        return found | _displays(connection, f"{name}/displays")
    errors.print(
        "# without displays: no endpoint of the queue service is known"
    )  # a remark also in a file of both streams
    return found


def _one(connection: Connection, name: str) -> dict[str, Document]:
    stub = connection.stub("catalog", rpc.CatalogServiceStub)
    collection, short = name.split("/")[2], f"{_last(name)}.yaml"
    if collection == "displays":
        return _displays(connection, name)
    if collection == "agencies":
        member = connection.call(stub.GetAgency, pb.GetAgencyRequest(name=name))
        return {short: agency(member, applying.offerings(connection, f"sites/{site_id(name)}", name))}
    if collection == "offerings":
        return {short: offering_alone(connection.call(stub.GetOffering, pb.GetOfferingRequest(name=name)))}
    if collection == "channelKinds":
        return {short: kind(connection.call(stub.GetChannelKind, pb.GetChannelKindRequest(name=name)))}
    if collection == "channels":
        return {short: channel(connection.call(stub.GetChannel, pb.GetChannelRequest(name=name)))}
    raise typer.BadParameter(f"{name!r} is no site, agency, service, kind, channel or display")


def _displays(connection: Connection, name: str) -> dict[str, Document]:
    """One, or all of a site: files of its folder of displays."""
    if name.count("/") > 2:
        return {f"{_last(name)}.yaml": displayfile.document(displays.one(connection, name))}
    site = name.rpartition("/")[0]
    found = displays.of_site(connection, site, connection.metadata(displays.READER, site=site_id(site)))
    return {f"{site_id(site)}/displays/{_last(d.name)}.yaml": displayfile.document(d) for d in found}


# --- resources as documents


def site(message: site_pb2.Site) -> Document:
    """`site.yaml`, without its holidays."""
    document: Document = {"kind": "Site", "id": _last(message.name), **_names(message.display_name)}
    document |= {
        "region_code": message.region_code,
        "zone": _ZONE[message.time_zone],
        "timezone": message.time_zone,
        "site_kind": message.kind,
        "opened": message.opened,
        "declared_services": _optional(message, "declared_services"),
        "declared_agencies": _optional(message, "declared_agencies"),
        "opening_hours": _week(message.opening_hours),
        "channels": [{"id": channel, "name_id": channel} for channel in message.channels],
        "maintenance": [{"starts": m.starts, "ends": m.ends, **_texts("text", m.text)} for m in message.maintenance],
    }
    return _without_gaps(document, keep=("opening_hours",))


def holidays(message: site_pb2.Site) -> dict[str, Document]:
    """A calendar for each year."""
    years: dict[str, list[Document]] = {}
    for day in message.holidays:
        kind = "joint_leave" if day.joint_leave else "national_holiday"
        years.setdefault(day.date[:4], []).append({"date": day.date, "kind": kind, "name_id": day.name})
    head = {"kind": "HolidayCalendar", "site": _last(message.name)}
    return {year: {**head, "year": int(year), "days": days} for year, days in years.items()}


def agency(message: agency_pb2.Agency, services: Iterable[offering_pb2.Offering]) -> Document:
    """An agency's file with its services; an overseer's has none."""
    category = agency_pb2.Agency.Category.Name(message.category).removeprefix("CATEGORY_").lower()
    if message.overseer:
        head = _head("Overseer", message.name)
        return _without_gaps({**head, **_names(message.display_name), "category": category, "source": message.source})
    document = {**_head("Agency", message.name), **_names(message.display_name), "category": category}
    document["declared_services"] = _optional(message, "declared_services")
    document["source"] = message.source
    document["queue"] = _queue(message.queue) if message.HasField("queue") else None
    document["facilities"] = [{"id": f.id, **_names(f.display_name)} for f in message.facilities]
    document["services"] = [_service(one) for one in services]
    return _without_gaps(document, keep=("services",))


def offering_alone(message: offering_pb2.Offering) -> Document:
    """A service in a document of its own."""
    document = _service(message)
    document["service_kind"] = document.pop("kind")
    return {**_head("Offering", message.name), "agency": _last(message.agency), **document}


def kind(message: channel_pb2.ChannelKind) -> Document:
    """A kind of channel."""
    plain = _plain(message)
    attributes = [_attribute(one) for one in plain.get("attributes", ())]
    return {**_head("ChannelKind", message.name), **_names(message.display_name), "attributes": attributes}


def channel(message: channel_pb2.Channel) -> Document:
    """A channel."""
    document = _head("Channel", message.name)
    document |= {"channel_kind": _last(message.kind), "agency": _last(message.agency), **_names(message.display_name)}
    document["offerings"] = [_last(offering) for offering in message.offerings]
    document["settings"] = _whole(json_format.MessageToDict(message.settings))
    document["appointments"] = _rules(message.appointments) if message.HasField("appointments") else None
    document["closures"] = _closures(message.closures)
    return _without_gaps(document)


# --- parts


def _queue(message: agency_pb2.QueueSpec) -> Document:
    document = _plain(message)
    for told in ("closed_text", "draining_text"):
        if document.pop(told, None):
            document |= _texts(told, getattr(message, told))
    if message.closures:
        document["closures"] = _closures(message.closures)
    if policy := document.get("priority"):
        policy["kind"] = policy["kind"].removeprefix("KIND_").lower()
        policy["classes"] = [_renamed(one) for one in policy["classes"]]
    if "numbers" in document:
        document["numbers"] = {"first": 0, **document["numbers"]}
    if "appointments" in document:
        document["appointments"] = _rules(message.appointments)
    return document


def _closures(days: Iterable[site_pb2.Closure]) -> list[Document]:
    return [{"date": d.date, **(_texts("text", d.text) if d.HasField("text") else {})} for d in days]


def _texts(key: str, text: site_pb2.LocalizedText) -> Document:
    return {f"{key}_id": text.id, **({f"{key}_en": text.en} if text.en else {})}


def _rules(message: agency_pb2.AppointmentRules) -> Document:
    document = _plain(message)
    if message.hours:
        document["hours"] = _week(message.hours)
    return document


def _week(spans: Iterable[Any]) -> Document:
    """By weekday; within a day in the order of the contract, which is what makes two forms equal."""
    week: Document = {}
    for span in spans:
        entry: Document = {"opens": span.opens, "closes": span.closes}
        if weeks := list(getattr(span, "weeks", ())):
            entry["weeks"] = weeks
        week.setdefault(WEEKDAYS[span.weekday - 1], []).append(entry)
    return week


def _attribute(plain: Document) -> Document:
    document = _renamed(plain)
    document["type"] = document["type"].removeprefix("TYPE_").lower()
    if "entries" in document:
        document["entries"] = [_attribute(entry) for entry in document["entries"]]
    return document


def _service(message: offering_pb2.Offering) -> Document:
    kind = offering_pb2.Offering.Kind.Name(message.kind).removeprefix("KIND_").lower()
    source = offering_pb2.Offering.Source.Name(message.source).removeprefix("SOURCE_").lower()
    document: Document = {"id": _last(message.name), **_names(message.display_name), "aliases": list(message.aliases)}
    document |= {"kind": kind, "source": source, "risk": message.risk, "standard": _standard(message.standard)}
    return _without_gaps(document, keep=("standard",))


def _standard(message: offering_pb2.Standard) -> Document:
    plain = _plain(message)
    document: Document = {}
    if message.requirements:
        document["requirements"] = [{"id": r.id, **_names(r.display_name)} for r in message.requirements]
    document["procedure_id"] = plain.get("procedure")
    if message.HasField("time"):
        unit = offering_pb2.ServiceTime.Unit.Name(message.time.unit).removeprefix("UNIT_").lower()
        document["time"] = {"amount": message.time.amount, "unit": unit}
    if message.HasField("fee"):
        document["fee"] = _fee(message.fee)
    document |= {theirs: plain.get(ours) for theirs, ours in TEXT_COMPONENTS.items()}
    document["legal_basis"] = plain.get("legal_basis")
    document["staff_count"] = _optional(message, "staff_count")
    document["sample"] = [_COMPONENT[name] for name in message.sample_components]
    return _without_gaps(document)


def _fee(message: offering_pb2.Fee) -> Document:
    tariffs = [{**_names(t.display_name), "amount_idr": t.amount_idr} for t in message.tariffs]
    return _without_gaps(
        {
            "amount_idr": _optional(message, "amount_idr"),
            "tariffs": tariffs,
            "formula_id": message.formula,
            "basis": message.basis,
        }
    )


def _head(kind: str, name: str) -> Document:
    return {"kind": kind, "site": site_id(name), "id": _last(name)}


def _names(text: site_pb2.LocalizedText) -> Document:
    return {"name_id": text.id, **({"name_en": text.en} if text.en else {})}


def _renamed(plain: Mapping[str, Any]) -> Document:
    """`display_name: {id, en}` as the files say it; the id stays first."""
    names = plain["display_name"]
    renamed: Document = {"id": plain["id"], "name_id": names["id"]}
    if "en" in names:
        renamed["name_en"] = names["en"]
    return renamed | {key: value for key, value in plain.items() if key not in ("id", "display_name")}


def _plain(message: Message) -> Document:
    return dict(_whole(json_format.MessageToDict(message, preserving_proto_field_name=True)))


def _whole(value: Any) -> Any:
    """A Struct's numbers as whole ones."""
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _without_gaps(document: Document, keep: tuple[str, ...] = ()) -> Document:
    """Absent things stay absent."""
    return {key: value for key, value in document.items() if key in keep or value not in (None, "", [], {})}


def _optional(message: Any, name: str) -> int | None:
    return int(getattr(message, name)) if message.HasField(name) else None


def _last(name: str) -> str:
    return name.rsplit("/", 1)[1]
