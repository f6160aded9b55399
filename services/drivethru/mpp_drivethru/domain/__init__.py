"""A vehicle's pass through a drive-thru lane: pure rules, standard library only.

Knows channels (their lanes and stages are data), plates, the steps of a pass, and stage times. Never knows the store, the
transport or another service.
"""

from __future__ import annotations

from mpp_drivethru.domain.channels import ChannelSpec, LaneSpec, StageSpec, Text, channel, offering_of
from mpp_drivethru.domain.doors import Shut, SiteSpec, Window, refuse_new, shut
from mpp_drivethru.domain.errors import (
    BadSettings,
    ChannelClosed,
    DriveThruError,
    InvalidField,
    LaneBlocked,
    StageTaken,
    UnderMaintenance,
    WrongState,
)
from mpp_drivethru.domain.passes import (
    OPEN,
    Advanced,
    Cause,
    Ended,
    Pass,
    PassEvent,
    Registered,
    StageTime,
    State,
    Step,
    TicketNews,
    TicketState,
    register,
)
from mpp_drivethru.domain.plates import mask_plate, plate
from mpp_drivethru.domain.times import Statistics, statistics

__all__ = [
    "OPEN",
    "Advanced",
    "BadSettings",
    "Cause",
    "ChannelClosed",
    "ChannelSpec",
    "DriveThruError",
    "Ended",
    "InvalidField",
    "LaneBlocked",
    "LaneSpec",
    "Pass",
    "PassEvent",
    "Registered",
    "Shut",
    "SiteSpec",
    "StageSpec",
    "StageTaken",
    "StageTime",
    "State",
    "Statistics",
    "Step",
    "Text",
    "TicketNews",
    "TicketState",
    "UnderMaintenance",
    "Window",
    "WrongState",
    "channel",
    "mask_plate",
    "offering_of",
    "plate",
    "refuse_new",
    "register",
    "shut",
    "statistics",
]
