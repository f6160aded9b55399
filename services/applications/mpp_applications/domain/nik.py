"""The form of a NIK (nomor induk kependudukan). Knows digits; proves nobody's identity, keeps and echoes no
number.

16 digits `PPKKCC DDMMYY SSSS`: region of registration, birth date (a woman's day is + 40), serial 0001 to
9999. There is no check digit. Source: the layout of UU 23/2006 and its regulations as given in DOMAIN.md;
province codes of Kepmendagri 300.2.2-2430/2025.
"""

from __future__ import annotations

from datetime import date

from mpp_applications.domain.errors import InvalidField

FIELD = "applicant.nik"
NIK_REGION_UNKNOWN = "NIK_REGION_UNKNOWN"

_WOMAN = 40
# The 38 provinces of 2025. Codes outlive boundary changes, so a miss only warns.
_PROVINCES = frozenset(
    [
        *range(11, 20),
        21,
        *range(31, 37),
        *range(51, 54),
        *range(61, 66),
        *range(71, 77),
        81,
        82,
        *range(91, 97),
    ]
)


def check_nik(nik: str) -> tuple[str, ...]:
    """Check the form of a NIK; the answer holds warnings that do not stop a file (NIK_REGION_UNKNOWN).

    Raises InvalidField("applicant.nik") for a wrong length, non-digits, an impossible birth date or serial
    0000. The message says what is wrong and never repeats a digit of the number. A valid form is no proof
    that the number was ever given out.
    """
    if not (nik.isascii() and nik.isdigit()):
        raise InvalidField(FIELD, "a NIK has digits only")
    if len(nik) != 16:
        raise InvalidField(FIELD, "a NIK has 16 digits")
    if not _is_birth_date(int(nik[6:8]), int(nik[8:10]), int(nik[10:12])):
        raise InvalidField(FIELD, "the birth date inside the NIK does not exist")
    if nik[12:] == "0000":
        raise InvalidField(FIELD, "the serial number inside the NIK must not be 0000")
    return () if _is_region(int(nik[:2]), int(nik[2:4]), int(nik[4:6])) else (NIK_REGION_UNKNOWN,)


def _is_birth_date(day: int, month: int, year: int) -> bool:
    if day > _WOMAN:
        day -= _WOMAN
    # The century is not in the number: a date that exists in either one will do (29 February of 00 is of
    # 2000).
    return any(_exists(century + year, month, day) for century in (1900, 2000))


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _is_region(province: int, regency: int, district: int) -> bool:
    # Kabupaten are 01-69, kota 71-99.
    return province in _PROVINCES and regency not in (0, 70) and district != 0
