"""Who may call what: the matrix role x method x site, generated from the descriptors of every service."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from buf.validate import validate_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.message import Message
from mpp.catalog.v1 import catalog_service_pb2 as catalog
from mpp.options.v1 import options_pb2
from mpp.queue.v1 import queue_service_pb2 as queue
from mpp_chassis.call import Call, Caller
from mpp_chassis.errors import Fault, PermissionDenied
from mpp_chassis.policy import admit, policy_of, sites_in

from .conftest import METHODS

READING = ("Get", "List", "Search", "Watch", "Lookup", "Estimate", "Batch", "Subscribe")
READING += ("Find", "Preview", "Query", "ReportStages", "Export")
ROLES = [v.name.removeprefix("ROLE_").lower() for v in options_pb2.Role.DESCRIPTOR.values if v.number]
MINE, OTHER = "malang", "surabaya"
by_method = pytest.mark.parametrize("method", METHODS, ids=lambda m: m.full_name.removeprefix("mpp."))


def granted(method: MethodDescriptor) -> dict[str, str]:
    """Read with own eyes, not by the chassis."""
    access = method.GetOptions().Extensions[options_pb2.access]
    return {ROLES[g.role - 1]: ("any", "site", "agency", "own")[g.scope - 1] for g in access.grants}


def anonymous(method: MethodDescriptor) -> bool:
    return bool(method.GetOptions().Extensions[options_pb2.access].anonymous)


def name_paths(descriptor: Descriptor, depth: int = 3) -> Iterator[tuple[str, ...]]:
    """Singular text fields that hold a resource name of a site, by their validation pattern."""
    for field in descriptor.fields:
        if field.is_repeated:
            continue
        if field.message_type is not None and depth:
            yield from ((field.name, *path) for path in name_paths(field.message_type, depth - 1))
        elif "sites/" in field.GetOptions().Extensions[validate_pb2.field].string.pattern:
            yield (field.name,)


def request(method: MethodDescriptor, site: str, *paths: tuple[str, ...]) -> Message:
    """A request whose names are all of `site`, or only those at `paths`."""
    found = message_factory.GetMessageClass(method.input_type)()
    for path in paths or name_paths(method.input_type):
        put(found, path, f"sites/{site}/agencies/x")
    return found


def put(message: Message, path: tuple[str, ...], value: str) -> None:
    for step in path[:-1]:
        message = getattr(message, step)
    setattr(message, path[-1], value)


def caller(*roles: str, site: str = MINE) -> Caller:
    return Caller("u1", frozenset(roles), site=site, agency="dukcapil", owner_keys=frozenset({"sub:u1"}))


def outcome(method: MethodDescriptor, who: Caller | None, message: Message) -> frozenset[str] | str:
    try:
        return admit(policy_of(method), who, message).scopes
    except Fault as e:
        return e.reason


@by_method
def test_every_rpc_has_a_policy_and_its_mutations_have_a_request_id(method: MethodDescriptor) -> None:
    policy = policy_of(method)
    assert policy.grants == granted(method)
    assert policy.anonymous == anonymous(method)
    reading = method.name.startswith(READING)
    assert policy.mutating != reading, "a name that reads, or one that changes?"
    if policy.mutating:
        rules = method.input_type.fields_by_name["request_id"].GetOptions().Extensions[validate_pb2.field]
        assert rules.string.uuid, "request_id is a UUID"


@by_method
def test_every_rpc_that_site_scopes_names_a_site(method: MethodDescriptor) -> None:
    if {"site", "agency"} & set(granted(method).values()):
        assert list(name_paths(method.input_type)), "nothing in the request could be checked against the site"


STRANGE_ROLES = ["unspecified", "", "Officer", "ROLE_OFFICER", "admin"]


@by_method
def test_each_role_gets_exactly_its_scope(method: MethodDescriptor) -> None:
    names_a_site = bool(list(name_paths(method.input_type)))
    for role in [*ROLES, *STRANGE_ROLES]:
        scope = granted(method).get(role)
        mine, other = (outcome(method, caller(role), request(method, site)) for site in (MINE, OTHER))
        if anonymous(method):
            wanted: tuple[object, object] = (frozenset(), frozenset())
        elif scope is None:
            wanted = ("ROLE_MISSING", "ROLE_MISSING")
        else:
            far = {scope} if scope in ("any", "own") else "SITE_MISMATCH"
            wanted = ({scope} if names_a_site else far, far)
        assert (mine, other) == wanted, role


@by_method
def test_without_a_token_only_anonymous_rpcs(method: MethodDescriptor) -> None:
    found = outcome(method, None, request(method, MINE))
    assert found == (frozenset() if anonymous(method) else "UNAUTHENTICATED")


@by_method
def test_without_a_role_nothing_but_anonymous_rpcs(method: MethodDescriptor) -> None:
    assert outcome(method, caller(), request(method, MINE)) == (frozenset() if anonymous(method) else "ROLE_MISSING")


@by_method
def test_no_name_in_a_request_can_smuggle_another_site(method: MethodDescriptor) -> None:
    """Each name in turn is of another site while all others are of the caller's."""
    bound = [role for role, scope in granted(method).items() if scope in ("site", "agency")]
    paths = list(name_paths(method.input_type))
    for role, path in itertools.product(bound, paths):
        message = request(method, MINE)
        put(message, path, f"sites/{OTHER}/agencies/x")
        assert outcome(method, caller(role), message) == "SITE_MISMATCH", ".".join(path)


@by_method
def test_a_token_without_a_site_reaches_no_site(method: MethodDescriptor) -> None:
    for role in [r for r, scope in granted(method).items() if scope in ("site", "agency")]:
        for message in (request(method, MINE), message_factory.GetMessageClass(method.input_type)()):
            assert outcome(method, caller(role, site=""), message) == "SITE_MISMATCH"


@pytest.mark.parametrize("name", ["sites/surabaya", "sites/surabaya/", "sites/surabaya/agencies/x", "sites/surabaya\n"])
def test_a_nested_name_is_seen(name: str) -> None:
    site = catalog.ApplySiteRequest()
    site.site.name = name
    agency = catalog.ApplyAgencyRequest(parent="sites/malang")
    agency.agency.name = name
    offering = catalog.ApplyOfferingRequest(parent="sites/malang")
    offering.offering.name, offering.offering.agency = "sites/malang/offerings/x", name
    methods = catalog.DESCRIPTOR.services_by_name["CatalogService"].methods_by_name
    for method, message in (("ApplySite", site), ("ApplyAgency", agency), ("ApplyOffering", offering)):
        assert outcome(methods[method], caller("site_manager"), message) == "SITE_MISMATCH"


def test_names_in_lists_maps_and_deep_inside_are_seen() -> None:
    """No request has such today; one that gets it is covered."""
    file = descriptor_pb2.FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
    box = file.message_type.add(name="Box")
    text, message, many = 9, 11, 3
    box.field.add(name="name", number=1, type=text, label=1)
    box.field.add(name="names", number=2, type=text, label=many)
    box.field.add(name="inner", number=3, type=message, label=1, type_name=".t.Box")
    box.field.add(name="inners", number=4, type=message, label=many, type_name=".t.Box")
    entry = box.nested_type.add(name="MapEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=text, label=1)
    entry.field.add(name="value", number=2, type=text, label=1)
    box.field.add(name="map", number=5, type=message, label=many, type_name=".t.Box.MapEntry")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    made = message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Box"))
    for fields in (
        {"name": "sites/a/x"}, {"names": ["", "sites/a"]}, {"inner": {"inner": {"inner": {"name": "sites/a"}}}},
        {"inners": [{}, {"name": "sites/a"}]}, {"map": {"k": "sites/a/b"}}, {"map": {"sites/a": ""}},
    ):  # fmt: skip
        assert set(sites_in(made(**fields))) == {"a"}


def test_two_sites_in_one_request_are_nobodys_but_any_s() -> None:
    message = queue.TakeTicketRequest(parent="sites/malang/queues/d", offering="sites/surabaya/offerings/kk")
    method = queue.DESCRIPTOR.services_by_name["QueueService"].methods_by_name["TakeTicket"]
    assert outcome(method, caller("kiosk"), message) == "SITE_MISMATCH"
    assert outcome(method, caller("citizen"), message) == {"any"}


def test_several_roles_add_up_but_never_beyond_the_site() -> None:
    method = queue.DESCRIPTOR.services_by_name["QueueService"].methods_by_name["GetTicket"]
    both = caller("citizen", "officer")
    assert outcome(method, both, request(method, MINE)) == {"own", "site"}
    assert outcome(method, both, request(method, OTHER)) == {"own"}
    assert admit(policy_of(method), both, request(method, MINE)).role == "officer"
    assert admit(policy_of(method), both, request(method, OTHER)).role == "citizen"


def test_a_policy_nobody_could_meet_is_refused_at_the_start() -> None:
    roles, scopes = options_pb2.Role, options_pb2.Scope
    officer = options_pb2.Grant(role=roles.ROLE_OFFICER, scope=scopes.SCOPE_SITE)
    wrong = {
        "nothing": options_pb2.Access(),
        "both": options_pb2.Access(anonymous=True, grants=[officer]),
        "no role": options_pb2.Access(grants=[options_pb2.Grant(scope=scopes.SCOPE_SITE)]),
        "no scope": options_pb2.Access(grants=[options_pb2.Grant(role=roles.ROLE_OFFICER)]),
        "twice": options_pb2.Access(
            grants=[officer, options_pb2.Grant(role=roles.ROLE_OFFICER, scope=scopes.SCOPE_ANY)]
        ),
        "no request_id": options_pb2.Access(mutating=True, grants=[officer]),
    }
    for name, access in wrong.items():
        with pytest.raises(TypeError, match=r"t\.Service\.Go"):
            policy_of(_method(name.replace(" ", ""), access))
    assert policy_of(_method("right", options_pb2.Access(grants=[officer]))).grants == {"officer": "site"}


def _method(name: str, access: options_pb2.Access) -> MethodDescriptor:
    pool = descriptor_pool.Default()
    file = descriptor_pb2.FileDescriptorProto(name=f"t_{name}.proto", package=f"t_{name}.t", syntax="proto3")
    file.message_type.add(name="In")
    text = f".t_{name}.t.In"
    method = file.service.add(name="Service").method.add(name="Go", input_type=text, output_type=text)
    method.options.Extensions[options_pb2.access].CopyFrom(access)
    pool.Add(file)
    return pool.FindServiceByName(f"t_{name}.t.Service").methods_by_name["Go"]


# --- what the use case asks ------------------------------------------------------------------------------------------

AGENCY = "sites/malang/agencies/dukcapil"


def call(*scopes: str, who: Caller | None = None) -> Call:
    return Call(who or caller("officer"), datetime(2026, 1, 1, tzinfo=UTC), scopes=frozenset(scopes))


@pytest.mark.parametrize(
    ("scopes", "agency", "owners", "fine"),
    [
        (("any",), "", (), True),
        (("site",), "", (), True),
        (("agency",), AGENCY, (), True),
        (("agency",), "sites/surabaya/agencies/dukcapil", (), False),
        (("agency",), "sites/malang/agencies/imigrasi", (), False),
        (("agency",), "", ("sub:u1",), False),
        (("own",), AGENCY, ("sub:u1",), True),
        (("own",), AGENCY, ("sub:u2", "nik:"), False),
        (("own",), AGENCY, (), False),
        (("own", "agency"), AGENCY, (), True),
        ((), AGENCY, ("sub:u1",), False),
    ],
)
def test_require(scopes: tuple[str, ...], agency: str, owners: tuple[str, ...], fine: bool) -> None:
    if fine:
        call(*scopes).require(agency=agency, owners=owners)
        return
    with pytest.raises(PermissionDenied):
        call(*scopes).require(agency=agency, owners=owners)


def test_absent_claims_never_match_absent_owners() -> None:
    nobody = Caller(roles=frozenset({"officer"}))
    for scope in ("agency", "own"):
        for agency, owners in (("", ("",)), ("sites//agencies/", ()), ("", ("sub:",)), ("sites/malang/agencies/", ())):
            with pytest.raises(PermissionDenied):
                call(scope, who=nobody).require(agency=agency, owners=owners)


def test_reach_is_never_wider_than_the_grant() -> None:
    assert call("site").reach().all
    assert call("agency", "own").reach().agency == AGENCY
    own = call("own").reach()
    assert (own.all, own.agency, own.owner_keys) == (False, None, {"sub:u1"})
    stranger = call("agency", who=Caller("u", frozenset({"officer"}))).reach()
    assert (stranger.all, stranger.agency) == (False, None)
    assert call().reach().owner_keys == {"sub:u1"}


def test_reading_rpcs_have_no_command() -> None:
    with pytest.raises(RuntimeError, match="mutating"):
        _ = call("any").mutation
