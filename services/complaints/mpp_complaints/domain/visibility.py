"""Who may read a complaint's words, and who may see which person reports. Knows no state, no deadline and no caller: in what
right somebody looks is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Visibility(StrEnum):
    """An axis of its own: no transition changes it."""

    PUBLIC = "public"
    ANONYMOUS = "anonymous"
    CONFIDENTIAL = "confidential"


class Reader(StrEnum):
    """In what right somebody looks at a complaint."""

    REPORTER = "reporter"
    SITE_MANAGER = "site_manager"
    AGENCY_ADMIN = "agency_admin"
    OFFICER = "officer"


_EVERY_READER = frozenset(Reader)
_TRUSTED = frozenset({Reader.REPORTER, Reader.SITE_MANAGER, Reader.AGENCY_ADMIN})
# Who may read the reporter's words (and what was answered to them), and who may see which person it is.
WORDS_FOR: Mapping[Visibility, frozenset[Reader]] = {
    Visibility.PUBLIC: _EVERY_READER,
    Visibility.ANONYMOUS: _EVERY_READER,
    Visibility.CONFIDENTIAL: _TRUSTED,
}
PERSON_FOR: Mapping[Visibility, frozenset[Reader]] = {
    Visibility.PUBLIC: _EVERY_READER,
    Visibility.ANONYMOUS: frozenset({Reader.REPORTER}),
    Visibility.CONFIDENTIAL: _TRUSTED,
}

# Whoever is accused of taking money must neither read the report nor learn who made it.
OVERCHARGE_WORDS_FOR = _TRUSTED
