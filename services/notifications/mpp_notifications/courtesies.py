"""What is told beyond what happened: a survey, a reminder near one's turn, an overview, a link for following one's ticket.
Data in YAML; here it is read.

Knows the shape of that file. Never knows an event, a phone or a message.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import yaml

_FORMATTER = string.Formatter()
_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/?=&#%{}-]*)?")
_SURVEY_KNOWS = frozenset({"site", "agency", "offering"})
_TRACKING_KNOWS = frozenset({"site", "ticket"})
_SCOPE = re.compile(r"sites/[a-z][a-z0-9-]{1,30}(/agencies/[a-z][a-z0-9-]{1,30})?")


class BadCourtesies(Exception):
    """The file cannot be used; the text names the place."""


@dataclass(frozen=True, slots=True)
class Courtesies:
    """Keys of the mappings are `sites/{site}` or `sites/{site}/agencies/{agency}`; an agency's own entry wins over its
    site's."""

    near_default: int
    near: Mapping[str, int]
    surveys: Mapping[str, str]
    tracking: Mapping[str, str]
    overview_pause: timedelta
    overview_items: int

    def near_for(self, site: str, agency: str) -> int:
        """How many are ahead when a person is reminded; 0: nobody is."""
        return self.near.get(agency, self.near.get(f"sites/{site}", self.near_default))

    def survey_link(self, site: str, agency: str, offering: str) -> str:
        """Empty: nobody is asked. It names the site, the agency and the service at most; never a ticket or a person."""
        form = self.surveys.get(agency, self.surveys.get(f"sites/{site}", ""))
        return form.format(site=site, agency=_last(agency), offering=_last(offering)) if form else ""

    def tracking_link(self, site: str, ticket: str) -> str:
        form = self.tracking.get(f"sites/{site}", "")
        return form.format(site=site, ticket=_last(ticket)) if form else ""


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def parse(text: str) -> Courtesies:
    """Raises BadCourtesies."""
    try:
        raw = yaml.safe_load(text)
        near = {
            _scope("near", name): _count(f"near.{name}", count) for name, count in (raw["near"]["at"] or {}).items()
        }
        return Courtesies(
            _count("near.ahead", raw["near"]["ahead"]),
            near,
            _links("surveys", raw["surveys"], _SURVEY_KNOWS),
            _links("tracking", raw["tracking"], _TRACKING_KNOWS),
            timedelta(minutes=_count("overview.pause_minutes", raw["overview"]["pause_minutes"], least=1)),
            _count("overview.most_items", raw["overview"]["most_items"], least=1),
        )
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise BadCourtesies(f"courtesies: {type(error).__name__}: {error}") from error


def _links(where: str, entries: Mapping[str, Any] | None, known: frozenset[str]) -> Mapping[str, str]:
    links = {}
    for name, link in (entries or {}).items():
        if not isinstance(link, str) or not _URL.fullmatch(link):
            raise BadCourtesies(f"{where}.{name}: must be a link that begins with https://")
        try:
            names = {each[1] for each in _FORMATTER.parse(link) if each[1] is not None}
            plain = not [each for each in _FORMATTER.parse(link) if each[2] or each[3]]
        except ValueError as error:
            raise BadCourtesies(f"{where}.{name}: {error}") from error
        if not plain or names - known:
            raise BadCourtesies(f"{where}.{name}: knows {', '.join(sorted(known))} in braces, nothing else")
        links[_scope(where, name)] = link
    return links


def _scope(where: str, name: str) -> str:
    if not isinstance(name, str) or not _SCOPE.fullmatch(name):
        raise BadCourtesies(f"{where}.{name}: is neither sites/... nor sites/.../agencies/...")
    return name


def _count(where: str, value: object, least: int = 0) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= 10_000:
        raise BadCourtesies(f"{where}: must be a whole number of at least {least}")
    return value
