"""The kinds of providers. A new kind adds a Harness here and nothing else; the suite is in test_conformance.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest
from mpp_notifications.providers.base import Provider
from mpp_notifications.providers.file import FileProvider


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


KINDS: dict[str, Callable[[Path], Harness]] = {"file": FileHarness}


@pytest.fixture(params=sorted(KINDS))
def provider_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def harness(provider_kind: str, tmp_path: Path) -> Harness:
    return KINDS[provider_kind](tmp_path)
