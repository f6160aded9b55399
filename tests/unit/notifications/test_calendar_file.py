"""The calendar file, read back by a parser of the test's own (RFC 5545: unfold, split, unescape)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_notifications.calendar_file import LINE_OCTETS, Entry, Method, method_of, render, uid

START = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
ENTRY = Entry(
    Method.REQUEST,
    uid("sites/malang/queues/imigrasi/agendas/2026-11-24/appointments/a"),
    2,
    datetime(2026, 11, 20, 8, 0, 5, tzinfo=UTC),
    START,
    START + timedelta(minutes=30),
    "Janji temu: Kantor Imigrasi / Appointment: Immigration Office",
    "kabar@mpp.example",
    "warga@example.org",
    "Kode K7MP-2QXH; bawa KTP, KK.\n\nYour code\\number",
    "Loket 3, lantai 2",
    "https://video.example/r/abc?x=1;y=2",
)


def read(text: str) -> dict[str, str]:
    """Property (with its parameters cut off) -> value, unescaped where it is text."""
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    lines = text.removesuffix("\r\n").split("\r\n")
    assert all(len(line.encode()) <= LINE_OCTETS for line in lines)
    unfolded = re.sub(r"\r\n[ \t]", "", text).removesuffix("\r\n").split("\r\n")
    assert unfolded[0] == "BEGIN:VCALENDAR"
    assert unfolded[-2:] == ["END:VEVENT", "END:VCALENDAR"]
    found: dict[str, str] = {}
    for line in unfolded:
        head, _, value = line.partition(":")
        name = head.partition(";")[0]
        if name in ("BEGIN", "END"):
            continue
        assert name not in found, f"{name} twice"
        if name in ("SUMMARY", "DESCRIPTION", "LOCATION"):
            value = re.sub(r"\\(.)", lambda m: "\n" if m[1] in "nN" else m[1], value)
        found[name] = value
    return found


def test_a_file_says_what_an_entry_holds() -> None:
    found = read(render(ENTRY))
    assert (found["VERSION"], found["METHOD"], found["STATUS"]) == ("2.0", "REQUEST", "CONFIRMED")
    assert (found["UID"], found["SEQUENCE"], found["DTSTAMP"]) == (ENTRY.uid, "2", "20261120T080005Z")
    assert (found["DTSTART"], found["DTEND"]) == ("20261124T013000Z", "20261124T020000Z")
    assert (found["SUMMARY"], found["DESCRIPTION"], found["LOCATION"]) == (
        ENTRY.summary,
        ENTRY.description,
        ENTRY.location,
    )
    assert (found["ORGANIZER"], found["ATTENDEE"]) == ("mailto:kabar@mpp.example", "mailto:warga@example.org")
    assert found["URL"] == ENTRY.url


def test_a_cancellation_frees_the_time() -> None:
    text = render(replace(ENTRY, method=Method.CANCEL, sequence=3))
    found = read(text)
    assert (found["METHOD"], found["STATUS"], found["TRANSP"]) == ("CANCEL", "CANCELLED", "TRANSPARENT")
    assert method_of(text) == "CANCEL"


def test_times_of_any_zone_are_told_in_utc() -> None:
    wit = timezone(timedelta(hours=9))
    assert render(replace(ENTRY, start=START.astimezone(wit))) == render(ENTRY)


def test_the_name_of_an_entry_is_stable_and_tells_nothing() -> None:
    name = "sites/malang/queues/imigrasi/agendas/2026-11-24/appointments/a"
    assert uid(name) == uid(name) == ENTRY.uid
    assert uid(name) != uid(name + "b")
    assert not [word for word in ("malang", "imigrasi", "2026") if word in uid(name)]


# What a person or an agency may have written: whatever printable text, line breaks and the characters that mean something.
TEXT = st.text(
    st.one_of(st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp"]), st.sampled_from("\n;,:\\\"' "))
)


@given(TEXT, TEXT, TEXT, st.integers(0, 2**31 - 1), st.sampled_from(Method))
def test_what_was_written_is_read_back(
    summary: str, description: str, place: str, sequence: int, method: Method
) -> None:
    entry = replace(ENTRY, summary=summary, description=description, location=place, sequence=sequence, method=method)
    text = render(entry)
    found = read(text)
    assert (found["SUMMARY"], found["SEQUENCE"]) == (summary, str(sequence))
    assert (found.get("DESCRIPTION", ""), found.get("LOCATION", "")) == (description, place)
    assert method_of(text) == method


@given(st.text())
def test_no_text_adds_a_property(text: str) -> None:
    """Not even one with every control character in it."""
    assert set(read(render(replace(ENTRY, summary=text, description=text + "\r\nATTENDEE:mailto:x@y.example")))) == set(
        read(render(ENTRY))
    )


@pytest.mark.parametrize("address", ["", "warga", "a@b\r\nX:y", "a b@c.example", 'a"@c.example', "a@c.example;x"])
def test_an_address_that_would_break_the_line_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="organizer or attendee"):
        render(replace(ENTRY, attendee=address))


def test_a_time_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="end"):
        render(replace(ENTRY, end=START))
    with pytest.raises(ValueError, match="zone"):
        render(replace(ENTRY, stamp=datetime(2026, 1, 1)))


@given(
    address=st.from_regex(
        r"[A-Za-z0-9.!#$%&*+/=?^_~-]{1,64}@[A-Za-z0-9-]{1,63}([.][A-Za-z0-9-]{1,63})+", fullmatch=True
    )
)
def test_an_address_writes_nothing_but_itself_behind_mailto(address: str) -> None:
    """RFC 6068, 2: `?`, `&`, `#` and `%` would begin header fields, a fragment or a character of another name."""
    found = read(render(replace(ENTRY, attendee=address)))["ATTENDEE"]
    link = urlsplit(found)
    assert (link.scheme, unquote(link.path)) == ("mailto", address)
    assert (link.query, link.fragment, "&" in found) == ("", "", False)


def test_a_link_cannot_begin_another_property() -> None:
    url = "https://video.example/r\nATTENDEE:mailto:x@x.example\r\n\tSUMMARY:x\u2028y"
    found = read(render(replace(ENTRY, url=url)))
    assert found["URL"] == "https://video.example/rATTENDEE:mailto:x@x.exampleSUMMARY:xy"
