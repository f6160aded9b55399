"""Templates: what a citizen reads. Data in YAML, Indonesian first, English beside it; here they are read and
filled.

Knows placeholders, sentences and dates in words. Never knows an event's proto, a phone or a channel.

A text is a list of sentences. A sentence with a placeholder that has nothing to say (an empty value) is left
out, so that a template needs no conditions; the first sentence uses only placeholders that always have a
value.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import yaml

Words = Mapping[str, str]
LANGUAGES = ("id", "en")
_FORMATTER = string.Formatter()
_LONGEST_FREE_TEXT = 160
_LONGEST_MINUTES = 366 * 24 * 60
_SCOPE = re.compile(r"sites/[a-z][a-z0-9-]{1,30}(/agencies/[a-z][a-z0-9-]{1,30})?")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


class BadTemplates(Exception):
    """The file cannot be used; the text names the template and the place."""


@dataclass(frozen=True, slots=True)
class Placeholders:
    """What the news of one event can fill in: `always` has a value, `maybe` may be empty."""

    always: frozenset[str]
    maybe: frozenset[str]


def _known(always: str, maybe: str = "") -> Placeholders:
    return Placeholders(frozenset(always.split()), frozenset(maybe.split()))


_APPOINTMENT = "site agency reference start_date start_time"
EVENTS: Mapping[str, Placeholders] = {
    "TicketIssued": _known("site agency number", "offering people_ahead wait_minutes tracking_link"),
    "TicketCalled": _known("site agency number counter"),
    "TicketEnded": _known("site agency number", "offering counter reason"),
    "ApplicationOpened": _known("site agency offering reference"),
    "ApplicationAdvanced": _known("site agency offering reference", "reason due_date pickup_code"),
    "AppointmentConfirmed": _known(_APPOINTMENT, "offering booking_code place video_link"),
    "AppointmentRescheduled": _known(_APPOINTMENT, "offering booking_code place video_link"),
    "AppointmentCancelled": _known(_APPOINTMENT, "offering"),
    "AppointmentNoShow": _known(_APPOINTMENT, "offering"),
    "AppointmentDue": _known(_APPOINTMENT, "offering booking_code place video_link"),
    "ComplaintFiled": _known("site reference", "agency due_date"),
    "ComplaintAdvanced": _known("site reference", "agency due_date reason"),
    # No events of another service, but what this one makes of them.
    "TicketNear": _known("site agency number", "offering people_ahead tracking_link"),
    "TicketFinished": _known("site agency survey_link", "offering"),
    "OverviewAsked": _known("site items", "more"),
}
# What the catalogue names: for each there are neutral words while it has not told the name.
NAMED = ("site", "agency", "offering")
# What one item of an overview can say.
ITEMS: Mapping[str, frozenset[str]] = {
    "ticket": frozenset({"number", "agency", "offering"}),
    "appointment": frozenset({"start_date", "start_time", "agency", "offering"}),
    "application": frozenset({"reference", "offering", "agency"}),
}
# What a mail's title and a calendar entry's title can say: nothing that others at the same screen should not read.
TITLES: Mapping[str, frozenset[str]] = {"mail": frozenset({"site"}), "calendar": frozenset({"site", "agency"})}


@dataclass(frozen=True, slots=True)
class Template:
    """One message kind. `texts`: language -> sentences. `supersedes`: templates whose unsent messages it
    cancels.
    """

    key: str
    event: str
    expires_after: timedelta
    supersedes: frozenset[str]
    texts: Mapping[str, tuple[str, ...]]

    def render(self, words: Mapping[str, Words]) -> str:
        """The whole message: Indonesian, an empty line, English. `words`: language -> placeholder -> value.

        Raises KeyError when a placeholder of the event is missing. Values are taken as they are: a brace in
        them means nothing.
        """
        return "\n\n".join(self._paragraph(language, words[language]) for language in LANGUAGES)

    def _paragraph(self, language: str, words: Words) -> str:
        said = (
            _FORMATTER.vformat(sentence, (), words)
            for sentence in self.texts[language]
            if all(words[name] for name in placeholders_of(sentence))
        )
        return " ".join(said)


@dataclass(frozen=True, slots=True)
class Templates:
    """All templates of a deployment, and the words for what is not known yet.

    `overrides`: (template, scope, provider) -> the template with other words; an empty scope or provider means any.
    """

    by_key: Mapping[str, Template]
    unknown: Mapping[str, Words]  # placeholder -> language -> text
    months: Mapping[str, tuple[str, ...]]
    titles: Mapping[str, Words]  # mail or calendar -> language -> text
    items: Mapping[str, Words]  # kind of an overview's item -> language -> text
    overrides: Mapping[tuple[str, str, str], Template] = field(default_factory=dict)

    def get(self, key: str) -> Template | None:
        """None: nobody is told of this."""
        return self.by_key.get(key)

    def worded(self, template: Template, site: str, agency: str, provider: str) -> Template:
        """The template in the words that hold there: an agency's own before its site's before everybody's, and of each
        those for this provider first. `agency` is its full name, or empty.
        """
        for scope in filter(None, (agency, f"sites/{site}", "*")):
            for carrier in (provider, ""):
                found = self.overrides.get((template.key, scope, carrier))
                if found is not None:
                    return found
        return template

    def title(self, kind: str, words: Mapping[str, Words]) -> str:
        """Indonesian / English, on one line."""
        said = (_FORMATTER.vformat(self.titles[kind][each], (), words[each]) for each in LANGUAGES)
        return " / ".join(" ".join(each.split()) for each in said)

    def item(self, kind: str, language: str, words: Words) -> str:
        return _FORMATTER.vformat(self.items[kind][language], (), words)

    def day(self, day: date, language: str) -> str:
        """`25 November 2026`"""
        return f"{day.day} {self.months[language][day.month - 1]} {day.year}"

    def time(self, at: datetime, language: str) -> str:
        """`08.30 WIB`; in English `08:30 WIB`. `at` in the site's zone."""
        return f"{at:%H.%M %Z}" if language == "id" else f"{at:%H:%M %Z}"


def free_text(text: str) -> str:
    """What an officer wrote, fit for a message: one line, at most 160 characters, no control characters."""
    clean = " ".join(_UNPRINTABLE.sub(" ", text).split()).rstrip(".")
    return clean if len(clean) <= _LONGEST_FREE_TEXT else clean[: _LONGEST_FREE_TEXT - 3].rstrip() + "..."


def placeholders_of(sentence: str) -> frozenset[str]:
    """Names in braces. Raises ValueError for anything but a bare name: no attribute, index, conversion or
    format.
    """
    names = set()
    for _, name, form, conversion in _FORMATTER.parse(sentence):
        if name is None:
            continue
        if form or conversion or not name.isidentifier():
            raise ValueError(f"{{{name}}} is not a bare name")
        names.add(name)
    return frozenset(names)


def parse(text: str, overrides: str = "overrides: []") -> Templates:
    """Reads the YAML of all templates, and of what is said otherwise in places, and checks each against what its event
    knows. Raises BadTemplates.
    """
    try:
        raw = yaml.safe_load(text)
        months = {language: tuple(raw["months"][language]) for language in LANGUAGES}
        unknown = {key: {each: str(raw["unknown"][key][each]) for each in LANGUAGES} for key in NAMED}
        titles = {kind: _line(f"titles.{kind}", raw["titles"][kind], known) for kind, known in TITLES.items()}
        items = {kind: _line(f"items.{kind}", raw["items"][kind], known) for kind, known in ITEMS.items()}
        templates = {key: _template(key, entry) for key, entry in raw["templates"].items()}
        special = _overrides(yaml.safe_load(overrides)["overrides"] or [], templates)
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise BadTemplates(f"templates: {type(error).__name__}: {error}") from error
    for template in templates.values():
        for other in template.supersedes - templates.keys():
            raise BadTemplates(f"{template.key}: supersedes {other}, which is not a template")
    if empty := sorted(name for name, said in unknown.items() if not all(said.values())):
        raise BadTemplates(f"unknown.{empty[0]}: says nothing")
    if any(len(names) != 12 for names in months.values()):
        raise BadTemplates("months: a year has twelve")
    return Templates(templates, unknown, months, titles, items, special)


def _line(where: str, entry: Mapping[str, Any], known: frozenset[str]) -> Words:
    said = {language: str(entry[language]) for language in LANGUAGES}
    for language, sentence in said.items():
        _check(f"{where}.{language}", (sentence,), Placeholders(known, frozenset()))
    return said


def _overrides(entries: list[Any], templates: Mapping[str, Template]) -> Mapping[tuple[str, str, str], Template]:
    found: dict[tuple[str, str, str], Template] = {}
    for number, entry in enumerate(entries, 1):
        where, key = f"overrides, entry {number}", entry["template"]
        if stranger := sorted(entry.keys() - {"template", "for", "provider", *LANGUAGES}):
            raise BadTemplates(f"{where}: {stranger[0]} is not known")
        if key not in templates:
            raise BadTemplates(f"{where}: {key} is not a template")
        scope, provider = entry.get("for", "*"), entry.get("provider", "")
        if scope != "*" and not (isinstance(scope, str) and _SCOPE.fullmatch(scope)):
            raise BadTemplates(f"{where}: for: is neither sites/... nor sites/.../agencies/...")
        if (key, scope, provider) in found:
            raise BadTemplates(f"{where}: says again what an entry before it says")
        texts = {each: tuple(str(sentence) for sentence in entry[each]) for each in LANGUAGES}
        for language, sentences in texts.items():
            _check(f"{where} ({key}).{language}", sentences, EVENTS[templates[key].event])
        found[(key, scope, provider)] = replace(templates[key], texts=texts)
    return found


def _template(key: str, entry: dict[str, Any]) -> Template:
    known = EVENTS.get(entry["event"])
    if known is None:
        raise BadTemplates(f"{key}: event {entry['event']} is not one of {', '.join(EVENTS)}")
    texts = {language: tuple(str(sentence) for sentence in entry[language]) for language in LANGUAGES}
    for language, sentences in texts.items():
        _check(f"{key}.{language}", sentences, known)
    minutes = entry["expires_after_minutes"]
    if not isinstance(minutes, int) or isinstance(minutes, bool) or not 1 <= minutes <= _LONGEST_MINUTES:
        raise BadTemplates(f"{key}: expires_after_minutes must be a whole number from 1 to {_LONGEST_MINUTES}")
    return Template(key, entry["event"], timedelta(minutes=minutes), frozenset(entry.get("supersedes", ())), texts)


def _check(where: str, sentences: tuple[str, ...], known: Placeholders) -> None:
    if not sentences:
        raise BadTemplates(f"{where}: says nothing")
    for position, sentence in enumerate(sentences):
        try:
            names = placeholders_of(sentence)
        except ValueError as error:
            raise BadTemplates(f"{where}: {error}") from error
        allowed = known.always if position == 0 else known.always | known.maybe
        if stranger := sorted(names - allowed):
            raise BadTemplates(f"{where}, sentence {position + 1}: {{{stranger[0]}}} may be unknown there")
