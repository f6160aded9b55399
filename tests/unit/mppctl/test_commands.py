"""Connection options, command ids, what a refusal looks like, and exit codes: all that needs no platform."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from mpp.catalog.v1 import agency_pb2, offering_pb2, site_pb2
from mppctl import applying, problems, showing
from mppctl.connection import Connection, NoConnection, find_endpoints
from mppctl.events import _chosen
from mppctl.getting import agency_name, site_id, site_name
from mppctl.main import app
from mppctl.problems import BAD_FILE, NOT_ALLOWED, REFUSED, UNREACHABLE, USAGE
from typer.testing import CliRunner

RUN = CliRunner()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    file = tmp_path / ".dev" / "run" / "endpoints.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"catalog": "127.0.0.1:1", "queue": "127.0.0.1:2", "issuer": "http://127.0.0.1:3"}))
    return tmp_path


def test_options_win_over_the_environment_and_that_over_the_profile(checkout: Path) -> None:
    inside = checkout / "sites" / "malang"
    inside.mkdir(parents=True)
    found = find_endpoints(["catalog=h:9"], {"MPP_ENDPOINTS": "queue=h:8, catalog=h:7"}, "run", inside)
    assert found == {"catalog": "h:9", "queue": "h:8", "issuer": "http://127.0.0.1:3"}


def test_without_a_profile_there_is_what_was_given(tmp_path: Path) -> None:
    assert find_endpoints(["a=https://h:1"], {}, "run", tmp_path) == {"a": "https://h:1"}


@pytest.mark.parametrize("entry", ["catalog", "=h:1", "catalog="])
def test_an_endpoint_that_is_none_is_refused(entry: str, tmp_path: Path) -> None:
    with pytest.raises(NoConnection, match="not an endpoint"):
        find_endpoints([entry], {}, "run", tmp_path)


def test_a_broken_profile_is_told_of(checkout: Path) -> None:
    (checkout / ".dev" / "run" / "endpoints.json").write_text("[]")
    with pytest.raises(NoConnection, match=r"endpoints\.json is not usable"):
        find_endpoints([], {}, "run", checkout)


def test_a_given_token_is_used_and_never_shown() -> None:
    connection = Connection({}, "secret-token")
    assert connection.metadata("officer") == [("authorization", "Bearer secret-token")]
    assert "secret-token" not in repr(connection)


def test_without_token_and_issuer_it_says_what_to_do() -> None:
    with pytest.raises(NoConnection, match="--token"):
        Connection({}).metadata("officer")


SITE = site_pb2.Site(name="sites/malang", region_code="35.73")
OTHER = site_pb2.Site(name="sites/malang", region_code="35.07")


def test_a_repeat_is_the_same_command() -> None:
    first = applying.request_id("site", SITE, "etag1")
    assert first == applying.request_id("site", site_pb2.Site.FromString(SITE.SerializeToString()), "etag1")
    uuid.UUID(first)


def test_other_content_another_kind_and_a_way_back_are_other_commands() -> None:
    ids = {
        applying.request_id("site", SITE, ""),
        applying.request_id("site", OTHER, ""),
        applying.request_id("agency", SITE, ""),
        applying.request_id("site", SITE, "etag-of-the-other"),
    }
    assert len(ids) == 4


class Failed(grpc.RpcError, grpc.Call):  # type: ignore[misc]
    """A failed call as grpc hands it out, made from a status."""

    def __init__(self, status: status_pb2.Status) -> None:
        self._status, self._known = status, rpc_status.to_status(status)

    def code(self) -> grpc.StatusCode:
        return self._known.code

    def details(self) -> str:
        return str(self._known.details)

    def trailing_metadata(self) -> object:
        return self._known.trailing_metadata


def failed(code: int, message: str, *details: object) -> problems.Refusal:
    packed = []
    for detail in details:
        box = any_pb2.Any()
        box.Pack(detail)  # type: ignore[arg-type]
        packed.append(box)
    error = Failed.__new__(Failed)
    Failed.__init__(error, status_pb2.Status(code=code, message=message, details=packed))
    return problems.refusal(error)


def test_a_refusal_names_reason_field_and_more() -> None:
    violation = error_details_pb2.BadRequest.FieldViolation(field="agency.queue.prefix", description="taken")
    refused = failed(
        9,
        "the prefix D is taken",
        error_details_pb2.ErrorInfo(reason="QUEUE_CLAIMED", metadata={"claimed_by": "sites/a/agencies/b"}),
        error_details_pb2.BadRequest(field_violations=[violation]),
    )
    assert refused.exit_code == REFUSED
    assert not refused.hopeless
    assert refused.lines() == [
        "the prefix D is taken (QUEUE_CLAIMED)",
        "  field agency.queue.prefix: taken",
        "  claimed_by: sites/a/agencies/b",
    ]


@pytest.mark.parametrize(
    ("code", "exit_code"), [(14, UNREACHABLE), (4, UNREACHABLE), (16, NOT_ALLOWED), (7, NOT_ALLOWED), (3, REFUSED)]
)
def test_the_exit_code_tells_the_kind_of_failure(code: int, exit_code: int) -> None:
    assert failed(code, "x").exit_code == exit_code


def test_a_wrong_file_ends_with_its_own_code_and_sends_nothing(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["--endpoint", "catalog=127.0.0.1:1", "apply", "-f", str(tmp_path)])
    assert result.exit_code == BAD_FILE


@pytest.mark.parametrize(
    "arguments",
    [
        ["--endpoint", "catalog", "get", "site", "malang"],
        ["get", "ticket", "D-001"],
        ["get", "application", "sites/malang/applications/01234567"],
        ["events", "parked", "replay", "--service", "queue"],
        ["events", "parked", "replay", "--service", "queue", "--all", "id"],
        ["events", "parked", "drop", "--service", "queue", "id"],
        ["apply"],
    ],
)
def test_wrong_usage_ends_with_its_own_code(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert RUN.invoke(app, arguments).exit_code == USAGE


def test_an_unknown_platform_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = RUN.invoke(app, ["get", "site", "malang"])
    assert result.exit_code == UNREACHABLE


def test_short_names_become_resource_names() -> None:
    assert site_name("malang") == site_name("sites/malang") == "sites/malang"
    assert agency_name("sites/malang", "dlh") == "sites/malang/agencies/dlh"
    assert site_id("sites/malang/queues/dlh") == "malang"


def test_events_are_chosen_by_id_and_grouped_by_queue() -> None:
    from mpp.ops.v1 import ops_service_pb2 as pb

    found = [pb.ParkedEvent(queue=q, event_id=e) for q, e in (("q.a", "1"), ("q.b", "1"), ("q.a", "2"))]
    assert _chosen(found, ["1"]) == {"q.a": ["1"], "q.b": ["1"]}
    assert _chosen(found, None) == {"q.a": ["1", "2"], "q.b": ["1"]}
    assert _chosen(found, ["3"]) == {}


@pytest.mark.parametrize(
    ("fee", "text"),
    [
        (offering_pb2.Fee(amount_idr=0), "gratis"),
        (offering_pb2.Fee(amount_idr=1_650_000), "Rp1.650.000"),
        (offering_pb2.Fee(formula="menurut taksiran"), "menurut taksiran"),
        (
            offering_pb2.Fee(
                tariffs=[
                    offering_pb2.Tariff(display_name=site_pb2.LocalizedText(id=n), amount_idr=a)
                    for n, a in (("b", 650_000), ("a", 350_000))
                ]
            ),
            "Rp350.000 - Rp650.000",
        ),
        (None, "-"),
    ],
)
def test_fees_are_written_as_indonesians_do(fee: offering_pb2.Fee | None, text: str) -> None:
    assert showing.fee(offering_pb2.Standard(fee=fee)) == text


def test_markup_in_data_is_only_text(capsys: pytest.CaptureFixture[str]) -> None:
    table = showing._columns("", "name")
    showing._row(table, "[red]x[/red] [/]")
    with showing.console.capture() as shown:
        showing.console.print(table)
    assert "[red]x[/red] [/]" in shown.get()


def test_a_gap_is_shown_as_one() -> None:
    message = offering_pb2.Offering(
        display_name=site_pb2.LocalizedText(id="KK"), missing_components=["fee"], standard=offering_pb2.Standard()
    )
    with showing.console.capture() as shown:
        showing.offering(message)
    (line,) = [line for line in shown.get().splitlines() if line.startswith("fee")]
    assert "gap" in line


def test_every_kind_of_category_has_a_name_in_the_files() -> None:
    from mppctl.sitefiles import _CATEGORIES

    assert {0, *_CATEGORIES.values()} == set(agency_pb2.Agency.Category.values())
