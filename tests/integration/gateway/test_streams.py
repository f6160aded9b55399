"""A queue's board over SSE, as an EventSource reads it: one watcher and many, while others go on calling."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1 import queue_service_pb2_grpc

from tests.integration.gateway.ground import Gateway, host_port

QUEUE = "sites/malang/queues/tugu-tirta"
WATCHERS = 150
pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]


class EventSource:
    """What a browser's EventSource does, on a bare connection: `data:` lines up to an empty line are one event."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.status, self.headers = "", dict[str, str]()

    @classmethod
    async def open(cls, url: str, path: str) -> EventSource:
        host, port = host_port(url)
        source = cls(*await asyncio.open_connection(host, port))
        head = f"GET {path} HTTP/1.1\r\nhost: {host}:{port}\r\naccept: text/event-stream\r\ncache-control: no-cache\r\n\r\n"
        source._writer.write(head.encode())
        source.status = (await source._reader.readline()).decode().split(" ", 2)[1]
        while line := (await source._reader.readline()).decode().strip():
            name, _, value = line.partition(":")
            source.headers[name.lower()] = value.strip()
        return source

    async def event(self) -> Any:
        """The next event's data; comments and empty ones are passed over."""
        data = ""
        while True:
            size = int((await self._reader.readline()).strip() or b"0", 16)
            for line in (await self._reader.readexactly(size)).decode().split("\n"):
                if line.startswith("data:"):
                    data += line[5:].strip()
                elif not line and data:
                    await self._reader.readexactly(2)
                    return json.loads(data)
            await self._reader.readexactly(2)

    def close(self) -> None:
        self._writer.close()


def waiting(malang: Any) -> int:
    stub = malang.stub("queue", queue_service_pb2_grpc.QueueServiceStub)
    return int(stub.GetQueue(pb.GetQueueRequest(name=QUEUE), timeout=30).waiting)


def take(edge: Gateway, token: str) -> int:
    return edge.call("POST", f"/v1/{QUEUE}/tickets", {"requestId": str(uuid.uuid4())}, token).status


def upstream(edge: Gateway, count: str) -> int:
    """One of Envoy's counts of the queue's streams: `active` now, `total` since its start."""
    name = f"cluster.queue-streams.upstream_rq_{count}"
    return int(edge.stats(f"^{name}$").get(name, 0))


@pytest.fixture(autouse=True)
def everybody_leaves(edge: Gateway, eventually: Callable[..., Any]) -> Iterator[None]:
    """A test's watchers are gone when it ends: Envoy counts a closed connection out a moment later."""
    before = upstream(edge, "active")
    yield
    eventually(lambda: upstream(edge, "active") <= before, 60)


def test_an_event_source_sees_the_board_change(edge: Gateway, malang: Any) -> None:
    token = malang.token("kiosk", site="malang")

    async def watch() -> None:
        source = await EventSource.open(edge.url, f"/v1/{QUEUE}:watch")
        assert (source.status, source.headers["content-type"]) == ("200", "text/event-stream")
        assert source.headers["cache-control"] == "no-store"
        first = await asyncio.wait_for(source.event(), 15)
        assert first["name"] == QUEUE
        assert await asyncio.to_thread(take, edge, token) == 200
        seen = await asyncio.wait_for(source.event(), 15)
        while seen["waiting"] <= first["waiting"]:
            seen = await asyncio.wait_for(source.event(), 15)
        source.close()

    asyncio.run(watch())


def test_many_watchers_see_it_and_hold_up_no_caller(edge: Gateway, malang: Any) -> None:
    token = malang.token("kiosk", site="malang")
    delays: list[float] = []

    async def until(source: EventSource, least: int) -> None:
        while (await source.event())["waiting"] < least:
            pass

    async def crowd() -> None:
        before = await asyncio.to_thread(waiting, malang)
        sources = await asyncio.gather(*(EventSource.open(edge.url, f"/v1/{QUEUE}:watch") for _ in range(WATCHERS)))
        assert {source.status for source in sources} == {"200"}
        await asyncio.wait_for(asyncio.gather(*(source.event() for source in sources)), 60)
        began = time.monotonic()
        assert await asyncio.to_thread(take, edge, token) == 200
        delays.append(time.monotonic() - began)
        await asyncio.wait_for(asyncio.gather(*(until(source, before + 1) for source in sources)), 60)
        for source in sources:
            source.close()

    asyncio.run(crowd())
    assert delays[0] < 20


def test_a_watcher_that_leaves_frees_its_stream(edge: Gateway, eventually: Callable[..., Any]) -> None:
    active, total = upstream(edge, "active"), upstream(edge, "total")  # a page of another test may still watch

    async def come_and_go() -> None:
        sources = [await EventSource.open(edge.url, f"/v1/{QUEUE}:watch") for _ in range(5)]
        await asyncio.to_thread(eventually, lambda: upstream(edge, "total") >= total + 5)
        for source in sources:
            source.close()

    asyncio.run(come_and_go())
    eventually(lambda: upstream(edge, "active") <= active, 60)


def test_a_board_that_is_not_there_is_an_error_and_no_stream(edge: Gateway) -> None:
    answer = edge.call("GET", "/v1/sites/malang/queues/nowhere:watch")
    assert (answer.status, answer.reason) == (404, "QUEUE_UNKNOWN")


def test_the_same_stream_over_grpc(edge: Gateway) -> None:
    with grpc.insecure_channel(edge.target) as channel:
        stream = queue_service_pb2_grpc.QueueServiceStub(channel).WatchQueue(
            pb.WatchQueueRequest(name=QUEUE), timeout=20
        )
        assert next(stream).name == QUEUE
        stream.cancel()
