"""Applying is an idempotent upsert: on the real store, through gRPC, also when many come at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest


def test_what_is_applied_is_read_back(office: Any) -> None:
    from mpp.catalog.v1 import catalog_service_pb2 as rpc

    applied = office.apply_offering()
    read = office.stub.GetOffering(rpc.GetOfferingRequest(name=applied.name), timeout=30)
    assert read == applied
    assert read.etag
    assert list(read.missing_components) == [
        "procedure",
        "product",
        "complaint_handling",
        "facilities",
        "competence",
        "internal_supervision",
        "staff_count",
        "service_guarantee",
        "security_guarantee",
        "performance_evaluation",
    ]
    site = office.stub.GetSite(rpc.GetSiteRequest(name=office.site), timeout=30)
    assert site.holidays == office.a_site().holidays
    agency = office.stub.GetAgency(rpc.GetAgencyRequest(name=f"{office.site}/agencies/samsat"), timeout=30)
    assert (agency.queue.prefix, list(agency.queue.counters)) == ("S", [7])


def test_what_is_not_there_is_not_found_with_its_kind(desk: Any) -> None:
    from mpp.catalog.v1 import catalog_service_pb2 as rpc

    stub, site = desk.stub, desk.site
    calls: dict[str, Callable[[], Any]] = {
        "SITE_NOT_FOUND": lambda: stub.GetSite(rpc.GetSiteRequest(name=site), timeout=30),
        "AGENCY_NOT_FOUND": lambda: stub.GetAgency(rpc.GetAgencyRequest(name=f"{site}/agencies/ab"), timeout=30),
        "OFFERING_NOT_FOUND": lambda: stub.GetOffering(rpc.GetOfferingRequest(name=f"{site}/offerings/ab"), timeout=30),
    }
    for reason, call in calls.items():
        assert (desk.refused(call).code, desk.refused(call).reason) == ("NOT_FOUND", reason)


def test_an_unchanged_resource_makes_no_version_and_no_event(office: Any, eventually: Any) -> None:
    ear = office.ear()
    first = office.apply_offering()
    again = office.apply_offering()
    changed = office.apply_offering(office.an_offering(aliases=["kk", "kartu"]))
    assert again == first
    assert changed.etag != first.etag
    document = office.document("offerings", first.name)
    assert document["version"] == 2
    eventually(lambda: len(ear.listen()) == 2)
    office.apply_site(office.a_site(kind="mini"))  # a later event: whatever came before it has been heard
    eventually(lambda: "site_published.v1" in [key for key, _, _ in ear.listen()])
    told = [(key, sequence) for key, sequence, _ in ear.heard]
    assert told == [("offering_published.v1", 1), ("offering_published.v1", 2), ("site_published.v1", 2)]
    assert ear.heard[1][2]["offering"]["aliases"] == ["kk", "kartu"]
    assert ear.heard[1][2]["offering"]["etag"] == changed.etag


def test_a_repeated_command_gets_its_reply_and_another_body_is_refused(desk: Any) -> None:
    from uuid import uuid4

    request_id = str(uuid4())
    first = desk.apply_site(request_id=request_id)
    desk.apply_site(desk.a_site(kind="mini"))
    assert desk.apply_site(request_id=request_id) == first
    refused = desk.refused(lambda: desk.apply_site(desk.a_site(kind="full"), request_id=request_id))
    assert refused.reason == "REQUEST_ID_REUSED"
    assert desk.document("sites", desk.site)["kind"] == "mini"


@pytest.mark.parametrize("same_id", [True, False])
def test_thirty_two_callers_of_one_content_make_one_version(office: Any, eventually: Any, same_id: bool) -> None:
    from uuid import uuid4

    ear, request_id, who = office.ear(), str(uuid4()), office.manager()

    def call(_: int) -> bytes:
        reply = office.apply_offering(who=who, request_id=request_id if same_id else "")
        return bytes(reply.SerializeToString(deterministic=True))

    with ThreadPoolExecutor(32) as pool:
        replies = set(pool.map(call, range(32)))
    assert len(replies) == 1
    assert office.document("offerings", f"{office.site}/offerings/kk")["version"] == 1
    eventually(ear.listen)
    office.apply_site(office.a_site(kind="mini"))
    eventually(lambda: len(ear.listen()) == 2)
    assert [key for key, _, _ in ear.heard] == ["offering_published.v1", "site_published.v1"]


def test_validate_only_writes_nothing(desk: Any) -> None:
    reply = desk.apply_site(validate_only=True)
    assert (reply.name, reply.etag) == (desk.site, "")
    assert desk.document("sites", desk.site) is None
    desk.apply_site()
    desk.apply_agency(validate_only=True)
    assert desk.document("agencies", f"{desk.site}/agencies/dukcapil") is None
    refused = desk.refused(lambda: desk.apply_site(desk.a_site(opened="2026-02-30"), validate_only=True))
    assert refused.fields == ("site.opened",)


def test_an_etag_that_does_not_match_is_refused(desk: Any) -> None:
    refused = desk.refused(lambda: desk.apply_site(desk.a_site(etag="feedface")))
    assert (refused.reason, refused.fields) == ("ETAG_MISMATCH", ("site.etag",))
    first = desk.apply_site()
    second = desk.apply_site(desk.a_site(kind="mini", etag=first.etag))
    assert second.etag != first.etag
    refused = desk.refused(lambda: desk.apply_site(desk.a_site(kind="full", etag=first.etag)))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "ETAG_MISMATCH")
    assert desk.document("sites", desk.site)["kind"] == "mini"


def test_with_etags_only_one_of_many_editors_wins(desk: Any) -> None:
    etag, who = desk.apply_site().etag, desk.manager()

    def edit(n: int) -> bool:
        try:
            desk.apply_site(desk.a_site(kind=f"kind-{n}", etag=etag), who=who)
        except grpc.RpcError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(edit, range(8))) == 1
    assert desk.document("sites", desk.site)["version"] == 2


def test_what_is_referred_to_must_exist(desk: Any) -> None:
    refused = desk.refused(desk.apply_agency)
    assert (refused.code, refused.reason, refused.fields) == ("FAILED_PRECONDITION", "SITE_NOT_FOUND", ("parent",))
    refused = desk.refused(desk.apply_offering)
    assert refused.code == "FAILED_PRECONDITION"
    assert (refused.reason, refused.fields) == ("AGENCY_NOT_FOUND", ("offering.agency",))
    assert desk.document("agencies", f"{desk.site}/agencies/dukcapil") is None
    assert desk.document("offerings", f"{desk.site}/offerings/kk") is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"opened": "2022-02-30"}, "site.opened"),
        ({"holidays": [{"date": "2026-02-29", "name": "x"}]}, "site.holidays[0].date"),
        (
            {
                "opening_hours": [
                    {"weekday": 1, "opens": "08:00", "closes": "12:00"},
                    {"weekday": 1, "opens": "11:00", "closes": "13:00"},
                ]
            },
            "site.opening_hours[1]",
        ),
        ({"time_zone": "Europe/Berlin"}, "site.time_zone"),
    ],
)
def test_a_wrong_site_names_its_field_and_writes_nothing(desk: Any, change: Any, field: str) -> None:
    refused = desk.refused(lambda: desk.apply_site(desk.a_site(**change)))
    assert (refused.code, refused.fields) == ("INVALID_ARGUMENT", (field,))
    assert desk.document("sites", desk.site) is None


@pytest.mark.parametrize(
    ("queue", "field"),
    [
        ({"id": "dukcapil", "prefix": "X", "counters": [9]}, "agency.queue.id"),
        ({"id": "dlh", "prefix": "D", "counters": [9]}, "agency.queue.prefix"),
        ({"id": "dlh", "prefix": "X", "counters": [9, 7]}, "agency.queue.counters"),
    ],
)
def test_what_another_agency_holds_cannot_be_claimed(office: Any, queue: Any, field: str) -> None:
    agency = office.an_agency("dlh", queue={**queue, "minutes_per_visit": 5})
    refused = office.refused(lambda: office.apply_agency(agency))
    assert (refused.code, refused.reason, refused.fields) == ("FAILED_PRECONDITION", "QUEUE_CLAIMED", (field,))
    assert office.document("agencies", agency.name) is None


def test_what_an_agency_gives_up_is_free(office: Any) -> None:
    office.apply_agency(office.an_agency("samsat", "S", [8]))
    office.apply_agency(office.an_agency("dlh", "L", [7]))
    office.apply_agency(office.an_agency("samsat", queue=None))
    office.apply_agency(office.an_agency("dlh", "S", [7, 8]))
    office.apply_agency(office.an_agency("perpustakaan", queue=None))  # two without a queue do not clash
    assert office.document("agencies", f"{office.site}/agencies/perpustakaan")["version"] == 1


@pytest.mark.parametrize("what", ["id", "prefix"])
def test_of_many_that_claim_one_prefix_or_queue_at_once_one_gets_it(desk: Any, what: str) -> None:
    desk.apply_site()
    who = desk.manager()

    def claim(n: int) -> str:
        queue = {"id": f"antrean-{n}", "prefix": chr(65 + n), "counters": [n + 1], "minutes_per_visit": 5}
        queue[what] = "sama" if what == "id" else "Z"
        try:
            desk.apply_agency(desk.an_agency(f"agency-{n}", queue=queue), who=who)
        except grpc.RpcError as error:
            return str(error.code().name)
        return "got it"

    with ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(claim, range(12)))
    assert sorted(outcomes) == ["FAILED_PRECONDITION"] * 11 + ["got it"]
    assert desk.database["agencies"].count_documents({"site_id": desk.site_id}) == 1


def test_a_resource_must_be_below_the_parent_it_was_let_in_for(office: Any) -> None:
    admin = office.services.auth("platform_admin")
    refused = office.refused(lambda: office.apply_agency(who=admin, parent="sites/lain"))
    assert refused.fields == ("agency.name",)
    refused = office.refused(lambda: office.apply_offering(who=admin, parent="sites/lain"))
    assert refused.fields == ("offering.name",)
    foreign = office.an_offering()
    foreign.agency = "sites/lain/agencies/dukcapil"
    assert office.refused(lambda: office.apply_offering(foreign, who=admin)).fields == ("offering.agency",)


def test_an_agencys_admin_keeps_the_services_of_that_agency_only(office: Any) -> None:
    office.apply_offering(who=office.admin("dukcapil"))
    stolen = office.an_offering(agency="samsat")
    for offering in (office.an_offering(aliases=["x"]), stolen):
        refused = office.refused(lambda o=offering: office.apply_offering(o, who=office.admin("samsat")))
        assert refused.code == "PERMISSION_DENIED"
    assert office.refused(lambda: office.apply_agency(who=office.admin("dukcapil"))).code == "PERMISSION_DENIED"
    assert office.document("offerings", stolen.name)["version"] == 1
    office.apply_offering(stolen)  # the site's manager may move it
    assert office.document("offerings", stolen.name)["agency"] == stolen.agency


def test_a_manager_of_another_site_is_kept_out(office: Any) -> None:
    other = office.manager("lain")
    for call in (office.apply_site, office.apply_agency, office.apply_offering):
        assert office.refused(lambda c=call: c(who=other)).code == "PERMISSION_DENIED"
    assert office.refused(lambda: office.apply_site(who=office.services.auth("citizen"))).code == "PERMISSION_DENIED"
