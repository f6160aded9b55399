"""`python -m mpp_notifications.main serve | work | migrate`: the composition root, the only reader of
settings.

    MPP_NOTIFICATIONS_PROVIDER    file (default; refused in production) or http
    MPP_NOTIFICATIONS_OUTBOX      file: its directory (due)
    MPP_NOTIFICATIONS_HTTP_URL    http: the aggregator's endpoint (due), https but in development
    MPP_NOTIFICATIONS_HTTP_TOKEN  http: bearer token (due); MPP_NOTIFICATIONS_HTTP_TOKEN_FILE names a file that holds it
    MPP_NOTIFICATIONS_MAIL_PROVIDER  what carries mail: smtp, or as above; left out: the same provider
    MPP_NOTIFICATIONS_MAIL_FROM      the address that mails come from, and calendar files name (due with smtp)
    MPP_NOTIFICATIONS_SMTP_HOST      smtp: the relay (due); _PORT; _TLS: starttls (default), implicit, none (development)
    MPP_NOTIFICATIONS_SMTP_USER      smtp: with _PASSWORD or _PASSWORD_FILE; left out: no AUTH
    MPP_NOTIFICATIONS_TEMPLATES   another templates.yaml; _OVERRIDES, _DELIVERY, _COURTESIES: another file of that name

Imports happen inside the functions: the `work` process patches the standard library before anything else is
loaded.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpp_chassis.process import Kit, Service, run

if TYPE_CHECKING:
    from mpp_notifications.providers.base import Provider
    from mpp_notifications.usecases import App

_DATA = Path(__file__).parent / "data"
NOBODY = "tidak-dibalas@mpp.invalid"  # RFC 2606: reaches nobody, which is right where no mail goes out


def compose(kit: Kit) -> App:
    """Raises BadSettings naming the variable."""
    from mpp_chassis.settings import BadSettings

    from mpp_notifications import courtesies, delivery, messages, store, templates, usecases, views
    from mpp_notifications.domain import Channel
    from mpp_notifications.matters import store as matters

    extra = kit.settings.extra
    try:
        known_templates = templates.parse(
            _data(extra, "MPP_NOTIFICATIONS_TEMPLATES", "templates.yaml"),
            _data(extra, "MPP_NOTIFICATIONS_OVERRIDES", "overrides.yaml"),
        )
        known_courtesies = courtesies.parse(_data(extra, "MPP_NOTIFICATIONS_COURTESIES", "courtesies.yaml"))
        known_delivery = delivery.parse(_data(extra, "MPP_NOTIFICATIONS_DELIVERY", "delivery.yaml"))
    except (templates.BadTemplates, delivery.BadDelivery, courtesies.BadCourtesies) as error:
        raise BadSettings(str(error)) from error
    organizer = _organizer(extra)
    provider = _provider(kit)
    mail = _mail_provider(kit, provider)
    return usecases.App(
        notifications=store.Notifications(
            kit.store, lambda changed: (messages.resource(changed, ""), messages.events(changed))
        ),
        opt_outs=store.OptOuts(kit.store),
        names=views.Names(kit.store, kit.clock),
        templates=known_templates,
        delivery=known_delivery,
        courtesies=known_courtesies,
        matters=matters.Matters(kit.store),
        calendars=matters.Calendars(kit.store),
        overviews=matters.Overviews(kit.store),
        organizer=organizer,
        providers={**dict.fromkeys(Channel, provider), Channel.EMAIL: mail},
        cipher=kit.cipher,
        index=kit.index,
        clock=kit.clock,
        rng=kit.rng,
        log=kit.log,
    )


def api(app: App) -> list[Any]:
    from mpp.notifications.v1 import notifications_service_pb2

    from mpp_notifications.api import ERRORS, NotificationsApi

    descriptor = notifications_service_pb2.DESCRIPTOR.services_by_name["NotificationsService"]
    return [(descriptor, NotificationsApi(app), ERRORS)]


def _provider(kit: Kit) -> Provider:
    """One provider for every channel; mail may have its own."""
    kinds = {"file": _file_provider, "http": _http_provider}
    return _chosen(
        kit, "MPP_NOTIFICATIONS_PROVIDER", kit.settings.extra.get("MPP_NOTIFICATIONS_PROVIDER") or "file", kinds
    )


def _mail_provider(kit: Kit, others: Provider) -> Provider:
    kind = kit.settings.extra.get("MPP_NOTIFICATIONS_MAIL_PROVIDER") or ""
    kinds = {"smtp": _smtp_provider, "file": _file_provider, "http": _http_provider}
    return _chosen(kit, "MPP_NOTIFICATIONS_MAIL_PROVIDER", kind, kinds) if kind else others


def _chosen(kit: Kit, variable: str, kind: str, kinds: Mapping[str, Callable[[Kit], Provider]]) -> Provider:
    from mpp_chassis.settings import BadSettings

    if kind not in kinds:
        raise BadSettings(f"{variable} is none of {', '.join(kinds)}: {kind[:40]!r}")
    return kinds[kind](kit)


def _organizer(extra: Any) -> str:
    """Checked here, also where no mail goes out by us: calendar files name it, and one with a bad address cannot be made."""
    from mpp_chassis.settings import BadSettings

    from mpp_notifications.providers.smtp import is_address

    given = str(extra.get("MPP_NOTIFICATIONS_MAIL_FROM") or NOBODY)
    if not is_address(given):
        raise BadSettings("MPP_NOTIFICATIONS_MAIL_FROM: is no e-mail address")
    return given


def _smtp_provider(kit: Kit) -> Provider:
    from mpp_chassis.settings import BadSettings

    from mpp_notifications.providers.base import BadProvider
    from mpp_notifications.providers.smtp import Relay, SmtpProvider

    extra = kit.settings.extra
    host, sender = extra.get("MPP_NOTIFICATIONS_SMTP_HOST", ""), extra.get("MPP_NOTIFICATIONS_MAIL_FROM", "")
    if not sender:
        raise BadSettings("MPP_NOTIFICATIONS_MAIL_FROM is not set")
    port = extra.get("MPP_NOTIFICATIONS_SMTP_PORT") or "0"
    if not port.isdecimal():
        raise BadSettings("MPP_NOTIFICATIONS_SMTP_PORT: is no port")
    relay = Relay(
        host,
        sender,
        int(port),
        extra.get("MPP_NOTIFICATIONS_SMTP_TLS") or "starttls",
        extra.get("MPP_NOTIFICATIONS_SMTP_USER", ""),
        _secret(extra, "MPP_NOTIFICATIONS_SMTP_PASSWORD"),
    )
    try:
        return SmtpProvider(relay, kit.clock, plain=kit.settings.environment == "development")
    except BadProvider as error:
        raise BadSettings(f"MPP_NOTIFICATIONS_SMTP_{error}") from error


def _file_provider(kit: Kit) -> Provider:
    from mpp_chassis.settings import BadSettings

    from mpp_notifications.providers.base import BadProvider
    from mpp_notifications.providers.file import FileProvider

    outbox = kit.settings.extra.get("MPP_NOTIFICATIONS_OUTBOX", "")
    if not outbox:
        raise BadSettings("MPP_NOTIFICATIONS_OUTBOX is not set")
    try:
        return FileProvider(Path(outbox), production=kit.settings.production, clock=kit.clock)
    except BadProvider as error:
        raise BadSettings(f"MPP_NOTIFICATIONS_OUTBOX: {error}") from error


def _http_provider(kit: Kit) -> Provider:
    from mpp_chassis.settings import BadSettings

    from mpp_notifications.providers.base import BadProvider
    from mpp_notifications.providers.http import HttpProvider

    extra = kit.settings.extra
    url = extra.get("MPP_NOTIFICATIONS_HTTP_URL", "")
    if not url:
        raise BadSettings("MPP_NOTIFICATIONS_HTTP_URL is not set")
    token = _secret(extra, "MPP_NOTIFICATIONS_HTTP_TOKEN")
    if not token:
        raise BadSettings("MPP_NOTIFICATIONS_HTTP_TOKEN is not set")
    try:
        return HttpProvider(url, token, plain=kit.settings.environment == "development", clock=kit.clock)
    except BadProvider as error:
        raise BadSettings(f"MPP_NOTIFICATIONS_HTTP_{error}") from error


def _secret(extra: Any, variable: str) -> str:
    """Of the variable, or of the file that `<variable>_FILE` names; empty when neither is set."""
    from mpp_chassis.settings import BadSettings

    path = extra.get(f"{variable}_FILE")
    if not path:
        return str(extra.get(variable, ""))
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{variable}_FILE: cannot read it") from error


def _data(extra: Any, variable: str, name: str) -> str:
    from mpp_chassis.settings import BadSettings

    path = Path(extra.get(variable) or _DATA / name)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{variable}: cannot read {path.name}") from error


SERVICE = Service(
    name="notifications",
    compose=compose,
    api=api,
    handlers="mpp_notifications.handlers:Handlers",
    indexes="mpp_notifications.store:INDEXES",
    aggregates=("notifications", "opt_outs", "overviews"),
    events="mpp.notifications.v1.events_pb2",
)

if __name__ == "__main__":
    sys.exit(run(SERVICE, sys.argv[1:], os.environ))
