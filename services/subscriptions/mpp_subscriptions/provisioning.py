"""Grants to the broker: bring one over, and find what the broker lost or somebody changed by hand.

The document is the truth, the broker its copy. Safe to run twice, in any order and by several at once: whoever brought
a grant over looks again whether it is still what it was, so that the last to finish has said the last word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from google.protobuf.empty_pb2 import Empty
from mpp_chassis.call import Command

from mpp_subscriptions import metrics
from mpp_subscriptions.brokerapi import Account, BrokerApi, BrokerApiDown
from mpp_subscriptions.domain.access import PREFIX, Access, Bounds, Entitlement, access_of, account_name
from mpp_subscriptions.domain.grants import Grant
from mpp_subscriptions.store import Grants

ACTOR = "service:subscriptions"
ROUNDS = 5  # of looking again, when a grant is changed while it is brought over
BATCH = 100
GRACE = timedelta(seconds=5)  # for the handler of the event: closing connections twice would hit those made in between


@dataclass(frozen=True, slots=True)
class Provisioner:
    """`api` is None where no broker API is configured: grants stay pending then."""

    grants: Grants
    api: BrokerApi | None
    known: Mapping[str, Entitlement]
    exchange: str
    bounds: Bounds
    clock: Callable[[], datetime]
    log: Any
    prefix: str = PREFIX

    def access(self, grant: Grant) -> Access:
        return access_of(grant, self.known, self.exchange, self.bounds, self.prefix)

    def bring(self, name: str, why: str = "applied") -> Grant:
        """Make the broker say what the grant says now, and note it. Raises BrokerApiDown, NotFound.

        Guaranteed on return: what the grant opened before and opens no longer is closed, old connections too.
        """
        if self.api is None:
            raise BrokerApiDown("no broker API is configured (MPP_BROKER_API)")
        grant = self.grants.load(name)
        for _ in range(ROUNDS):
            if grant.active:
                _put(self.api, self.access(grant), grant.pending)
            else:
                self.api.remove(account_name(grant.agency, self.prefix))
            now = self.grants.load(name)
            if now.revision == grant.revision:
                metrics.PROVISIONED.labels(why).inc()
                self.log.info("grant_provisioned", grant=name, revision=grant.revision, why=why)
                return self._note(now) if now.pending else now
            grant = now
        raise BrokerApiDown(f"{name} changes faster than the broker takes it over")

    def bring_pending(self, now: datetime) -> int:
        """What waits and no handler is at; returns how many were brought over. One that fails holds up no other."""
        waiting = self.grants.pending(now - GRACE, BATCH)
        metrics.GRANTS_PENDING.set(len(waiting))
        return sum(self._try(grant.name, "applied") for grant in waiting) if self.api else 0

    def mend_drift(self) -> int:
        """Compare all accounts with all grants, and bring over what differs. Raises BrokerApiDown.

        The broker is read first and the grants after it, so an account seen without a grant has none. All accounts that
        begin with the prefix are taken for ours: two deployments on one broker need two prefixes.
        """
        if self.api is None:
            return 0
        seen = self.api.accounts(f"{self.prefix}.")
        mended, rightful = 0, set()
        for grant in self.grants.all():
            name = account_name(grant.agency, self.prefix)
            rightful.add(name)
            if not grant.pending and self._drifted(grant, seen.get(name)):  # what is pending has its own sweep
                mended += self._try(grant.name, "drift")
        for stranger in seen.keys() - rightful:
            self.log.warning("account_without_grant", account=stranger)
            self.api.remove(stranger)
            metrics.PROVISIONED.labels("stranger").inc()
            mended += 1
        return mended

    def _drifted(self, grant: Grant, account: Account | None) -> bool:
        return bool(differences(self.access(grant), account)) if grant.active else account is not None

    def _try(self, name: str, why: str) -> int:
        try:
            self.bring(name, why)
        except BrokerApiDown as e:
            metrics.PROVISION_FAILURES.inc()
            self.log.warning("grant_not_provisioned", grant=name, error=str(e))
            return 0
        return 1

    def _note(self, brought: Grant) -> Grant:
        now = self.clock()
        command = Command(f"{brought.name}/{brought.revision}", "NoteApplied", "", ACTOR, now)

        def note(current: Grant) -> Grant:
            return current.applied(brought.revision, now)

        self.grants.change(brought.name, command, Empty, note, lambda _before, _after: (Empty(), []))
        return brought.applied(brought.revision, now)


def _put(api: BrokerApi, access: Access, pending: bool) -> None:
    """Permissions first, then the bindings that are too many, then the connections that were let in before."""
    before = api.account(access.username)
    api.put(access)
    if before is None:
        return
    surplus = {key for exchange, key in before.bindings or () if exchange == access.exchange}
    surplus -= set(access.routing_keys)
    if surplus:
        api.unbind(access.queue, access.exchange, surplus)
    if pending or any(d != "queue" for d in differences(access, before)):
        api.close_connections(access.username, "access was changed: connect again")


def differences(access: Access, account: Account | None) -> list[str]:
    """In what the broker says something else than it must."""
    if account is None:
        return ["account"]
    return list(_differences(access, account))


def _differences(access: Access, account: Account) -> Iterator[str]:
    if account.password_hash != access.password_hash:
        yield "password"
    if account.tags:
        yield "tags"
    if account.elsewhere or account.permissions != {(access.configure, access.write, access.read)}:
        yield "permissions"
    if account.topics != {(access.exchange, access.topic_write, access.topic_read)}:
        yield "topics"
    limits = {"max-connections": access.bounds.connections, "max-channels": access.bounds.channels}
    if dict(account.limits) != limits:
        yield "limits"
    if account.bindings is None or account.bindings != {(access.exchange, key) for key in access.routing_keys}:
        yield "queue"
