"""What can go wrong here."""

from __future__ import annotations


class ImagesError(Exception):
    """An image could not be built, is not what it should be, or does not run; the text says which and why."""
