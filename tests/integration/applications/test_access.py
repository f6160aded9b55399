"""Who may do what: role, agency, site, owner; and what is refused leaves no trace."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from mpp.applications.v1 import applications_service_pb2 as rpc

pytestmark = pytest.mark.stack
DENIED = grpc.StatusCode.PERMISSION_DENIED


def test_without_a_token_nothing_is_told(desk: Any, refused: Any) -> None:
    name = desk.create().name
    told = refused(lambda: desk.stub.GetApplication(rpc.GetApplicationRequest(name=name), timeout=30))
    assert told.code == grpc.StatusCode.UNAUTHENTICATED


def test_an_officer_of_another_agency_or_site_is_refused(desk: Any, refused: Any) -> None:
    name = desk.create().name
    for who in (desk.officer("samsat"), desk.officer("dukcapil", site="tempat-lain")):
        for act in (
            lambda who=who: desk.get(name, who),
            lambda who=who: desk.call("Submit", name, who),
            lambda who=who: desk.call("Withdraw", name, who),
            lambda who=who: desk.advance(name, "EXPIRE", who),
            lambda who=who: desk.call("Issue", name, who, document_number="1"),
            lambda who=who: desk.call("Collect", name, who, pickup_code="000000"),
            lambda who=who: desk.create(who),
        ):
            assert refused(act).code == DENIED
    assert desk.database["applications"].find_one({"_id": name})["version"] == 1


def test_a_citizen_has_only_their_own_and_never_the_agencys_hand(desk: Any, refused: Any) -> None:
    name = desk.create(desk.citizen("siti")).name
    other = desk.citizen("orang-lain", nik=desk.new_nik())
    for act in (
        lambda: desk.get(name, other),
        lambda: desk.call("Submit", name, other),
        lambda: desk.call("Withdraw", name, other),
        lambda: desk.advance(name, "EXPIRE", desk.citizen("siti")),
        lambda: desk.call("Collect", name, desk.citizen("siti"), pickup_code="000000"),
    ):
        assert refused(act).code == DENIED
    assert not desk.list(other).applications


def test_the_applicant_sees_what_the_counter_opened_for_their_nik(desk: Any) -> None:
    nik = desk.new_nik()
    name = desk.create(nik=nik).name
    who = desk.citizen("pemilik", nik=nik)
    assert desk.get(name, who).name == name
    assert [a.name for a in desk.list(who).applications] == [name]
    assert desk.call("Withdraw", name, who).history[-1].actor == "citizen:pemilik"


def test_what_does_not_exist_is_not_found(desk: Any, refused: Any) -> None:
    name = f"{desk.name}/applications/tidakadatidakada"
    for act in (lambda: desk.get(name), lambda: desk.call("Submit", name)):
        told = refused(act)
        assert (told.code, told.reason) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
