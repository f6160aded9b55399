"""The fixtures of every test, under tests/ and under services/<name>/tests: see tests/running.py."""

from __future__ import annotations

from tests.running import (
    amqp_uri,
    database,
    eventually,
    malang,
    mongodb_uri,
    one_day,
    platform,
    pytest_configure,
    services,
    stack,
)

__all__ = [
    "amqp_uri",
    "database",
    "eventually",
    "malang",
    "mongodb_uri",
    "one_day",
    "platform",
    "pytest_configure",
    "services",
    "stack",
]
