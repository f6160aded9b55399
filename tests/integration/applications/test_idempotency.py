"""One request_id, one effect, one reply: also when 64 ask at once."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

pytestmark = pytest.mark.stack
CALLERS = 64


def test_64_parallel_submits_of_one_request_are_one_effect(desk: Any) -> None:
    name, request_id = desk.create().name, str(uuid.uuid4())
    with ThreadPoolExecutor(CALLERS) as pool:
        replies = list(pool.map(lambda _: desk.call("Submit", name, request_id=request_id), range(CALLERS)))
    assert len({r.SerializeToString(deterministic=True) for r in replies}) == 1
    document = desk.database["applications"].find_one({"_id": name})
    assert document["version"] == 2
    assert [h["state"] for h in document["history"]] == ["DRAFT", "SUBMITTED"]
    desk.until(lambda: desk.ear.of(name, "application_advanced.v1"))
    desk.until(lambda: "outbox" not in desk.database["applications"].find_one({"_id": name}))
    assert len(desk.ear.of(name, "application_advanced.v1")) == 1


def test_64_parallel_creates_of_one_request_are_one_file(desk: Any) -> None:
    request, nik = str(uuid.uuid4()), desk.new_nik()
    with ThreadPoolExecutor(CALLERS) as pool:
        replies = list(pool.map(lambda _: desk.create(nik=nik, request_id=request), range(CALLERS)))
    assert len({r.name for r in replies}) == 1
    assert len({r.SerializeToString(deterministic=True) for r in replies}) == 1
    assert desk.database["applications"].count_documents({"_id": replies[0].name}) == 1


def test_every_command_repeated_gives_the_stored_reply(desk: Any, refused: Any) -> None:
    request_id = str(uuid.uuid4())
    nik = desk.new_nik()
    name = desk.create(nik=nik, request_id=request_id).name
    assert desk.create(nik=nik, request_id=request_id).name == name
    told = refused(lambda: desk.create(nik=desk.new_nik(), request_id=request_id))
    assert told.reason == "REQUEST_ID_REUSED"

    def twice(method: str, **given: Any) -> None:
        given["request_id"] = str(uuid.uuid4())
        assert desk.call(method, name, **given) == desk.call(method, name, **given)

    twice("Submit")
    for command in ("START_VERIFICATION", "ACCEPT", "START_PROCESSING", "APPROVE"):
        twice("Advance", command=f"OFFICER_COMMAND_{command}")
    twice("Issue", document_number="KK-9")
    twice("Advance", command="OFFICER_COMMAND_MARK_READY")
    code = desk.pickup_code(name, makes=1)
    twice("Collect", pickup_code=code)
    assert desk.database["applications"].find_one({"_id": name})["version"] == 9
    withdrawn, request_id = desk.create().name, str(uuid.uuid4())
    first = desk.call("Withdraw", withdrawn, request_id=request_id)
    assert desk.call("Withdraw", withdrawn, request_id=request_id) == first
