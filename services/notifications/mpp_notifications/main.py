"""`python -m mpp_notifications.main serve | work | migrate`: the composition root, the only reader of
settings.

    MPP_NOTIFICATIONS_PROVIDER    file (default; refused in production) or http
    MPP_NOTIFICATIONS_OUTBOX      file: its directory (due)
    MPP_NOTIFICATIONS_HTTP_URL    http: the aggregator's endpoint (due), https but in development
    MPP_NOTIFICATIONS_HTTP_TOKEN  http: bearer token (due); MPP_NOTIFICATIONS_HTTP_TOKEN_FILE names a file that holds it
    MPP_NOTIFICATIONS_TEMPLATES   another templates.yaml
    MPP_NOTIFICATIONS_DELIVERY    another delivery.yaml

Imports happen inside the functions: the `work` process patches the standard library before anything else is
loaded.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpp_chassis.process import Kit, Service, run

if TYPE_CHECKING:
    from mpp_notifications.providers.base import Provider
    from mpp_notifications.usecases import App

_DATA = Path(__file__).parent / "data"


def compose(kit: Kit) -> App:
    """Raises BadSettings naming the variable."""
    from mpp_chassis.settings import BadSettings

    from mpp_notifications import delivery, messages, store, templates, usecases, views
    from mpp_notifications.domain import Channel

    extra = kit.settings.extra
    try:
        known_templates = templates.parse(_data(extra, "MPP_NOTIFICATIONS_TEMPLATES", "templates.yaml"))
        known_delivery = delivery.parse(_data(extra, "MPP_NOTIFICATIONS_DELIVERY", "delivery.yaml"))
    except (templates.BadTemplates, delivery.BadDelivery) as error:
        raise BadSettings(str(error)) from error
    provider = _provider(kit)
    return usecases.App(
        notifications=store.Notifications(
            kit.store, lambda changed: (messages.resource(changed, ""), messages.events(changed))
        ),
        opt_outs=store.OptOuts(kit.store),
        names=views.Names(kit.store, kit.clock),
        templates=known_templates,
        delivery=known_delivery,
        providers=dict.fromkeys(Channel, provider),
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
    """One provider for every channel."""
    from mpp_chassis.settings import BadSettings

    kind = kit.settings.extra.get("MPP_NOTIFICATIONS_PROVIDER") or "file"
    kinds = {"file": _file_provider, "http": _http_provider}
    if kind not in kinds:
        raise BadSettings(f"MPP_NOTIFICATIONS_PROVIDER is none of {', '.join(kinds)}: {kind[:40]!r}")
    return kinds[kind](kit)


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
    url, token = extra.get("MPP_NOTIFICATIONS_HTTP_URL", ""), extra.get("MPP_NOTIFICATIONS_HTTP_TOKEN", "")
    if not url:
        raise BadSettings("MPP_NOTIFICATIONS_HTTP_URL is not set")
    if path := extra.get("MPP_NOTIFICATIONS_HTTP_TOKEN_FILE"):
        try:
            token = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadSettings("MPP_NOTIFICATIONS_HTTP_TOKEN_FILE: cannot read it") from error
    if not token:
        raise BadSettings("MPP_NOTIFICATIONS_HTTP_TOKEN is not set")
    try:
        return HttpProvider(url, token, plain=kit.settings.environment == "development")
    except BadProvider as error:
        raise BadSettings(f"MPP_NOTIFICATIONS_HTTP_{error}") from error


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
    aggregates=("notifications", "opt_outs"),
    events="mpp.notifications.v1.events_pb2",
)

if __name__ == "__main__":
    sys.exit(run(SERVICE, sys.argv[1:], os.environ))
