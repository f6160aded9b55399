"""The pickup code: known to the applicant only, told at most five times wrong, new on request."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from mpp.applications.v1 import application_pb2 as pb

pytestmark = pytest.mark.stack
READY, COLLECTED = pb.Application.STATE_READY_FOR_PICKUP, pb.Application.STATE_COLLECTED


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_five_wrong_codes_lock_and_a_new_code_opens(desk: Any, refused: Any) -> None:
    name, code = desk.ready()
    for left in range(4, -1, -1):
        told = refused(lambda: desk.call("Collect", name, pickup_code=wrong(code)))
        assert (told.code, told.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "WRONG_PICKUP_CODE")
        assert (told.fields, told.metadata) == (("pickup_code",), {"tries_left": str(left)})
        assert code not in told.text
    told = refused(lambda: desk.call("Collect", name, pickup_code=code))
    assert (told.code, told.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PICKUP_LOCKED")
    assert desk.get(name).state == READY
    desk.advance(name, "MARK_READY")
    anew = desk.pickup_code(name, makes=2)
    if anew != code:
        assert refused(lambda: desk.call("Collect", name, pickup_code=code)).metadata == {"tries_left": "4"}
    assert desk.call("Collect", name, pickup_code=anew).state == COLLECTED


def test_a_repeated_wrong_try_costs_one_try_and_is_told_the_same(desk: Any, refused: Any) -> None:
    name, code = desk.ready()
    once = str(uuid.uuid4())
    first = refused(lambda: desk.call("Collect", name, pickup_code=wrong(code), request_id=once))
    desk.call("Collect", name, pickup_code=code)
    again = refused(lambda: desk.call("Collect", name, pickup_code=wrong(code), request_id=once))
    assert again == first
    other = refused(lambda: desk.call("Collect", name, pickup_code=code, request_id=once))
    assert other.reason == "REQUEST_ID_REUSED"


def test_guessing_in_parallel_gets_five_tries_in_all(desk: Any) -> None:
    name, code = desk.ready()
    guesses = [f"{(int(code) + n) % 1_000_000:06d}" for n in range(1, 17)]

    def guess(number: str) -> str:
        try:
            desk.call("Collect", name, pickup_code=number)
        except grpc.RpcError as error:
            return str(error.code().name)
        return "OPENED"

    with ThreadPoolExecutor(16) as pool:
        told = list(pool.map(guess, guesses))
    assert told.count("INVALID_ARGUMENT") == 5
    assert told.count("FAILED_PRECONDITION") + told.count("ABORTED") == 11
    assert desk.database["applications"].find_one({"_id": name})["pickup"]["wrong_tries"] == 5


def test_the_code_is_nowhere_in_the_clear(desk: Any) -> None:
    name, code = desk.ready()
    document = desk.database["applications"].find_one({"_id": name})
    assert set(document["pickup"]) == {"code_hash", "wrong_tries"}
    assert code not in str(document["pickup"])
    assert not [r for r in document["replies"] if code.encode() in r["body"]]
    heard = [body for _, headers, body in desk.ear.listen() if headers["ce-subject"] == name]
    sealed = [e["sealedPickupCode"] for e in desk.ear.of(name) if e.get("sealedPickupCode")]
    assert len(sealed) == 1
    assert not [body for body in heard if f'"{code}"' in body]
