"""The person is nowhere in the clear: raw bytes of the store, bodies of events, logs of both processes."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from mpp.applications.v1 import application_pb2 as pb

pytestmark = pytest.mark.stack
RAW: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)


def stored_bytes(desk: Any) -> bytes:
    found = b""
    for collection in desk.database.list_collection_names():
        for document in desk.database[collection].with_options(codec_options=RAW).find({}):
            found += document.raw
    return found


def test_nik_name_and_phone_are_sealed_everywhere(desk: Any, refused: Any) -> None:
    nik = desk.new_nik()
    name, code = desk.ready(nik=nik)
    # A reader that finds nothing must be able to find something.
    assert name.encode() in stored_bytes(desk)
    refused(lambda: desk.advance(name, "CORRECT", reason=f"NIK {nik} keliru"))
    refused(lambda: desk.create(nik=nik[:-4] + "0000"))
    for number in (nik, f"KK/{nik[:6]}-{nik[6:]}/2026"):
        told = refused(lambda number=number: desk.call("Issue", name, document_number=number))
        assert (told.code, told.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ("document_number",))
    desk.call("Collect", name, pickup_code=code)
    desk.until(lambda: len(desk.ear.of(name)) == 9)
    clear = [nik, desk.person, desk.phone, "Zubaidah"]
    data = stored_bytes(desk)
    logs = desk.services.log("applications-serve") + desk.services.log("applications-work")
    assert "rpc_refused" in logs
    assert "CreateApplication" in logs
    events = str(desk.ear.listen())
    assert name in events
    for text in clear:
        assert text.encode() not in data
        assert text not in logs
        assert text not in events


@pytest.mark.parametrize("wrong", ["3573013201900001", "3573010100900001", "3573011201900000", "357301120190000", "x"])
def test_a_bad_nik_is_named_and_never_echoed(desk: Any, refused: Any, wrong: str) -> None:
    before = desk.database["applications"].count_documents({})
    person = pb.Applicant(full_name="Siti", nik=wrong, phone="")
    told = refused(lambda: desk.create(applicant=person))
    assert (told.code, told.reason, told.fields) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
        ("applicant.nik",),
    )
    assert wrong == "x" or wrong not in told.text
    assert desk.database["applications"].count_documents({}) == before


def test_an_unknown_region_only_warns(desk: Any) -> None:
    nik = "99" + desk.new_nik()[2:]
    opened = desk.create(nik=nik)
    assert list(opened.warnings) == ["NIK_REGION_UNKNOWN"]
    assert list(desk.create().warnings) == []
    log = desk.until(lambda: (text := desk.services.log("applications-serve")) and opened.name in text and text)
    assert "NIK_REGION_UNKNOWN" in log


def test_agencies_get_events_without_the_person(desk: Any) -> None:
    name, _ = desk.ready()

    def public_form() -> list[str]:
        return [body for key, h, body in desk.ear.listen() if h["ce-subject"] == name and key.endswith(".public")]

    public = desk.until(lambda: len(desk.ear.of(name)) == 8 and len(found := public_form()) >= 8 and found)
    assert not [body for body in public if "sealed" in body or "reason" in body]


def test_a_citizen_does_not_learn_from_a_typed_nik_what_somebody_has_applied_for(desk: Any) -> None:
    nik, curious = desk.new_nik(), desk.citizen("budi")
    desk.create(nik=nik)
    opened = desk.create(curious, nik=nik)
    assert not opened.flags
    for found in (
        desk.get(opened.name, curious),
        desk.call("Submit", opened.name, curious),
        *desk.list(curious).applications,
    ):
        assert (found.name, list(found.flags)) == (opened.name, [])
    told = [pb.Application.FLAG_DUPLICATE_SUSPECTED]
    assert list(desk.get(opened.name).flags) == told
    assert list(desk.get(opened.name, desk.citizen("siti", nik)).flags) == told  # it is about their own files


def test_an_applicant_has_a_name(desk: Any, refused: Any) -> None:
    told = refused(lambda: desk.create(applicant=pb.Applicant(full_name=" \t ", nik=desk.new_nik(), phone="")))
    assert (told.code, told.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ("applicant.full_name",))
