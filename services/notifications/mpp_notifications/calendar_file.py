"""A calendar file for one appointment: RFC 5545 (iCalendar), with the methods of RFC 5546 (iTIP).

Pure text from values. Knows neither an event of another service nor a message; never makes a time or an id. What it
returns names a person (the attendee) and may hold a code: it is kept sealed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import quote

PRODUCT = "-//MPP platform//notifications//ID"
LINE_OCTETS = 75  # RFC 5545, 3.1: without the line break
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_CONTROLS = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")  # none of them stands in a URI
_METHOD = re.compile(r"(?m)^METHOD:([A-Z]+)\r?$")


_PLAIN = "!$'*+-._~"  # of an address, beside letters and digits: stands in a URI as it is


class Method(StrEnum):
    REQUEST = "REQUEST"  # put it into the calendar, or change what is there under the same UID
    CANCEL = "CANCEL"  # take it out


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of one person's calendar. Times are aware; `sequence` grows with each change (RFC 5545, 3.8.7.4).

    `organizer` and `attendee` are e-mail addresses; nobody is asked to answer (PARTSTAT=ACCEPTED, RSVP=FALSE): the
    appointment stands, and an answer would go to a mailbox that nobody reads.
    """

    method: Method
    uid: str
    sequence: int
    stamp: datetime
    start: datetime
    end: datetime
    summary: str
    organizer: str
    attendee: str = field(repr=False)
    description: str = field(default="", repr=False)
    location: str = ""
    url: str = field(default="", repr=False)


def uid(appointment: str) -> str:
    """The same for the same appointment, for ever; tells nothing of where or when it is."""
    digest = hashlib.blake2b(appointment.encode(), digest_size=16, person=b"mpp-calendar").hexdigest()
    return f"{digest}@appointments.mpp"


def render(entry: Entry) -> str:
    """The whole file, lines ended by CRLF and folded. Raises ValueError for a naive time, or an end that is not after its
    start."""
    if entry.end <= entry.start:
        raise ValueError("end: must be after start")
    cancelled = entry.method is Method.CANCEL
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        "CALSCALE:GREGORIAN",
        f"METHOD:{entry.method}",
        "BEGIN:VEVENT",
        f"UID:{entry.uid}",
        f"SEQUENCE:{entry.sequence}",
        f"DTSTAMP:{_utc(entry.stamp)}",
        f"DTSTART:{_utc(entry.start)}",
        f"DTEND:{_utc(entry.end)}",
        f"SUMMARY:{escaped(entry.summary)}",
        f"ORGANIZER:mailto:{_address(entry.organizer)}",
        f"ATTENDEE;PARTSTAT=ACCEPTED;RSVP=FALSE:mailto:{_address(entry.attendee)}",
        *([f"LOCATION:{escaped(entry.location)}"] if entry.location else []),
        *([f"DESCRIPTION:{escaped(entry.description)}"] if entry.description else []),
        *([f"URL:{_CONTROLS.sub('', entry.url)}"] if entry.url else []),
        f"STATUS:{'CANCELLED' if cancelled else 'CONFIRMED'}",
        f"TRANSP:{'TRANSPARENT' if cancelled else 'OPAQUE'}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def method_of(text: str) -> str:
    """What the file asks for: the `method` of its media type has to say the same (RFC 5545, 8.1). Empty: it says
    nothing."""
    found = _METHOD.search(text)
    return found[1] if found else ""


def escaped(text: str) -> str:
    """A value of type TEXT (RFC 5545, 3.3.11). Control characters but line breaks and tabs are left out."""
    clean = _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return clean.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """Pieces of at most 75 octets, none of which breaks a character; each but the first begins with a space."""
    piece, size = "", 0
    for character in line:
        octets = len(character.encode("utf-8", "replace"))
        if size + octets > LINE_OCTETS:
            yield piece
            piece, size = " ", 1
        piece, size = piece + character, size + octets
    yield piece


def _address(address: str) -> str:
    """As it stands behind `mailto:` (RFC 6068, 2): a `?` or `&` of the address begins no header field there. Raises
    ValueError for what would end the line or the property."""
    if re.search(r"[\s\x00-\x1f\x7f\"<>\\;,]", address) or "@" not in address:
        raise ValueError("organizer or attendee: is no e-mail address")
    person, _, domain = address.rpartition("@")
    return f"{quote(person, safe=_PLAIN)}@{domain}"


def _utc(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
