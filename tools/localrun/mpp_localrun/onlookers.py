"""Who looks on while citizens are served: a wall screen at the gateway, the agency's own system, and an ear at the broker.

The first two use what any outsider would: server-sent events over HTTP, and plain AMQP with an account that was granted; the
ear is the operator's. Knows no store, and no gRPC but the grant itself.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from amqp import Connection
from amqp.exceptions import AMQPError
from mpp.subscriptions.v1 import grants_service_pb2, grants_service_pb2_grpc

from mpp_localrun.platform import GATEWAY, Platform

STREAM_SECONDS = 60


class Board:
    """A wall screen: the board of one queue as server-sent events through the gateway, read in a thread."""

    def __init__(self, platform: Platform, queue: str) -> None:
        self.url = f"{platform.endpoints()[GATEWAY]}/v1/{queue}:watch"
        self.state: dict[str, Any] = {}
        self.problem = ""
        self._off = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def shows(self, number: str) -> bool:
        return any(line["number"] == number for line in self.state.get("board", ()))

    def speaks(self, number: str) -> str:
        """What the loudspeaker says for a number; empty while the board does not show it."""
        lines: list[dict[str, Any]] = self.state.get("board", [])
        return next((str(line["announcement"]) for line in lines if line["number"] == number), "")

    def close(self) -> None:
        """Switch the screen off: the stream ends with its next sign of life, within 15 s."""
        self._off.set()

    def _read(self) -> None:
        request = urllib.request.Request(self.url, headers={"Accept": "text/event-stream"})
        try:
            with urllib.request.urlopen(request, timeout=STREAM_SECONDS) as reply:
                for line in reply:
                    if self._off.is_set():
                        return
                    if line.startswith(b"data:"):
                        self.state = json.loads(line[5:])
        except (OSError, ValueError) as e:
            self.problem = str(e)


class Ear:
    """Hears what services announce from now on: a private queue, gone with the connection. One thread only."""

    def __init__(self, amqp_uri: str, services: Sequence[str]) -> None:
        at = urllib.parse.urlsplit(amqp_uri)
        self._connection = Connection(
            host=f"{at.hostname}:{at.port}", userid=at.username, password=at.password, connect_timeout=5
        )
        self._connection.connect()
        self._channel = self._connection.channel()
        self._queue = self._channel.queue_declare("", exclusive=True).queue
        for service in services:
            self._channel.queue_bind(self._queue, f"{service}.events", routing_key="#")
        self._heard: list[Seen] = []

    def heard(self, kind: str, subject: str, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
        """The body of the last event of that kind (`TicketCalled`) about a resource with these fields, if it came."""
        while (message := self._channel.basic_get(self._queue, no_ack=True)) is not None:
            headers = message.headers
            moment = datetime.fromisoformat(headers["ce-time"].replace("Z", "+00:00"))
            self._heard.append(Seen(moment, headers["ce-type"], headers["ce-subject"], json.loads(message.body)))
        for seen in reversed(self._heard):
            named = seen.type.rsplit(".", 1)[1] == kind and subject in ("", seen.subject)
            if named and all(seen.body.get(field) == value for field, value in wanted.items()):
                return seen.body
        return None

    def close(self) -> None:
        self._connection.close()


@dataclass(frozen=True, slots=True)
class Seen:
    """One event as the agency's system gets it."""

    time: datetime
    type: str
    subject: str
    body: dict[str, Any]


class AgencySystem:
    """The agency's own system: granted `queue` and `applications`, it reads the streams of both with its own account."""

    ENTITLEMENTS = ("applications", "queue")

    def __init__(self, platform: Platform, site: str, agency: str) -> None:
        self._platform, self._site, self._agency = platform, site, agency
        self._file = platform.home / f"agency-{agency.rsplit('/', 1)[1]}.json"
        self.access = self._known() or self._granted()

    def events_since(self, moment: datetime) -> Iterator[Seen]:
        """All events of its streams that were stored since then; ends when half a second brings nothing new."""
        # A stream is cut by whole chunks: the first message may be older than asked for.
        found: list[Seen] = []
        with self._connection() as connection:
            channel = connection.channel()
            channel.basic_qos(0, 100, False)
            for stream in self.access["streams"]:
                offset = {"x-stream-offset": moment - timedelta(seconds=1)}
                channel.basic_consume(stream, callback=lambda m: self._keep(channel, m, found), arguments=offset)
            quiet = time.monotonic() + 0.5
            while time.monotonic() < quiet:
                before = len(found)
                try:
                    connection.drain_events(timeout=0.5)
                except TimeoutError:
                    break
                quiet = time.monotonic() + 0.5 if len(found) > before else quiet
        yield from sorted((s for s in found if s.time >= moment), key=lambda s: s.time)

    def _keep(self, channel: Any, message: Any, found: list[Seen]) -> None:
        channel.basic_ack(message.delivery_tag)
        headers, body = message.headers, message.body
        moment = datetime.fromisoformat(headers["ce-time"].replace("Z", "+00:00"))
        found.append(Seen(moment, headers["ce-type"], headers["ce-subject"], json.loads(body)))

    def _connection(self) -> Any:
        address = self.access["address"].rpartition("//")[2]
        return Connection(
            host=address,
            userid=self.access["username"],
            password=self.access["password"],
            virtual_host=self.access["virtual_host"],
            connect_timeout=5,
        )

    def _known(self) -> dict[str, Any] | None:
        """What an earlier run was told, if the broker still takes it (`make clean-data` forgets both)."""
        try:
            self.access = json.loads(self._file.read_text())
            with self._connection():
                return self.access
        except (OSError, ValueError, AMQPError):
            return None

    def _granted(self) -> dict[str, Any]:
        """As a platform admin gives it: `mppctl agency grant`. A password is told once, so a lost one is rotated."""
        admin = self._platform.token("admin-platform", ["platform_admin"])
        metadata = [("authorization", f"Bearer {admin}")]
        with grpc.insecure_channel(self._platform.endpoints()["subscriptions"]) as channel:
            grants = grants_service_pb2_grpc.GrantsServiceStub(channel)
            create = grants_service_pb2.CreateGrantRequest(
                parent=self._site, agency=self._agency, entitlements=self.ENTITLEMENTS, request_id=str(uuid.uuid4())
            )
            try:
                issued = grants.CreateGrant(create, metadata=metadata, timeout=20)
            except grpc.RpcError as e:
                if e.code() is not grpc.StatusCode.ALREADY_EXISTS:
                    raise
                name = f"{self._site}/grants/{self._agency.rsplit('/', 1)[1]}"
                rotate = grants_service_pb2.RotateGrantRequest(name=name, request_id=str(uuid.uuid4()))
                issued = grants.RotateGrant(rotate, metadata=metadata, timeout=20)
            issued = self._applied(grants, issued, metadata)
        broker = issued.grant.broker
        access = {
            "address": broker.address,
            "virtual_host": broker.virtual_host,
            "username": broker.username,
            "password": issued.password,
            "streams": list(broker.streams),
        }
        self._file.touch(mode=0o600)
        self._file.write_text(json.dumps(access, indent=1))
        return access

    def _applied(self, grants: Any, issued: Any, metadata: Any) -> Any:
        """Wait until the broker has taken the grant over."""
        look = grants_service_pb2.GetGrantRequest(name=issued.grant.name)
        end = time.monotonic() + 20
        while issued.grant.provisioning != issued.grant.PROVISIONING_APPLIED:
            if time.monotonic() > end:
                raise TimeoutError("the broker did not take the agency's grant over within 20 s")
            time.sleep(0.05)
            issued.grant.CopyFrom(grants.GetGrant(look, metadata=metadata, timeout=10))
        return issued


def now() -> datetime:
    return datetime.now(UTC)
