"""How long each step of a complaint may take: the figures of deadlines.yaml, and when that is from a moment.

Knows the file's shape and working days by a calendar that is handed in. Never knows a complaint or a store.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any, Protocol

import yaml

from mpp_complaints.domain import Class, Limits, Terms

_ID = re.compile(r"[a-z][a-z0-9-]{1,30}")
MARKS = frozenset({"C", "S", "P"})  # confirmed, secondary, this project's own


class Calendar(Protocol):
    """A site's days; the chassis's WorkCalendar is one."""

    def add_working_days(self, start: datetime, days: int, /) -> datetime: ...

    def add_days(self, start: datetime, days: int, /) -> datetime: ...


class PolicyError(ValueError):
    """The file says something that cannot be; the message names where."""


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time, in working days or in calendar days, and where the figure comes from."""

    amount: int
    working: bool
    source: str
    mark: str

    def after(self, start: datetime, calendar: Calendar) -> datetime:
        if self.working:
            return calendar.add_working_days(start, self.amount)
        return calendar.add_days(start, self.amount)


@dataclass(frozen=True, slots=True)
class OverchargePolicy:
    """Which class a report of an overcharge has, and the id of the agency that handles it, by site id where told."""

    classified: Class
    agency: str
    sites: Mapping[str, str]

    def inspectorate(self, site: str) -> str:
        """`site`: `sites/{site}`. "" where the site manager handles it."""
        return self.sites.get(site.removeprefix("sites/"), self.agency)


@dataclass(frozen=True, slots=True)
class Policy:
    verify: Span
    act: Span
    reply: Span
    legal_maximum: Span
    classes: Mapping[Class, Span]
    limits: Limits
    overcharge: OverchargePolicy


def default() -> Policy:
    """The package's own file."""
    return parse(files("mpp_complaints").joinpath("deadlines.yaml").read_text(encoding="utf-8"))


def parse(text: str) -> Policy:
    """Raises PolicyError for anything missing, unknown or not positive."""
    loaded = yaml.safe_load(text)
    if isinstance(loaded, dict):  # a city's file may be older than this part
        loaded = {"overcharge": None, **loaded}
    document = _mapping(loaded, "file", {"deadlines", "classes", "overcharge", "limits"})
    spans = _mapping(document["deadlines"], "deadlines", {"verify", "act", "reply", "legal_maximum"})
    classes = _mapping(document["classes"], "classes", {c.value for c in Class})
    limits = _mapping(document["limits"], "limits", {"reopenings", "escalation_levels", "info_requests"})
    return Policy(
        **{name: _span(entry, f"deadlines.{name}") for name, entry in spans.items()},
        classes={c: _span(classes[c.value], f"classes.{c}") for c in Class},
        limits=Limits(**{name: _count(entry, f"limits.{name}") for name, entry in limits.items()}),
        overcharge=_overcharge(document["overcharge"]),
    )


def terms(policy: Policy, calendar: Calendar, now: datetime) -> Terms:
    """Each moment that is due if its clock starts at `now`."""
    return Terms(
        verify_by=policy.verify.after(now, calendar),
        act_by=policy.act.after(now, calendar),
        reply_by=policy.reply.after(now, calendar),
        legal_by=policy.legal_maximum.after(now, calendar),
        settle_by={c: span.after(now, calendar) for c, span in policy.classes.items()},
        limits=policy.limits,
    )


def _mapping(value: Any, where: str, keys: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise PolicyError(f"{where}: a mapping is due")
    found = {str(k) for k in value}
    if found != keys:
        missing, unknown = sorted(keys - found), sorted(found - keys)
        raise PolicyError(f"{where}: missing {missing}, unknown {unknown}")
    return value


def _span(value: Any, where: str) -> Span:
    unit = "working_days" if isinstance(value, dict) and "working_days" in value else "days"
    entry = _mapping(value, where, {unit, "source", "mark"})
    source, mark = _origin(entry, where)
    amount = _positive(entry[unit], f"{where}.{unit}")
    return Span(amount=amount, working=unit == "working_days", source=source, mark=mark)


def _count(value: Any, where: str) -> int:
    entry = _mapping(value, where, {"count", "source", "mark"})
    _origin(entry, where)
    return _positive(entry["count"], f"{where}.count")


def _origin(entry: Mapping[str, Any], where: str) -> tuple[str, str]:
    source, mark = entry["source"], entry["mark"]
    if not isinstance(source, str) or not source:
        raise PolicyError(f"{where}.source: say where the figure comes from")
    if mark not in MARKS:
        raise PolicyError(f"{where}.mark: one of {sorted(MARKS)}")
    return source, str(mark)


def _overcharge(value: Any) -> OverchargePolicy:
    if value is None:
        return OverchargePolicy(Class.SUPERVISORY, "", {})
    entry = _mapping(value, "overcharge", {"class", "inspectorate"})
    named = _mapping(entry["class"], "overcharge.class", {"name", "source", "mark"})
    _origin(named, "overcharge.class")
    if named["name"] not in {c.value for c in Class}:
        raise PolicyError(f"overcharge.class.name: one of {sorted(c.value for c in Class)}")
    to = _mapping(entry["inspectorate"], "overcharge.inspectorate", {"agency", "sites", "source", "mark"})
    _origin(to, "overcharge.inspectorate")
    sites = to["sites"]
    if not isinstance(sites, dict):
        raise PolicyError("overcharge.inspectorate.sites: a mapping of site ids to agency ids")
    if not all(isinstance(one, str) and (not one or _ID.fullmatch(one)) for one in [to["agency"], *sites.values()]):
        raise PolicyError("overcharge.inspectorate: an agency's id, or empty for the site manager")
    return OverchargePolicy(Class(named["name"]), to["agency"], {str(k): v for k, v in sites.items()})


def _positive(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 3650:
        raise PolicyError(f"{where}: a whole number from 1 to 3650")
    return value
