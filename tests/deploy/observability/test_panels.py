"""A real Prometheus over the running platform: every panel and every rule gets an answer out of real metrics."""

from __future__ import annotations

import json
import math
import random
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp.queue.v1 import events_pb2 as queue_events
from mpp_chassis import broker
from mpp_chassis.broker import BACK_EXCHANGE, Outgoing, Publisher
from mpp_chassis.events import Event, encode, new_event_id
from mpp_chassis.privacy import FieldCipher
from mpp_localrun.platform import free_ports
from mpp_localrun.visit import run_visit
from mpp_observe import dashboards, prometheus, rules
from rich.console import Console

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]
SITE = "sites/uji-amati"
PARKED = "notifications.tell_ticket_issued.parked"


class Watched:
    """Prometheus and its HTTP API."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **query: str) -> Any:
        with urllib.request.urlopen(f"{self.url}{path}?{urllib.parse.urlencode(query)}", timeout=30) as reply:
            return json.load(reply)["data"]

    def values(self, expression: str) -> list[float]:
        """Numbers that a panel would draw: what is no number is no data."""
        found = self.get("/api/v1/query", query=_filled(expression))["result"]
        return [v for v in (float(series["value"][1]) for series in found) if not math.isnan(v)]


def _filled(expression: str) -> str:
    """As Grafana would, with everything chosen."""
    for name, value in {"$__rate_interval": "1m", "$__range": "5m", "$service": ".*", "$site": ".*"}.items():
        expression = expression.replace(name, value)
    return expression


def _tell(malang: Any, handler: str, message: Any, subject: str, sequence: int) -> None:
    """One event to one handler of notifications, past all others."""
    now = datetime.now(UTC)
    event_id = new_event_id(now, random.Random())
    wire = encode(Event(message, subject), sequence=sequence, event_id=event_id, time=now, traceparent="")[0]
    publisher = Publisher(malang.platform.stack.amqp_uri)
    key = f"0.notifications.{handler}"
    assert publisher.publish([Outgoing(wire.id, BACK_EXCHANGE, key, wire.headers, wire.body)]).accepted
    publisher.close()


def _site(zone: str) -> catalog_events.SitePublished:
    event = catalog_events.SitePublished()
    event.site.name, event.site.time_zone = SITE, zone
    event.site.display_name.id = "Situs uji"
    return event


def _issued(sealed_phone: str) -> queue_events.TicketIssued:
    ticket = f"{SITE}/queues/uji/tickets/t{random.randrange(10**12):012d}"
    return queue_events.TicketIssued(
        ticket=ticket, number="U-001", agency=f"{SITE}/agencies/uji", sealed_phone=sealed_phone
    )


def _failures(malang: Any, eventually: Callable[..., Any]) -> None:
    """One event that fails, is retried a second later and succeeds; one that is parked at once."""
    keys = json.loads((malang.platform.home / "keys.json").read_text())
    phone = FieldCipher(keys["MPP_FIELD_KEYS"]).seal("+6281200000009", "phone")
    known = malang.database("notifications")["sites"]
    _tell(malang, "learn_site", _site("Bukan/Zona"), SITE, 1)
    eventually(lambda: known.find_one({"_id": SITE}))
    event = _issued(phone)
    before = malang.log("notifications-work").count("event_failed")
    _tell(malang, "tell_ticket_issued", event, event.ticket, 1)
    eventually(lambda: malang.log("notifications-work").count("event_failed") > before)
    _tell(malang, "learn_site", _site("Asia/Jakarta"), SITE, 2)
    poison = _issued("nobody sealed this")
    _tell(malang, "tell_ticket_issued", poison, poison.ticket, 1)
    eventually(lambda: malang.database("notifications")["notifications"].find_one({"site_id": "uji-amati"}))


@pytest.fixture(scope="module")
def watched(malang: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Scraped each second, with one visit from before and one from while it looked on."""
    malang.gateway()  # the visit looks at the board through it
    silent = Console(file=(tmp_path_factory.mktemp("visit") / "told.txt").open("w"), width=200)
    run_visit(malang.platform, silent)  # a series must be there before it can grow
    config = prometheus.configuration(malang.platform.endpoints(), interval="1s")
    home = tmp_path_factory.mktemp("prometheus")
    with prometheus.running(config, home, next(iter(free_ports(1)))) as url:
        here = Watched(url)
        from tests.conftest import wait_for

        scraped = f"count(up == 1) == {len(config['scrape_configs'][0]['static_configs'])}"
        wait_for(lambda: here.values(scraped), 120)
        run_visit(malang.platform, silent)
        _failures(malang, wait_for)
        yield here
    conn = broker.connection(malang.platform.stack.amqp_uri)
    conn.channel().queue_purge(PARKED)
    conn.close()


def test_every_panel_of_every_dashboard_has_data(watched: Watched, eventually: Callable[..., Any]) -> None:
    missing = {
        (dashboard.title, row.title, panel.title, expression): True
        for dashboard in dashboards.load()
        for row in dashboard.rows
        for panel in row.panels
        for expression, _ in panel.queries
    }
    assert len(missing) > 50

    def nothing_missing() -> bool:
        for key in [k for k in missing if watched.values(k[3])]:
            del missing[key]
        return not missing

    try:
        eventually(nothing_missing, 120, 0.5)
    except AssertionError:
        pytest.fail("no data:\n" + "\n".join(f"{d} / {r} / {p}: {e}" for d, r, p, e in missing))


def test_the_numbers_are_those_of_what_was_done(watched: Watched, eventually: Callable[..., Any]) -> None:
    tickets = 'sum(mpp_queue_tickets_total{site="malang", queue="dukcapil", step="%s"})'
    everywhere = tickets.replace(', queue="dukcapil"', "")
    # Put as one question each: between two of them a scrape may come.
    for said in (
        f"{tickets % 'taken'} >= 2",
        f"{tickets % 'finished'} == {tickets % 'serving'} >= 2",
        f"sum(mpp_queue_wait_seconds_count) == {everywhere % 'serving'}",
        'sum(mpp_complaints_ratings_total{rating=~"[1-5]"}) >= 2',
    ):
        eventually(lambda said=said: watched.values(said), every=0.3)
    parked = 'queue:mpp_handler_messages:max{kind="parked", queue="notifications.tell_ticket_issued"}'
    eventually(lambda: watched.values(f"{parked} >= 1"), every=0.3)
    retried = 'sum(mpp_event_seconds_count{queue="notifications.tell_ticket_issued", outcome="retry"})'
    eventually(lambda: watched.values(f"{retried} >= 1"), every=0.3)


def test_every_rule_is_evaluated_without_error(watched: Watched, eventually: Callable[..., Any]) -> None:
    def evaluated() -> bool:
        groups = watched.get("/api/v1/rules")["groups"]
        states = [rule["health"] for group in groups for rule in group["rules"]]
        assert "err" not in states
        return set(states) == {"ok"} and len(states) == len(rules.alerts()) + len(rules.records())

    eventually(evaluated)


def test_the_parked_event_raises_its_alert(watched: Watched, eventually: Callable[..., Any]) -> None:
    """Pending at least (it waits for a minute); and nobody is about to be woken by an orderly platform."""

    def states() -> dict[str, str]:
        return {a["labels"]["alertname"]: a["labels"]["severity"] for a in watched.get("/api/v1/alerts")["alerts"]}

    eventually(lambda: "MppEventsParked" in states(), every=0.3)
    paging = {name for name, severity in states().items() if severity == "page"}
    # The first looks back 20 minutes, and this Prometheus has only just begun to look; the second is a slow machine's.
    assert paging <= {"MppSweepSilent", "MppRpcSlow"}
