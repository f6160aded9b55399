"""The rules of a grant and what the broker must say of it."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from mpp_subscriptions import entitlements
from mpp_subscriptions.domain import access, grants
from mpp_subscriptions.domain.errors import AlreadyGranted, EtagMismatch, InvalidField, WrongState

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
AGENCY = "sites/malang/agencies/dukcapil"
KNOWN = entitlements.known()
names = st.sets(st.sampled_from(sorted(KNOWN)), min_size=1).map(sorted)
ids = st.from_regex(r"[a-z][a-z0-9-]{1,30}", fullmatch=True)


class GrantMachine(RuleBasedStateMachine):
    """A grant beside the simplest model: who holds what with which password, and what the broker was told last."""

    @initialize(wanted=names)
    def open(self, wanted: list[str]) -> None:
        self.now, self.secrets = START, 1
        self.grant = grants.open_grant(AGENCY, wanted, "hash-1", self.now, "op")
        self.holds, self.password, self.told = wanted, "hash-1", 0

    def later(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def secret(self) -> str:
        self.secrets += 1
        return f"hash-{self.secrets}"

    @rule(wanted=names)
    def entitle(self, wanted: list[str]) -> None:
        before = self.grant
        if not self.holds:
            with pytest.raises(WrongState):
                before.entitle(wanted, "", self.later(), "op")
            return
        self.grant = before.entitle(wanted, before.etag, self.later(), "op")
        assert (self.grant is before) == (wanted == self.holds)
        self.holds = wanted

    @rule(wanted=names)
    def entitle_on_a_stale_view(self, wanted: list[str]) -> None:
        with pytest.raises((EtagMismatch, WrongState)):
            self.grant.entitle(wanted, "0", self.later(), "op")

    @rule()
    def rotate(self) -> None:
        new = self.secret()
        if not self.holds:
            with pytest.raises(WrongState):
                self.grant.rotate(new, self.later(), "op")
            return
        version = self.grant.credential_version
        self.grant = self.grant.rotate(new, self.later(), "op")
        assert self.grant.credential_version == version + 1
        self.password = new

    @rule()
    def revoke(self) -> None:
        before = self.grant
        self.grant = before.revoke(self.later(), "op")
        assert (self.grant is before) == (not self.holds)
        self.holds, self.password = [], ""

    @rule(wanted=names)
    def reopen(self, wanted: list[str]) -> None:
        new = self.secret()
        if self.holds:
            with pytest.raises(AlreadyGranted):
                self.grant.reopen(wanted, new, self.later(), "op")
            return
        self.grant = self.grant.reopen(wanted, new, self.later(), "op")
        self.holds, self.password = wanted, new

    @precondition(lambda self: self.grant.pending)
    @rule(back=st.integers(0, 3))
    def broker_was_told(self, back: int) -> None:
        """Of this revision or, by a slow process, of an older one."""
        revision = max(1, self.grant.revision - back)
        self.grant = self.grant.applied(revision, self.later())
        self.told = max(self.told, revision)

    @invariant()
    def is_what_the_model_says(self) -> None:
        assert self.grant.active == bool(self.holds)
        if self.holds:
            assert list(self.grant.entitlements) == self.holds
        assert self.grant.password_hash == self.password
        assert self.grant.applied_revision == self.told <= self.grant.revision
        assert self.grant.pending == (self.told < self.grant.revision)
        assert len(self.grant.history) <= grants.HISTORY_KEPT


TestGrantMachine = GrantMachine.TestCase
TestGrantMachine.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def opened(agency: str = AGENCY, *wanted: str) -> access.Access:
    grant = grants.open_grant(agency, wanted or ("queue",), "h", START, "op")
    return access.access_of(grant, KNOWN, "public.events", access.Bounds())


@settings(deadline=None)
@given(ids, ids, ids, ids)
def test_no_two_agencies_share_an_account(site: str, agency: str, other_site: str, other: str) -> None:
    one, two = f"sites/{site}/agencies/{agency}", f"sites/{other_site}/agencies/{other}"
    assert (access.account_name(one) == access.account_name(two)) == (one == two)


@settings(deadline=None, max_examples=60)
@given(ids, ids, st.text(max_size=40))
def test_a_pattern_lets_its_own_names_through_and_nothing_else(site: str, agency: str, probe: str) -> None:
    """As RabbitMQ searches: PCRE, of which Python's `re` is near enough here (its `\\Z` is PCRE's `\\z`)."""
    own = opened(f"sites/{site}/agencies/{agency}")

    def passes(pattern: str, text: str) -> bool:
        return re.search(pattern.replace(r"\z", r"\Z"), text) is not None

    readable = {own.queue, "public.events", "public.queue"}
    for name in (*readable, probe, own.queue + probe, probe + own.queue, "public." + probe, own.queue + "\n"):
        assert passes(own.read, name) == (name in readable)
        assert passes(own.write, name) == (name == own.queue)
        assert not passes(own.configure, name or "amq.default")
        assert passes(own.topic_read, name) == (name in own.routing_keys)
    for key in ("#", "*", "#.public", "ticket_called.*.public", "ticket_calledXv1Xpublic"):
        assert not passes(own.topic_read, key)


@pytest.mark.parametrize("agency", ["sites/a.b/agencies/cd", "sites/ab/agencies/.*", "sites/ab/agencies/c\nd", "x", ""])
def test_what_is_no_agency_gets_no_account(agency: str) -> None:
    with pytest.raises(ValueError):
        access.account_name(agency)
    with pytest.raises(InvalidField):
        grants.grant_name(agency)


def test_an_entitlement_that_nobody_knows_any_more_opens_nothing() -> None:
    gone = opened(AGENCY, "gone")
    assert (gone.routing_keys, gone.streams) == ((), ())
    assert gone.topic_read == access.NOTHING


def test_a_full_queue_drops_its_oldest_and_never_refuses() -> None:
    """reject-publish on one agency's queue would make publishing to all fail."""
    arguments = opened().queue_arguments
    assert arguments["x-overflow"] == "drop-head"
    assert {"x-max-length", "x-max-length-bytes", "x-message-ttl"} <= arguments.keys()


def test_the_hash_is_what_the_broker_computes() -> None:
    """The documented example of RabbitMQ ("Credentials and passwords"): salt 908D C60A, password `test12`."""
    salt = bytes.fromhex("908DC60A")
    hashed = access.hash_password("test12", salt)
    assert base64.b64decode(hashed)[:4] == salt
    assert base64.b64decode(hashed)[4:] == hashlib.sha256(salt + b"test12").digest()
    assert hashed == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"


def test_an_entitlement_opens_the_public_form_only() -> None:
    """Every key is one under which agencies get an event; the whole form of an event with personal fields is none."""
    types = {kind.public_key: kind for kind in entitlements.public_types()}
    for one in KNOWN.values():
        for key in one.routing_keys:
            assert types[key].source == one.name
            assert key.endswith(".public") == bool(types[key].personal)
