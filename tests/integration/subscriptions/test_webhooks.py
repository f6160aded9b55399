"""Webhooks with the real broker, store and processes, and a real server that takes them."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from mpp.queue.v1 import events_pb2 as queue_events
from mpp.subscriptions.v1 import webhook_pb2
from mpp.subscriptions.v1 import webhooks_service_pb2 as pb
from mpp.subscriptions.v1.webhooks_service_pb2_grpc import WebhooksServiceStub
from mpp_localrun.platform import free_ports, stop, wait_ready
from mppctl.main import app
from standardwebhooks.webhooks import WebhookVerificationError
from typer.testing import CliRunner

from tests.conftest import wait_for
from tests.integration.subscriptions.receiver import Inbox, Receiver

pytestmark = pytest.mark.stack
SITE = "sites/uji-instansi"
Hook = webhook_pb2.Webhook


class Desk:
    """An agency with a grant of the queue's events, its admin, and its webhooks. One a test."""

    def __init__(self, edge: Any, receiver: Receiver) -> None:
        self.edge, self.receiver = edge, receiver
        self.id = f"a{uuid.uuid4().hex[:10]}"
        self.agency = f"{SITE}/agencies/{self.id}"
        self.grant = edge.create(self.agency, "queue").grant.name
        self.admin = edge.services.auth("agency_admin", site="uji-instansi", agency=self.id)
        self.stub = edge.services.stub("subscriptions", WebhooksServiceStub)
        self.queue = f"{SITE}/queues/q{uuid.uuid4().hex[:10]}"
        self.told: list[str] = []

    def inbox(self, answer: Any = lambda _: 200) -> Inbox:
        return self.receiver.inbox(f"/{uuid.uuid4().hex}", answer)

    def create(self, url: str, **given: Any) -> Any:
        request = pb.CreateWebhookRequest(
            parent=self.agency, url=url, request_id=given.pop("request_id", str(uuid.uuid4())),
            subject_prefix=given.pop("subject_prefix", self.queue), **given,
        )  # fmt: skip
        return self.stub.CreateWebhook(request, metadata=self.admin, timeout=30)

    def do(self, rpc: str, name: str, **given: Any) -> Any:
        request = getattr(pb, f"{rpc}Request")(name=name, request_id=str(uuid.uuid4()), **given)
        return getattr(self.stub, rpc)(request, metadata=self.admin, timeout=30)

    def get(self, name: str) -> Any:
        return self.stub.GetWebhook(pb.GetWebhookRequest(name=name), metadata=self.admin, timeout=30)

    def attempts(self, name: str) -> list[Any]:
        request = pb.ListWebhookAttemptsRequest(name=name)
        return list(self.stub.ListWebhookAttempts(request, metadata=self.admin, timeout=30).attempts)

    def tell(self, count: int = 1) -> list[str]:
        """So many public events of this test's own; returns their subjects."""
        fresh = []
        for _ in range(count):
            name = f"{self.queue}/tickets/{len(self.told):026d}"
            self.edge.tell(queue_events.TicketCalled(ticket=name, number="D-001", counter=1), name)
            self.told.append(name)
            fresh.append(name)
        return fresh

    def until_disabled(self, name: str) -> Any:
        return wait_for(lambda: (w := self.get(name)).state == Hook.STATE_DISABLED and w)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    here = Receiver()
    yield here
    here.close()


@pytest.fixture
def desk(edge: Any, receiver: Receiver) -> Iterator[Desk]:
    here = Desk(edge, receiver)
    yield here
    edge.do("RevokeGrant", here.grant)  # ends its webhooks, and its queue at the broker


def test_events_come_signed_in_order_and_without_personal_data(desk: Desk) -> None:
    inbox = desk.inbox()
    made = desk.create(inbox.url)
    desk.tell(20)
    wait_for(lambda: len(inbox.taken) == 20)
    assert inbox.subjects == desk.told
    first = inbox.requests[0]
    event = first.verified(made.secret)
    assert event["type"] == "mpp.queue.v1.TicketCalled"
    assert event["data"]["number"] == "D-001"
    assert (event["specversion"], event["id"], event["source"]) == ("1.0", first.id, "/mpp/queue")
    assert "sealedPhone" not in first.body
    assert first.headers["content-type"].startswith("application/cloudevents+json")
    with pytest.raises(WebhookVerificationError):
        first.verified("whsec_" + "A" * 43)
    assert len({r.id for r in inbox.requests}) == 20
    wait_for(lambda: desk.get(made.webhook.name).position_cursor)
    assert {a.outcome for a in desk.attempts(made.webhook.name)} == {webhook_pb2.WebhookAttempt.OUTCOME_DELIVERED}


def test_a_failure_is_tried_again_and_holds_up_what_comes_behind_it(desk: Desk) -> None:
    inbox = desk.inbox(lambda n: 503 if n in (1, 2) else 200)
    made = desk.create(inbox.url)
    desk.tell(5)
    wait_for(lambda: len(inbox.taken) == 5)
    assert inbox.subjects == desk.told
    assert [r.status for r in inbox.requests] == [200, 503, 503, 200, 200, 200, 200]
    assert len({r.id for r in inbox.requests[1:4]}) == 1, "each try of an event has the same webhook-id"
    for request in inbox.requests:
        request.verified(made.secret)
    failed = [a for a in desk.attempts(made.webhook.name) if a.failure]
    assert [(a.status, a.failure) for a in failed] == [(503, "http_503")] * 2


def test_after_the_last_retry_it_is_disabled_and_enabling_goes_on_at_that_event(desk: Desk) -> None:
    broken = [True]
    inbox = desk.inbox(lambda n: 500 if n and broken else 200)
    name = desk.create(inbox.url).webhook.name
    desk.tell(4)
    webhook = desk.until_disabled(name)
    assert webhook.disabled_reason == Hook.DISABLED_REASON_FAILING
    assert webhook.failures == 5
    desk.tell(3)
    broken.clear()
    desk.do("EnableWebhook", name)
    wait_for(lambda: len(inbox.taken) >= 7)
    assert inbox.subjects == desk.told


def test_gone_disables_at_once_and_a_redirect_is_not_followed(desk: Desk) -> None:
    gone, elsewhere = desk.inbox(lambda _: 410), desk.inbox()
    moved = desk.inbox(lambda _: 302)
    moved.headers["location"] = elsewhere.url
    name, other = desk.create(gone.url).webhook.name, desk.create(moved.url).webhook.name
    desk.tell()
    assert desk.until_disabled(name).disabled_reason == Hook.DISABLED_REASON_GONE
    assert len(gone.requests) == 1
    wait_for(lambda: [a.failure for a in desk.attempts(other)][:1] == ["http_302"])
    assert not elsewhere.requests
    desk.do("DeleteWebhook", other)


def test_replay_from_a_cursor_and_from_a_time(desk: Desk) -> None:
    inbox = desk.inbox()
    name = desk.create(inbox.url).webhook.name
    began = datetime.now(UTC)
    desk.tell(3)
    wait_for(lambda: len(desk.attempts(name)) == 3)  # as they are saved with the place
    middle = desk.get(name).position_cursor
    desk.tell(2)
    wait_for(lambda: len(inbox.taken) == 5)
    ids = [r.id for r in inbox.requests]
    desk.do("ReplayWebhook", name, cursor=middle)
    wait_for(lambda: len(inbox.taken) == 7)
    assert [r.id for r in inbox.requests[5:]] == ids[3:], "a replayed event has its old id"
    desk.do("ReplayWebhook", name, start_time=began)
    wait_for(lambda: len(inbox.taken) == 12)
    assert [r.id for r in inbox.requests[7:]] == ids


def test_a_rotated_secret_signs_beside_the_new_one(desk: Desk) -> None:
    inbox = desk.inbox()
    made = desk.create(inbox.url)
    name = made.webhook.name
    rotated = desk.do("RotateWebhookSecret", name)
    assert rotated.secret != made.secret
    assert rotated.secret.startswith("whsec_")
    answer = desk.do("TestWebhook", name).attempt
    assert (answer.status, answer.failure) == (200, "")
    test = inbox.requests[-1]
    assert test.verified(made.secret) == test.verified(rotated.secret)
    assert len(test.headers["webhook-signature"].split()) == 2
    last = desk.do("RotateWebhookSecret", name, expire_previous=True)
    desk.do("TestWebhook", name)
    inbox.requests[-1].verified(last.secret)
    with pytest.raises(WebhookVerificationError):
        inbox.requests[-1].verified(rotated.secret)


def test_a_repeated_create_makes_one_webhook_and_tells_the_same_secret(desk: Desk, refused: Any) -> None:
    again = str(uuid.uuid4())
    first, second = (desk.create("http://127.0.0.1:9/x", request_id=again) for _ in range(2))
    assert (first.webhook.name, first.secret) == (second.webhook.name, second.secret)
    other = refused(lambda: desk.create("http://127.0.0.1:9/y", request_id=again))
    assert other.reason == "REQUEST_ID_REUSED"
    webhooks, parts = desk.edge.database["webhooks"], first.webhook.name.split("/")
    full = [{"_id": f"{first.webhook.name}{n}", "site_id": parts[1], "agency": parts[3], "state": "disabled"}
            for n in range(20)]  # fmt: skip
    webhooks.insert_many(full)
    assert refused(lambda: desk.create("http://127.0.0.1:9/z")).reason == "TOO_MANY_WEBHOOKS"
    assert desk.create("http://127.0.0.1:9/x", request_id=again).secret == first.secret, "also when there are enough"
    webhooks.delete_many({"_id": {"$in": [d["_id"] for d in full]}})
    stored = webhooks.find_one({"_id": first.webhook.name})
    assert first.secret not in repr(stored), "neither the document nor a stored reply holds it in the clear"
    desk.do("DeleteWebhook", first.webhook.name)
    assert refused(lambda: desk.get(first.webhook.name)).code == "NOT_FOUND"


def test_what_is_not_granted_is_refused(desk: Desk, refused: Any) -> None:
    def create(**given: Any) -> Any:
        return refused(lambda: desk.create(given.pop("url", "http://127.0.0.1:9/x"), **given))

    denied = create(event_types=["mpp.complaints.v1.ComplaintFiled"])
    assert (denied.code, denied.reason) == ("PERMISSION_DENIED", "NOT_GRANTED")
    assert create(event_types=["mpp.queue.v1.NoSuchEvent"]).reason == "NOT_GRANTED"
    assert create(url="http://user:pw@127.0.0.1/").fields == ("url",)
    assert create(url="http://127.0.0.1:0/").reason == "URL_FORBIDDEN"
    assert create(subject_prefix="sites/another/").reason == "SITE_MISMATCH"
    stranger = desk.edge.services.auth("agency_admin", site="uji-instansi", agency="orang-lain")
    desk.admin, own = stranger, desk.admin
    assert create().code == "PERMISSION_DENIED"
    desk.admin = own


def test_a_revoked_grant_stops_deliveries_within_seconds(desk: Desk, refused: Any) -> None:
    inbox = desk.inbox()
    name = desk.create(inbox.url).webhook.name
    desk.tell(2)
    wait_for(lambda: len(inbox.taken) == 2)
    desk.edge.do("RevokeGrant", desk.grant)
    webhook = desk.until_disabled(name)
    assert webhook.disabled_reason == Hook.DISABLED_REASON_GRANT_REVOKED
    desk.tell(2)
    assert refused(lambda: desk.do("EnableWebhook", name)).reason == "GRANT_MISSING"
    assert len(inbox.requests) == 2


def test_killed_in_the_middle_nothing_is_lost_and_what_comes_twice_has_one_id(desk: Desk) -> None:
    services = desk.edge.services
    killed = threading.Event()

    def slow(_: int) -> int:
        killed.wait(0.1)  # until the kill, which so comes in the middle
        return 200

    inbox = desk.inbox(slow)
    desk.create(inbox.url)
    desk.tell(60)
    wait_for(lambda: len(inbox.taken) >= 10)
    services.kill("subscriptions-work")
    before = len(inbox.taken)
    killed.set()
    desk.tell(20)
    services.service("subscriptions")
    wait_for(lambda: len(inbox.subjects) == 80, 60)
    assert before < 60, "it was not killed in the middle"
    assert inbox.subjects == desk.told
    assert len({r.id: r.event["subject"] for r in inbox.taken}) == 80


def test_two_processes_share_the_webhooks_and_one_takes_over_when_the_other_dies(desk: Desk) -> None:
    services, platform = desk.edge.services, desk.edge.services.platform
    port = next(iter(free_ports(1)))
    usual = platform.process("subscriptions", "work", **services.extra["subscriptions"])
    second = dataclasses.replace(
        usual, name="subscriptions-work-2", environment={**usual.environment, "MPP_HTTP_PORT": str(port)},
        ready_url=f"http://127.0.0.1:{port}/readyz",
    )  # fmt: skip
    inboxes = [desk.inbox() for _ in range(6)]
    names = [desk.create(inbox.url).webhook.name for inbox in inboxes]
    deliveries = desk.edge.database["deliveries"]

    def holders() -> set[str]:
        held = deliveries.find({"_id": {"$in": names}, "held_until": {"$gt": datetime.now(UTC)}})
        return {d["holder"].split("/")[0] for d in held}

    wait_for(lambda: len(holders()) == 1)
    running = platform.start(second)
    try:
        wait_ready([(second, running)], platform.logs)
        wait_for(lambda: len(holders()) == 2)
        desk.tell(10)
        wait_for(lambda: all(len(i.subjects) == 10 for i in inboxes))
        running.kill()
        running.wait()
        desk.tell(10)
        wait_for(lambda: all(len(i.subjects) == 20 for i in inboxes))
        assert all(i.subjects == desk.told for i in inboxes)
    finally:
        stop(running)
        for name in names:
            desk.do("DeleteWebhook", name)


def test_a_place_that_is_no_longer_kept_is_told_and_never_passed_over(desk: Desk, refused: Any) -> None:
    """A cursor of another journal, as after a broker that lost its streams."""
    from mpp_subscriptions.cursor import Position, encode

    inbox = desk.inbox()
    name = desk.create(inbox.url).webhook.name
    desk.tell(1)
    wait_for(lambda: inbox.taken)
    lost = encode(Position.of(0, "an event that never was"))
    told = refused(lambda: desk.do("ReplayWebhook", name, cursor=lost))
    assert (told.code, told.reason) == ("OUT_OF_RANGE", "CURSOR_EXPIRED")
    desk.do("DisableWebhook", name)
    wait_for(lambda: not desk.edge.database["deliveries"].find_one({"_id": name})["holder"])
    desk.edge.database["deliveries"].update_one({"_id": name}, {"$set": {"cursor": lost}})
    desk.do("EnableWebhook", name)
    assert desk.until_disabled(name).disabled_reason == Hook.DISABLED_REASON_POSITION_EXPIRED
    assert len(inbox.taken) == 1


def test_a_hanging_and_a_dead_receiver_cost_a_good_one_nothing(desk: Desk, record_property: Any) -> None:
    """Measured: the good one's lag, from the event to its arrival, without and with them. `-s` prints the figures."""
    good = desk.inbox()
    names = [desk.create(good.url).webhook.name]
    alone = _lags(desk, good, 40)
    hanging = desk.inbox(desk.receiver.hang)
    names += [desk.create(url).webhook.name for url in (hanging.url, "http://127.0.0.1:9/dead")]
    desk.tell()
    wait_for(lambda: hanging.requests and desk.attempts(names[2]))
    beside = _lags(desk, good, 40)
    figures = {f"{kind}_{share}_ms": round(lags[int(len(lags) * share / 100)] * 1000, 1)
               for kind, lags in (("alone", alone), ("beside", beside)) for share in (50, 99)}  # fmt: skip
    print(f"lag of a good receiver: {figures}")
    for key, value in figures.items():
        record_property(key, value)
    assert len(hanging.requests) <= 6, "one at a time"
    assert figures["beside_50_ms"] < 3 * figures["alone_50_ms"] + 1500, "a try that hangs takes 2000 ms here"
    for name in names:
        desk.do("DeleteWebhook", name)


def _lags(desk: Desk, inbox: Inbox, count: int) -> list[float]:
    """Seconds from an event to its arrival, sorted; at most 20 events a second."""
    before = len(inbox.taken)
    for _ in range(count):
        desk.tell()
        time.sleep(0.05)
    wait_for(lambda: len(inbox.taken) >= before + count)
    return sorted(r.at - datetime.fromisoformat(r.event["time"]).timestamp() for r in inbox.taken[before:])


def test_the_command_line_makes_tests_rotates_and_ends_a_webhook(desk: Desk) -> None:
    endpoints = desk.edge.services.platform.endpoints()
    site, agency = "uji-instansi", desk.id
    inbox = desk.inbox()

    def run(*arguments: str) -> Any:
        given = [f"--endpoint={name}={endpoints[name]}" for name in ("subscriptions", "issuer")]
        return CliRunner(env={"COLUMNS": "250"}).invoke(app, [*given, *arguments])

    made = json.loads(run("--json", "webhook", "create", site, agency, inbox.url, "--subject", desk.queue).output)
    name, secret = made["webhook"]["name"], made["secret"]
    tested = run("webhook", "test", name)
    assert (tested.exit_code, "200" in tested.output) == (0, True), tested.output
    assert inbox.requests[-1].verified(secret)["type"] == "mpp.subscriptions.v1.WebhookTest"
    assert "whsec_" in run("webhook", "rotate", name).output
    assert "disabled (by hand)" in run("webhook", "disable", name).output
    assert "enabled" in run("webhook", "enable", name).output
    began = datetime.now(UTC).replace(microsecond=0)
    desk.tell(2)
    wait_for(lambda: len(inbox.subjects) == 3)
    assert run("webhook", "replay", name, "--since", began.strftime("%Y-%m-%dT%H:%M:%S")).exit_code == 0
    wait_for(lambda: len(inbox.taken) == 5)
    assert name in run("webhook", "list", site, agency).output
    shown = wait_for(lambda: (o := run("webhook", "show", name).output).count("delivered (200)") >= 2 and o)
    assert secret not in shown
    assert run("webhook", "delete", name, "--yes").exit_code == 0
    assert run("webhook", "show", name).exit_code == 1
    assert run("webhook", "create", site, agency, "http://user@127.0.0.1/").exit_code == 1
