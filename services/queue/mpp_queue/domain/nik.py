"""A NIK as a number that can be: pure. It proves nobody's identity; only the population office does."""

from __future__ import annotations

from datetime import date

from mpp_queue.domain.errors import InvalidField

WOMAN = 40  # added to the day of birth of a woman


def check_nik(nik: str, field: str = "nik") -> None:
    """`PPKKCC DDMMYY SSSS`. Raises InvalidField for a wrong length, an impossible birth date or serial 0000. A region
    that is unknown is fine: codes outlive boundary changes.
    """
    if len(nik) != 16 or not (nik.isascii() and nik.isdigit()):
        raise InvalidField(field, "a NIK has 16 digits")
    day, month, year = int(nik[6:8]), int(nik[8:10]), int(nik[10:12])
    try:
        date(
            2000 + year, month, day - WOMAN if day > WOMAN else day
        )  # 2000 was a leap year, as every fourth since 1901
    except ValueError:
        raise InvalidField(field, "has no possible date of birth") from None
    if nik[12:] == "0000":
        raise InvalidField(field, "has no possible serial number")
