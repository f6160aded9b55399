"""Proof of work in a real browser: ALTCHA's own widget and our client solve our challenges, the queue takes the answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mpp.catalog.v1 import agency_pb2, site_pb2
from mpp.catalog.v1 import catalog_service_pb2 as rpc
from mpp.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub
from mpp.queue.v1.appointments_service_pb2 import ListSlotsRequest
from mpp.queue.v1.appointments_service_pb2_grpc import AppointmentsServiceStub
from selenium.webdriver.common.by import By

from tests.conftest import request_id, wait_for
from tests.e2e.browser.test_citizen import complaints, wait

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]  # the first test builds the client and may fetch a browser
SITE = "sites/uji-peramban"  # asks every guest; see MPP_CHALLENGES in tests/running.py
QUEUE = f"{SITE}/queues/umum"
HOURS = [{"weekday": day, "opens": "00:00", "closes": "23:30"} for day in range(1, 8)]


@pytest.fixture
def line(malang: Any) -> str:
    """A queue with appointments on a site where guests work first; its times can be booked."""
    catalog, who = malang.stub("catalog", CatalogServiceStub), malang.auth("platform_admin")
    site = site_pb2.Site(
        name=SITE, display_name={"id": "MPP Uji"}, region_code="35.73", time_zone="Asia/Jakarta", opening_hours=HOURS
    )
    agency = agency_pb2.Agency(
        name=f"{SITE}/agencies/umum",
        display_name={"id": "Layanan umum"},
        category=agency_pb2.Agency.CATEGORY_REGIONAL_GOVERNMENT,
        queue={"id": "umum", "prefix": "U", "counters": [1], "minutes_per_visit": 5},
    )
    agency.queue.appointments.MergeFrom(
        agency_pb2.AppointmentRules(slot_minutes=30, places=20, public_places=20, latest_days=9)
    )
    catalog.ApplySite(rpc.ApplySiteRequest(site=site, request_id=request_id()), metadata=who, timeout=30)
    given = rpc.ApplyAgencyRequest(parent=SITE, agency=agency, request_id=request_id())
    catalog.ApplyAgency(given, metadata=who, timeout=30)
    bookings = malang.stub("queue", AppointmentsServiceStub)

    def slots() -> bool:
        try:
            return bool(bookings.ListSlots(ListSlotsRequest(parent=QUEUE), timeout=30).slots)
        except Exception:  # the queue has not heard of it yet
            return False

    wait_for(slots)
    return QUEUE


def test_altchas_widget_and_our_client_answer_our_challenges(browser: Any, page: str, malang: Any, line: str) -> None:
    browser.get(f"{page}challenge.html")
    wait(browser).until(lambda b: b.find_element(By.TAG_NAME, "body").get_attribute("data-ready"))
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    call = "const done = arguments[arguments.length - 1]; window[arguments[0]](...[...arguments].slice(1, -1))"
    call += ".then(done, (error) => done({failed: String(error)}))"

    guest = malang.token("citizen", subject="tamu-peramban")
    made = browser.execute_async_script(call, "first", guest, line, int(start.timestamp()))
    assert made.get("failed") is None, made
    assert made["ticket"].startswith(SITE)
    assert made["held"].startswith(f"{line}/")
    assert (made["state"], made["another"]) == ("verified", "another_request")

    other = malang.token("citizen", subject="tamu-lain")
    assert str(browser.execute_async_script(call, "second", other, line)).startswith(SITE)
    assert [entry for entry in complaints(browser) if "400" not in entry and "412" not in entry] == []
