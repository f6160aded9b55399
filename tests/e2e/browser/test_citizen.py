"""A citizen in a real browser: logs in at the issuer, takes a number through the gateway, sees it called on the board."""

from __future__ import annotations

import contextlib
from typing import Any

import mpp_client
import pytest
from mpp.queue.v1.queue_service_pb2 import CallNextRequest, FinishTicketRequest, StartServingRequest
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as until
from selenium.webdriver.support.wait import WebDriverWait

from tests.e2e.browser.conftest import SHOTS

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]  # the first test builds the client and may fetch a browser
QUEUE = "sites/malang/queues/dukcapil"


def wait(browser: Any) -> WebDriverWait[Any]:
    moving = [NoSuchElementException, StaleElementReferenceException]  # one page goes, another comes: look again
    return WebDriverWait(browser, 60, poll_frequency=0.05, ignored_exceptions=moving)


def opened(browser: Any, page: str) -> None:
    """The page is there and its buttons do something."""
    browser.get(page)
    ready(browser)


def ready(browser: Any) -> None:
    wait(browser).until(lambda b: b.find_element(By.TAG_NAME, "body").get_attribute("data-ready"))


def log_in(browser: Any, page: str, person: str) -> None:
    opened(browser, page)
    browser.find_element(By.ID, "login").click()
    button = wait(browser).until(until.element_to_be_clickable((By.CSS_SELECTOR, f'button[value="{person}"]')))
    shot(browser, "login")
    button.click()
    wait(browser).until(until.visibility_of_element_located((By.ID, "in")))


def call_until(number: str, gateway: str, token: str) -> None:
    """An officer at counter 3 calls whoever comes first, and lets each go, until this number is at the counter."""
    with mpp_client.connect(gateway, token) as officer:
        for _ in range(200):
            try:
                if officer.queue.call_next(CallNextRequest(parent=QUEUE, counter=3)).number == number:
                    return
            except mpp_client.MppError as refused:
                if refused.reason != "COUNTER_BUSY":
                    raise
                ticket = refused.metadata["ticket"]
                with contextlib.suppress(mpp_client.MppError):  # it may be served already
                    officer.queue.start_serving(StartServingRequest(name=ticket))
                officer.queue.finish_ticket(FinishTicketRequest(name=ticket))
    raise AssertionError(f"{number} does not come up")


def shot(browser: Any, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    browser.save_screenshot(str(SHOTS / f"{name}.png"))


def top_of_board(browser: Any) -> list[str]:
    """The board's first row, read in one step: the page makes its rows anew with every frame."""
    cells: list[str] = browser.execute_script(
        "return [...document.querySelectorAll('#board tr:first-child td')].map((cell) => cell.textContent)"
    )
    return cells


def complaints(browser: Any) -> list[str]:
    """What the browser's console holds against the page."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def test_a_citizen_logs_in_takes_a_number_and_sees_the_call(
    browser: Any, page: str, edge: dict[str, str], malang: Any
) -> None:
    log_in(browser, page, "siti")
    assert browser.find_element(By.ID, "who").text == "Siti Aminah"
    assert "code=" not in browser.current_url  # nothing to bookmark or share
    wait(browser).until(lambda b: b.find_element(By.ID, "waiting").text.isdigit())
    browser.find_element(By.ID, "take").click()
    wait(browser).until(until.visibility_of_element_located((By.ID, "number")))
    number = browser.find_element(By.ID, "number").text
    assert number.startswith("D-")
    wait(browser).until(lambda b: b.find_element(By.ID, "waiting").text != "0")

    call_until(number, edge["gateway"], malang.token("officer", site="malang", agency="dukcapil", counter=3))
    called = wait(browser).until(until.visibility_of_element_located((By.ID, "called")))
    wait(browser).until(lambda _: called.text)
    assert called.text == "Silakan ke loket 3 / Please go to counter 3"
    wait(browser).until(lambda b: top_of_board(b) == [number, "3"])  # the board's stream is not the ticket's
    shot(browser, "called")
    assert browser.find_element(By.ID, "problem").text == ""
    assert complaints(browser) == []


def test_a_second_visit_needs_no_second_login_until_the_citizen_logs_out(browser: Any, page: str) -> None:
    log_in(browser, page, "siti")
    opened(browser, page)
    wait(browser).until(until.element_to_be_clickable((By.ID, "login"))).click()
    wait(browser).until(until.visibility_of_element_located((By.ID, "in")))  # no page between
    browser.find_element(By.ID, "logout").click()
    wait(browser).until(lambda b: b.current_url == page)
    ready(browser)
    wait(browser).until(until.element_to_be_clickable((By.ID, "login"))).click()
    wait(browser).until(until.presence_of_element_located((By.CSS_SELECTOR, 'button[value="siti"]')))
    assert complaints(browser) == []


CALLS = """
const [done, queue] = [arguments[arguments.length - 1], arguments[0]];
(async () => {
  const found = {};
  const {offerings} = await mpp.catalog.searchOfferings({parent: "sites/malang", query: "kartu keluarga"});
  found.offerings = offerings.map((o) => o.name);
  const wrong = await mpp.queue.takeTicket({parent: "nowhere"}).catch(mppError);
  found.wrong = [wrong.reason, wrong.fields.map((f) => f.field)];
  found.forbidden = (await mpp.queue.callNext({parent: queue, counter: 3}).catch(mppError)).reason;
  const requestId = crypto.randomUUID();
  const tickets = [];
  for (let i = 0; i < 2; i++) tickets.push((await mpp.queue.takeTicket({parent: queue, requestId})).ticket.name);
  found.once = tickets[0] === tickets[1];
  for await (const status of mpp.watchBoard(queue)) { found.board = status.name; break; }
  await mpp.queue.cancelTicket({name: tickets[0], reason: "uji coba"});
  return found;
})().then(done, (e) => done({error: String(e)}));
"""


def test_the_client_works_in_a_browser_over_grpc_web(browser: Any, page: str) -> None:
    log_in(browser, page, "bambang")
    assert browser.execute_async_script(CALLS, QUEUE) == {
        "offerings": ["sites/malang/offerings/kartu-keluarga-baru"],
        "wrong": ["INVALID_FIELD", ["parent"]],
        "forbidden": "ROLE_MISSING",
        "once": True,
        "board": QUEUE,
    }


def test_a_stranger_is_told_why(browser: Any, page: str) -> None:
    opened(browser, page)
    reason = browser.execute_async_script(
        "const done = arguments[1]; mpp.queue.takeTicket({parent: arguments[0]}).catch((e) => done(mppError(e).reason))",
        QUEUE,
    )
    assert reason == "UNAUTHENTICATED"
