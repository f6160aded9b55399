"""Proof of work: what a proof is good for, who is asked, and what anybody may send."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp_chassis import challenge
from mpp_chassis.call import Call, Caller
from mpp_chassis.challenge import ChallengeRequired, Door, Mode, Rule, Rules
from mpp_chassis.errors import ResourceExhausted
from mpp_chassis.server import problem_of
from mpp_chassis.settings import BadSettings

KEY, RNG = "0123456789abcdef0123456789abcdef", random.Random(7)
SITE, QUEUE = "sites/malang", "sites/malang/queues/dukcapil"
EASY = Rule(mode=Mode.ON, milliseconds=25, hashes_per_ms=10)  # one round, 500 tries at most


def taking(**changes: Any) -> pb.TakeTicketRequest:
    return pb.TakeTicketRequest(**{"parent": QUEUE, "request_id": "r1", **changes})


def now() -> datetime:
    return datetime.now(UTC)


def door(rule: Rule = EASY, alarmed: bool = True, **sites: Rule) -> Door:
    return Door(Rules(rule, sites), KEY, RNG, lambda site, since: alarmed)


def call(role: str = "citizen", nik: str = "", at: datetime | None = None) -> Call:
    return Call(Caller(subject="ani", roles=frozenset({role}), nik=nik), at or now(), role=role)


def ask(request: pb.TakeTicketRequest, here: Door | None = None, who: Call | None = None, rpc: str = "TakeTicket",
        site: str = SITE, repeated: bool = False) -> ChallengeRequired | None:  # fmt: skip
    try:
        (here or door()).check(rpc, site, request, who or call(), lambda: repeated)
    except ChallengeRequired as e:
        return e
    return None


def solved(request: pb.TakeTicketRequest) -> str:
    refused = ask(request)
    assert refused is not None
    return challenge.solve(refused.metadata["challenge"])


def test_one_more_round_trip_is_enough() -> None:
    refused = ask(taking())
    assert refused is not None
    assert (refused.reason, refused.metadata["why"]) == ("CHALLENGE_REQUIRED", "missing")
    assert (refused.metadata["expected_ms"], refused.metadata["at_most_ms"]) == ("25", "50")
    assert ask(taking(proof=challenge.solve(refused.metadata["challenge"]))) is None


def by_hand(told: str) -> str:
    """What a client without ALTCHA's widget writes: hash salt + nonce + counter (32 bits, big-endian), `cost` times."""
    asked = json.loads(told)
    p = asked["parameters"]
    salt, nonce, prefix = (bytes.fromhex(p[name]) for name in ("salt", "nonce", "keyPrefix"))
    for counter in range(2**32):
        key = salt + nonce + counter.to_bytes(4, "big")
        for _ in range(p["cost"]):
            key = hashlib.sha256(key).digest()
        if key[: p["keyLength"]].startswith(prefix):
            break
    solution = {"counter": counter, "derivedKey": key[: p["keyLength"]].hex()}
    return base64.b64encode(json.dumps({"challenge": asked, "solution": solution}).encode()).decode()


def test_a_client_needs_no_library() -> None:
    hard = door(Rule(mode=Mode.ON, milliseconds=75, hashes_per_ms=10))  # three rounds
    refused = ask(taking(), hard)
    assert refused is not None
    assert ask(taking(proof=by_hand(refused.metadata["challenge"])), hard) is None


def test_a_client_sees_the_whole_challenge_in_the_details_of_the_error() -> None:
    refused = ask(taking(), door(Rule(mode=Mode.ON)))
    assert refused is not None
    problem = problem_of(refused, {})
    assert problem is not None
    assert problem.code.name == "FAILED_PRECONDITION"
    told = next(v for k, v in problem.to_status().trailing_metadata if k == "grpc-status-details-bin")
    assert refused.metadata["challenge"].encode() in told
    assert len(told) < 2000


def test_a_refusal_that_says_when_to_come_again_says_it_as_clients_read_it() -> None:
    refused = ResourceExhausted("too many", metadata={"retry_after_seconds": "7"})
    problem = problem_of(refused, {})
    assert problem is not None
    told = next(v for k, v in problem.to_status().trailing_metadata if k == "grpc-status-details-bin")
    status, info = status_pb2.Status.FromString(told), error_details_pb2.RetryInfo()
    assert status.details[1].Unpack(info)
    assert info.retry_delay.seconds == 7


def test_a_proof_is_good_for_its_request_only() -> None:
    proof = solved(taking())
    assert ask(taking(proof=proof)) is None
    assert ask(taking(proof=proof)) is None, "a repetition: the request_id sees to one effect"
    others: list[ChallengeRequired | None] = [
        ask(taking(proof=proof, request_id="r2")),
        ask(taking(proof=proof, parent="sites/malang/queues/samsat")),
        ask(taking(proof=proof, phone="+628111")),
        ask(taking(proof=proof), rpc="HoldSlot"),
        ask(taking(proof=proof), site="sites/batu"),
    ]
    assert [o and o.metadata["why"] for o in others] == ["another_request"] * 5
    stranger = replace(door(), key="f" * 32)
    refused = ask(taking(proof=proof), stranger)
    assert refused is not None
    assert refused.metadata["why"] == "invalid"


def test_a_proof_grows_old() -> None:
    proof = solved(taking())
    assert ask(taking(proof=proof), who=call(at=now() + timedelta(seconds=590))) is None
    late = ask(taking(proof=proof), who=call(at=now() + timedelta(seconds=620)))
    assert late is not None
    assert late.metadata["why"] == "expired"


def test_nobody_can_make_the_work_easier() -> None:
    refused = ask(taking(), door(Rule(mode=Mode.ON, milliseconds=2000)))
    assert refused is not None
    hard = json.loads(refused.metadata["challenge"])
    for name, value in {"keyPrefix": "00", "cost": 1, "expiresAt": 9_999_999_999, "algorithm": "SHA-512"}.items():
        eased = {**hard, "parameters": {**hard["parameters"], name: value}}
        told = {"challenge": eased, "solution": {"counter": 1, "derivedKey": "00" * 32}}
        proof = base64.b64encode(json.dumps(told).encode()).decode()
        answer = ask(taking(proof=proof))
        assert answer is not None
        assert answer.metadata["why"] == "invalid", name


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["challenge", "solution", "parameters", "signature", "counter", "derivedKey", "nonce", "salt",
                         "cost", "algorithm", "expiresAt", "data", "keyPrefix"]), inner, max_size=13),
    max_leaves=30,
)  # fmt: skip


@given(st.one_of(st.text(max_size=60), JSON.map(lambda j: base64.b64encode(json.dumps(j).encode()).decode())))
def test_whatever_is_sent_is_refused_and_nothing_breaks(sent: str) -> None:
    assert challenge.judge(sent, {"rpc": "a"}, KEY, now()) in ("missing", "invalid", "expired")


@pytest.mark.parametrize(
    ("role", "nik", "guests", "asked"),
    [
        ("anonymous", "", False, True),
        ("citizen", "", True, True),
        ("citizen", "", False, False),
        ("citizen", "3573014501900001", True, False),
        ("kiosk", "", True, False),
        ("officer", "", True, False),
        ("service", "", True, False),
    ],
)
def test_only_who_is_not_known_is_asked(role: str, nik: str, guests: bool, asked: bool) -> None:
    here = door(replace(EASY, guests=guests))
    assert (ask(taking(), here, call(role, nik)) is not None) is asked


def test_each_site_decides_and_may_ask_only_while_there_is_an_alarm() -> None:
    off, alarm = replace(EASY, mode=Mode.OFF), replace(EASY, mode=Mode.ALARM)
    assert ask(taking(), door(off)) is None
    assert ask(taking(), door(off, malang=EASY)) is not None
    assert ask(taking(), door(alarm, alarmed=False)) is None
    assert ask(taking(), door(alarm, alarmed=True)) is not None
    since: list[datetime] = []
    at = now()
    here = Door(Rules(alarm, {}), KEY, RNG, lambda site, moment: bool(since.append(moment)))
    assert ask(taking(), here, call(at=at)) is None
    assert since == [at - timedelta(minutes=60)]
    assert ask(taking(), repeated=True) is None, "what had its effect before the alarm is no new request"


@pytest.mark.parametrize(("milliseconds", "cost"), [(1, 1), (1500, 120), (60_000, 4800)])
def test_difficulty_is_told_in_milliseconds_of_a_cheap_phone(milliseconds: int, cost: int) -> None:
    rule = Rule(milliseconds=milliseconds)
    assert rule.cost == cost
    began = time.thread_time()
    challenge.challenge(rule, {}, KEY, now(), RNG)
    assert time.thread_time() - began < 1, "what we pay for a challenge is one try"


def test_nobody_waits_longer_than_twice_the_expected_time() -> None:
    counters = []
    for _ in range(40):
        told = json.dumps(challenge.challenge(EASY, {}, KEY, now(), RNG))
        counters.append(json.loads(base64.b64decode(challenge.solve(told)))["solution"]["counter"])
    assert max(counters) <= 2 * challenge.TRIES
    assert challenge.TRIES / 2 < sum(counters) / len(counters) < challenge.TRIES * 3 / 2


def test_rules_are_data() -> None:
    assert challenge.rules_from({}).of(SITE).mode is Mode.OFF
    told = "default: {mode: alarm, milliseconds: 900}\nsites: {malang: {mode: on, guests: false}, batu: {mode: off}}"
    rules = challenge.rules_from({"MPP_CHALLENGES": told})
    assert rules.of("sites/malang") == Rule(mode=Mode.ON, milliseconds=900, guests=False)
    assert rules.of("sites/batu").mode is Mode.OFF
    assert rules.of("sites/kediri") == Rule(mode=Mode.ALARM, milliseconds=900)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[1]", "mapping"),
        ("other: {}", "default"),
        ("default: {mode: perhaps}", "default.mode"),
        ("default: {pictures: 1}", "default.pictures"),
        ("sites: {malang: {milliseconds: 0}}", "sites.malang.milliseconds"),
        ("sites: {malang: {guests: 1}}", "sites.malang.guests"),
        ("sites: {malang: 3}", "sites.malang"),
        ("default: {", "YAML"),
    ],
)
def test_wrong_rules_are_refused_where_they_are_wrong(text: str, named: str) -> None:
    with pytest.raises(BadSettings, match=named):
        challenge.rules_from({"MPP_CHALLENGES": text})


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(BadSettings, match="MPP_CHALLENGES_FILE"):
        challenge.rules_from({"MPP_CHALLENGES_FILE": "/nowhere/challenges.yaml"})
