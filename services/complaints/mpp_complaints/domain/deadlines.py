"""The moments that are due and the counts that end a complaint's rounds, as values. Never knows a calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mpp_complaints.domain.lifecycle import Class


@dataclass(frozen=True, slots=True)
class Limits:
    """Counts that keep a complaint from going round for ever."""

    reopenings: int = 2
    escalation_levels: int = 3
    info_requests: int = 5


@dataclass(frozen=True, slots=True)
class Terms:
    """Each moment that would be due if its clock started now; the caller reckons them by the site's days."""

    verify_by: datetime
    act_by: datetime
    reply_by: datetime
    legal_by: datetime
    settle_by: Mapping[Class, datetime]
    limits: Limits = Limits()
