"""Displays at the queue service: read, set. Knows the queue's contract of displays, and that the queue hears of a site
a moment after the catalogue has it; never knows files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import grpc
from mpp.queue.v1 import display_pb2
from mpp.queue.v1 import displays_service_pb2 as pb
from mpp.queue.v1 import displays_service_pb2_grpc as rpc

from mppctl.connection import Connection
from mppctl.problems import refusal

R = TypeVar("R")
Metadata = list[tuple[str, str]]
PAGE = 200
SITE_SECONDS = 30.0  # for the queue to hear of a site that the catalogue has
EVERY = 0.2  # seconds between two looks
READER = "site_manager"


def of_site(connection: Connection, site: str, metadata: Metadata) -> Iterator[display_pb2.Display]:
    """All displays of a site (`sites/malang`), by name, page by page. Raises grpc.RpcError, NoConnection."""
    stub, token = connection.stub("queue", rpc.DisplaysServiceStub), ""
    while True:
        request = pb.ListDisplaysRequest(parent=site, page_size=PAGE, page_token=token)
        reply = connection.call(stub.ListDisplays, request, metadata)
        yield from reply.displays
        token = reply.next_page_token
        if not token:
            return


def one(connection: Connection, name: str) -> display_pb2.Display:
    """Raises grpc.RpcError, NoConnection."""
    stub = connection.stub("queue", rpc.DisplaysServiceStub)
    metadata = connection.metadata(READER, site=name.split("/")[1])
    found: display_pb2.Display = connection.call(stub.GetDisplay, pb.GetDisplayRequest(name=name), metadata)
    return found


def frame(connection: Connection, name: str) -> display_pb2.DisplayFrame:
    """What its screens show now. Raises grpc.RpcError, NoConnection."""
    stub = connection.stub("queue", rpc.DisplaysServiceStub)

    def first(request: pb.WatchDisplayRequest, **how: Any) -> display_pb2.DisplayFrame:
        stream = stub.WatchDisplay(request, **how)
        try:
            return next(stream)  # type: ignore[no-any-return]
        finally:
            stream.cancel()

    return connection.call(first, pb.WatchDisplayRequest(name=name))


def heard_of_site(
    call: Callable[[], R],
    exists: Callable[[], bool],
    until: float,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> R:
    """The reply of `call`, which is made again while it is refused with SITE_NOT_FOUND though the site `exists`.

    Guaranteed: no other refusal is waited for, and a refusal after `until` (of `clock`) is the last. Raises grpc.RpcError.
    """
    waited = False
    while True:
        try:
            return call()
        except grpc.RpcError as error:
            if refusal(error).reason != "SITE_NOT_FOUND" or clock() >= until or not (waited or exists()):
                raise
        waited = True
        pause(EVERY)
