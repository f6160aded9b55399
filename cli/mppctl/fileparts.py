"""Parts that several kinds of file share: names in two languages, ids, opening times, rules of booking.

Knows the format of the files and the public messages; opens no connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mpp.catalog.v1 import agency_pb2, site_pb2

from mppctl.yamlfile import Fields, Value

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
_KIND_ID = re.compile(r"[a-z][a-z0-9_]{0,40}")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MINUTES = (
    "slot_minutes public_places places earliest_days latest_days max_slots "
    "hold_minutes cooling_minutes early_minutes late_minutes max_open_per_email max_open_per_person"
)


def name(f: Fields, key: str = "name") -> site_pb2.LocalizedText:
    """`name_id` and `name_en`."""
    return site_pb2.LocalizedText(id=f[f"{key}_id"].text(), en=f.text(f"{key}_en"))


def identifier(value: Value) -> str:
    """An id of the catalogue. Raises FileProblem."""
    text = value.text()
    if not _ID.fullmatch(text):
        raise value.problem(f"{text!r} is not an id: small letters, digits and hyphens")
    return text


def kind_identifier(value: Value) -> str:
    """An id of a kind of channel or of one of its attributes. Raises FileProblem."""
    text = value.text()
    if not _KIND_ID.fullmatch(text):
        raise value.problem(f"{text!r} is not an id: small letters, digits and underscores")
    return text


def whole(f: Fields, key: str) -> int:
    """The number of the entry, or 0 where it is absent."""
    value = f.get(key)
    return value.whole() if value else 0


def week(value: Value, extra: str = "") -> Iterator[tuple[int, Fields]]:
    """Intervals by ISO weekday: `monday: [{opens: "08:00", closes: "12:00"}]`."""
    f = value.fields("", "source " + " ".join(WEEKDAYS))
    for number, day in enumerate(WEEKDAYS, start=1):
        intervals = f.get(day)
        for interval in intervals.items() if intervals else ():
            yield number, interval.fields("opens closes", extra)


def text(f: Fields, key: str) -> site_pb2.LocalizedText | None:
    """`text_id` and `text_en`, for the key `text`; None where neither is told. Raises FileProblem for English alone."""
    if not f.get(f"{key}_id"):
        if english := f.get(f"{key}_en"):
            raise english.problem(f"stands beside an Indonesian text: {key}_id is missing")
        return None
    return site_pb2.LocalizedText(id=f.text(f"{key}_id"), en=f.text(f"{key}_en"))


def closures(value: Value) -> Iterator[site_pb2.Closure]:
    """Days off: `- {date: "2026-12-24", text_id: ..., text_en: ...}`."""
    for item in value.items():
        f = item.fields("date", "text_id text_en")
        yield site_pb2.Closure(date=f.text("date"), text=text(f, "text"))


def appointments(value: Value) -> agency_pb2.AppointmentRules:
    """Rules of booking, of a queue or a channel."""
    f = value.fields("slot_minutes places", MINUTES + " hours closures variants video_link")
    rules = agency_pb2.AppointmentRules()
    for key in MINUTES.split():
        setattr(rules, key, whole(f, key))
    if hours := f.get("hours"):
        for weekday, span in week(hours, "weeks"):
            weeks = span.get("weeks")
            rules.hours.add(
                weekday=weekday,
                opens=span.text("opens"),
                closes=span.text("closes"),
                weeks=[one.whole() for one in weeks.items()] if weeks else [],
            )
    if days := f.get("closures"):
        rules.closures.extend(days.texts())
    if variants := f.get("variants"):
        rules.variants.extend(variants.texts())
    if f.get("video_link"):
        rules.video_link = f.text("video_link")
    return rules
