"""One agency's grant: which entitlements it has, and the state of its account. Standard library only.

A grant has a `revision`, which each change raises, and remembers which of its revisions the broker has taken over.
Knows a password's hash and its version; never a password.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from mpp_subscriptions.domain.errors import AlreadyGranted, EtagMismatch, InvalidField, WrongState

_AGENCY = re.compile(r"sites/([a-z][a-z0-9-]{1,30})/agencies/([a-z][a-z0-9-]{1,30})")
HISTORY_KEPT = 50


class State(StrEnum):
    ACTIVE = "active"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One deed. `actor` is role and subject, never a name."""

    at: datetime
    actor: str
    deed: str
    entitlements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grant:
    """Made by `open_grant`; every change gives a new one."""

    name: str
    agency: str
    state: State
    entitlements: tuple[str, ...]
    password_hash: str  # as the broker keeps it, see `access.hash_password`
    credential_version: int
    revision: int
    applied_revision: int  # 0: the broker knows nothing yet
    created_at: datetime
    updated_at: datetime
    provisioned_at: datetime | None = None
    history: tuple[HistoryEntry, ...] = ()

    @property
    def site_id(self) -> str:
        return self.agency.split("/")[1]

    @property
    def agency_id(self) -> str:
        return self.agency.split("/")[3]

    @property
    def active(self) -> bool:
        return self.state is State.ACTIVE

    @property
    def pending(self) -> bool:
        """Whether the broker has yet to take over what this grant says."""
        return self.applied_revision < self.revision

    @property
    def etag(self) -> str:
        return str(self.revision)

    def reopen(self, entitlements: Sequence[str], password_hash: str, now: datetime, actor: str) -> Grant:
        """Access again after it was revoked, with a new password. Raises AlreadyGranted, InvalidField."""
        if self.active:
            raise AlreadyGranted(f"{self.agency} has an active grant: update or rotate it")
        return self._next(
            "granted", now, actor, state=State.ACTIVE, entitlements=_clean(entitlements), password_hash=password_hash,
            credential_version=self.credential_version + 1,
        )  # fmt: skip

    def entitle(self, entitlements: Sequence[str], etag: str, now: datetime, actor: str) -> Grant:
        """Other entitlements; the same grant when they are the same. Raises WrongState, EtagMismatch, InvalidField."""
        self._must_be_active()
        if etag and etag != self.etag:
            raise EtagMismatch(f"{self.name} changed since you read it: its etag is {self.etag}")
        wanted = _clean(entitlements)
        return self if wanted == self.entitlements else self._next("updated", now, actor, entitlements=wanted)

    def rotate(self, password_hash: str, now: datetime, actor: str) -> Grant:
        """A new password. Raises WrongState."""
        self._must_be_active()
        version = self.credential_version + 1
        return self._next("rotated", now, actor, password_hash=password_hash, credential_version=version)

    def revoke(self, now: datetime, actor: str) -> Grant:
        """No access; the same grant when it was revoked before."""
        return self._next("revoked", now, actor, state=State.REVOKED, password_hash="") if self.active else self

    def applied(self, revision: int, now: datetime) -> Grant:
        """The broker has taken over `revision`. Never goes back to an older one."""
        if revision <= self.applied_revision:
            return self
        return replace(self, applied_revision=revision, provisioned_at=now)

    def _must_be_active(self) -> None:
        if not self.active:
            raise WrongState(f"{self.name} is revoked")

    def _next(self, deed: str, now: datetime, actor: str, **changes: object) -> Grant:
        changed = replace(self, revision=self.revision + 1, updated_at=now, **changes)  # type: ignore[arg-type]
        entry = HistoryEntry(now, actor, deed, changed.entitlements)
        return replace(changed, history=(*self.history, entry)[-HISTORY_KEPT:])


def open_grant(agency: str, entitlements: Sequence[str], password_hash: str, now: datetime, actor: str) -> Grant:
    """The first grant of an agency (full name). Raises InvalidField."""
    wanted = _clean(entitlements)
    return Grant(
        name=grant_name(agency),
        agency=agency,
        state=State.ACTIVE,
        entitlements=wanted,
        password_hash=password_hash,
        credential_version=1,
        revision=1,
        applied_revision=0,
        created_at=now,
        updated_at=now,
        history=(HistoryEntry(now, actor, "granted", wanted),),
    )


def grant_name(agency: str) -> str:
    """`sites/malang/agencies/dukcapil` -> `sites/malang/grants/dukcapil`. Raises InvalidField."""
    match = _AGENCY.fullmatch(agency)
    if match is None:
        raise InvalidField("agency", "must be sites/{site}/agencies/{agency}")
    return f"sites/{match[1]}/grants/{match[2]}"


def agency_of(name: str) -> str:
    """The agency of a grant's name."""
    _, site, _, agency = name.split("/")
    return f"sites/{site}/agencies/{agency}"


def _clean(entitlements: Sequence[str]) -> tuple[str, ...]:
    if not entitlements:
        raise InvalidField("entitlements", "at least one is needed; to take all away, revoke the grant")
    return tuple(sorted(set(entitlements)))
