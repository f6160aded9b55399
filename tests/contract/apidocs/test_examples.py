"""Each example (see mpp_apidocs.examples) is a call that works: executed through the running gateway, from the top.

Status and shape are compared with what the document promises; ids, times and counts are this run's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from mpp_apidocs.examples import Example, load_all

from tests.contract.apidocs.calls import Answer, Execution
from tests.contract.apidocs.schemas import DOCS
from tests.contract.apidocs.test_openapi import reply_faults
from tests.contract.apidocs.web import Web

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def answers(malang: Any) -> list[tuple[Example, Answer]]:
    """All calls, in the file's order; each test looks at one."""
    web = Web(malang.gateway(), malang.platform)
    execution = Execution(web.send, web.pickup_code)
    return list(until_refused(execution.run(load_all())))


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
    reply = urllib3.request("GET", malang.gateway() + path, timeout=20)
    assert reply.status == 200
    assert reply.data == (DOCS / name).read_bytes()
    assert reply.headers["content-type"].split(";")[0] == ("text/html" if name.endswith("html") else "application/json")
