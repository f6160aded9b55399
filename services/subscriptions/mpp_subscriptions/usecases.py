"""One function a command: open, change, rotate and revoke an agency's access.

Knows domain, store and provisioning. Never knows AMQP, gRPC servers or pymongo. A command is durable before the broker
is told. `work` alone holds the key to the broker's accounts: its event tells it of a change, its sweep of what was left;
`serve` only waits a little to say how it went.
"""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mpp.subscriptions.v1 import grant_pb2
from mpp.subscriptions.v1 import grants_service_pb2 as rpc
from mpp_chassis.aggregates import REPLIES_KEPT
from mpp_chassis.call import Call
from mpp_chassis.errors import InvalidField

from mpp_subscriptions import messages, metrics, views
from mpp_subscriptions.brokerapi import BrokerApiDown
from mpp_subscriptions.domain import access, grants
from mpp_subscriptions.domain.grants import Grant
from mpp_subscriptions.feed.usecases import App as Feed
from mpp_subscriptions.messages import Address
from mpp_subscriptions.provisioning import Provisioner
from mpp_subscriptions.store import Grants, Told
from mpp_subscriptions.webhooks import usecases as webhooks
from mpp_subscriptions.webhooks.usecases import App as Webhooks

PATIENCE = timedelta(seconds=3)  # of a command, for the broker to take it over
LOOK_SECONDS = 0.02
TOMBSTONES_KEPT = REPLIES_KEPT + timedelta(hours=1)
SWEPT = 1000  # of subscriptions, a sweep


@dataclass(slots=True)
class Drift:
    """When this process last compared the broker with the grants."""

    seconds: float
    looked_at: datetime | None = None

    def due(self, now: datetime) -> bool:
        return self.looked_at is None or (now - self.looked_at).total_seconds() >= self.seconds


@dataclass(frozen=True, slots=True)
class App:
    """The service, composed. `rng` makes passwords: cryptographic in production."""

    feed: Feed
    webhooks: Webhooks
    grants: Grants
    provisioner: Provisioner
    drift: Drift
    address: Address
    rng: random.Random
    clock: Callable[[], datetime]
    log: Any


def create_grant(app: App, request: rpc.CreateGrantRequest, call: Call) -> grant_pb2.IssuedGrant:
    """Open entitlements to an agency. Raises InvalidField (ENTITLEMENT_UNKNOWN), AlreadyGranted.

    The password is in the reply of the call that made it and nowhere else; a repeated call gets none.
    """
    if not request.agency.startswith(f"{request.parent}/"):
        raise InvalidField("agency", f"must be below {request.parent}")
    _must_be_known(app, request.entitlements)
    password, hashed = _new_password(app)
    new = grants.open_grant(request.agency, request.entitlements, hashed, call.now, call.actor)
    fresh = grant_pb2.IssuedGrant(grant=views.resource(app, new))
    reply = app.grants.create(new, call.mutation, fresh, [messages.changed(new)])
    if reply is None:  # there is a grant: perhaps a revoked one

        def reopen(current: Grant) -> Grant:
            return current.reopen(request.entitlements, hashed, call.now, call.actor)

        return _issue(app, new.name, call, reopen, password)
    return _told_once(app, reply, reply is fresh, password)


def update_grant(app: App, request: rpc.UpdateGrantRequest, call: Call) -> grant_pb2.Grant:
    """Other entitlements. Raises InvalidField (ENTITLEMENT_UNKNOWN), WrongState, EtagMismatch, NotFound."""
    _must_be_known(app, request.entitlements)
    return _change(
        app, request.name, call, lambda g: g.entitle(request.entitlements, request.etag, call.now, call.actor)
    )


def rotate_grant(app: App, request: rpc.RotateGrantRequest, call: Call) -> grant_pb2.IssuedGrant:
    """A new password, told once. Raises WrongState, NotFound."""
    password, hashed = _new_password(app)
    return _issue(app, request.name, call, lambda g: g.rotate(hashed, call.now, call.actor), password)


def revoke_grant(app: App, request: rpc.RevokeGrantRequest, call: Call) -> grant_pb2.Grant:
    """No access any more. Raises NotFound."""
    return _change(app, request.name, call, lambda g: g.revoke(call.now, call.actor))


def bring(app: App, name: str) -> None:
    """After a change, in `work`: tell the broker if it answers; the sweep goes on otherwise."""
    if not app.grants.load(name).pending:
        return
    try:
        app.provisioner.bring(name)
    except BrokerApiDown as e:
        metrics.PROVISION_FAILURES.inc()
        app.log.warning("grant_not_provisioned", grant=name, error=str(e))


def sweep(app: App, now: datetime) -> None:
    """Bring over what waits; now and then compare everything."""
    app.provisioner.bring_pending(now)
    if not app.drift.due(now):
        return
    try:
        mended = app.provisioner.mend_drift()
    except BrokerApiDown as e:
        metrics.PROVISION_FAILURES.inc()
        app.log.warning("drift_not_checked", error=str(e))
        return
    app.drift.looked_at = now
    if mended:
        app.log.warning("drift_mended", grants=mended)


def clear_webhook(app: App, name: str) -> None:
    """After a deletion. A webhook's name is never given twice."""
    app.webhooks.deliveries.forget([name])


def sweep_deleted(app: App, now: datetime) -> None:
    """Tombstones go when no repeated command can ask for their reply any more."""
    before = now - TOMBSTONES_KEPT
    webhooks.sweep(app.webhooks, before)
    app.feed.subscriptions.forget(before, SWEPT)


def _change(app: App, name: str, call: Call, decide: Callable[[Grant], Grant]) -> grant_pb2.Grant:
    def tell(before: Grant, after: Grant) -> Told:
        return views.resource(app, after), [] if after is before else [messages.changed(after)]

    reply = app.grants.change(name, call.mutation, grant_pb2.Grant, decide, tell)
    return _brought(app, reply)


def _issue(app: App, name: str, call: Call, decide: Callable[[Grant], Grant], password: str) -> grant_pb2.IssuedGrant:
    told: list[grant_pb2.IssuedGrant] = []

    def tell(_before: Grant, after: Grant) -> Told:
        told.append(grant_pb2.IssuedGrant(grant=views.resource(app, after)))
        return told[-1], [messages.changed(after)]

    reply = app.grants.change(name, call.mutation, grant_pb2.IssuedGrant, decide, tell)
    return _told_once(app, reply, bool(told) and reply is told[-1], password)


def _told_once(app: App, reply: grant_pb2.IssuedGrant, fresh: bool, password: str) -> grant_pb2.IssuedGrant:
    """The password goes with the reply of the write that made it: into no document, so a repetition has none."""
    grant = _brought(app, reply.grant)
    return grant_pb2.IssuedGrant(grant=grant, password=password if fresh else "")


def _brought(app: App, reply: grant_pb2.Grant) -> grant_pb2.Grant:
    """Wait a little for `work` to tell the broker; the reply says whether it did.

    A reply that was overtaken by later changes stays as it was.
    """
    until = app.clock() + PATIENCE
    while (current := app.grants.load(reply.name)).pending and app.clock() < until:
        time.sleep(LOOK_SECONDS)
    return views.resource(app, current) if current.etag == reply.etag else reply


def _must_be_known(app: App, entitlements: Sequence[str]) -> None:
    for n, name in enumerate(entitlements):
        if name not in app.provisioner.known:
            known = ", ".join(app.provisioner.known)
            raise InvalidField(
                f"entitlements[{n}]", f"there is no {name!r}, only {known}", reason="ENTITLEMENT_UNKNOWN"
            )


def _new_password(app: App) -> tuple[str, str]:
    """256 random bits as 43 characters that need no quoting in a URI, and their hash as the broker keeps it."""
    password = base64.urlsafe_b64encode(app.rng.getrandbits(256).to_bytes(32, "big")).decode().rstrip("=")
    return password, access.hash_password(password, app.rng.getrandbits(32).to_bytes(4, "big"))
