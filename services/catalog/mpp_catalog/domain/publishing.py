"""When a resource has changed, and the tag of a version. Knows that resources check and announce themselves."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from mpp_catalog.domain.agency import Agency
from mpp_catalog.domain.errors import EtagMismatch
from mpp_catalog.domain.offering import Offering
from mpp_catalog.domain.site import Site

Resource = TypeVar("Resource", Site, Agency, Offering)


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


def etag(name: str, version: int) -> str:
    """The tag of one version of one resource. Opaque to callers; equal exactly when name and version are."""
    return hashlib.sha256(f"{name}\n{version}".encode()).hexdigest()[:16]


def check_etag(field: str, given: str, name: str, version: int | None) -> None:
    """Raise EtagMismatch when `given` is not empty and not the tag of this version (None: no resource)."""
    if given and (version is None or given != etag(name, version)):
        raise EtagMismatch(
            f"{name} was changed since it was read; read it again", field=field, metadata={"resource": name}
        )
