"""What a screen says of a call, in each of its languages. Pure; the Indonesian words are those of every announcement."""

from __future__ import annotations

from mpp_queue.announcement import announcement

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def spoken(language: str, number: str, counter: int) -> str:
    """A sentence in `id` or `en`. ValueError for another language, or a counter above 9999."""
    if language == "id":
        return announcement(number, counter)
    if language != "en":
        raise ValueError(f"{language} is not spoken here")
    return f"Queue number {spelled(number)}, please go to counter {number_words(counter)}"


def spelled(number: str) -> str:
    """Letter by letter and digit by digit: `D-001` is `D zero zero one`."""
    return " ".join(_DIGITS[int(c)] if c.isdigit() else c for c in number if c != "-")


def number_words(number: int) -> str:
    """A number from 0 to 9999 in English words. ValueError outside."""
    if not 0 <= number <= 9999:
        raise ValueError(f"{number} is not between 0 and 9999")
    if number < 20:
        return (*_DIGITS, *_TEENS)[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens] + (f"-{_DIGITS[ones]}" if ones else "")
    size, word = (1000, "thousand") if number >= 1000 else (100, "hundred")
    count, rest = divmod(number, size)
    return f"{_DIGITS[count]} {word}" + (f" {number_words(rest)}" if rest else "")
