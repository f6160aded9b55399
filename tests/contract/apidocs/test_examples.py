"""Each example (see mpp_apidocs.examples) is a call that works: executed through the running gateway, from the top.

Status and shape are compared with what the document promises; ids, times and counts are this run's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from mpp_apidocs.examples import Example, load_all
from mpp_chassis.policy import policy_of

from tests.contract import access_table
from tests.contract.apidocs.calls import Answer, Execution, Send
from tests.contract.apidocs.schemas import DOCS
from tests.contract.apidocs.test_openapi import reply_faults
from tests.contract.apidocs.web import Web

pytestmark = pytest.mark.stack
METHODS = {f"{m.containing_service.name}.{m.name}": m for m in access_table.methods()}
# Listings of a whole site: they name no agency's resource, and show each caller what is the own agency's.
OWN_ONLY = {
    "ApplicationsService.ListApplications",
    "ComplaintsService.ListComplaints",
    "GrantsService.ListGrants",
    "ReportsService.QueryReport",
    "ReportsService.ExportReport",
}


@pytest.fixture(scope="module")
def answers(malang: Any) -> list[tuple[Example, Answer]]:
    """All calls, in the file's order; each test looks at one."""
    web = Web(malang.gateway(), malang.platform)
    INTRUDED.clear()
    execution = Execution(intruded(web.send), web.pickup_code)
    return list(until_refused(execution.run(load_all())))


# operation -> what a role of an agency that has no part in it was answered, just before the real caller
INTRUDED: dict[str, Answer] = {}


def intruded(send: Send) -> Send:
    """Before the first call of each RPC with agency scope, the same call by such a role of an agency that has no part."""

    def both(operation: str, path: Any, query: Any, body: Any, claims: Any) -> Answer:
        role = bound_to_an_agency(operation)
        if claims and role and operation not in INTRUDED:
            stranger = "samsat" if "perpustakaan" in str([path, query, body]) else "perpustakaan"
            thief = {"subject": "penyusup", "roles": [role], "site": "malang", "agency": stranger, "counter": 99}
            INTRUDED[operation] = send(operation, path, query, body, thief)
        return send(operation, path, query, body, claims)

    return both


def bound_to_an_agency(operation: str) -> str:
    """A role that reaches its own agency's resources by this RPC and no further; empty where there is none."""
    grants = policy_of(METHODS[operation]).grants
    return min((role for role, scope in grants.items() if scope == "agency"), default="")


def test_an_officer_of_another_agency_is_refused_wherever_a_resource_is_named(answers: Any) -> None:
    """Department scope, over every RPC that has it and an example; a new one is tried without a new test."""
    wrong = {op: (a.status, a.text[:200]) for op, a in INTRUDED.items() if op not in OWN_ONLY and a.status != 403}
    assert wrong == {}
    for operation in OWN_ONLY & INTRUDED.keys():
        assert INTRUDED[operation].status in (200, 403), operation
    meant = {name for name, method in METHODS.items() if "agency" in policy_of(method).grants.values()}
    assert sorted(meant - INTRUDED.keys()) == [], "an RPC with agency scope and no example by somebody with a token"


def until_refused(run: Iterator[tuple[Example, Answer]]) -> Iterator[tuple[Example, Answer]]:
    """Later steps build on earlier ones: after a refusal that nobody expected, theirs would say nothing."""
    for example, answer in run:
        yield example, answer
        if answer.status != example.status:
            return


def test_every_example_is_answered_as_promised(answers: list[tuple[Example, Answer]]) -> None:
    faults = []
    for example, answer in answers:
        name = f"{example.operation} ({example.title})"
        if answer.status != example.status:
            faults.append(f"{name}: {answer.status}, not {example.status}: {answer.text[:500]}")
            continue
        shape = answer.text if answer.text.startswith("data:") else answer.body
        faults += [f"{name}: {fault}" for fault in reply_faults(example.operation, answer.status, shape)]
    assert faults == []
    assert len(answers) == len(load_all())


@pytest.mark.parametrize(
    ("path", "name"),
    [("/openapi.json", "openapi.json"), ("/asyncapi.json", "asyncapi.json"), ("/docs", "index.html")],
)
def test_the_gateway_serves_the_documents_of_this_checkout(malang: Any, path: str, name: str) -> None:
    reply = urllib3.request("GET", malang.gateway() + path, timeout=30)
    assert reply.status == 200
    assert reply.data == (DOCS / name).read_bytes()
    assert reply.headers["content-type"].split(";")[0] == ("text/html" if name.endswith("html") else "application/json")
