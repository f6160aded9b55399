"""The server of the wire front: connections, order, answers. Knows asyncio; knows no command.

One process, one event loop: the engine does the work, and a request costs this process a few tens of microseconds
(README.md has the measurement against threads and against several processes). One client's bad bytes close that
client's connection and nothing else.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import logging
import signal
import sys
from typing import cast

import bson

from mpp_devstack.wirefront import wire
from mpp_devstack.wirefront.commands import Answer, Query, Session, translate
from mpp_devstack.wirefront.cursors import Cursors
from mpp_devstack.wirefront.errors import CommandError
from mpp_devstack.wirefront.postgres import EngineGone, Job, Outcome, Pool, SqlError

log = logging.getLogger("mpp_devstack.wirefront")
ENGINE_CONNECTIONS = 12
SETTINGS = {
    "user": "pg",
    "database": "postgres",
    "application_name": "wirefront",
    "search_path": "documentdb_api_catalog,documentdb_api,public",
    "documentdb_core.bsonUseEJson": "off",
    "client_min_messages": "error",
}


class Client(asyncio.Protocol):
    """One client connection: requests are answered one at a time, in order."""

    def __init__(self, pool: Pool, cursors: Cursors, number: int) -> None:
        self._pool = pool
        self._session = Session(cursors, number, lambda: dt.datetime.now(dt.UTC))
        self._buffer = bytearray()
        self._busy = False
        self._ended = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def eof_received(self) -> bool:
        """The client will send no more; what it asked is still answered before the connection closes."""
        self._ended = True
        return self._busy

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._busy:
            self._next()
        elif self._transport is not None and len(self._buffer) > wire.MAX_MESSAGE:
            self._transport.pause_reading()

    def _next(self) -> None:
        """Take up requests until one has to wait for the engine or no whole message is left."""
        try:
            while not self._busy and len(self._buffer) >= 4 and self._transport is not None:
                length = wire.message_length(self._buffer)
                if len(self._buffer) < length:
                    return
                message = bytes(self._buffer[:length])
                del self._buffer[:length]
                self._serve(wire.parse(message))
        except wire.ProtocolError as problem:
            log.warning("client %d: %s; connection closed", self._session.connection_id, problem)
            self._close()

    def _serve(self, request: wire.Request) -> None:
        try:
            self._step(request, translate(self._session, request))
        except CommandError as refusal:
            self._answer(request, refusal.document())
        except Exception as problem:
            log.exception("command %s", request.name)
            self._answer(
                request, CommandError(1, f"internal error of the wire front: {type(problem).__name__}").document()
            )

    def _step(self, request: wire.Request, result: Answer | Query) -> None:
        if not isinstance(result, Query):
            self._answer(request, result)
            return
        self._busy = True
        limit = request.command.get("maxTimeMS")
        timeout = limit / 1000 if isinstance(limit, int) and limit > 0 and request.name != "getMore" else None
        job = Job(result.sql, result.values, lambda outcome: self._done(request, result, outcome), timeout, result.once)
        if result.pause:
            asyncio.get_running_loop().call_later(result.pause, self._pool.submit, job)
        else:
            self._pool.submit(job)

    def _done(self, request: wire.Request, query: Query, outcome: Outcome) -> None:
        self._busy = False
        try:
            if isinstance(outcome, EngineGone):
                if outcome.maybe_done:
                    self._close()  # as when a server dies: the client must not be told more than is known
                    return
                raise CommandError(91, f"the store is not available: {outcome}")
            if isinstance(outcome, SqlError):
                instead = query.on_error(outcome)
                if isinstance(instead, CommandError):
                    raise instead
                self._step(request, instead)
            else:
                self._step(request, query.finish(outcome))
        except CommandError as refusal:
            self._answer(request, refusal.document())
        except Exception as problem:
            log.exception("answer to %s", request.name)
            self._answer(
                request, CommandError(1, f"internal error of the wire front: {type(problem).__name__}").document()
            )
        if not self._busy:
            self._next()
            if self._transport is not None:
                self._transport.resume_reading()
                if self._ended and not self._busy:
                    self._transport.close()

    def _answer(self, request: wire.Request, document: Answer) -> None:
        if request.wants_reply and self._transport is not None:
            self._transport.write(wire.reply(request, document))

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


async def serve(port: int, socket_path: str) -> None:
    """Serve on loopback `port` in front of the engine behind `socket_path` until SIGTERM."""
    loop = asyncio.get_running_loop()
    pool, cursors, numbers = Pool(socket_path, SETTINGS, ENGINE_CONNECTIONS), Cursors(), itertools.count(1)
    server = await loop.create_server(lambda: Client(pool, cursors, next(numbers)), "127.0.0.1", port, backlog=512)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    log.info("listening on 127.0.0.1:%d", port)
    await stop.wait()
    server.close()


def main(arguments: list[str]) -> None:
    """`PORT SOCKET_PATH`."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    port, socket_path = int(arguments[0]), arguments[1]
    if not bson.has_c():
        log.warning("bson has no C extension here: slower")
    asyncio.run(serve(port, socket_path))


if __name__ == "__main__":
    main(sys.argv[1:])
