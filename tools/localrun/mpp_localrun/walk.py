"""A walk through the running platform: calls with a deadline, steps with their times, and waiting for what is announced.

Knows the public contract's edges (gRPC, the exchange of events, the development provider's outbox the way a citizen knows
the phone). Knows no story: those are in visit.py, tour/ and services/*/api/scene.py. Knows no store.
"""

from __future__ import annotations

import json
import secrets
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from mpp.notifications.v1 import notifications_service_pb2, notifications_service_pb2_grpc
from rich.console import Console

from mpp_localrun.onlookers import Ear
from mpp_localrun.platform import Platform

PATIENCE = 60.0  # seconds for an event's effect to be seen


class VisitFailed(Exception):
    """The walk could not go on, or something was not as it was said; the text tells at which step and why."""


class Walk:
    """What every story needs: stubs, one trace over everything, and the steps with their times.

    `site` and `manager` (a token of its manager): where messages to citizens are looked up.
    """

    def __init__(self, platform: Platform, console: Console, *, site: str, manager: str) -> None:
        self.platform, self.console = platform, console
        self.site, self.manager = site, manager
        self.trace = secrets.token_hex(16)
        self.steps: list[tuple[str, float]] = []
        self._channels: dict[str, grpc.Channel] = {}
        self._ear: Ear | None = None
        self.notifications = self.stub("notifications", notifications_service_pb2_grpc.NotificationsServiceStub)

    def stub(self, service: str, kind: Callable[[grpc.Channel], Any]) -> Any:
        if service not in self._channels:
            self._channels[service] = grpc.insecure_channel(self.platform.endpoints()[service])
        return kind(self._channels[service])

    def close(self) -> None:
        for channel in self._channels.values():
            channel.close()
        if self._ear is not None:
            self._ear.close()

    # -- one call

    def call(self, method: Callable[..., Any], request: Any, token: str = "") -> Any:
        """One RPC with a deadline, the walk's trace and, for a change, a request_id of its own."""
        if "request_id" in request.DESCRIPTOR.fields_by_name and not request.request_id:
            request.request_id = str(uuid.uuid4())
        return method(request, timeout=10, metadata=self.metadata(token))

    def metadata(self, token: str = "") -> list[tuple[str, str]]:
        metadata = [("traceparent", f"00-{self.trace}-{secrets.token_hex(8)}-01")]
        return [*metadata, ("authorization", f"Bearer {token}")] if token else metadata

    def refused(self, reason: str, method: Callable[..., Any], request: Any, token: str = "") -> None:
        """The call must be refused, and for this reason."""
        try:
            self.call(method, request, token)
        except grpc.RpcError as e:
            if fault_of(e)[0] == reason:
                return
            raise
        raise VisitFailed(f"{reason} was expected, and the call was allowed")

    # -- what is told

    def say(self, text: str) -> None:
        self.console.print(f"  {text}")

    def check(self, so: bool, what: str) -> None:
        """`what` was said and must be so."""
        if not so:
            raise VisitFailed(f"not as it should be: {what}")

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        self.console.print(f"[bold]{len(self.steps) + 1:2d}. {title}[/bold]")
        started = time.perf_counter()
        try:
            yield
        except grpc.RpcError as e:
            raise VisitFailed(f"{title}: {e.code().name}: {e.details()}") from e
        except VisitFailed as e:
            raise VisitFailed(f"{title}: {e}") from e
        self.steps.append((title, (time.perf_counter() - started) * 1000))

    # -- what is awaited

    def until(self, what: str, look: Callable[[], Any]) -> Any:
        """Wait for an event's effect to be seen."""
        end = time.monotonic() + PATIENCE
        while not (found := look()):
            if time.monotonic() > end:
                raise VisitFailed(f"{what} was not seen within {PATIENCE:.0f} s")
            time.sleep(0.01)
        return found

    def listen(self, *exchanges: str) -> None:
        """From now on hear what these services announce."""
        self._ear = Ear(self.platform.stack.amqp_uri, exchanges)

    def event(self, kind: str, subject: str = "", **wanted: Any) -> dict[str, Any]:
        """Wait for an event of that kind (`TicketCalled`) about `subject` with these fields; returns its body."""
        ear = self._ear
        if ear is None:
            raise VisitFailed("nobody listens; call listen() first")
        return cast(
            "dict[str, Any]", self.until(f"{kind} {subject} {wanted}", lambda: ear.heard(kind, subject, wanted))
        )

    def announced(self, subject: str, template: str) -> str:
        """Wait until the citizen was told; returns the text on the phone."""

        def look() -> Any:
            request = notifications_service_pb2.ListNotificationsRequest(
                parent=self.site, subject=subject, page_size=100
            )
            replies = self.call(self.notifications.ListNotifications, request, self.manager).notifications
            return next((n for n in replies if n.template == template and n.HasField("delivered_at")), None)

        notification = self.until(f"the message {template}", look)
        text = self._on_the_phone(notification.name)
        indonesian, _, english = text.partition("\n\n")
        self.say(f"[dim]SMS {notification.masked_recipient}[/dim] [italic]{indonesian}[/italic]")
        if english:
            self.say(f"[dim]{english}[/dim]")
        return text

    def _on_the_phone(self, name: str) -> str:
        key = name.rsplit("/", 1)[1]
        with (self.platform.outbox / "messages.jsonl").open() as lines:
            for line in reversed(lines.readlines()):
                message = json.loads(line)
                if message["key"].startswith(key):
                    return str(message["body"]).strip()
        raise VisitFailed("the outbox of the file provider does not hold the message")


def fault_of(error: grpc.RpcError) -> tuple[str, dict[str, str]]:
    """The reason of an error's ErrorInfo and what it says beside it; COUNTER_BUSY tells the ticket."""
    status = rpc_status.from_call(cast("grpc.Call", error))
    info = error_details_pb2.ErrorInfo()
    if status is None or not any(detail.Unpack(info) for detail in status.details):
        return "", {}
    return info.reason, dict(info.metadata)
