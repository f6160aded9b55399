"""Who may what, over all RPCs, generated from the descriptors: an RPC that is added tomorrow is covered without a new test.

Agencies (a department's scope) are tried against the running platform in apidocs/test_examples.py, example by example.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from google.protobuf.descriptor import MethodDescriptor
from mpp_chassis.call import Caller
from mpp_chassis.errors import PermissionDenied, Unauthenticated
from mpp_chassis.policy import admit, policy_of, sites_in

from tests.contract import access_table
from tests.contract.access_table import ROLES
from tests.contract.test_bad_input import good

METHODS = list(access_table.methods())
NAMES = [f"{m.containing_service.name}.{m.name}" for m in METHODS]
CHANGES_NOTHING = ("display", "city_viewer")  # they look
BOUND = ("site", "agency")


def test_the_page_is_what_the_protos_say() -> None:
    text = access_table.PAGE.read_text(encoding="utf-8")
    assert text == access_table.page(), "run: python -m tests.contract.access_table"


def test_every_role_may_something() -> None:
    granted = {role for method in METHODS for role in policy_of(method).grants}
    assert granted == set(ROLES)


@pytest.mark.parametrize("method", METHODS, ids=NAMES)
def test_each_role_gets_in_exactly_where_it_is_granted(method: MethodDescriptor) -> None:
    """Every role x every RPC, with a good request of the caller's own site, of another site, and without a token."""
    policy, request = policy_of(method), a_good(method)
    named = set(sites_in(request))
    for role in ROLES:
        at_home = Caller("x", frozenset({role}), site=min(named, default="malang"), agency="dukcapil")
        assert let_in(policy, at_home, request) == (policy.anonymous or role in policy.grants), role
        elsewhere = Caller("x", frozenset({role}), site="lain", agency="dukcapil")
        free = policy.anonymous or policy.grants.get(role) in ("any", "own")
        assert let_in(policy, elsewhere, request) == free, f"{role} of another site"
    assert let_in(policy, None, request) == policy.anonymous


@pytest.mark.parametrize("method", METHODS, ids=NAMES)
def test_only_a_citys_viewer_sees_the_sites_that_its_token_lists(method: MethodDescriptor) -> None:
    policy, request = policy_of(method), a_good(method)
    named = set(sites_in(request))
    if policy.anonymous or not named:
        return
    for role in ROLES:
        watching = Caller("x", frozenset({role}), site="lain", sites=frozenset({*named, "batu"}), agency="dukcapil")
        free = policy.grants.get(role) in ("any", "own")
        assert let_in(policy, watching, request) == (free or (role == "city_viewer" and role in policy.grants)), role
    everybody = Caller("x", frozenset(ROLES), site="lain", sites=frozenset(named), agency="dukcapil")
    if "city_viewer" in policy.grants and let_in(policy, everybody, request):
        lent = admit(policy, everybody, request)
        assert not policy.mutating
        assert lent.scopes <= {"any", "own", "site"}
        assert "agency" not in lent.scopes, "the list lends nothing to the other roles of the token"


def test_who_is_bound_to_a_site_cannot_reach_over_by_naming_two() -> None:
    """A name of another site anywhere in the request, beside the caller's own, opens nothing."""
    for method in METHODS:
        reach_over(method)


def reach_over(method: MethodDescriptor) -> None:
    policy = policy_of(method)
    roles = [role for role, scope in policy.grants.items() if scope in BOUND]
    for field in method.input_type.fields:
        if not roles or field.type != field.TYPE_STRING or field.is_repeated:
            continue
        request = type(a_good(method)).FromString(a_good(method).SerializeToString())
        setattr(request, field.name, "sites/lain/agencies/dukcapil")
        for role in roles:
            caller = Caller("x", frozenset({role}), site="malang", agency="dukcapil")
            assert not let_in(policy, caller, request), f"{method.full_name}: {role} by {field.name}"
            if len(set(sites_in(request))) > 1:
                caller = Caller(
                    "x", frozenset({role}), site="malang", sites=frozenset({"malang", "lain"}), agency="dukcapil"
                )
                assert not let_in(policy, caller, request), f"{method.full_name}: {role} by two sites in {field.name}"


def test_rules_that_hold_for_every_grant() -> None:
    for method in METHODS:
        policy, name = policy_of(method), method.full_name
        assert not (policy.anonymous and policy.mutating), f"{name}: nobody unknown changes anything"
        for role in CHANGES_NOTHING:
            assert not (policy.mutating and role in policy.grants), f"{name}: {role} changes something"
        far = {role for role, scope in policy.grants.items() if scope == "any"}
        assert far <= {"citizen", "platform_admin"}, f"{name}: a role that is bound to a site reaches over all"
        assert policy.grants.get("citizen", "own") in ("own", "any"), name


@cache
def a_good(method: MethodDescriptor) -> Any:
    """Building one asks the validator many times."""
    return good(method.input_type)


def let_in(policy: Any, caller: Caller | None, request: Any) -> bool:
    try:
        admit(policy, caller, request)
    except (PermissionDenied, Unauthenticated):
        return False
    return True
