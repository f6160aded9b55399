"""What it takes to get into the line: one value for every way in. Pure; knows no rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mpp_queue.domain.holder import NOBODY, Holder
from mpp_queue.domain.spec import PriorityGroup

# Of tickets whose citizen is at a phone or a screen: no board shows them and no loudspeaker calls them.
REMOTE_CHANNELS = frozenset({"appointment_phone", "appointment_video"})


@dataclass(frozen=True, slots=True)
class Admission:
    """Someone to be let into a queue.

    `name` is the ticket's resource name and comes from the command, so that a repetition finds the ticket.
    `arrived_at` is the place in the line: a walk-in's is now, a booked citizen's by the rule of the agenda, a
    transferred one's that of the parent. `issued_at`: when the paper was printed, where that was not now.
    `number` and `seq`: kept through a transfer (seq negative) or of an offline block (`OFFLINE_BASE` + n);
    empty and 0: the next number of the day. `holder`: under whom it counts, see holder.py.
    """

    name: str
    queue: str
    channel: str
    arrived_at: datetime
    offering: str = ""
    group: PriorityGroup = PriorityGroup.NONE
    priority_class: str = ""
    owners: tuple[str, ...] = ()
    sealed_phone: str = ""
    masked_phone: str = ""
    person_key: str = ""
    holder: Holder = NOBODY
    phone_key: str = ""
    device_key: str = ""
    visit: str = ""
    appointment: str = ""
    parent: str = ""
    number: str = ""
    seq: int = 0
    expected: timedelta | None = None
    issued_at: datetime | None = None

    @property
    def counts(self) -> bool:
        """Whether it counts in the daily contingent: bookings, transfers and what is printed already do not."""
        return self.seq == 0 and not self.appointment and not self.parent
