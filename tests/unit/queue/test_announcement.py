"""Number words of Indonesian and the announcement."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_queue.announcement import announcement, number_words, spelled


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "nol"),
        (3, "tiga"),
        (10, "sepuluh"),
        (11, "sebelas"),
        (12, "dua belas"),
        (19, "sembilan belas"),
        (20, "dua puluh"),
        (21, "dua puluh satu"),
        (99, "sembilan puluh sembilan"),
        (100, "seratus"),
        (101, "seratus satu"),
        (111, "seratus sebelas"),
        (212, "dua ratus dua belas"),
        (1000, "seribu"),
        (1001, "seribu satu"),
        (1100, "seribu seratus"),
        (2000, "dua ribu"),
        (9999, "sembilan ribu sembilan ratus sembilan puluh sembilan"),
    ],
)
def test_number_words(number: int, words: str) -> None:
    assert number_words(number) == words


@pytest.mark.parametrize("number", [-1, 10_000])
def test_out_of_range(number: int) -> None:
    with pytest.raises(ValueError, match="between"):
        number_words(number)


_VALUES = {
    w: i
    for i, w in enumerate(
        [
            "nol",
            "satu",
            "dua",
            "tiga",
            "empat",
            "lima",
            "enam",
            "tujuh",
            "delapan",
            "sembilan",
            "sepuluh",
            "sebelas",
        ]
    )
}


def _value(words: str) -> int:
    """Reads number words back, by another way than they are made."""
    total, part = 0, 0
    for word in words.split():
        if word in ("seribu", "ribu"):
            total, part = (total + (part or 1)) * 1000, 0
        elif word in ("seratus", "ratus"):
            total, part = total + (part or 1) * 100, 0
        elif word == "puluh":
            total, part = total + part * 10, 0
        elif word == "belas":
            total, part = total + part + 10, 0
        else:
            part = _VALUES[word]
    return total + part


@given(st.integers(0, 9999))
def test_words_read_back(number: int) -> None:
    assert _value(number_words(number)) == number
    assert "satu puluh" not in number_words(number)
    assert "satu ratus" not in number_words(number)


def test_announcement() -> None:
    assert announcement("D-001", 3) == "Nomor antrean D nol nol satu, silakan ke loket tiga"


@pytest.mark.parametrize(
    ("number", "spoken"),
    [
        ("D-K001", "D K nol nol satu"),  # of an offline block
        ("PD-098", "P D nol sembilan delapan"),
        ("D-000", "D nol nol nol"),  # a range may begin with nought, and begin anew
        ("D-1000", "D satu nol nol nol"),
    ],
)
def test_every_kind_of_number_is_spelled_as_it_stands_on_the_ticket(number: str, spoken: str) -> None:
    assert announcement(number, 12) == f"Nomor antrean {spoken}, silakan ke loket dua belas"
    assert announcement("KI-1207", 12) == "Nomor antrean K I satu dua nol tujuh, silakan ke loket dua belas"


def test_spelled() -> None:
    assert spelled("A-090") == "A nol sembilan nol"
