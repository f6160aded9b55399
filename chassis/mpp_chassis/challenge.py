"""Proof of work before something is created by a caller whom nobody knows: no picture, no third party, no store.

Knows ALTCHA's challenges (PyPI `altcha`, MIT: create, sign, verify), callers and requests; knows no service. Why work and
not pictures, and who is asked: docs/adr/0036.

A challenge says which hash to find, until when, and for which request of which RPC and site; an HMAC keeps it as it is,
so nothing is stored until it comes back. It is good for one request body, `request_id` included and `proof` left out: a
second use is a repetition of the same command, which has one effect (ADR 0004). What was refused (SLOT_FULL) may be tried
again with the same proof while it is valid.

The answer is uniformly distributed, so nobody waits longer than twice the expected time. Not guaranteed: that a fast
machine works as long as a phone does; it makes many requests dear, not one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import altcha
import yaml
from google.protobuf.message import Message

from mpp_chassis.call import Call, Caller
from mpp_chassis.errors import FailedPrecondition
from mpp_chassis.settings import BadSettings

ALGORITHM = "SHA-256"
TRIES = 250  # hashes of `cost` rounds that are expected to be tried; at most twice as many
MOST_COST = 100_000  # rounds: what one verification may cost us (about 0.1 s)
UNKNOWN_ROLES = frozenset({"anonymous", "citizen"})


class Mode(StrEnum):
    OFF = "off"
    ON = "on"
    ALARM = "alarm"  # while an alarm about brokers was raised lately


@dataclass(frozen=True, slots=True)
class Rule:
    """What one site asks.

    `milliseconds`: expected work on a cheap phone. `hashes_per_ms`: how fast such a phone is, an assumption [U]: 20
    SHA-256 a millisecond in one worker of a browser. `guests`: whether a citizen's token that proves no NIK is asked too
    (an account costs a broker one e-mail address). `valid_seconds`: how old a challenge may be. `alarm_minutes`: how long
    after an alarm the mode `alarm` asks.
    """

    mode: Mode = Mode.OFF
    milliseconds: int = 1500
    hashes_per_ms: int = 20
    guests: bool = True
    valid_seconds: int = 600
    alarm_minutes: int = 60

    @property
    def cost(self) -> int:
        """Rounds of one try."""
        return min(max(self.milliseconds * self.hashes_per_ms // TRIES, 1), MOST_COST)


@dataclass(frozen=True, slots=True)
class Rules:
    """Of each site, by its id."""

    default: Rule
    sites: Mapping[str, Rule]

    def of(self, site: str) -> Rule:
        """`site`: `sites/{site}`."""
        return self.sites.get(site.removeprefix("sites/"), self.default)


class ChallengeRequired(FailedPrecondition):
    """Do the work and call again with the same request and the answer in `proof`.

    Metadata: `challenge` (ALTCHA's JSON), `why` (missing, invalid, expired, another_request), `expected_ms`, `at_most_ms`
    on a cheap phone. `proof` is base64 of ALTCHA's payload: {"challenge": ..., "solution": {"counter", "derivedKey"}}. The
    key is SHA-256, `cost` times, of salt + nonce + counter (32 bits, big-endian); it begins with `keyPrefix`.
    """

    default_reason = "CHALLENGE_REQUIRED"


@dataclass(frozen=True, slots=True)
class Door:
    """What a service asks before it creates something. `alarmed`: whether the site (`sites/{site}`) had an alarm since a
    moment; only asked in mode `alarm`."""

    rules: Rules
    key: str
    rng: random.Random
    alarmed: Callable[[str, datetime], bool]

    def check(self, rpc: str, site: str, request: Message, call: Call, repeated: Callable[[], bool]) -> None:
        """Raises ChallengeRequired. `repeated`: whether this command had its effect before; asked only when it would be
        refused otherwise, since it may be older than the alarm."""
        rule = self.rules.of(site)
        if not asks(rule, call.caller, call.role):
            return
        if rule.mode is Mode.ALARM and not self.alarmed(site, call.now - timedelta(minutes=rule.alarm_minutes)):
            return
        bound = binding(rpc, site, request)
        why = judge(str(request.proof), bound, self.key, call.now)  # type: ignore[attr-defined]
        if why and not repeated():
            raise required(rule, bound, self.key, call.now, self.rng, why)


def asks(rule: Rule, caller: Caller, role: str) -> bool:
    """Kiosks, officers and all who prove a NIK are never asked."""
    if rule.mode is Mode.OFF or role not in UNKNOWN_ROLES or caller.nik:
        return False
    return role == "anonymous" or rule.guests


def binding(rpc: str, site: str, request: Message) -> dict[str, str]:
    """What a challenge is good for: this RPC, this site, this body."""
    body = type(request)()
    body.CopyFrom(request)
    body.ClearField("proof")
    digest = hashlib.blake2b(body.SerializeToString(deterministic=True), digest_size=16).hexdigest()
    return {"rpc": rpc, "site": site, "body": digest}


def challenge(rule: Rule, bound: Mapping[str, str], key: str, now: datetime, rng: random.Random) -> dict[str, Any]:
    """As ALTCHA's solvers read it."""
    made = altcha.create_challenge(
        ALGORITHM,
        rule.cost,
        counter=rng.randint(1, 2 * TRIES),
        expires_at=int(now.timestamp()) + rule.valid_seconds,
        data=dict(bound),
        hmac_secret=key,
    )
    return dict(made.to_dict())


def judge(proof: str, bound: Mapping[str, str], key: str, now: datetime) -> str:
    """Empty when the proof is good for `bound`, else why not. Never raises: it reads what anybody may send."""
    if not proof:
        return "missing"
    try:
        payload = altcha.Payload.from_base64(proof)
        told, until = payload.challenge.parameters.data, payload.challenge.parameters.expires_at
        result = altcha.verify_solution(payload, key)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "invalid"
    if result.expired:
        return "expired"
    if not result.verified or not isinstance(until, int):
        return "invalid"
    if until < now.timestamp():
        return "expired"
    return "" if told == dict(bound) else "another_request"


def required(
    rule: Rule, bound: Mapping[str, str], key: str, now: datetime, rng: random.Random, why: str
) -> ChallengeRequired:
    """The refusal, with a fresh challenge: one more round trip is enough."""
    made = json.dumps(challenge(rule, bound, key, now, rng), separators=(",", ":"))
    told = {
        "challenge": made,
        "why": why,
        "expected_ms": str(rule.milliseconds),
        "at_most_ms": str(2 * rule.milliseconds),
    }
    return ChallengeRequired("do the work of the challenge, then send the same request with its proof", metadata=told)


def solve(told: str) -> str:
    """The proof for a challenge's JSON: for tests, and for Python clients.

    Raises TimeoutError after 90 s.
    """
    made = altcha.Challenge.from_dict(json.loads(told))
    solution = altcha.solve_challenge(made)
    if solution is None:
        raise TimeoutError("the challenge was not solved in time")
    payload = altcha.Payload(made, solution).to_dict()
    return base64.b64encode(json.dumps(payload, separators=(",", ":")).encode()).decode()


def rules_from(env: Mapping[str, str]) -> Rules:
    """MPP_CHALLENGES: YAML, or MPP_CHALLENGES_FILE: a file of it. `default` and, by site id, `sites` that differ from it:

        default: {mode: alarm, milliseconds: 1500}
        sites: {malang: {mode: "on"}}

    Without either nobody is asked anything. Raises BadSettings naming what is wrong.
    """
    text = env.get("MPP_CHALLENGES", "")
    if path := env.get("MPP_CHALLENGES_FILE"):
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as e:
            raise BadSettings(f"MPP_CHALLENGES_FILE: cannot read {path}: {e.strerror}") from e
    try:
        told = yaml.safe_load(text) or {}
    except yaml.YAMLError as e:
        raise BadSettings("MPP_CHALLENGES is not YAML") from e
    if not isinstance(told, dict) or set(told) - {"default", "sites"} or not isinstance(told.get("sites") or {}, dict):
        raise BadSettings("MPP_CHALLENGES: a mapping with `default` and `sites`")
    default = _rule(told.get("default") or {}, Rule(), "default")
    sites = {str(s): _rule(rule or {}, default, f"sites.{s}") for s, rule in (told.get("sites") or {}).items()}
    return Rules(default, sites)


_NUMBERS = {
    "milliseconds": (1, 60_000),
    "hashes_per_ms": (1, 10_000),
    "valid_seconds": (30, 3600),
    "alarm_minutes": (1, 10_080),
}


def _rule(told: Any, base: Rule, where: str) -> Rule:
    if not isinstance(told, dict):
        raise BadSettings(f"MPP_CHALLENGES: {where}: not a mapping")
    changes: dict[str, Any] = {}
    for name, value in told.items():
        at = f"MPP_CHALLENGES: {where}.{name}"
        if name not in {f.name for f in fields(Rule)}:
            raise BadSettings(f"{at}: unknown")
        if name == "mode":
            changes[name] = _mode(value, at)
        elif name == "guests":
            if not isinstance(value, bool):
                raise BadSettings(f"{at}: true or false")
            changes[name] = value
        else:
            least, most = _NUMBERS[name]
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                raise BadSettings(f"{at}: a whole number from {least} to {most}")
            changes[name] = value
    return replace(base, **changes)


def _mode(value: Any, at: str) -> Mode:
    """YAML reads a bare on and off as true and false."""
    word = {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value
    if word not in {m.value for m in Mode}:
        raise BadSettings(f"{at}: off, on or alarm")
    return Mode(word)
