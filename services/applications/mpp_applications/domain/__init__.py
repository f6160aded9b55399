"""The rules of an application (permohonan). Standard library only.

Knows states, deadlines, requirements, pickup codes and the form of a NIK. Never knows a store, a wire
format, a key or the time: instants, ids, randomness, working time and sealed values come in as arguments.
"""

from mpp_applications.domain.application import (
    PICKUP_TRIES,
    Advanced,
    Application,
    Event,
    Flagged,
    HistoryEntry,
    Offering,
    Opened,
    Pickup,
    SealedApplicant,
    Ticket,
    new_pickup_code,
    open_application,
)
from mpp_applications.domain.clock import Clock, Promise, Unit, WorkingTime
from mpp_applications.domain.errors import (
    ApplicationsError,
    InvalidField,
    PickupLocked,
    RequirementsMissing,
    WrongPickupCode,
    WrongState,
)
from mpp_applications.domain.lifecycle import CLOSED, RUNNING, TRANSITIONS, Action, Flag, State
from mpp_applications.domain.nik import NIK_REGION_UNKNOWN, check_nik

__all__ = [
    "CLOSED",
    "NIK_REGION_UNKNOWN",
    "PICKUP_TRIES",
    "RUNNING",
    "TRANSITIONS",
    "Action",
    "Advanced",
    "Application",
    "ApplicationsError",
    "Clock",
    "Event",
    "Flag",
    "Flagged",
    "HistoryEntry",
    "InvalidField",
    "Offering",
    "Opened",
    "Pickup",
    "PickupLocked",
    "Promise",
    "RequirementsMissing",
    "SealedApplicant",
    "State",
    "Ticket",
    "Unit",
    "WorkingTime",
    "WrongPickupCode",
    "WrongState",
    "check_nik",
    "new_pickup_code",
    "open_application",
]
