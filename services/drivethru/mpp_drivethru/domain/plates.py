"""Number plates: how two of them are compared, and what may be shown of one. Never keeps one."""

from __future__ import annotations

import re

from mpp_drivethru.domain.errors import InvalidField


def plate(text: str) -> str:
    """A plate as it is compared: upper case, no blanks nor hyphens. Raises InvalidField, which does not repeat it."""
    plain = re.sub(r"[ -]", "", text).upper()
    if not re.fullmatch(r"[A-Z0-9]{2,12}", plain) or not re.search(r"[0-9]", plain):
        raise InvalidField("plate", "a plate has letters and digits, like N 1234 AB")
    return plain


def mask_plate(plain: str) -> str:
    """`N*****X`: the first character and the last, of what `plate` gave; of a plate of two the first only."""
    shown = plain[-1:] if len(plain) > 2 else ""
    return plain[:1] + "*" * (len(plain) - 1 - len(shown)) + shown
