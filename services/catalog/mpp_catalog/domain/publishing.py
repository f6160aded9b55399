"""When a resource has changed, when one may go, the tag of a version. Knows that resources check and announce themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from mpp_catalog.domain.agency import Agency
from mpp_catalog.domain.channel import Channel, ChannelKind
from mpp_catalog.domain.errors import EtagMismatch, StillNeeded, StillOpen
from mpp_catalog.domain.offering import Offering
from mpp_catalog.domain.site import Site

Resource = TypeVar("Resource", Site, Agency, Offering, ChannelKind, Channel)


def publish(current: Resource | None, wanted: Resource, *, now: datetime, actor: str) -> Resource:
    """What the catalogue holds after `wanted` is applied over `current`.

    An unchanged resource comes back as it is, without an event; otherwise `wanted` comes back, stamped and
    with exactly one event. Raises InvalidField when `wanted` breaks a rule of its own.
    """
    wanted.check()
    if current is not None and current.name != wanted.name:
        raise ValueError(f"{wanted.name} cannot replace {current.name}")
    if current == wanted:
        return current
    return replace(wanted, published_at=now, published_by=actor).announced()


@dataclass(frozen=True, slots=True)
class Dependants:
    """What hangs on a resource, as far as the catalogue has heard: names in the catalogue, numbers of open work."""

    offerings: Sequence[str] = ()
    channels: Sequence[str] = ()
    tickets: int = 0
    applications: int = 0
    appointments: int = 0
    agencies: Sequence[str] = ()
    channel_kinds: Sequence[str] = ()


def refuse_retiring(name: str, on: Dependants) -> None:
    """Raise StillOpen (OPEN_TICKETS, OPEN_APPLICATIONS, OPEN_APPOINTMENTS) or StillNeeded (HAS_OFFERINGS,
    HAS_CHANNELS, HAS_AGENCIES, HAS_CHANNEL_KINDS).

    A service that citizens wait for cannot vanish, and nothing may refer to what is not there. Citizens come first in
    the answer.
    """
    for what, count in (("tickets", on.tickets), ("applications", on.applications), ("appointments", on.appointments)):
        if count:
            text = f"{count} {what} of {name} are open; let them end first"
            raise StillOpen(f"OPEN_{what.upper()}", text, count=count)
    needing = {
        "HAS_CHANNELS": on.channels,
        "HAS_OFFERINGS": on.offerings,
        "HAS_AGENCIES": on.agencies,
        "HAS_CHANNEL_KINDS": on.channel_kinds,
    }
    for reason, names in needing.items():
        if names:
            text = f"{name} is still needed by {', '.join(names[:3])}{' ...' if len(names) > 3 else ''}"
            raise StillNeeded(reason, text, count=len(names), first=names[0])


def etag(name: str, version: int) -> str:
    """The tag of one version of one resource. Opaque to callers; equal exactly when name and version are."""
    return hashlib.sha256(f"{name}\n{version}".encode()).hexdigest()[:16]


def check_etag(field: str, given: str, name: str, version: int | None) -> None:
    """Raise EtagMismatch when `given` is not empty and not the tag of this version (None: no resource)."""
    if given and (version is None or given != etag(name, version)):
        raise EtagMismatch(
            f"{name} was changed since it was read; read it again", field=field, metadata={"resource": name}
        )
