"""`python -m mpp_subscriptions.main serve | work | migrate`: the composition root, the only reader of settings.

    MPP_BROKER_API             https://user:password@host:15671 of the broker's management plugin; without it grants
                               stay pending and agencies come in by gRPC and webhooks only. MPP_BROKER_API_FILE: a file
    MPP_BROKER_API_CA          file with the certificate of who signed the API's; default: the system's
    MPP_BROKER_PUBLIC_ADDRESS  amqps://host:port as agencies see the broker; default: as this service does
    MPP_GRANTS_DRIFT_SECONDS   how often all accounts are compared with all grants (60)
    MPP_GRANTS_QUEUE_LENGTH, MPP_GRANTS_QUEUE_MEGABYTES, MPP_GRANTS_QUEUE_DAYS
                               bounds of an agency's queue when it is made (100000, 256, 7)
    MPP_GRANTS_CONNECTIONS, MPP_GRANTS_CHANNELS
                               what one account may have open at a time (20, 40)

Imports happen inside the functions: the `work` process patches the standard library before anything else is loaded.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from mpp_chassis.process import Kit, Service, run

if TYPE_CHECKING:
    from mpp_subscriptions.brokerapi import BrokerApi
    from mpp_subscriptions.domain.access import Bounds
    from mpp_subscriptions.messages import Address
    from mpp_subscriptions.usecases import App


def compose(kit: Kit) -> App:
    """Raises BadSettings naming the variable."""
    from mpp_chassis.events import PUBLIC_EXCHANGE

    from mpp_subscriptions import entitlements, provisioning, store, usecases

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
    )
    return usecases.App(
        grants=grants,
        provisioner=provisioner,
        drift=usecases.Drift(_number(extra, "MPP_GRANTS_DRIFT_SECONDS", 60)),
        address=address,
        rng=kit.rng,
        clock=kit.clock,
        log=kit.log,
    )


def api(app: App) -> list[Any]:
    from mpp.subscriptions.v1 import grants_service_pb2

    from mpp_subscriptions.api import ERRORS, GrantsApi

    grants = grants_service_pb2.DESCRIPTOR.services_by_name["GrantsService"]
    return [(grants, GrantsApi(app), ERRORS)]


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
    aggregates=("grants",),
    events="mpp.subscriptions.v1.events_pb2",
)

if __name__ == "__main__":
    sys.exit(run(SERVICE, sys.argv[1:], os.environ))
