"""What the loudspeaker says, in Indonesian. Pure: knows letters, digits and the number words of the language."""

from __future__ import annotations

_DIGITS = ("nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan")
_SMALL = (*_DIGITS, "sepuluh", "sebelas")


def announcement(number: str, counter: int) -> str:
    """`Nomor antrean D nol nol satu, silakan ke loket tiga` for `D-001` and counter 3."""
    return f"Nomor antrean {spelled(number)}, silakan ke loket {number_words(counter)}"


def spelled(number: str) -> str:
    """Letter by letter and digit by digit, as it stands on the ticket: `D-001` is `D nol nol satu`."""
    return " ".join(_DIGITS[int(c)] if c.isdigit() else c for c in number if c != "-")


def number_words(number: int) -> str:
    """A number from 0 to 9999 in words. ValueError outside.

    Rules of the language: 10 and 11 are words of their own; 12 to 19 end in `belas`; tens are counted with `puluh`,
    hundreds with `ratus`, thousands with `ribu`; one of these is `se-` and not `satu`.
    """
    if not 0 <= number <= 9999:
        raise ValueError(f"{number} is not between 0 and 9999")
    if number < 12:
        return _SMALL[number]
    if number < 20:
        return f"{_DIGITS[number - 10]} belas"
    for size, word in ((1000, "ribu"), (100, "ratus"), (10, "puluh")):
        if number >= size:
            count, rest = divmod(number, size)
            head = f"se{word}" if count == 1 else f"{number_words(count)} {word}"
            return f"{head} {number_words(rest)}" if rest else head
    raise AssertionError("unreachable: every number from 20 on has tens")
