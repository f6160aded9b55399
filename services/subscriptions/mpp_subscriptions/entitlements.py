"""What can be granted: an entitlement for each service with public events, derived from the protos. Nothing is kept by
hand, so a service that is added tomorrow can be granted tomorrow. Knows descriptors; never a broker.
"""

from __future__ import annotations

import importlib
import pkgutil

import mpp
from mpp_chassis.broker import JOURNAL, entitlement_stream
from mpp_chassis.events import PUBLIC_EXCHANGE, EventType, event_types

from mpp_subscriptions.domain.access import Entitlement


def known() -> dict[str, Entitlement]:
    """All entitlements by name. Raises ValueError when two could not be told apart at the broker."""
    by_service: dict[str, list[EventType]] = {}
    for kind in public_types():
        by_service.setdefault(kind.source, []).append(kind)
    found = {name: _entitlement(name, kinds) for name, kinds in sorted(by_service.items())}
    _refuse_ambiguous(found)
    return found


def public_types() -> list[EventType]:
    """Every public event of every version, of all services."""
    found = []
    for service in pkgutil.iter_modules(mpp.__path__):
        package = importlib.import_module(f"mpp.{service.name}")
        for version in pkgutil.iter_modules(package.__path__):
            versioned = importlib.import_module(f"mpp.{service.name}.{version.name}")
            if any(module.name == "events_pb2" for module in pkgutil.iter_modules(versioned.__path__)):
                events = importlib.import_module(f"{versioned.__name__}.events_pb2")
                found += [kind for kind in event_types(events) if kind.public]
    return found


def _entitlement(name: str, kinds: list[EventType]) -> Entitlement:
    return Entitlement(
        name=name,
        routing_keys=tuple(sorted(kind.public_key for kind in kinds if kind.public_key)),
        event_types=tuple(sorted(kind.message.DESCRIPTOR.full_name for kind in kinds)),
        stream=entitlement_stream(name),
    )


def _refuse_ambiguous(found: dict[str, Entitlement]) -> None:
    """Two services with one routing key would open each other's events: on `public.events` a key has no service in it."""
    owner: dict[str, str] = {}
    for one in found.values():
        if one.stream in (JOURNAL, PUBLIC_EXCHANGE):
            raise ValueError(f"a service cannot be called {one.name!r}: {one.stream} is something else")
        for key in one.routing_keys:
            if owner.setdefault(key, one.name) != one.name:
                raise ValueError(f"{key} is an event of {owner[key]} and of {one.name}: rename one")
