"""SIGTERM: health says NOT_SERVING, calls under way are answered, exit 0 within 10 s."""

from __future__ import annotations

import time
from typing import Any

import pytest

pytestmark = [pytest.mark.stack, pytest.mark.chaos, pytest.mark.timeout(300)]


@pytest.mark.parametrize("name", ["queue-serve", "notifications-work", "catalog-serve"])
def test_sigterm_ends_a_process_cleanly(malang: Any, name: str) -> None:
    service, _, verb = name.partition("-")
    started = time.monotonic()
    assert malang.stop(name) == 0
    assert time.monotonic() - started < 10
    malang.service(service, verbs=(verb,))


def test_sigterm_with_a_frozen_broker_and_a_dead_issuer_still_ends(malang: Any) -> None:
    malang.platform.stack.broker.freeze()
    try:
        for name in ("queue-serve", "queue-work"):
            assert malang.stop(name) == 0
    finally:
        malang.platform.stack.broker.thaw()
    malang.service("queue")
