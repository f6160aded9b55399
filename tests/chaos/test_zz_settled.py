"""After all that was killed, frozen and restarted: nothing waits anywhere, nothing is parked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.chassis.conftest import parked

pytestmark = [pytest.mark.stack, pytest.mark.chaos]


def test_nothing_is_left_waiting_or_parked(malang: Any) -> None:
    malang.settled()
    for service in malang.platform.services():
        for handler in malang.database(service)["handlers"].find({}):
            assert parked(malang.platform.stack.amqp_uri, handler["_id"]) == []
