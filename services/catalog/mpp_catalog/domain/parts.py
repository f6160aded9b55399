"""What resources share: text for citizens, and the checks that name a field. Knows no resource."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from mpp_catalog.domain.errors import InvalidField


@dataclass(frozen=True, slots=True)
class Text:
    """Text for citizens: Indonesian first, English beside it (which may be empty)."""

    id: str
    en: str = ""


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
