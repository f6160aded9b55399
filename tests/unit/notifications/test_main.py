"""The composition root refuses what it must not run with, and names the variable."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mpp_chassis.process import Kit
from mpp_chassis.settings import BadSettings, from_env
from mpp_notifications import main

NEEDED = {
    "MPP_MONGODB_URI": "mongodb://127.0.0.1:9/",
    "MPP_AMQP_URI": "amqp://127.0.0.1:9//",
    "MPP_OIDC_ISSUER": "http://127.0.0.1:9",
    "MPP_OIDC_JWKS_URL": "http://127.0.0.1:9/jwks.json",
    "MPP_FIELD_KEYS": "unused",
    "MPP_INDEX_KEY": "unused",
}


def compose(outbox: Path, **environment: str) -> None:
    """Settings are checked before anything of the kit is touched, so there is nothing in it."""
    settings = from_env("notifications", {**NEEDED, "MPP_NOTIFICATIONS_OUTBOX": str(outbox), **environment})
    main.compose(Kit(settings, None, None, None, None, lambda: datetime.now(UTC), random.Random(1), None))


def test_the_development_provider_never_runs_in_production(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"MPP_NOTIFICATIONS_OUTBOX: .* MPP_ENV=production"):
        compose(tmp_path / "outbox", MPP_ENV="production")
    assert not (tmp_path / "outbox").exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"MPP_NOTIFICATIONS_OUTBOX": ""}, "MPP_NOTIFICATIONS_OUTBOX is not set"),
        ({"MPP_NOTIFICATIONS_OUTBOX": "/dev/null/outbox"}, "MPP_NOTIFICATIONS_OUTBOX: the outbox"),
        ({"MPP_NOTIFICATIONS_TEMPLATES": "/nowhere.yaml"}, "MPP_NOTIFICATIONS_TEMPLATES: cannot read"),
        ({"MPP_NOTIFICATIONS_DELIVERY": "/dev/null"}, "delivery: TypeError"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, change: dict[str, str], named: str) -> None:
    with pytest.raises(BadSettings, match=named):
        compose(tmp_path / "outbox", **change)
