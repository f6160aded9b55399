"""What a use case knows of the one who calls: identity, reach, command, time. Knows no transport."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from mpp_chassis.errors import PermissionDenied


@dataclass(frozen=True, slots=True)
class Caller:
    """Claims of a checked token. Absent claims are "" or 0."""

    subject: str = ""
    roles: frozenset[str] = frozenset()
    site: str = ""
    agency: str = ""
    counter: int = 0
    nik: str = field(default="", repr=False)
    # What marks a resource as the caller's own: "sub:<subject>", and "nik:<blind index>" when the token proves a NIK.
    owner_keys: frozenset[str] = frozenset()
    expires: float = field(default=float("inf"), compare=False)  # seconds since the epoch, clock skew included
    sites: frozenset[str] = frozenset()  # what a city's viewer sees beside `site`; no other role reaches there


@dataclass(frozen=True, slots=True)
class Command:
    """One intent to change something. The same `key` twice means the same effect once.

    `fingerprint` is a digest of the request's body: the same key with another fingerprint is refused.
    """

    request_id: str
    method: str
    fingerprint: str
    actor: str
    at: datetime
    traceparent: str = ""

    @property
    def key(self) -> str:
        """Names the command among all callers: a request_id belongs to its actor and method."""
        text = f"{self.method}\n{self.actor}\n{self.request_id}"
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def new_id(command: Command) -> str:
    """A resource id of 26 lower-case characters, the same for a repeated command.

    Not a secret: whoever knows method, actor and request_id can compute it.
    """
    digest = hashlib.blake2b(command.key.encode(), digest_size=16, person=b"mpp-new-id").digest()
    number, alphabet = int.from_bytes(digest, "big"), "0123456789abcdefghjkmnpqrstvwxyz"
    return "".join(alphabet[(number >> shift) & 31] for shift in range(0, 130, 5))


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a listing may look: the whole site, one agency's, or the caller's own."""

    all: bool = False
    agency: str | None = None
    owner_keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Call:
    """One RPC in progress. The kit has checked deadline, token, role, site and the request's fields before."""

    caller: Caller
    now: datetime
    command: Command | None = None
    scopes: frozenset[str] = frozenset()  # of the grants that the caller holds here: any, site, agency, own
    role: str = "anonymous"  # the widest role that opened the door
    traceparent: str = ""
    bearer: str = field(default="", repr=False, compare=False)  # the checked token itself: for `peers`, never kept

    @property
    def actor(self) -> str:
        """For histories and audit: role and subject, never a name."""
        return f"{self.role}:{self.caller.subject}" if self.caller.subject else self.role

    @property
    def mutation(self) -> Command:
        """The command; only mutating RPCs have one."""
        if self.command is None:
            raise RuntimeError("not a mutating RPC: its access policy lacks `mutating: true`")
        return self.command

    def _agency_name(self) -> str:
        caller = self.caller
        return f"sites/{caller.site}/agencies/{caller.agency}" if caller.site and caller.agency else ""

    def require(self, *, agency: str = "", owners: Iterable[str] = ()) -> None:
        """Raise PermissionDenied unless a grant covers a resource of `agency` (full name) owned by `owners`."""
        if self.scopes & {"any", "site"}:
            return
        if "agency" in self.scopes and agency and agency == self._agency_name():
            return
        if "own" in self.scopes and self.caller.owner_keys & set(owners):
            return
        raise PermissionDenied("not yours: the resource belongs to another agency or person")

    def reach(self) -> Reach:
        """What a listing may show. Wider grants win."""
        if self.scopes & {"any", "site"}:
            return Reach(all=True)
        if "agency" in self.scopes and self._agency_name():
            return Reach(agency=self._agency_name())
        return Reach(owner_keys=self.caller.owner_keys)
