"""`python -m mpp_subscriptions.main serve | work | migrate`: the composition root, the only reader of settings.

    MPP_BROKER_API             https://user:password@host:15671 of the broker's management plugin, for `work` alone;
                               without it grants stay pending. MPP_BROKER_API_FILE names a file that holds it
    MPP_BROKER_API_CA          file with the certificate of who signed the API's; default: the system's
    MPP_BROKER_PUBLIC_ADDRESS  amqps://host:port as agencies see the broker; default: as this service does
    MPP_GRANTS_PREFIX          of accounts and queues (agency); another one for each deployment that shares a broker
    MPP_GRANTS_DRIFT_SECONDS   how often all accounts are compared with all grants (60)
    MPP_GRANTS_QUEUE_LENGTH, MPP_GRANTS_QUEUE_MEGABYTES, MPP_GRANTS_QUEUE_DAYS
                               bounds of an agency's queue when it is made (100000, 256, 7)
    MPP_GRANTS_CONNECTIONS, MPP_GRANTS_CHANNELS
                               what one account may have open at a time (20, 40)
    MPP_SUBSCRIPTIONS_WEBHOOKS another webhooks.yaml
    MPP_WEBHOOK_NETWORKS       networks that are no public ones and may be webhooks' targets all the same: 10.20.0.0/16,...
    MPP_WEBHOOK_CA             file of certificates that are trusted beside the system's
    MPP_WEBHOOK_ALLOW_PRIVATE  1: every address, and http (development only)

Imports happen inside the functions: the `work` process patches the standard library before anything else is loaded.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from mpp_chassis.process import Kit, Service, run

if TYPE_CHECKING:
    from mpp_subscriptions.brokerapi import BrokerApi
    from mpp_subscriptions.domain.access import Bounds
    from mpp_subscriptions.granted import Granted
    from mpp_subscriptions.messages import Address
    from mpp_subscriptions.usecases import App
    from mpp_subscriptions.webhooks.guard import Guard
    from mpp_subscriptions.webhooks.schedule import Delivery
    from mpp_subscriptions.webhooks.usecases import App as Webhooks

_DATA = Path(__file__).parent / "data"


def compose(kit: Kit) -> App:
    """Raises BadSettings naming the variable."""
    from mpp_chassis.events import PUBLIC_EXCHANGE

    from mpp_subscriptions import entitlements, journal, provisioning, store, usecases
    from mpp_subscriptions.feed import store as feed_store
    from mpp_subscriptions.feed import usecases as feed

    extra, grants = kit.settings.extra, store.Grants(kit.store)
    address = _address(extra, kit.settings.amqp_uri)
    provisioner = provisioning.Provisioner(
        grants=grants,
        api=_broker_api(extra, address.virtual_host),
        known=entitlements.known(),
        exchange=PUBLIC_EXCHANGE,
        bounds=_bounds(extra),
        clock=kit.clock,
        log=kit.log,
        prefix=_prefix(extra),
    )
    granted = _granted(grants, provisioner.known)
    events = journal.Journal(kit.settings.amqp_uri)
    return usecases.App(
        feed=feed.App(feed_store.Subscriptions(kit.store), granted, events, kit.clock, kit.rng),
        webhooks=_webhooks(kit, granted, events),
        grants=grants,
        provisioner=provisioner,
        drift=usecases.Drift(_number(extra, "MPP_GRANTS_DRIFT_SECONDS", 60)),
        address=address,
        rng=kit.rng,
        clock=kit.clock,
        log=kit.log,
    )


def api(app: App) -> list[Any]:
    from mpp.subscriptions.v1 import feed_service_pb2, grants_service_pb2, webhooks_service_pb2

    from mpp_subscriptions.api import ERRORS, GrantsApi
    from mpp_subscriptions.feed.api import ERRORS as FEED_ERRORS
    from mpp_subscriptions.feed.api import FeedApi
    from mpp_subscriptions.webhooks.api import ERRORS as WEBHOOK_ERRORS
    from mpp_subscriptions.webhooks.api import WebhooksApi

    grants = grants_service_pb2.DESCRIPTOR.services_by_name["GrantsService"]
    feed = feed_service_pb2.DESCRIPTOR.services_by_name["FeedService"]
    webhooks = webhooks_service_pb2.DESCRIPTOR.services_by_name["WebhooksService"]
    return [
        (grants, GrantsApi(app), ERRORS),
        (feed, FeedApi(app.feed), FEED_ERRORS),
        (webhooks, WebhooksApi(app.webhooks), WEBHOOK_ERRORS),
    ]


def _granted(grants: Any, known: Mapping[str, Any]) -> Granted:
    """What an agency's grant opens at this moment, for the feed and the webhooks."""
    from mpp_subscriptions.domain.grants import grant_name
    from mpp_subscriptions.granted import Granted

    def find(agency: str) -> frozenset[str]:
        grant = grants.find(grant_name(agency))
        names = grant.entitlements if grant is not None and grant.active else ()
        return frozenset(kind for name in names if name in known for kind in known[name].event_types)

    return Granted(find)


def _webhooks(kit: Kit, granted: Granted, events: Any) -> Webhooks:
    import ssl

    from mpp_chassis.settings import BadSettings

    from mpp_subscriptions.webhooks import posting, store, usecases

    delivery, guard = _delivery(kit.settings.extra), _guard(kit)
    tls = ssl.create_default_context()
    if path := kit.settings.extra.get("MPP_WEBHOOK_CA"):
        try:
            tls.load_verify_locations(path)
        except OSError as e:  # also what is no certificate
            raise BadSettings("MPP_WEBHOOK_CA: cannot read it, or it holds no certificate") from e
    return usecases.App(
        webhooks=store.Webhooks(kit.store),
        deliveries=store.Deliveries(kit.store),
        granted=granted,
        journal=events,
        guard=guard,
        poster=lambda: posting.Poster(guard, delivery.timeout, tls),
        delivery=delivery,
        cipher=kit.cipher,
        clock=kit.clock,
        rng=kit.rng,
        log=kit.log,
    )


def _delivery(extra: Mapping[str, str]) -> Delivery:
    from mpp_chassis.settings import BadSettings

    from mpp_subscriptions.webhooks import schedule

    path = Path(extra.get("MPP_SUBSCRIPTIONS_WEBHOOKS") or _DATA / "webhooks.yaml")
    try:
        return schedule.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as e:
        raise BadSettings(f"MPP_SUBSCRIPTIONS_WEBHOOKS: cannot read {path.name}") from e
    except schedule.BadSchedule as e:
        raise BadSettings(f"MPP_SUBSCRIPTIONS_WEBHOOKS: {e}") from e


def _guard(kit: Kit) -> Guard:
    from mpp_chassis.settings import BadSettings

    from mpp_subscriptions.webhooks import guard

    private = kit.settings.extra.get("MPP_WEBHOOK_ALLOW_PRIVATE", "") == "1"
    if private and kit.settings.production:
        raise BadSettings("MPP_WEBHOOK_ALLOW_PRIVATE is for development; name networks in MPP_WEBHOOK_NETWORKS")
    try:
        return guard.Guard(private, guard.networks(kit.settings.extra.get("MPP_WEBHOOK_NETWORKS", "").split(",")))
    except ValueError as e:
        raise BadSettings(f"MPP_WEBHOOK_NETWORKS: {e}") from e


def _broker_api(extra: Mapping[str, str], virtual_host: str) -> BrokerApi | None:
    from mpp_chassis.settings import BadSettings

    from mpp_subscriptions.brokerapi import BrokerApi

    url = extra.get("MPP_BROKER_API", "")
    if path := extra.get("MPP_BROKER_API_FILE"):
        try:
            url = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as e:
            raise BadSettings("MPP_BROKER_API_FILE: cannot read it") from e
    ca_file = extra.get("MPP_BROKER_API_CA", "")
    if ca_file and not Path(ca_file).is_file():
        raise BadSettings("MPP_BROKER_API_CA: there is no such file")
    try:
        return BrokerApi(url, virtual_host, ca_file) if url else None
    except ValueError as e:
        raise BadSettings(f"MPP_BROKER_API: {e}") from e


def _address(extra: Mapping[str, str], amqp_uri: str) -> Address:
    """Of the broker for agencies. The virtual host is this service's own."""
    from mpp_chassis.settings import BadSettings

    from mpp_subscriptions.messages import Address

    own = urlsplit(amqp_uri)
    default_port = 5671 if own.scheme == "amqps" else 5672
    uri = extra.get("MPP_BROKER_PUBLIC_ADDRESS") or f"{own.scheme}://{own.hostname}:{own.port or default_port}"
    given = urlsplit(uri)
    if given.scheme not in ("amqp", "amqps") or not given.hostname or given.username is not None or given.path:
        raise BadSettings("MPP_BROKER_PUBLIC_ADDRESS is not amqps://host:port, without user and path")
    return Address(uri, unquote(own.path[1:]) or "/")


def _prefix(extra: Mapping[str, str]) -> str:
    from mpp_chassis.settings import BadSettings

    from mpp_subscriptions.domain.access import PREFIX

    found = extra.get("MPP_GRANTS_PREFIX", PREFIX)
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", found) or found in ("public", "mpp", "amq"):
        raise BadSettings(
            f"MPP_GRANTS_PREFIX must be lower-case letters, digits and -, and not the platform's: {found!r}"
        )
    return found


def _bounds(extra: Mapping[str, str]) -> Bounds:
    from mpp_subscriptions.domain.access import Bounds

    usual = Bounds()
    megabytes, days = usual.queue_bytes // 2**20, usual.queue_age_ms // 86_400_000
    return Bounds(
        queue_length=_number(extra, "MPP_GRANTS_QUEUE_LENGTH", usual.queue_length),
        queue_bytes=_number(extra, "MPP_GRANTS_QUEUE_MEGABYTES", megabytes) * 2**20,
        queue_age_ms=_number(extra, "MPP_GRANTS_QUEUE_DAYS", days) * 86_400_000,
        connections=_number(extra, "MPP_GRANTS_CONNECTIONS", usual.connections),
        channels=_number(extra, "MPP_GRANTS_CHANNELS", usual.channels),
    )


def _number(extra: Mapping[str, str], name: str, default: int) -> int:
    from mpp_chassis.settings import BadSettings

    text = extra.get(name, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000_000:
        raise BadSettings(f"{name} is not a whole number above 0: {text[:40]!r}")
    return int(text)


SERVICE = Service(
    name="subscriptions",
    compose=compose,
    api=api,
    handlers="mpp_subscriptions.handlers:Handlers",
    indexes="mpp_subscriptions.store:INDEXES",
    aggregates=("grants", "webhooks", "subscriptions"),
    events="mpp.subscriptions.v1.events_pb2",
)

if __name__ == "__main__":
    sys.exit(run(SERVICE, sys.argv[1:], os.environ))
