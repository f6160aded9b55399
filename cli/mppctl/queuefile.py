"""The `queue` of an agency's file: counters, order of the line, numbers, quota, bookings.

Knows the format and the public messages; what the fields mean to each other is the catalogue's business.
"""

from __future__ import annotations

from mpp.catalog.v1 import agency_pb2

from mppctl import fileparts
from mppctl.yamlfile import Value

_POLICIES = {
    "strict": agency_pb2.PriorityPolicy.KIND_STRICT,
    "ratio": agency_pb2.PriorityPolicy.KIND_RATIO,
    "ageing": agency_pb2.PriorityPolicy.KIND_AGEING,
}
_GROUPS = {g: g for g in ("disability", "elderly", "pregnant_or_nursing", "child", "disaster_victim")}
_QUOTA = "per_day cool_down_minutes alarm_after alarm_window_minutes typed_people"


def queue(value: Value) -> agency_pb2.QueueSpec:
    """Raises FileProblem."""
    f = value.fields(
        "id prefix counters minutes_per_visit",
        "priority numbers daily_contingent quota appointments hours_enforced closed_text_id closed_text_en "
        "draining draining_text_id draining_text_en closures",
    )
    spec = agency_pb2.QueueSpec(
        id=fileparts.identifier(f["id"]),
        prefix=f["prefix"].text(),
        counters=[counter.whole() for counter in f["counters"].items()],
        minutes_per_visit=f["minutes_per_visit"].whole(),
        daily_contingent=fileparts.whole(f, "daily_contingent"),
    )
    if enforced := f.get("hours_enforced"):
        spec.hours_enforced = enforced.flag()
    if closed := fileparts.text(f, "closed_text"):
        spec.closed_text.CopyFrom(closed)
    if draining := f.get("draining"):
        spec.draining = draining.flag()
    if drained := fileparts.text(f, "draining_text"):
        spec.draining_text.CopyFrom(drained)
    if days := f.get("closures"):
        spec.closures.extend(fileparts.closures(days))
    if policy := f.get("priority"):
        spec.priority.CopyFrom(_policy(policy))
    if numbers := f.get("numbers"):
        spec.numbers.CopyFrom(_numbers(numbers))
    if quota := f.get("quota"):
        spec.quota.CopyFrom(_quota(quota))
    if rules := f.get("appointments"):
        spec.appointments.CopyFrom(fileparts.appointments(rules))
    return spec


def _policy(value: Value) -> agency_pb2.PriorityPolicy:
    f = value.fields("kind classes", "run max_wait_minutes")
    return agency_pb2.PriorityPolicy(
        kind=f["kind"].choice(_POLICIES),
        classes=[_class(item) for item in f["classes"].items()],
        run=fileparts.whole(f, "run"),
        max_wait_minutes=fileparts.whole(f, "max_wait_minutes"),
    )


def _class(value: Value) -> agency_pb2.PriorityClass:
    f = value.fields("id name_id", "name_en groups boost_minutes")
    groups = f.get("groups")
    return agency_pb2.PriorityClass(
        id=f["id"].text(),
        display_name=fileparts.name(f),
        groups=[item.choice(_GROUPS) for item in groups.items()] if groups else [],
        boost_minutes=fileparts.whole(f, "boost_minutes"),
    )


def _numbers(value: Value) -> agency_pb2.NumberRange:
    f = value.fields("first", "last blocked")
    blocked = f.get("blocked")
    return agency_pb2.NumberRange(
        first=f["first"].whole(),
        last=fileparts.whole(f, "last"),
        blocked=[item.whole() for item in blocked.items()] if blocked else [],
    )


def _quota(value: Value) -> agency_pb2.Quota:
    f = value.fields("", f"{_QUOTA} person_required")
    required = f.get("person_required")
    numbers = {key: fileparts.whole(f, key) for key in _QUOTA.split()}
    return agency_pb2.Quota(person_required=bool(required and required.flag()), **numbers)
