"""Documents past their time go, within the monitor's minute and a half; the others stay. Only cleaning up may rely on it."""

from __future__ import annotations

import time
from typing import Any

from pymongo.collection import Collection


def test_expired_documents_go(expiring: Collection[dict[str, Any]]) -> None:
    deadline = time.monotonic() + 90
    while expiring.count_documents({}) > 1:
        assert time.monotonic() < deadline, "the TTL monitor did not come in 90 s"
        time.sleep(0.2)
    assert [d["_id"] for d in expiring.find()] == ["future"]
