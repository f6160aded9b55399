"""Every template says something in both languages with what its event knows; bad templates do not start."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import mpp_notifications
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp.applications.v1 import application_pb2
from mpp.complaints.v1 import complaint_pb2
from mpp_notifications import templates
from mpp_notifications.templates import EVENTS, LANGUAGES, BadTemplates, Template, free_text, parse

TEXT = (Path(mpp_notifications.__file__).parent / "data" / "templates.yaml").read_text(encoding="utf-8")
ALL = parse(TEXT)
KEYS = sorted(ALL.by_key)


def filled(template: Template, *, maybe: bool) -> Mapping[str, Mapping[str, str]]:
    known = EVENTS[template.event]
    return {
        language: {
            **{name: f"<{name}.{language}>" for name in known.always},
            **{name: f"<{name}.{language}>" if maybe else "" for name in known.maybe},
        }
        for language in LANGUAGES
    }


@pytest.mark.parametrize("key", KEYS)
def test_every_template_renders_with_every_placeholder_known(key: str) -> None:
    template = ALL.by_key[key]
    text = template.render(filled(template, maybe=True))
    indonesian, english = text.split("\n\n")
    assert "{" not in text
    for language, paragraph in (("id", indonesian), ("en", english)):
        sentences = template.texts[language]
        for name in set().union(*map(templates.placeholders_of, sentences)):
            assert f"<{name}.{language}>" in paragraph
        other = "en" if language == "id" else "id"
        assert f".{other}>" not in paragraph


@pytest.mark.parametrize("key", KEYS)
def test_every_template_still_makes_sense_with_nothing_but_the_sure_facts(key: str) -> None:
    template = ALL.by_key[key]
    text = template.render(filled(template, maybe=False))
    indonesian, english = text.split("\n\n")
    assert indonesian.startswith("<site.id>: ")
    assert english.startswith("<site.en>: ")
    assert indonesian.endswith(".")
    assert english.endswith(".")
    assert not [word for word in text.split() if word in (":", ".", ":.")], "no hole where a value is missing"


@pytest.mark.parametrize("key", KEYS)
def test_both_languages_say_the_same_number_of_things_in_few_words(key: str) -> None:
    template = ALL.by_key[key]
    assert len(template.texts["id"]) == len(template.texts["en"])
    for mine, yours in zip(template.texts["id"], template.texts["en"], strict=True):
        assert templates.placeholders_of(mine) == templates.placeholders_of(yours)
    assert all(sum(map(len, template.texts[language])) <= 300 for language in LANGUAGES)


def test_the_states_that_citizens_hear_of() -> None:
    """A new state of an application or a complaint needs a decision here: announce it or name it as silent."""
    silent = {"application_unspecified", "application_draft", "complaint_unspecified", "complaint_received"}
    states = {
        "application": application_pb2.Application.State.keys(),
        "complaint": complaint_pb2.Complaint.State.keys(),
    }
    for subject, names in states.items():
        for name in names:
            key = f"{subject}_{name.removeprefix('STATE_').lower()}"
            assert (key in ALL.by_key) is (key not in silent), key


def test_the_pickup_code_is_told_only_when_the_document_is_ready() -> None:
    telling = {key for key, each in ALL.by_key.items() if "{pickup_code}" in " ".join(each.texts["id"])}
    assert telling == {"application_ready_for_pickup"}


def test_a_ticket_call_is_of_no_use_after_some_minutes() -> None:
    assert ALL.by_key["ticket_called"].expires_after.total_seconds() <= 15 * 60


def test_neutral_words_stand_for_every_name_of_the_catalogue() -> None:
    assert set(ALL.unknown) == {"site", "agency", "offering"}
    assert all(said[language] for said in ALL.unknown.values() for language in LANGUAGES)


def test_days_are_said_in_words() -> None:
    assert ALL.day(date(2026, 8, 17), "id") == "17 Agustus 2026"
    assert ALL.day(date(2026, 8, 17), "en") == "17 August 2026"


GOOD = """
months: {id: [a,b,c,d,e,f,g,h,i,j,k,l], en: [a,b,c,d,e,f,g,h,i,j,k,l]}
unknown: {site: {id: x, en: y}, agency: {id: x, en: y}, offering: {id: x, en: y}}
titles: {mail: {id: "{site}", en: "{site}"}, calendar: {id: "{agency}", en: "{agency}"}}
items: {ticket: {id: a, en: b}, appointment: {id: a, en: b}, application: {id: "{reference}", en: b}}
templates:
  t:
    event: ApplicationAdvanced
    expires_after_minutes: 5
    id: ["{site} {reference}.", "{reason}."]
    en: ["{site} {reference}.", "{reason}."]
"""


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ('id: ["{site} {reference}."', 'id: ["{site} {number}."', "t.id, sentence 1: {number}"),
        ('id: ["{site} {reference}."', 'id: ["{site} {reason}."', "t.id, sentence 1: {reason}"),
        ('en: ["{site} {reference}."', 'en: ["{site.__class__}."', "t.en"),
        ('en: ["{site} {reference}."', 'en: ["{site!r}."', "t.en"),
        ('en: ["{site} {reference}."', 'en: ["{site:>9}."', "t.en"),
        ('en: ["{site} {reference}."', 'en: ["{site"', "t.en"),
        ('en: ["{site} {reference}.", "{reason}."]', "en: []", "t.en: says nothing"),
        ("ApplicationAdvanced", "NothingKnown", "t: event NothingKnown"),
        ("expires_after_minutes: 5", "expires_after_minutes: 0", "t: expires_after_minutes"),
        ("expires_after_minutes: 5", "expires_after_minutes: soon", "t: expires_after_minutes"),
        ("expires_after_minutes: 5", "expires_after_minutes: 5\n    supersedes: [u]", "t: supersedes u"),
        ("id: [a,b,c,d,e,f,g,h,i,j,k,l]", "id: [a]", "months"),
        ("templates:", "texts:", "KeyError"),
        ("{site: {id: x, en: y},", "{site: {id: x},", "KeyError"),
        (" agency: {id: x, en: y},", "", "KeyError: 'agency'"),
        ("offering: {id: x, en: y}", 'offering: {id: x, en: ""}', "unknown.offering: says nothing"),
        ("expires_after_minutes: 5", "expires_after_minutes: true", "t: expires_after_minutes"),
        ("expires_after_minutes: 5", "expires_after_minutes: 999999999999", "t: expires_after_minutes"),
        ("unknown:", "unknown: [", "Error"),
        ('mail: {id: "{site}"', 'mail: {id: "{number}"', "titles.mail.id, sentence 1: {number}"),
        ('en: "{agency}"}', "x: y}", "KeyError"),
        ('application: {id: "{reference}"', 'application: {id: "{pickup_code}"', "items.application.id, sentence 1"),
    ],
)
def test_a_bad_file_is_refused_and_the_place_named(before: str, after: str, named: str) -> None:
    assert parse(GOOD).by_key["t"].key == "t"
    assert before in GOOD
    with pytest.raises(BadTemplates, match=named.replace("{", r"\{").replace("(", r"\(")):
        parse(GOOD.replace(before, after, 1))


AGENCY = "sites/malang/agencies/dukcapil"


def other(said: str, **where: str) -> str:
    places = "".join(f", {key}: {value}" for key, value in where.items())
    return f'  - {{template: t{places}, id: ["{said} {{reference}}."], en: ["{said} {{reference}}."]}}\n'


def test_words_may_be_other_ones_in_places() -> None:
    entries = [
        other("any"),
        other("provider", provider="http"),
        other("site", **{"for": "sites/malang"}),
        other("agency", **{"for": AGENCY}),
        other("both", **{"for": AGENCY, "provider": "http"}),
    ]
    found = parse(GOOD, "overrides:\n" + "".join(entries))
    base = found.by_key["t"]

    def said(site: str, agency: str, provider: str) -> str:
        worded = found.worded(base, site, agency, provider)
        assert (worded.key, worded.event, worded.expires_after) == (base.key, base.event, base.expires_after)
        return worded.texts["id"][0].split(" ", maxsplit=1)[0]

    assert said("malang", AGENCY, "http") == "both"
    assert said("malang", AGENCY, "smtp") == "agency"
    assert said("malang", "sites/malang/agencies/imigrasi", "http") == "site"
    assert said("malang", "", "file") == "site"
    assert said("batu", "sites/batu/agencies/dukcapil", "http") == "provider"
    assert said("batu", "sites/batu/agencies/dukcapil", "file") == "any"
    assert parse(GOOD).worded(base, "malang", AGENCY, "http") is base


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        (other("x {number}"), "entry 1 \\(t\\).id, sentence 1: {number}"),
        ("  - {template: u, id: [a], en: [b]}", "entry 1: u is not a template"),
        ("  - {template: t, id: [a]}", "KeyError: 'en'"),
        ("  - {template: t, id: [a], en: []}", "says nothing"),
        ("  - {template: t, for: malang, id: [a], en: [b]}", "entry 1: for"),
        ("  - {template: t, expires_after_minutes: 9, id: [a], en: [b]}", "expires_after_minutes is not known"),
        (other("x") + other("y"), "entry 2: says again"),
        ("  - 7", "AttributeError|TypeError"),
    ],
)
def test_other_words_are_checked_at_the_start(entry: str, named: str) -> None:
    with pytest.raises(BadTemplates, match=named.replace("{", r"\{")):
        parse(GOOD, "overrides:\n" + entry)


def test_what_is_shipped_overrides_nothing() -> None:
    shipped = Path(mpp_notifications.__file__).parent / "data" / "overrides.yaml"
    assert parse(TEXT, shipped.read_text(encoding="utf-8")).overrides == {}


def test_titles_and_items_are_said_in_both_languages() -> None:
    words = {"id": {"site": "MPP Uji", "agency": "Imigrasi"}, "en": {"site": "Test Mall", "agency": "Immigration"}}
    assert ALL.title("mail", words) == "Kabar dari MPP Uji / News from Test Mall"
    assert ALL.title("calendar", words) == "Janji temu: Imigrasi / Appointment: Immigration"
    assert ALL.item("ticket", "id", {"number": "D-001", "agency": "Imigrasi"}) == "antrean D-001 di Imigrasi"


def test_a_missing_word_is_an_error_and_no_hole() -> None:
    template = parse(GOOD).by_key["t"]
    with pytest.raises(KeyError):
        template.render({language: {"site": "x", "reason": ""} for language in LANGUAGES})


def test_values_are_taken_as_they_are() -> None:
    template = parse(GOOD).by_key["t"]
    words = {"site": "{reference}", "reference": "{0.__class__}", "reason": "%s {x"}
    text = template.render(dict.fromkeys(LANGUAGES, words))
    assert text == "{reference} {0.__class__}. %s {x.\n\n{reference} {0.__class__}. %s {x."


@given(st.text())
def test_free_text_is_one_short_line(text: str) -> None:
    clean = free_text(text)
    assert len(clean) <= 160
    assert clean.isprintable() or not clean.isascii()
    assert "\n" not in clean
    assert not clean.endswith(".") or clean.endswith("...")


def test_a_time_of_day_is_said_in_the_sites_zone() -> None:
    at = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
    here, there = (at.astimezone(ZoneInfo(zone)) for zone in ("Asia/Jakarta", "Asia/Jayapura"))
    assert (ALL.time(here, "id"), ALL.time(here, "en")) == ("08.30 WIB", "08:30 WIB")
    assert ALL.time(there, "id") == "10.30 WIT"
