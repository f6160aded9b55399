"""When the broker forgets, is changed by hand, or is not there; and a subscriber who never reads.

The use cases run in this process here, on the real store and the real broker, so that the broker's API can be taken away.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import amqp
import pytest
import structlog
from mpp.subscriptions.v1 import grants_service_pb2 as pb
from mpp_chassis import broker
from mpp_chassis.aggregates import Store
from mpp_chassis.call import Call, Caller, Command
from mpp_subscriptions import entitlements, provisioning, store, usecases
from mpp_subscriptions.brokerapi import BrokerApi, BrokerApiDown
from mpp_subscriptions.domain.access import Bounds, account_name
from mpp_subscriptions.messages import Address

from .conftest import Agency, Edge, headers, subject, take

KNOWN = entitlements.known()
KEY = "ticket_called.v1.public"
NOBODY = BrokerApi("http://guest:guest@127.0.0.1:9", "/")


def now() -> datetime:
    return datetime.now(UTC)


def call(method: str) -> Call:
    caller = Caller(subject="operator", roles=frozenset({"platform_admin"}))
    command = Command(str(uuid.uuid4()), method, "", "platform_admin:operator", now())
    return Call(caller, now(), command, frozenset({"any"}), "platform_admin")


class Alone:
    """The service without its processes. Its accounts have a prefix of their own: the running service knows none of them."""

    def __init__(self, database: Any, api: BrokerApi) -> None:
        self.live = api
        self.site, self.prefix = "sites/uji", f"u{uuid.uuid4().hex[:10]}"
        self.log = structlog.get_logger()
        grants = store.Grants(Store(database, None, now, random.Random()))
        database[store.GRANTS].create_indexes(store.INDEXES[store.GRANTS])
        provisioner = provisioning.Provisioner(
            grants, api, KNOWN, "public.events", Bounds(), now, self.log, self.prefix
        )
        parts: dict[str, Any] = dict.fromkeys(
            field.name for field in fields(usecases.App)
        )  # of the other ways in: none
        parts |= {"grants": grants, "provisioner": provisioner, "drift": usecases.Drift(0), "log": self.log}
        parts |= {"address": Address("amqp://x:1", "/"), "rng": random.SystemRandom(), "clock": now}
        self.app = usecases.App(**parts)

    def reach(self, api: BrokerApi | None, **bounds: int) -> None:
        limits = replace(self.app.provisioner.bounds, **bounds)
        self.app = replace(self.app, provisioner=replace(self.app.provisioner, api=api, bounds=limits))

    def create(self, *wanted: str) -> Agency:
        name = f"{self.site}/agencies/a{uuid.uuid4().hex[:10]}"
        request = pb.CreateGrantRequest(parent=self.site, agency=name, entitlements=wanted)
        reply = usecases.create_grant(self.app, request, call("Create"))
        return Agency(name, reply.grant, reply.password)


@pytest.fixture
def alone(edge: Edge, database: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Alone]:
    """No `work` runs here that a command could wait for."""
    monkeypatch.setattr(usecases, "PATIENCE", timedelta())
    here = Alone(database, BrokerApi(edge.services.platform.stack.broker.management_uri, "/"))
    yield here
    for grant in here.app.grants.all():
        here.live.remove(account_name(grant.agency, here.prefix))


def test_while_the_broker_api_is_away_a_grant_is_pending_and_then_applied(alone: Alone, edge: Edge) -> None:
    alone.reach(NOBODY)
    agency = alone.create("queue")
    assert agency.grant.provisioning == agency.grant.PROVISIONING_PENDING
    usecases.bring(alone.app, agency.grant.name)  # fails, and does not raise
    with pytest.raises(amqp.AccessRefused):
        edge.connect(agency.account, agency.password)
    later = now() + timedelta(seconds=60)
    usecases.sweep(alone.app, later)
    assert alone.app.grants.load(agency.grant.name).pending
    alone.reach(alone.live)
    usecases.sweep(alone.app, later)
    assert not alone.app.grants.load(agency.grant.name).pending
    edge.connect(agency.account, agency.password)  # with the password that was told at the start


def test_the_sweep_leaves_what_a_handler_is_at(alone: Alone) -> None:
    agency = alone.create("queue")
    usecases.sweep(replace(alone.app, drift=usecases.Drift(3600, now())), now())
    assert alone.app.grants.load(agency.grant.name).pending


def test_a_revocation_that_the_broker_missed_is_made_up_for(alone: Alone, edge: Edge) -> None:
    agency = alone.create("queue")
    usecases.bring(alone.app, agency.grant.name)
    conn = edge.connect(agency.account, agency.password)
    alone.reach(NOBODY)
    usecases.revoke_grant(alone.app, pb.RevokeGrantRequest(name=agency.grant.name), call("Revoke"))
    alone.reach(alone.live)
    usecases.sweep(alone.app, now() + timedelta(seconds=60))
    with pytest.raises((amqp.ConnectionError, ConnectionError)):
        conn.drain_events(timeout=10)
    assert alone.live.account(agency.account) is None


@pytest.mark.parametrize(
    "harm", ["account lost", "password", "wide open", "administrator", "topics", "binding lost", "queue lost"]
)
def test_what_the_broker_lost_or_somebody_changed_comes_back(alone: Alone, harm: str) -> None:
    agency = alone.create("queue")
    usecases.bring(alone.app, agency.grant.name)
    grant = alone.app.grants.load(agency.grant.name)
    right = alone.app.provisioner.access(grant)
    assert provisioning.differences(right, alone.live.account(agency.account)) == []
    damage(alone.live, agency.account, right.password_hash, harm)
    assert provisioning.differences(right, alone.live.account(agency.account))
    alone.app.provisioner.mend_drift()
    assert provisioning.differences(right, alone.live.account(agency.account)) == []
    assert alone.app.provisioner.mend_drift() == 0


def damage(api: BrokerApi, account: str, password_hash: str, harm: str) -> None:
    """By hand, as an administrator of the broker could."""
    wide = {"configure": ".*", "write": ".*", "read": ".*"}
    user = {"password_hash": password_hash, "hashing_algorithm": "rabbit_password_hashing_sha256"}
    if harm == "account lost":
        api._call("DELETE", f"users/{account}")
    elif harm == "password":
        api._call("PUT", f"users/{account}", {"password": "guessed", "tags": ""})
    elif harm == "administrator":
        api._call("PUT", f"users/{account}", {**user, "tags": "administrator"})
    elif harm == "wide open":
        api._call("PUT", f"permissions/%2F/{account}", wide)
    elif harm == "topics":
        api._call("DELETE", f"topic-permissions/%2F/{account}")
    elif harm == "binding lost":
        api.unbind(account, "public.events", [KEY])
    else:
        api._call("DELETE", f"queues/%2F/{account}")


def test_an_account_without_a_grant_is_taken_away_and_no_other(alone: Alone) -> None:
    kept = alone.create("queue")
    usecases.bring(alone.app, kept.grant.name)
    stranger, other = f"{alone.prefix}.nowhere.nobody", f"{alone.prefix}x.nowhere.nobody"
    for name in (stranger, other):
        alone.live._call("PUT", f"users/{name}", {"password": "x", "tags": ""})
    try:
        alone.app.provisioner.mend_drift()
        assert alone.live.account(stranger) is None
        assert alone.live.account(other) is not None
        assert alone.live.account(kept.account) is not None
    finally:
        alone.live.remove(other)


def test_a_refusal_of_the_api_holds_no_secret(alone: Alone) -> None:
    stranger = BrokerApi(f"http://guest:verysecret@{alone.live._base.split('//')[1].split('/')[0]}", "/")
    for api in (stranger, NOBODY):
        with pytest.raises(BrokerApiDown) as caught:
            api.accounts("agency.")
        assert "verysecret" not in str(caught.value)
        assert "guest" not in str(caught.value)


def test_who_never_reads_costs_the_others_nothing(alone: Alone, edge: Edge, amqp_uri: str) -> None:
    """A full queue loses its oldest events and takes the newest; publishing is never refused, and not slower.

    The time is measured in turns and told, not judged: the machine has other work.
    """
    reader = alone.create("queue")
    usecases.bring(alone.app, reader.grant.name)
    alone.reach(alone.live, queue_length=50)
    dead = alone.create("queue")
    usecases.bring(alone.app, dead.grant.name)
    publisher = broker.Publisher(amqp_uri)

    def burst(count: int = 200) -> float:
        started = time.perf_counter()
        batch = [broker.Outgoing(f"{uuid.uuid4()}", "public.events", KEY, headers(str(n)), "{}") for n in range(count)]
        assert len(publisher.publish(batch).accepted) == count
        return time.perf_counter() - started

    burst()  # now the dead one is full
    alone.reach(alone.live, queue_length=100_000)
    beside_dead, beside_lively = [], []
    for _ in range(2):  # in turns: the same number of queues, one of them full and dropping, or with room
        beside_dead.append(burst())
        lively = alone.create("queue")
        usecases.bring(alone.app, lively.grant.name)
        alone.live._call("DELETE", f"bindings/%2F/e/public.events/q/{dead.account}/{KEY}")
        beside_lively.append(burst())
        usecases.revoke_grant(alone.app, pb.RevokeGrantRequest(name=lively.grant.name), call("Revoke"))
        usecases.bring(alone.app, lively.grant.name)
        alone.live._call("POST", f"bindings/%2F/e/public.events/q/{dead.account}", {"routing_key": KEY})
    publisher.close()
    newest = [subject(m) for m in take(edge.enter(dead), dead.account)]
    assert newest[-1] == "199"
    assert len(newest) <= 60, "the bound of a quorum queue is not exact, but near"
    assert len(take(edge.enter(reader), reader.account)) == 200 * 5
    print(f"publishing beside a dead full queue: {min(beside_dead) / min(beside_lively):.2f} x beside a lively one")
