"""The simulation's hands: asynchronous gRPC with patience, and an identity for everyone who calls.

Knows gRPC and the development issuer. A call is repeated with the same `request_id` while nobody answers, so that its
outcome is always known in the end, also through a `kill -9` of the process that took it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

import grpc
import grpc.aio

from mppctl.connection import NoConnection
from mppctl.problems import Refusal, refusal

TIMEOUT = 10.0  # seconds a try
PATIENCE = 60.0  # seconds until a call that nobody answers is given up
LIFETIME = 14_400  # seconds a token lives; it is renewed at half of it
AGAIN = frozenset({
    grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.ABORTED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
})  # fmt: skip
_OPTIONS = (
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.use_local_subchannel_pool", 1),
)
Metadata = Sequence[tuple[str, str]]


class Refused(Exception):
    """The platform said no, or nobody answered within the patience."""

    def __init__(self, what: Refusal) -> None:
        super().__init__(what.message)
        self.refusal = what

    @property
    def reason(self) -> str:
        return self.refusal.reason or self.refusal.code.name


class Badges:
    """Tokens of the development issuer, one a person, kept until half their life is over."""

    def __init__(self, issuer: str) -> None:
        """Raises NoConnection without an issuer: a simulation is many people, and one token is one person."""
        if not issuer:
            raise NoConnection("a simulation needs the development issuer: nobody else signs for invented people")
        self._issuer = issuer
        self._kept: dict[Any, tuple[float, Metadata]] = {}
        self._asking = asyncio.Semaphore(8)

    async def of(self, subject: str, role: str, site: str = "", agency: str = "") -> Metadata:
        """Authorization metadata. Raises NoConnection when the issuer gives no token."""
        claims = {"subject": subject, "roles": [role], "site": site, "agency": agency, "ttl_seconds": LIFETIME}
        key = (subject, role, site, agency)
        kept = self._kept.get(key)
        if kept and time.monotonic() < kept[0]:
            return kept[1]
        async with self._asking:
            token = await asyncio.to_thread(self._ask, {name: value for name, value in claims.items() if value})
        found: Metadata = (("authorization", f"Bearer {token}"),)
        self._kept[key] = (time.monotonic() + LIFETIME / 2, found)
        return found

    def _ask(self, claims: dict[str, Any]) -> str:
        request = urllib.request.Request(  # noqa: S310  the address is the operator's own
            f"{self._issuer}/token", data=json.dumps(claims).encode(), headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:  # noqa: S310
                return str(json.load(reply)["access_token"])
        except (OSError, ValueError, KeyError) as error:
            raise NoConnection(f"the issuer {self._issuer} gave no token: {error}") from error


class Caller:
    """Calls of one service, at most `together` at a time, taking turns among its addresses."""

    def __init__(self, addresses: Sequence[str], stub: Callable[[Any], Any], together: int, rng: random.Random) -> None:
        self._channels = [_channel(address) for address in addresses]
        self._turns = itertools.cycle([stub(channel) for channel in self._channels])
        self._free = asyncio.Semaphore(together)
        self._rng = rng
        self.calls = 0  # that were answered
        self.repeats = 0  # tries that nobody answered
        self.seconds: list[float] = []  # of each answered call, its tries in all

    async def call(self, method: str, request: Any, who: Metadata = ()) -> Any:
        """The reply. Raises Refused."""
        async with self._free:
            began = time.monotonic()
            for attempt in itertools.count():
                rpc = getattr(next(self._turns), method)
                try:
                    reply = await rpc(request, metadata=tuple(who), timeout=TIMEOUT)
                except grpc.aio.AioRpcError as error:
                    if error.code() not in AGAIN or time.monotonic() - began > PATIENCE:
                        raise Refused(refusal(error)) from None
                    self.repeats += 1
                    await asyncio.sleep(self._rng.uniform(0.5, 1) * min(1.0, 0.02 * 2**attempt))
                    continue
                self.calls += 1
                self.seconds.append(time.monotonic() - began)
                return reply
        raise AssertionError("the loop returns or raises")

    def forget(self) -> None:
        """Count from here on."""
        self.calls = self.repeats = 0
        self.seconds.clear()

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close(None)


def _channel(address: str) -> grpc.aio.Channel:
    if address.startswith("https://"):
        return grpc.aio.secure_channel(
            address.removeprefix("https://"), grpc.ssl_channel_credentials(), options=_OPTIONS
        )
    return grpc.aio.insecure_channel(address.removeprefix("http://"), options=_OPTIONS)
