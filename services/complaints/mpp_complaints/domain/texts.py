"""Names of complaints, and texts that may stand in the clear: what looks like a NIK or a phone number is refused. Knows no
complaint.
"""

from __future__ import annotations

import re

from mpp_complaints.domain.errors import InvalidField

COMPLAINT_NAME = re.compile(r"sites/[a-z][a-z0-9-]{1,30}/complaints/[a-z0-9-]{8,40}")
_GAP = r"[ .\-]?"
_SIXTEEN_IN_A_ROW = re.compile(r"\d{16}")
_SIXTEEN_SPACED = re.compile(rf"(?<!\d)(?=(\d(?:{_GAP}\d){{15}})(?!\d))")
_MOBILE = re.compile(r"(?<!\d)(?:(?:\+|00)?62|0)[ .\-()]{0,2}8[1-9](?:[ .\-]{0,2}\d){7,11}(?!\d)")
_ABROAD = re.compile(rf"\+[1-9](?:{_GAP}\d){{7,14}}")


def some_text(field: str, text: str) -> str:
    """`text` without blanks at its ends; raises InvalidField when nothing is left."""
    text = text.strip()
    if not text:
        raise InvalidField(field, "must not be empty")
    return text


def plain_text(field: str, text: str) -> str:
    """`text` without blanks at its ends, fit to be stored and shown in the clear.

    Raises InvalidField when it is empty or looks as if it held a NIK or a phone number. It is a guard against
    slips, not a proof: names and addresses are not recognised.
    """
    text = some_text(field, text)
    if holds_nik(text):
        raise InvalidField(field, "looks as if it held a NIK; leave the number out")
    if holds_phone(text):
        raise InvalidField(field, "looks as if it held a phone number; leave the number out")
    return text


def holds_nik(text: str) -> bool:
    """Sixteen digits in a row; or spaced ones that read as a NIK (so that two dates side by side do not)."""
    if _SIXTEEN_IN_A_ROW.search(text):
        return True
    return any(_reads_as_nik(re.sub(r"\D", "", m.group(1))) for m in _SIXTEEN_SPACED.finditer(text))


def holds_phone(text: str) -> bool:
    """An Indonesian mobile number, or any number in international form. Land lines and 0800 numbers pass,
    since answers name the agency's own."""
    return bool(_MOBILE.search(text) or _ABROAD.search(text))


def _reads_as_nik(digits: str) -> bool:
    province, day, month = int(digits[:2]), int(digits[6:8]), int(digits[8:10])
    return 11 <= province <= 97 and (1 <= day <= 31 or 41 <= day <= 71) and 1 <= month <= 12


def site_of(name: str) -> str:
    return "/".join(name.split("/")[:2])
