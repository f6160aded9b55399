"""How far a subscription is, and how much may be on its way. Pure: standard library only."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

DEFAULT_WINDOW = 100
MOST_SUBSCRIPTIONS = 50  # of one agency
PAGE = 50


@dataclass(frozen=True, slots=True)
class Subscription:
    """`acknowledged` is an offset (-1: nothing yet) and `cursor` its text; both only ever grow.

    `start` is where it began, a cursor or (empty) the time `created_at`: what counts until the first acknowledgement.
    `holder` names the newest stream: an older one that reads another name here ends.
    """

    name: str
    acknowledged: int
    cursor: str
    created_at: datetime
    start: str = ""
    start_time: datetime | None = None
    acknowledged_at: datetime | None = None
    opened_at: datetime | None = None
    holder: str = ""


@dataclass(slots=True)
class Window:
    """Offsets that were sent and are not acknowledged yet: never more than `size`."""

    size: int
    sent: deque[int] = field(default_factory=deque)

    @property
    def full(self) -> bool:
        return len(self.sent) >= self.size

    def send(self, offset: int) -> None:
        self.sent.append(offset)

    def acknowledge(self, offset: int) -> None:
        while self.sent and self.sent[0] <= offset:
            self.sent.popleft()
