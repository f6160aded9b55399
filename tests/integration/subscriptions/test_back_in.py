"""An agency that works in its own system: what it hears by AMQP, and how it reports by gRPC with its service account."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from mpp.applications.v1 import application_pb2 as ap
from mpp.applications.v1 import applications_service_pb2 as pb
from mpp.applications.v1.applications_service_pb2_grpc import ApplicationsServiceStub

from .conftest import TIMEOUT, Edge, subject, take

DUKCAPIL, OFFERING = "sites/malang/agencies/dukcapil", "sites/malang/offerings/kartu-keluarga-baru"


class System:
    """An agency's own system: a token by client credentials (RFC 6749, section 4.4), then gRPC."""

    def __init__(self, services: Any, client: str, secret: str) -> None:
        issuer = services.platform.endpoints()["issuer"]
        with urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration", timeout=30) as found:
            endpoint = json.load(found)["token_endpoint"]
        form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
        with urllib.request.urlopen(endpoint, urllib.parse.urlencode(form).encode(), timeout=30) as reply:
            self.metadata = [("authorization", f"Bearer {json.load(reply)['access_token']}")]
        self.stub = services.stub("applications", ApplicationsServiceStub)

    def advance(self, name: str, command: str, request_id: str = "", **given: Any) -> Any:
        request = pb.AdvanceApplicationRequest(
            name=name, command=f"OFFICER_COMMAND_{command}", request_id=request_id or str(uuid.uuid4()), **given
        )
        return self.stub.AdvanceApplication(request, metadata=self.metadata, timeout=TIMEOUT)

    def issue(self, name: str, number: str) -> Any:
        request = pb.IssueApplicationRequest(name=name, document_number=number, request_id=str(uuid.uuid4()))
        return self.stub.IssueApplication(request, metadata=self.metadata, timeout=TIMEOUT)

    def get(self, name: str) -> Any:
        return self.stub.GetApplication(pb.GetApplicationRequest(name=name), metadata=self.metadata, timeout=TIMEOUT)


@pytest.fixture(scope="module")
def dukcapil(malang: Any) -> System:
    return System(malang, "agency-dukcapil", "development-only-dukcapil")


@pytest.fixture(scope="module")
def imigrasi(malang: Any) -> System:
    return System(malang, "agency-imigrasi", "development-only-imigrasi")


@pytest.fixture
def submitted(malang: Any) -> str:
    """A citizen's application, handed in at the counter."""
    stub = malang.stub("applications", ApplicationsServiceStub)
    officer = malang.auth("officer", site="malang", agency="dukcapil", counter=3)
    nik = f"357301150590{uuid.uuid4().int % 9998 + 1:04d}"
    request = pb.CreateApplicationRequest(
        parent="sites/malang", offering=OFFERING, request_id=str(uuid.uuid4()),
        applicant=ap.Applicant(full_name="Siti Aminah", nik=nik, phone=""),
    )  # fmt: skip
    draft = stub.CreateApplication(request, metadata=officer, timeout=TIMEOUT)
    handed_in = pb.SubmitApplicationRequest(
        name=draft.name, presented_requirements=draft.requirements, request_id=str(uuid.uuid4())
    )
    stub.SubmitApplication(handed_in, metadata=officer, timeout=TIMEOUT)
    return str(draft.name)


def test_it_hears_of_the_work_and_reports_it_done(
    edge: Edge, dukcapil: System, submitted: str, eventually: Callable[..., Any]
) -> None:
    stream = edge.granted("applications")
    channel, heard = edge.enter(stream), []
    for command in ("START_VERIFICATION", "ACCEPT", "START_PROCESSING", "APPROVE"):
        dukcapil.advance(submitted, command)
    dukcapil.issue(submitted, "KK-2026-1")
    ready = dukcapil.advance(submitted, "MARK_READY")
    assert ready.state == ap.Application.STATE_READY_FOR_PICKUP
    assert {h.actor for h in ready.history[2:]} == {"service:agency-dukcapil"}
    eventually(
        lambda: heard.extend(m for m in take(channel, stream.account) if subject(m) == submitted) or len(heard) == 6
    )
    assert not any(word in m.body for m in heard for word in ("Siti", "sealed", "pickup"))


def test_a_report_that_is_sent_again_has_one_effect_and_the_same_answer(dukcapil: System, submitted: str) -> None:
    request_id = str(uuid.uuid4())
    first = dukcapil.advance(submitted, "START_VERIFICATION", request_id)
    later = dukcapil.advance(submitted, "ACCEPT")
    again = dukcapil.advance(submitted, "START_VERIFICATION", request_id)
    assert again == first
    assert dukcapil.get(submitted).state == later.state


def test_another_agency_is_refused_and_nothing_is_changed(dukcapil: System, imigrasi: System, submitted: str) -> None:
    before = dukcapil.get(submitted)
    for act in (
        lambda: imigrasi.advance(submitted, "START_VERIFICATION"),
        lambda: imigrasi.issue(submitted, "X-1"),
        lambda: imigrasi.get(submitted),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            act()
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert dukcapil.get(submitted) == before


def test_what_is_the_counters_stays_the_counters(dukcapil: System, submitted: str) -> None:
    """A system neither opens files in a citizen's name nor hands documents over."""
    request = pb.CollectApplicationRequest(name=submitted, pickup_code="123456", request_id=str(uuid.uuid4()))
    with pytest.raises(grpc.RpcError) as caught:
        dukcapil.stub.CollectApplication(request, metadata=dukcapil.metadata, timeout=TIMEOUT)
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
