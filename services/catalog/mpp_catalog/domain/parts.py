"""What resources share: text for citizens, and the checks that name a field. Knows no resource."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from mpp_catalog.domain.errors import InvalidField


@dataclass(frozen=True, slots=True)
class Text:
    """Text for citizens: Indonesian first, English beside it (which may be empty)."""

    id: str
    en: str = ""


@dataclass(frozen=True, slots=True)
class Closure:
    """A day off, ISO date, of a queue or a channel; without a text its own closed text is shown."""

    date: str
    text: Text | None = None


def site_of(name: str) -> str:
    """`sites/{site}` of any resource name below it."""
    return "/".join(name.split("/")[:2])


def check_text(path: str, text: Text) -> None:
    if not text.id.strip():
        raise InvalidField(f"{path}.id", "the Indonesian text must not be blank")


def check_unique(path: str, values: Sequence[str] | Sequence[int]) -> None:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise InvalidField(path, f"{twice[0]!r} is given twice")


def check_date(path: str, value: str) -> None:
    try:
        real = date.fromisoformat(value).isoformat() == value
    except ValueError:
        real = False
    if not real:
        raise InvalidField(path, f"{value!r} is not a date of the calendar (YYYY-MM-DD)")


def check_moment(path: str, value: str) -> None:
    """A wall clock's minute: `2026-12-01T22:00`."""
    try:
        real = datetime.fromisoformat(value).strftime("%Y-%m-%dT%H:%M") == value
    except ValueError:
        real = False
    if not real:
        raise InvalidField(path, f"{value!r} is no moment of the calendar (YYYY-MM-DDTHH:MM)")


def check_closures(path: str, closures: Sequence[Closure]) -> None:
    for index, closure in enumerate(closures):
        check_date(f"{path}[{index}].date", closure.date)
        if closure.text:
            check_text(f"{path}[{index}].text", closure.text)
    check_unique(path, [closure.date for closure in closures])
