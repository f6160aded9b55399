"""A small asynchronous client of PostgreSQL's extended protocol: prepared statements, binary values, one pool.

Knows the frontend/backend protocol 3.0; never knows MongoDB. Callbacks instead of coroutines: it is the hot path.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

Row = list[bytes | None]
INT16, INT32 = struct.Struct("!h"), struct.Struct("!i")
_SYNC = b"S\0\0\0\4"
_EXECUTE = b"E\0\0\0\x09\0\0\0\0\0"
_TERMINATE = b"X\0\0\0\4"


@dataclass
class SqlError(Exception):
    """An error the engine reported: SQLSTATE, message, and the further fields by their protocol letter."""

    state: str
    message: str
    fields: dict[str, str]


class EngineGone(Exception):
    """The connection broke; `maybe_done` tells whether the statement may have been carried out."""

    def __init__(self, text: str, *, maybe_done: bool) -> None:
        super().__init__(text)
        self.maybe_done = maybe_done


Outcome = list[Row] | SqlError | EngineGone
Done = Callable[[Outcome], None]


@dataclass(slots=True)
class Job:
    """One statement to run; `done` is called exactly once, in the event loop. Values are in PostgreSQL's binary form."""

    sql: str
    values: Sequence[bytes | None]
    done: Done
    timeout: float | None = None  # seconds, after which the engine is asked to cancel
    once: bool = False  # the text will not come again: not worth a prepared statement
    timer: asyncio.TimerHandle | None = None


class Connection(asyncio.Protocol):
    """One connection to the engine; runs one job at a time."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._buffer = bytearray()
        self._prepared: dict[str, bytes] = {}
        self._names = 0  # names are never used again, also after a statement was forgotten
        self._job: Job | None = None
        self._rows: list[Row] = []
        self._error: SqlError | None = None
        self._transport: asyncio.Transport | None = None
        self._ready = False
        self.cancelled = False  # a cancel may arrive late and hit what runs next: never used for another job
        self.backend = b""  # process id and secret, for a cancel request

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        body = b"".join(f"{k}\0{v}\0".encode() for k, v in self._pool.settings.items()) + b"\0"
        self._transport.write(struct.pack("!ii", 8 + len(body), 196608) + body)

    def run(self, job: Job) -> None:
        """Send one job: parse (the first time), bind, execute, sync in one write."""
        self._job, self._rows, self._error = job, [], None
        name = b"" if job.once else self._prepared.get(job.sql)
        parts: list[bytes] = []
        if not name:
            if name is None:
                self._names += 1
                name = b"s%d" % self._names
                self._prepared[job.sql] = name
            text = name + b"\0" + job.sql.encode() + b"\0\0\0"
            parts += (b"P", INT32.pack(4 + len(text)), text)
        values: list[bytes] = []
        for value in job.values:
            values += (b"\xff\xff\xff\xff",) if value is None else (INT32.pack(len(value)), value)
        data = b"".join(values)
        head = b"\0" + name + b"\0\0\1\0\1" + INT16.pack(len(job.values))
        parts += (b"B", INT32.pack(8 + len(head) + len(data)), head, data, b"\0\1\0\1", _EXECUTE, _SYNC)
        if job.timeout is not None:
            job.timer = asyncio.get_running_loop().call_later(job.timeout, self._pool.cancel, self)
        assert self._transport is not None
        self._transport.write(b"".join(parts))

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        position, size = 0, len(buffer)
        while size - position >= 5:
            length = INT32.unpack_from(buffer, position + 1)[0] + 1
            if size - position < length:
                break
            self._message(buffer[position], bytes(buffer[position + 5 : position + length]))
            position += length
        del buffer[:position]

    def _message(self, kind: int, body: bytes) -> None:
        if kind == 0x44:  # D: a row
            self._rows.append(_row(body))
        elif kind == 0x5A:  # Z: ready for the next
            self._finish()
        elif kind == 0x45:  # E: an error
            self._error = _error(body)
        elif kind == 0x4B:  # K: key for cancel requests
            self.backend = body

    def _finish(self) -> None:
        job, self._job = self._job, None
        if job is None:
            self._ready = True
            self._pool.opened(self)
            return
        if job.timer is not None:
            job.timer.cancel()
        outcome: Outcome = self._error if self._error is not None else self._rows
        if self._error is not None:
            # the statement may not have been parsed at all, or its plan may be of an older catalogue: prepare it anew
            self._prepared.pop(job.sql, None)
        self._rows = []
        if self.cancelled:
            self._pool.retire(self)
        else:
            self._pool.idle(self)
        job.done(outcome)

    def connection_lost(self, exc: Exception | None) -> None:
        job, self._job = self._job, None
        if self.cancelled and job is None:
            return  # retired
        self._pool.lost(self, was_ready=self._ready, reason=self._error)
        if job is not None:
            if job.timer is not None:
                job.timer.cancel()
            job.done(EngineGone("the engine closed the connection", maybe_done=True))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.write(_TERMINATE)
            self._transport.close()


def _row(body: bytes) -> Row:
    count, position, row = INT16.unpack_from(body)[0], 2, list[bytes | None]()
    for _ in range(count):
        size = INT32.unpack_from(body, position)[0]
        position += 4
        if size < 0:
            row.append(None)
        else:
            row.append(body[position : position + size])
            position += size
    return row


def _error(body: bytes) -> SqlError:
    fields = {part[:1].decode(): part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
    return SqlError(fields.get("C", "XX000"), fields.get("M", ""), fields)


class Pool:
    """At most `limit` connections to one engine; jobs wait in order when all are busy."""

    def __init__(self, socket_path: str, settings: dict[str, str], limit: int) -> None:
        self.settings = settings
        self._path = socket_path
        self._limit = limit
        self._all: set[Connection] = set()
        self._idle: list[Connection] = []
        self._waiting: deque[Job] = deque()
        self._opening = 0

    def submit(self, job: Job) -> None:
        """Run `job` on an idle connection, or on a new one, or when one gets free."""
        if self._idle:
            self._idle.pop().run(job)
            return
        self._waiting.append(job)
        self._open_one()

    def _open_one(self) -> None:
        if len(self._all) + self._opening < self._limit:
            self._opening += 1
            asyncio.get_running_loop().create_task(self._open())

    def retire(self, connection: Connection) -> None:
        """Close a connection to which a cancel request is under way; who waits gets another one."""
        self._all.discard(connection)
        connection.close()
        if self._waiting:
            self._open_one()

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_unix_connection(lambda: Connection(self), self._path)
        except OSError as problem:
            self._opening -= 1
            self._refuse(f"the engine is not running ({problem.strerror or problem})")
        else:
            self._all.add(connection)

    def _refuse(self, text: str) -> None:
        """No connection can be had: answer all who wait, rather than let them hang."""
        if self._all:
            return
        waiting, self._waiting = self._waiting, deque()
        for job in waiting:
            job.done(EngineGone(text, maybe_done=False))

    def opened(self, connection: Connection) -> None:
        self._opening -= 1
        self.idle(connection)

    def idle(self, connection: Connection) -> None:
        if self._waiting:
            connection.run(self._waiting.popleft())
        else:
            self._idle.append(connection)

    def lost(self, connection: Connection, *, was_ready: bool, reason: SqlError | None) -> None:
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if not was_ready:
            self._opening -= 1
        self._refuse(reason.message if reason else "the engine closed the connection")

    def cancel(self, connection: Connection) -> None:
        """Ask the engine to cancel what `connection` runs (it then reports SQLSTATE 57014)."""
        connection.cancelled = True
        asyncio.get_running_loop().create_task(self._cancel(connection.backend))

    async def _cancel(self, backend: bytes) -> None:
        _, writer = await asyncio.open_unix_connection(self._path)
        writer.write(struct.pack("!ii", 8 + len(backend), 80877102) + backend)
        await writer.drain()
        writer.close()
