"""A queue's description on its way from the catalogue's events to the domain. Knows the contract and the fields of the
read model; decides nothing but what a zero of the contract means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from mpp.catalog.v1 import agency_pb2, site_pb2
from mpp_chassis import downtime

from mpp_queue.domain import (
    TYPED_PEOPLE,
    AgendaHours,
    AppointmentRules,
    Closure,
    Maintenance,
    NumberRange,
    OpenHours,
    Policy,
    PolicyKind,
    PriorityClass,
    PriorityGroup,
    QueueSpec,
    Quota,
    Text,
)

_KINDS = {
    agency_pb2.PriorityPolicy.KIND_STRICT: PolicyKind.STRICT,
    agency_pb2.PriorityPolicy.KIND_RATIO: PolicyKind.RATIO,
    agency_pb2.PriorityPolicy.KIND_AGEING: PolicyKind.AGEING,
}


def fields_of_queue(queue: agency_pb2.QueueSpec) -> dict[str, Any]:
    """What the read model `agencies` keeps of a queue. Parts of the contract stay in the contract's own form."""
    return {
        "prefix": queue.prefix,
        "counters": list(queue.counters),
        "minutes_per_visit": queue.minutes_per_visit,
        "spec": queue.SerializeToString(deterministic=True),
    }


def fields_of_site(site: site_pb2.Site) -> dict[str, Any]:
    """What the read model `sites` keeps."""
    return {
        "time_zone": site.time_zone,
        "region": site.region_code,
        "opening_hours": [[h.weekday, h.opens, h.closes] for h in site.opening_hours],
        "holidays": [h.date for h in site.holidays],
        "maintenance": downtime.fields_of(site.maintenance),
        "display_name": [site.display_name.id, site.display_name.en],
    }


def spec_of(name: str, agency: Mapping[str, Any], site: Mapping[str, Any]) -> QueueSpec:
    """From the two read models; what an earlier version of the service wrote has fewer fields and means the defaults."""
    told = agency_pb2.QueueSpec.FromString(agency.get("spec", b""))
    return QueueSpec(
        name=name,
        site_id=name.split("/")[1],
        agency=agency["_id"],
        prefix=agency["prefix"],
        counters=tuple(agency["counters"]),
        minutes_per_visit=agency["minutes_per_visit"],
        zone=site["time_zone"],
        policy=policy_of(told.priority) if told.HasField("priority") else None,
        numbers=_numbers(told.numbers) if told.HasField("numbers") else NumberRange(),
        daily_contingent=told.daily_contingent,
        quota=_quota(told.quota),
        appointments=appointment_rules(told.appointments) if told.HasField("appointments") else None,
        hours_enforced=told.hours_enforced,
        opening_hours=tuple(OpenHours(*h) for h in site.get("opening_hours", ())),
        holidays=frozenset(site.get("holidays", ())),
        closed_text=Text(told.closed_text.id, told.closed_text.en),
        draining=told.draining,
        draining_text=Text(told.draining_text.id, told.draining_text.en),
        closures=closures_of(told.closures),
        maintenance=maintenance_of(site),
    )


def closures_of(told: Iterable[site_pb2.Closure]) -> tuple[Closure, ...]:
    """A queue's or a channel's days off."""
    return tuple(Closure(c.date, Text(c.text.id, c.text.en)) for c in told)


def maintenance_of(site: Mapping[str, Any]) -> tuple[Maintenance, ...]:
    """Of the read model `sites`."""
    windows = downtime.of_fields(site.get("maintenance", ()), site["time_zone"])
    return tuple(Maintenance(w.starts, w.ends, Text(w.text_id, w.text_en)) for w in windows)


def policy_of(told: agency_pb2.PriorityPolicy) -> Policy:
    default = Policy()
    classes = tuple(
        PriorityClass(c.id, frozenset(PriorityGroup(g) for g in c.groups), timedelta(minutes=c.boost_minutes))
        for c in told.classes
    )
    return Policy(
        kind=_KINDS.get(told.kind, PolicyKind.RATIO),
        classes=classes,
        run=told.run or default.run,
        max_wait=timedelta(minutes=told.max_wait_minutes) if told.max_wait_minutes else default.max_wait,
    )


def _numbers(told: agency_pb2.NumberRange) -> NumberRange:
    return NumberRange(told.first, told.last, tuple(told.blocked))


def _quota(told: agency_pb2.Quota) -> Quota:
    return Quota(
        per_day=told.per_day,
        cool_down=timedelta(minutes=told.cool_down_minutes),
        person_required=told.person_required,
        alarm_after=told.alarm_after,
        alarm_window=timedelta(minutes=told.alarm_window_minutes),
        typed_people=told.typed_people or TYPED_PEOPLE,
    )


def appointment_rules(told: agency_pb2.AppointmentRules) -> AppointmentRules:
    """A queue's or a channel's."""
    return AppointmentRules(
        slot=timedelta(minutes=told.slot_minutes),
        public_places=told.public_places,
        places=told.places,
        earliest_days=told.earliest_days,
        latest_days=told.latest_days,
        max_slots=told.max_slots or 1,
        hours=tuple(AgendaHours(h.weekday, h.opens, h.closes, tuple(h.weeks)) for h in told.hours),
        hold=timedelta(minutes=told.hold_minutes or 15),
        cooling=timedelta(minutes=told.cooling_minutes or 30),
        early=timedelta(minutes=told.early_minutes or 30),
        late=timedelta(minutes=told.late_minutes or 10),
        closures=frozenset(told.closures),
        variants=frozenset(told.variants) or frozenset({"on_site"}),
        video_link=told.video_link,
        max_open_per_email=told.max_open_per_email,
        max_open_per_person=told.max_open_per_person,
    )
