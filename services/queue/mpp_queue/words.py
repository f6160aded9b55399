"""What may stand on a screen for citizens. Pure: knows characters, no meaning."""

from __future__ import annotations

import unicodedata

# Marks that turn the direction of what follows: a text with them reads otherwise than it is written.
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def fault_of(text: str) -> str:
    """What is wrong with a text for a screen; empty when nothing is. Line breaks are text."""
    for character in text:
        if character in _DIRECTION:
            return "holds a mark that turns the direction of writing"
        if unicodedata.category(character) in ("Cc", "Cs", "Co") and character != "\n":
            return "holds a control character"
    return ""
