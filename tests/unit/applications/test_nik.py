"""The form of a NIK, by the rules of DOMAIN.md; what is refused is never repeated."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpp_applications.domain import NIK_REGION_UNKNOWN, InvalidField, check_nik

PATIENT = settings(deadline=None)  # a busy machine is no fault
BIRTHS = st.dates(date(1900, 1, 1), date(2026, 12, 31))
REGIONS = st.sampled_from(["357301", "350714", "110101", "966999", "317199"])


def nik(region: str, born: date, woman: bool, serial: int) -> str:
    return f"{region}{born.day + 40 * woman:02d}{born:%m%y}{serial:04d}"


@PATIENT
@given(REGIONS, BIRTHS, st.booleans(), st.integers(1, 9999))
def test_every_possible_person_is_accepted(region: str, born: date, woman: bool, serial: int) -> None:
    assert check_nik(nik(region, born, woman, serial)) == ()


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("357301120190000", "16 digits"),
        ("35730112019000011", "16 digits"),
        ("", "digits"),
        ("35730112019O0001", "digits only"),
        ("357301120190-001", "digits only"),
        ("３573011201900001", "digits only"),
        ("3573010001900001", "birth date"),
        ("3573013201900001", "birth date"),
        ("3573014001900001", "birth date"),
        ("3573017201900001", "birth date"),
        ("3573010100900001", "birth date"),
        ("3573010113900001", "birth date"),
        ("3573013002900001", "birth date"),
        ("3573012902010001", "birth date"),  # 2001 and 1901 are no leap years
        ("3573016902010001", "birth date"),
        ("3573011201900000", "serial"),
    ],
)
def test_impossible_numbers_are_refused_without_an_echo(number: str, said: str) -> None:
    with pytest.raises(InvalidField, match=said) as refused:
        check_nik(number)
    assert refused.value.field == "applicant.nik"
    told = f"{refused.value} {refused.value.metadata}"
    assert not any(number[i : i + 5] in told for i in range(len(number) - 4))


@pytest.mark.parametrize("number", ["3573012902000001", "3573016902000001", "3573012902960001"])
def test_leap_days_exist_in_one_of_two_centuries(number: str) -> None:
    assert check_nik(number) == ()


@pytest.mark.parametrize("region", ["003501", "200101", "990101", "350001", "357001", "357300", "970101"])
def test_an_unknown_region_only_warns(region: str) -> None:
    assert check_nik(f"{region}1201900001") == (NIK_REGION_UNKNOWN,)


@PATIENT
@given(st.text("0123456789", min_size=16, max_size=16))
def test_whatever_is_accepted_has_a_birth_date(number: str) -> None:
    try:
        check_nik(number)
    except InvalidField:
        return
    day = int(number[6:8]) % 40 or 40
    days_in_2000 = {(date(2000, 1, 1) + timedelta(i)).strftime("%d%m") for i in range(366)}
    assert f"{day:02d}{number[8:10]}" in days_in_2000
    assert number[12:] != "0000"
