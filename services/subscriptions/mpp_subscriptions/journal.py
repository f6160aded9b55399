"""The public events in the order in which the broker wrote them down: a RabbitMQ stream, read from any place of a week.

Knows AMQP and the CloudEvents headers; knows no store, no subscriber and no transport. Works in threads and in green
threads alike. A reader holds a connection of its own, so that one who is slow keeps nobody else waiting, and at most
`prefetch` entries in memory.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from mpp_chassis import broker, logs
from mpp_chassis.broker import BrokerDown

from mpp_subscriptions.cursor import Position, Start, encode

KEPT = timedelta(days=7)  # as the chassis declares the stream
PATIENCE = 3.0  # seconds for a first entry that must be there
HEARTBEAT = 30  # seconds
WHOLE_CHUNK = 10_000  # more entries than the broker writes in one piece
LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)
log = logs.get(part="journal")


class Expired(Exception):
    """What comes behind the wanted place is no longer kept, or this is another journal than the cursor's.

    `oldest` is the place before the oldest event that is kept (None: there is none) and `time` when that happened.
    """

    reason: ClassVar[str] = "CURSOR_EXPIRED"

    def __init__(self, oldest: Position | None, time: datetime | None) -> None:
        super().__init__("events behind this place are no longer kept")
        self.oldest, self.time = oldest, time

    @property
    def metadata(self) -> dict[str, str]:
        """For the caller: where to go on if it must."""
        found = {"oldest_cursor": encode(self.oldest)} if self.oldest else {}
        return {**found, "oldest_time": self.time.isoformat()} if self.time else found


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. `id` is empty for what is no event of ours: it has a place, and nobody gets it."""

    offset: int
    id: str
    type: str = ""
    source: str = ""
    subject: str = ""
    time: datetime | None = None
    sequence: int = 0
    traceparent: str = ""
    body: bytes = b""

    @property
    def position(self) -> Position:
        return Position.of(self.offset, self.id)


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the journal somebody wants. Empty types and prefix: everything."""

    types: frozenset[str] = frozenset()
    subject_prefix: str = ""

    def passes(self, entry: Entry, granted: frozenset[str]) -> bool:
        """Never a type that is not `granted`."""
        return (
            bool(entry.id)
            and entry.type in granted
            and (not self.types or entry.type in self.types)
            and entry.subject.startswith(self.subject_prefix)
        )


@dataclass(frozen=True, slots=True)
class Journal:
    """Where it is. Opens readers."""

    amqp_uri: str = field(repr=False)
    stream: str = broker.JOURNAL

    def open(self, start: Start, prefetch: int = 50) -> Reader:
        """Raises BrokerDown, and Expired when the start can be told to be kept no more."""
        reader = Reader(self.amqp_uri, self.stream, start, prefetch)
        try:
            reader.confirm()
        except BaseException:
            reader.close()
            raise
        return reader

    def since(self, moment: datetime, now: datetime) -> datetime:
        """`moment`, when everything that happened since then is kept. Raises Expired otherwise, BrokerDown.

        A broker takes a time that lies before what it keeps without a word, and begins with the oldest.
        """
        if moment < now - KEPT:
            gone = self.expired()
            begun = gone.oldest is None or gone.oldest.offset == 0  # nothing was dropped yet
            if not begun and (gone.time is None or gone.time > moment):
                raise gone
        return moment

    def expired(self) -> Expired:
        """What one is told who asks for more than is kept."""
        with Reader(self.amqp_uri, self.stream, LONG_AGO, 1) as reader:
            return reader.expired()


class Reader:
    """Entries from `start` on, in order. Not thread-safe. Close it, or use `with`.

    Guarantees: no entry behind the start is left out silently: where that cannot be told, `read` raises Expired.
    Does *not* guarantee: that an entry of an earlier reader does not come again.
    """

    def __init__(self, amqp_uri: str, stream: str, start: Start, prefetch: int) -> None:
        """Connects. Raises BrokerDown."""
        self._stream, self._prefetch = stream, prefetch
        self._start: Position | None = start if isinstance(start, Position) else None
        self._since: datetime | None = start if isinstance(start, datetime) else None
        self._waiting: deque[Any] = deque()
        self._conn: Any = None
        self._ahead: Entry | None = None
        self._beat = time.monotonic()
        self._guarded(lambda: self._connect(amqp_uri, start))

    def _connect(self, amqp_uri: str, start: Start) -> None:
        self._conn = broker.connection(amqp_uri, heartbeat=HEARTBEAT)
        # The broker gives whole chunks: from a time on, entries before it come too, and are passed over here.
        self._channel = self._consume(start.offset if isinstance(start, Position) else start, self._waiting.append)

    def confirm(self) -> None:
        """Return when the start was found to be in the journal. Raises Expired, BrokerDown."""
        end = time.monotonic() + PATIENCE
        while self._start is not None:
            entry = self._next(end)
            if entry is None:
                raise self._missing(self._start.offset)
            if self._wanted(entry):
                self._ahead = entry

    def read(self, timeout: float) -> Entry | None:
        """The next entry; None when none came within `timeout` seconds. Raises Expired, BrokerDown."""
        self.confirm()
        if self._ahead is not None:
            entry, self._ahead = self._ahead, None
            return entry
        end = time.monotonic() + timeout
        while (found := self._next(end)) is not None:
            if self._wanted(found):
                return found
        return None

    def close(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            with contextlib.suppress(Exception):
                conn.collect()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wanted(self, entry: Entry) -> bool:
        start, self._start = self._start, None
        if start is not None:
            if start.fits(entry.offset, entry.id):
                return start.inclusive
            if entry.offset != start.offset + 1 or start.inclusive:
                raise self.expired()
        if self._since is not None:
            if entry.time is None or entry.time < self._since:
                return False
            self._since = None
        return True

    def _next(self, end: float) -> Entry | None:
        while not self._waiting:
            left = end - time.monotonic()
            if left <= 0:
                return None
            self._guarded(lambda seconds=left: self._drain(seconds))  # type: ignore[misc]
        message = self._waiting.popleft()
        self._guarded(lambda: self._channel.basic_ack(message.delivery_tag))
        return _entry(message)

    def _drain(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            self._conn.drain_events(timeout=seconds)
        if time.monotonic() - self._beat > HEARTBEAT / 4:
            self._beat = time.monotonic()
            self._conn.heartbeat_tick(rate=2)

    def _consume(self, offset: Any, callback: Callable[[Any], Any], prefetch: int = 0) -> Any:
        channel = self._conn.channel()
        channel.basic_qos(0, prefetch or self._prefetch, False)
        channel.basic_consume(self._stream, callback=callback, arguments={"x-stream-offset": offset})
        return channel

    def expired(self) -> Expired:
        """With the oldest that is kept: a look at the beginning of the stream, a few seconds at most."""
        found = self._glance("first", 1, lambda seen: True)
        if not found:
            return Expired(None, None)
        return Expired(Position.of(found[0].offset, found[0].id, inclusive=True), found[0].time)

    def _missing(self, offset: int) -> Exception:
        """Nothing came, though something must stand at `offset`: kept no more, never there, or a broker that is slow."""
        gone = self.expired()
        if gone.oldest is None:
            return BrokerDown(f"{self._stream} is empty, or the broker is slow")
        if gone.oldest.offset <= offset:
            newest = self._glance("last", WHOLE_CHUNK, lambda seen: seen[-1].offset >= offset)
            if not newest or newest[-1].offset >= offset:
                return BrokerDown(f"the broker is slow to read {self._stream}")
        return gone

    def _glance(self, place: str, most: int, enough: Callable[[list[Entry]], bool]) -> list[Entry]:
        """What stands at a place of the stream, until it is `enough`, or a while nothing more comes."""
        found: list[Entry] = []
        self._guarded(lambda: self._consume(place, lambda message: found.append(_entry(message)), most))
        quiet = time.monotonic() + PATIENCE
        while time.monotonic() < quiet and not (found and enough(found)):
            seen = len(found)
            self._guarded(lambda: self._drain(0.2))
            if len(found) > seen:
                quiet = time.monotonic() + PATIENCE / 4
        return found

    def _guarded(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except Exception as error:  # amqp raises socket, AMQP and attribute errors of a half-dead connection
            self.close()
            raise BrokerDown(f"{type(error).__name__} while reading {self._stream}") from error


def _entry(message: Any) -> Entry:
    headers = message.headers or {}
    offset = int(headers.get("x-stream-offset", -1))
    body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
    try:
        if not isinstance(json.loads(body), dict):
            raise ValueError("not an object")
        happened = datetime.fromisoformat(str(headers["ce-time"]))
        return Entry(
            offset, str(headers["ce-id"]), str(headers["ce-type"]), str(headers["ce-source"]),
            str(headers["ce-subject"]), happened if happened.tzinfo else None, int(headers["ce-sequence"]),
            str(headers.get("ce-traceparent", "")), body,
        )  # fmt: skip
    except (KeyError, ValueError, RecursionError) as error:
        log.warning("journal_entry_strange", offset=offset, error=type(error).__name__)
        return Entry(offset, "")
