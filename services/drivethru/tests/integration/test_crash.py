"""kill -9 of `serve` at the worst moment: after the queue did its part, before the answer came. Nobody repeats anything.

A second `serve` asks the queue through a wire that can be held: what it asks goes through, what is answered does not.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import grpc
import pytest
from mpp.drivethru.v1 import drivethru_service_pb2 as pb
from mpp.drivethru.v1.drivethru_service_pb2_grpc import DriveThruServiceStub
from mpp.drivethru.v1.pass_pb2 import Pass
from mpp.queue.v1.ticket_pb2 import Ticket
from mpp_localrun.platform import free_ports, wait_ready

from .conftest import STAGES, TIMEOUT, Corner, Yard

pytestmark = pytest.mark.stack


class Wire:
    """A TCP way to `target` (host:port) that lets answers through until it is held."""

    def __init__(self, target: str) -> None:
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._open = threading.Event()
        self._open.set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def hold(self) -> None:
        self._open.clear()

    def close(self) -> None:
        self._open.set()
        self._listening.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._listening.accept()
                there = socket.create_connection(self._target)
                threading.Thread(target=self._pass, args=(here, there, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(there, here, True), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if answers:
                    self._open.wait()
                sink.sendall(data)
            sink.close()


@dataclass
class Second:
    """Another `serve` process; its way to the queue can be held."""

    stub: Any
    wire: Wire
    process: Any


@pytest.fixture
def second(yard: Yard) -> Iterator[Second]:
    platform, (grpc_port, http_port) = yard.services.platform, free_ports(2)
    wire = Wire(platform.endpoints()["queue"])
    made = platform.process(
        "drivethru", "serve", MPP_PEER_QUEUE=wire.address, MPP_GRPC_PORT=str(grpc_port), MPP_HTTP_PORT=str(http_port)
    )
    process = replace(made, name="drivethru-serve-2", ready_url=f"http://127.0.0.1:{http_port}/readyz")
    popen = platform.start(process)
    wait_ready([(process, popen)], platform.logs)
    with grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
        yield Second(DriveThruServiceStub(channel), wire, popen)
    popen.kill()
    popen.wait()
    wire.close()


def test_killed_after_the_queue_did_its_part(yard: Yard, corner: Corner, second: Second, refusal: Any) -> None:
    """Six vehicles at the gate and one at the hand-over: each ticket has its pass, the pass ends with its ticket."""
    listen, others = yard.ear(), replace_stub(yard, second.stub)
    leaving = others.register(corner)
    yard.call_next(corner, 1)
    for stage in STAGES[:-1]:
        others.do("StartStage", corner, leaving, lane="1" if stage == STAGES[0] else "")
        others.do("FinishStage", corner, leaving)
    others.do("StartStage", corner, leaving)
    ids, plates = [str(uuid.uuid4()) for _ in range(6)], [yard.plate() for _ in range(6)]
    tickets = yard.services.database("queue")["tickets"]
    passes = yard.database["passes"]
    second.wire.hold()
    with ThreadPoolExecutor(7) as pool:
        waiting = [pool.submit(refusal, others.register, corner, plates[i], ids[i]) for i in range(6)]
        waiting.append(pool.submit(refusal, others.do, "FinishStage", corner, leaving))
        yard.until(lambda: tickets.count_documents({"queue": corner.queue}) == 7)
        yard.until(lambda: yard.ticket(corner, leaving).state == Ticket.STATE_FINISHED)
        second.process.kill()
        assert {told.result(TIMEOUT).code for told in waiting} == {"UNAVAILABLE"}

    yard.until(lambda: passes.count_documents({"channel": corner.name}) == 7)
    done = yard.until(lambda: (p := yard.get(corner, leaving)).state == Pass.STATE_DONE and p)
    assert [s.stage for s in done.stages if s.HasField("finished_at")] == list(STAGES)
    yard.until(lambda: yard.database["arrivals"].count_documents({"_id": {"$regex": f"^{corner.queue}/"}}) == 0)
    repeated = [yard.register(corner, plates[i], ids[i]) for i in range(6)]
    drawn = {d["_id"] for d in tickets.find({"queue": corner.queue}, {"_id": 1})}
    assert {p.ticket for p in repeated} | {leaving.ticket} == drawn
    assert len({p.name for p in repeated}) == 6
    for vehicle, plate in zip(repeated, plates, strict=True):
        found = yard.stub.FindPass(
            pb.FindPassRequest(parent=corner.name, plate=plate), metadata=yard.officer(corner), timeout=TIMEOUT
        )
        assert (found.name, found.number) == (vehicle.name, vehicle.number)

    def registered() -> list[str]:
        return [b["passName"] for key, b in listen() if key == "pass_registered.v1" and corner.name in b["passName"]]

    yard.until(lambda: len(registered()) >= 7)
    assert len(set(registered())) == len(registered()) == 7


def test_a_display_of_one_process_shows_what_another_does(yard: Yard, corner: Corner, second: Second) -> None:
    """Pushed: sooner than a display would look by itself (displays.LOOK_SECONDS)."""
    watch = yard.stub.WatchLane(pb.WatchLaneRequest(name=corner.lane()), timeout=4)
    next(watch)
    others = replace_stub(yard, second.stub)
    vehicle = others.register(corner)
    next(lane for lane in watch if lane.waiting == 1)
    yard.call_next(corner, 1)
    others.do("StartStage", corner, vehicle, lane="1")
    shown = next(lane for lane in watch if lane.stages[0].number == vehicle.number)
    assert (shown.waiting, list(shown.called)) == (0, [])
    watch.cancel()


def replace_stub(yard: Yard, stub: Any) -> Yard:
    """The same yard, calling another process."""
    made = Yard.__new__(Yard)
    made.__dict__.update(yard.__dict__, stub=stub)
    return made
