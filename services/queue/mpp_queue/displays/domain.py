"""A display as data, what it shows of queues, and which calls it speaks: pure rules, standard library only.

Speaking once: a `Session` is all that is remembered of what a screen has spoken. It travels with the screen (a text that it
gives back), so no process keeps it, and a screen may come back to any process after any crash.

Never knows the store, the transport, the time of day (`now` is an argument), or a person.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from mpp_queue.domain.errors import InvalidField, QueueError
from mpp_queue.domain.spec import Text
from mpp_queue.words import fault_of

SPEAK_WITHIN = timedelta(minutes=2)  # a call that is older helps nobody who hears it
MOST_REMEMBERED = 380  # of a session: its text stays below 8,000 characters
LANGUAGES = ("id", "en")
NO_TEXT = Text()
_MS = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class EtagMismatch(QueueError):
    """Somebody changed the display since it was read."""

    reason = "ETAG_MISMATCH"


class CallState(StrEnum):
    CALLING = "calling"
    SERVING = "serving"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class DisplayCall:
    """One call of one number to one counter. `calls`: which call of the number it is. `id`: the same wherever it is made;
    begins with the call's milliseconds, so that ids sort by time.
    """

    queue: str
    number: str
    counter: int
    called_at: datetime
    state: CallState
    calls: int = 1
    id: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        told = f"{self.queue}\n{self.number}\n{self.counter}"
        digest = hashlib.blake2b(told.encode(), digest_size=4).hexdigest()
        object.__setattr__(
            self, "id", f"{milliseconds(self.called_at):011x}{digest}"
        )  # made once: it is asked for often


@dataclass(frozen=True, slots=True)
class Message:
    """Running text, from when until when; None: no bound."""

    text: Text
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def runs(self, now: datetime) -> bool:
        return (self.starts_at is None or self.starts_at <= now) and (self.ends_at is None or now < self.ends_at)


@dataclass(frozen=True, slots=True)
class Display:
    """What decides what a frame holds. What is only passed on to the screen (rows, colours, slides) is in the contract's own
    form beside it; `texts` are all its words by field, for the check.
    """

    name: str
    queues: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    show_waiting: bool = False
    show_wait: bool = False
    last_calls: int = 0
    messages: tuple[Message, ...] = ()
    closed_text: Text = NO_TEXT
    texts: tuple[tuple[str, Text], ...] = field(default=(), compare=False)

    @property
    def site(self) -> str:
        return self.name.rpartition("/displays/")[0]

    def check(self, parent: str) -> None:
        """What the contract's rules of single fields cannot say. Raises InvalidField naming the field."""
        if self.site != parent:
            raise InvalidField("display.name", f"{self.name} is not below {parent}")
        for kind, names in (("queues", self.queues), ("agencies", self.agencies)):
            for n, name in enumerate(names):
                if not name.startswith(f"{parent}/"):
                    raise InvalidField(f"display.{kind}[{n}]", f"{name} is not of {parent}")
        for n, message in enumerate(self.messages):
            if message.starts_at and message.ends_at and message.ends_at <= message.starts_at:
                raise InvalidField(f"display.messages[{n}].ends_at", "is not after starts_at")
        for name, text in self.texts:
            for language, words in (("id", text.id), ("en", text.en)):
                if fault := fault_of(words):
                    raise InvalidField(f"display.{name}.{language}", fault)


def latest(calls: Iterable[DisplayCall], limit: int) -> list[DisplayCall]:
    """The newest first; of the same millisecond in a fixed order."""
    return heapq.nlargest(limit, calls, key=lambda c: c.id)


@dataclass(frozen=True, slots=True)
class Session:
    """What a screen has spoken of the last two minutes (ids), and the moment before which nothing is spoken any more.

    Guaranteed: a call is due in one `hear` only, as long as each goes on from the session of the one before; a call is due
    in the first `hear` that knows of it, unless that is more than `SPEAK_WITHIN` after it, or the citizen is no longer
    waited for. What is new is told by ids, not by the time, so clocks of several processes may differ and one may go back,
    by less than `SPEAK_WITHIN`. NOT guaranteed beyond: what a clock that is further behind calls is shown and not spoken,
    until that clock has come up again.
    """

    floor: datetime
    heard: frozenset[str] = frozenset()

    @classmethod
    def begin(cls, calls: Iterable[DisplayCall], now: datetime) -> Session:
        """Of a screen that was just switched on: what was called until now is not spoken."""
        return cls(_whole(now - SPEAK_WITHIN), frozenset(c.id for c in calls)).trimmed()

    @classmethod
    def resumed(cls, told: str) -> Session:
        """From `text`. Raises ValueError for what is none."""
        floor, *heard = told.split(".")
        return cls(_moment(int(floor, 16)), frozenset(heard)).trimmed()

    @property
    def text(self) -> str:
        return ".".join([f"{milliseconds(self.floor):011x}", *sorted(self.heard)])

    def hear(self, calls: Iterable[DisplayCall], now: datetime) -> tuple[list[DisplayCall], Session]:
        """The calls to speak now, the oldest first, and the session that goes on."""
        floor = max(self.floor, _whole(now - SPEAK_WITHIN))
        new = {c.id: c for c in calls if c.called_at >= floor and c.id not in self.heard}
        due = [new[known] for known in sorted(new) if new[known].state is CallState.CALLING]
        return due, Session(floor, self.heard | new.keys()).trimmed()

    def trimmed(self) -> Session:
        """Without what is below the floor anyhow. The floor rises when there is too much to carry."""
        kept = sorted(known for known in self.heard if int(known[:11], 16) >= milliseconds(self.floor))
        floor = self.floor
        if len(kept) > MOST_REMEMBERED:
            floor = _moment(int(kept[-MOST_REMEMBERED - 1][:11], 16) + 1)
            kept = [known for known in kept if int(known[:11], 16) >= milliseconds(floor)]
        return Session(floor, frozenset(kept))


def milliseconds(moment: datetime) -> int:
    """Since 1970, of a time that is not before it."""
    return max((moment - _EPOCH) // _MS, 0)


def _moment(ms: int) -> datetime:
    """Raises ValueError for what is no time."""
    try:
        return _EPOCH + ms * _MS
    except OverflowError as e:
        raise ValueError(f"{ms} is no time") from e


def _whole(moment: datetime) -> datetime:
    return _moment(milliseconds(moment))


def shown_queues(display: Display, of_site: Sequence[tuple[str, str]]) -> list[str]:
    """The display's queues in its order: those it names, then those of the agencies it names, or all of the site by name.
    `of_site`: every (queue, agency) that there is. A queue that is named and not there is in it too.
    """
    if not display.queues and not display.agencies:
        return sorted(queue for queue, _ in of_site)
    found = list(display.queues)
    for agency in display.agencies:
        found += sorted(queue for queue, its in of_site if its == agency)
    return list(dict.fromkeys(found))
