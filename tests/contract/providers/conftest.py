"""The kinds of providers. A new kind adds a Harness here and nothing else; the suite is in test_conformance.py."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest
from mpp_notifications.providers.base import Provider
from mpp_notifications.providers.file import FileProvider
from mpp_notifications.providers.http import HttpProvider

from tests.contract.providers.aggregator import TOKEN, Aggregator


@dataclass(frozen=True)
class Effect:
    """What the world outside got."""

    key: str
    recipient: str
    body: str


class Harness(Protocol):
    """How the suite builds a provider, looks at the effects, and which recipients behave how."""

    good: str
    busy: str
    unknown: str
    refused: str
    accepts_only: str

    def make(self) -> Provider:
        """Another instance on the same world outside, as another process would have it."""

    def effects(self) -> list[Effect]:
        """All effects so far, in order."""

    def close(self) -> None:
        """The world outside ends."""


class FileHarness:
    good = "+6281234567890"
    busy, unknown, refused, accepts_only = (f"+628000000000{n}" for n in range(1, 5))

    def __init__(self, directory: Path) -> None:
        self.outbox = directory / "outbox"

    def make(self) -> Provider:
        return FileProvider(self.outbox, production=False, clock=lambda: datetime.now(UTC))

    def effects(self) -> list[Effect]:
        log = self.outbox / "messages.jsonl"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        said = [json.loads(line) for line in lines]
        return [Effect(each["key"], each["to"], each["body"]) for each in said]

    def close(self) -> None:
        """The directory is the test's."""


class HttpHarness:
    """Over real sockets to a server that keeps the contract of `providers/http.py`."""

    good, accepts_only = "+6281234567890", "+6280000000004"
    busy, unknown, refused = (f"+628000000000{n}" for n in range(1, 4))

    def __init__(self, directory: Path) -> None:
        self.aggregator = Aggregator({self.busy: 429, self.unknown: 422, self.refused: 403})

    def make(self) -> Provider:
        return HttpProvider(self.aggregator.url, TOKEN, plain=True)

    def effects(self) -> list[Effect]:
        return [Effect(each["key"], each["recipient"], each["body"]) for each in self.aggregator.taken()]

    def close(self) -> None:
        self.aggregator.close()


KINDS: dict[str, Callable[[Path], Harness]] = {"file": FileHarness, "http": HttpHarness}


@pytest.fixture(params=sorted(KINDS))
def provider_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def harness(provider_kind: str, tmp_path: Path) -> Iterator[Harness]:
    made = KINDS[provider_kind](tmp_path)
    yield made
    made.close()
