"""The composition root refuses what it must not run with, and names the variable."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mpp_chassis.process import Kit
from mpp_chassis.settings import BadSettings, Settings, from_env
from mpp_notifications import main

NEEDED = {
    "MPP_MONGODB_URI": "mongodb://127.0.0.1:9/",
    "MPP_AMQP_URI": "amqp://127.0.0.1:9//",
    "MPP_OIDC_ISSUER": "http://127.0.0.1:9",
    "MPP_OIDC_JWKS_URL": "http://127.0.0.1:9/jwks.json",
    "MPP_FIELD_KEYS": "unused",
    "MPP_INDEX_KEY": "unused",
}


def kit(settings: Settings) -> Kit:
    return Kit(settings, None, None, None, None, lambda: datetime.now(UTC), random.Random(1), None)


def compose(outbox: Path, **environment: str) -> None:
    """Settings are checked before anything of the kit is touched, so there is nothing in it."""
    settings = from_env("notifications", {**NEEDED, "MPP_NOTIFICATIONS_OUTBOX": str(outbox), **environment})
    main.compose(kit(settings))


def test_the_development_provider_never_runs_in_production(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"MPP_NOTIFICATIONS_OUTBOX: .* MPP_ENV=production"):
        compose(tmp_path / "outbox", MPP_ENV="production")
    assert not (tmp_path / "outbox").exists()


HTTP = {
    "MPP_ENV": "production",
    "MPP_NOTIFICATIONS_PROVIDER": "http",
    "MPP_NOTIFICATIONS_HTTP_URL": "https://sms-gateway.example/v1/messages",
    "MPP_NOTIFICATIONS_HTTP_TOKEN": "a-token",
}


SMTP = {
    "MPP_NOTIFICATIONS_MAIL_PROVIDER": "smtp",
    "MPP_NOTIFICATIONS_MAIL_FROM": "kabar@mpp.example",
    "MPP_NOTIFICATIONS_SMTP_HOST": "relay.example",
}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"MPP_NOTIFICATIONS_PROVIDER": "smoke"}, "MPP_NOTIFICATIONS_PROVIDER is none of file, http: 'smoke'"),
        ({**HTTP, "MPP_NOTIFICATIONS_HTTP_URL": ""}, "MPP_NOTIFICATIONS_HTTP_URL is not set"),
        (
            {**HTTP, "MPP_NOTIFICATIONS_HTTP_URL": "http://a.example/"},
            "MPP_NOTIFICATIONS_HTTP_URL: must begin with https",
        ),
        ({**HTTP, "MPP_ENV": "staging", "MPP_NOTIFICATIONS_HTTP_URL": "http://a.example/"}, "must begin with https"),
        ({**HTTP, "MPP_NOTIFICATIONS_HTTP_TOKEN": ""}, "MPP_NOTIFICATIONS_HTTP_TOKEN is not set"),
        ({**HTTP, "MPP_NOTIFICATIONS_HTTP_TOKEN": "a b"}, "MPP_NOTIFICATIONS_HTTP_TOKEN: is empty or no bearer"),
        ({**HTTP, "MPP_NOTIFICATIONS_HTTP_TOKEN_FILE": "/nowhere"}, "MPP_NOTIFICATIONS_HTTP_TOKEN_FILE: cannot read"),
        ({"MPP_NOTIFICATIONS_OUTBOX": ""}, "MPP_NOTIFICATIONS_OUTBOX is not set"),
        ({"MPP_NOTIFICATIONS_OUTBOX": "/dev/null/outbox"}, "MPP_NOTIFICATIONS_OUTBOX: the outbox"),
        ({"MPP_NOTIFICATIONS_TEMPLATES": "/nowhere.yaml"}, "MPP_NOTIFICATIONS_TEMPLATES: cannot read"),
        ({"MPP_NOTIFICATIONS_DELIVERY": "/dev/null"}, "delivery: TypeError"),
        ({"MPP_NOTIFICATIONS_COURTESIES": "/dev/null"}, "courtesies: TypeError"),
        ({"MPP_NOTIFICATIONS_OVERRIDES": "/dev/null"}, "templates: TypeError"),
        ({"MPP_NOTIFICATIONS_MAIL_PROVIDER": "pigeon"}, "MPP_NOTIFICATIONS_MAIL_PROVIDER is none of smtp, file, http"),
        (SMTP | {"MPP_NOTIFICATIONS_MAIL_FROM": ""}, "MPP_NOTIFICATIONS_MAIL_FROM is not set"),
        (SMTP | {"MPP_NOTIFICATIONS_MAIL_FROM": "MPP <a@b.id>"}, "MPP_NOTIFICATIONS_MAIL_FROM: is no e-mail address"),
        (HTTP | {"MPP_NOTIFICATIONS_MAIL_FROM": "MPP <a@b.id>"}, "MPP_NOTIFICATIONS_MAIL_FROM: is no e-mail address"),
        (SMTP | {"MPP_NOTIFICATIONS_SMTP_HOST": ""}, "MPP_NOTIFICATIONS_SMTP_HOST: is no host name"),
        (SMTP | {"MPP_NOTIFICATIONS_SMTP_PORT": "mail"}, "MPP_NOTIFICATIONS_SMTP_PORT: is no port"),
        (SMTP | {"MPP_NOTIFICATIONS_SMTP_USER": "me"}, "MPP_NOTIFICATIONS_SMTP_USER: user and password"),
        (SMTP | {"MPP_NOTIFICATIONS_SMTP_PASSWORD_FILE": "/nowhere"}, "SMTP_PASSWORD_FILE: cannot read"),
        (HTTP | SMTP | {"MPP_NOTIFICATIONS_SMTP_TLS": "none"}, "MPP_NOTIFICATIONS_SMTP_TLS: none is for"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, change: dict[str, str], named: str) -> None:
    with pytest.raises(BadSettings, match=named):
        compose(tmp_path / "outbox", **change)


def test_the_http_provider_is_chosen_with_its_token_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a-token\n")
    given = {**NEEDED, **HTTP, "MPP_NOTIFICATIONS_HTTP_TOKEN_FILE": str(tmp_path / "token")}
    del given["MPP_NOTIFICATIONS_HTTP_TOKEN"]
    provider = main._provider(kit(from_env("notifications", given)))
    assert provider.name == "http"


def test_http_without_tls_is_for_development() -> None:
    given = {**NEEDED, **HTTP, "MPP_ENV": "development", "MPP_NOTIFICATIONS_HTTP_URL": "http://127.0.0.1:9/"}
    assert main._provider(kit(from_env("notifications", given))).name == "http"


def test_mail_may_have_a_provider_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hush\n")
    given = {"MPP_NOTIFICATIONS_SMTP_USER": "me", "MPP_NOTIFICATIONS_SMTP_PASSWORD_FILE": str(tmp_path / "password")}
    made = kit(from_env("notifications", {**NEEDED, **HTTP, **SMTP, **given}))
    others = main._provider(made)
    assert (others.name, main._mail_provider(made, others).name) == ("http", "smtp")
    plain = kit(from_env("notifications", {**NEEDED, **HTTP}))
    assert main._mail_provider(plain, others) is others
