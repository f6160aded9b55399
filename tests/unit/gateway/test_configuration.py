"""The generated configuration: what must be in it, for the contract of today and for one that is invented here."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2
from mpp.options.v1 import options_pb2
from mpp_gateway import contract as contracts
from mpp_gateway import render
from mpp_gateway.bootstrap import configuration
from mpp_gateway.contract import BadContract, Binding, Contract
from mpp_gateway.edge import Edge, Files, read
from mpp_gateway.refusals import REFUSALS
from mpp_gateway.routes import CONTENT_TYPES, NOBODY
from mpp_gateway.supervise import envoy_binary

ROOT = Path(__file__).resolve().parents[3]
HOME = ROOT / "deploy" / "gateway"


@pytest.fixture(scope="module")
def contract() -> Contract:
    return contracts.from_repository(ROOT)


def routes_of(config: dict[str, Any]) -> list[dict[str, Any]]:
    manager = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    return list(manager["route_config"]["virtual_hosts"][0]["routes"])


def invented(*methods: descriptor_pb2.MethodDescriptorProto, package: str = "mpp.parking.v1") -> bytes:
    """The descriptor set of a service that nobody has written."""
    file = descriptor_pb2.FileDescriptorProto(name="parking.proto", package=package, syntax="proto3")
    file.message_type.add(name="Anything").field.add(name="request_id", number=1, type=9, label=1)
    file.service.add(name="ParkingService").method.extend(methods)
    return descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString()


def method(name: str, path: str = "", anonymous: bool = False, **more: Any) -> descriptor_pb2.MethodDescriptorProto:
    kind = f".{more.pop('package', 'mpp.parking.v1')}.Anything"
    found = descriptor_pb2.MethodDescriptorProto(name=name, input_type=kind, output_type=kind, **more)
    if path:
        found.options.Extensions[annotations_pb2.http].post = path
        found.options.Extensions[options_pb2.access].anonymous = anonymous
    return found


def test_every_annotated_rpc_of_the_protos_has_its_route(contract: Contract) -> None:
    annotated = set()
    for file in (ROOT / "proto" / "mpp").rglob("*_service.proto"):
        text = file.read_text()
        package = re.search(r"^package ([\w.]+);", text, re.M)
        for service in re.finditer(r"^service (\w+) \{(.*?)^\}", text, re.M | re.S):
            for rpc in re.split(r"^  rpc ", service[2], flags=re.M)[1:]:
                if "(google.api.http)" in rpc:
                    assert package
                    annotated.add(f"{package[1]}.{service[1]}/{rpc.split('(')[0].strip()}")
    config = configuration(contract, read(HOME / "edge.yaml"), {}, ())
    names = {route["name"] for route in routes_of(config)}
    assert annotated
    assert annotated <= names
    assert not any("OpsService" in name for name in names)  # operators' RPCs are not annotated


def test_every_route_leads_to_a_cluster_that_exists(contract: Contract) -> None:
    config = configuration(contract, read(HOME / "edge.yaml"), {}, ())
    known = {cluster["name"] for cluster in config["static_resources"]["clusters"]} | {NOBODY}
    assert {route["route"]["cluster"] for route in routes_of(config) if "route" in route} <= known


def test_a_new_service_appears_without_a_line_by_hand() -> None:
    streams = {"server_streaming": True}
    parking = contracts.from_descriptors(
        invented(
            method("Park", "/v1/{request_id=sites/*/cars/*}:park"),
            method("WatchCars", "/v1/cars:watch", anonymous=True, **streams),
            method("Hidden"),
        )
    )
    assert parking.services == ["mpp.parking.v1.ParkingService"]
    config = configuration(parking, read(HOME / "edge.yaml"), {}, ())
    found = {route["name"]: route for route in routes_of(config)}
    assert found["mpp.parking.v1.ParkingService/Park"]["route"]["cluster"] == "parking"
    assert found["mpp.parking.v1.ParkingService/WatchCars"]["route"]["cluster"] == "parking-streams"
    needs = {
        name: next(c["requirement_name"] for c in route["typed_per_filter_config"].values() if "requirement_name" in c)
        for name, route in found.items()
        if name.startswith("mpp.")
    }
    assert needs == {
        "mpp.parking.v1.ParkingService/Park": "token",
        "mpp.parking.v1.ParkingService/WatchCars": "anonymous",
    }


def test_what_makes_something_new_is_limited_apart_whoever_calls(contract: Contract) -> None:
    """Found by the access policy: changing, and open to anybody or to any citizen. All share a caller's one bucket."""
    creating = {rpc.name for rpc in contract.rpcs if rpc.creating}
    assert {"TakeTicket", "HoldSlot", "StartVisit", "FileComplaint", "ReportOvercharge"} <= creating
    assert not {"CallNext", "CancelTicket", "RateComplaint", "GetQueue", "ConfirmAppointment"} & creating
    open_to_all = method("Park", "/v1/parking", anonymous=True)
    open_to_all.options.Extensions[options_pb2.access].mutating = True
    found = contracts.from_descriptors(invented(open_to_all))
    edge = read(HOME / "edge.yaml")
    config = configuration(found, edge, {}, ())
    manager = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    (limit,) = [f["typed_config"] for f in manager["http_filters"] if f["name"] == "rate.creating"]
    buckets = [d["token_bucket"] for d in limit["descriptors"]]
    assert buckets == [{"max_tokens": 30, "tokens_per_fill": 60, "fill_interval": "60s"}] * 2
    by_subject, by_address = ([next(iter(a)) for a in r["actions"]] for r in limit["rate_limits"])
    assert by_subject == ["header_value_match", "metadata"]
    assert by_address == ["header_value_match", "header_value_match", "remote_address"]
    path = limit["rate_limits"][1]["actions"][0]["header_value_match"]["headers"][0]
    assert path["string_match"] == {"exact": "/mpp.parking.v1.ParkingService/Park"}


@pytest.mark.parametrize(
    ("descriptors", "words"),
    [
        (invented(method("A", "/v1/cars"), method("B", "/v1/cars")), "share POST /v1/cars"),
        (invented(method("A", "/v1/a", package="other.v1"), package="other.v1"), "mpp.<service>.v<N>"),
    ],
)
def test_a_contract_that_cannot_be_served_is_refused(descriptors: bytes, words: str) -> None:
    with pytest.raises(BadContract, match=re.escape(words)):
        contracts.from_descriptors(descriptors)


def test_an_rpc_without_a_policy_is_refused() -> None:
    open_door = method("A", "/v1/a")
    open_door.options.ClearExtension(options_pb2.access)
    with pytest.raises(BadContract, match="no access policy"):
        contracts.from_descriptors(invented(open_door))


@pytest.mark.parametrize(
    ("template", "path", "fits"),
    [
        ("/v1/{name=sites/*/queues/*}:watch", "/v1/sites/malang/queues/dukcapil:watch", True),
        ("/v1/{name=sites/*/queues/*}", "/v1/sites/malang/queues/dukcapil:watch", False),
        ("/v1/{name=sites/*/queues/*}", "/v1/sites/malang/queues/a/b", False),
        ("/v1/{parent=sites/*}/tickets", "/v1/sites/malang/tickets", True),
        ("/v1/{name=sites/**}", "/v1/sites/malang/queues/dukcapil", True),
        ("/v1/{id}", "/v1/x.y", True),
        ("/v1/sites:apply", "/v1/sites-apply", False),
    ],
)
def test_the_pattern_of_a_template(template: str, path: str, fits: bool) -> None:
    assert bool(re.fullmatch(Binding("GET", template).pattern, path)) is fits


@pytest.mark.parametrize(
    ("content_type", "fits"),
    [
        ("application/grpc", True),
        ("application/grpc+proto", True),
        ("application/grpc-web+proto", True),
        ("application/grpc-web-text", True),
        ("text/plain", False),
        ("application/x-www-form-urlencoded", False),
        ("application/grpc-evil", False),
    ],
)
def test_which_content_types_reach_a_service(content_type: str, fits: bool) -> None:
    assert bool(re.fullmatch(CONTENT_TYPES, content_type)) is fits


def test_texts_of_refusals_need_no_encoding_in_a_header() -> None:
    for refusal in REFUSALS:
        assert re.fullmatch(r"[ -~]+", refusal.message), refusal
        assert "%" not in refusal.message, refusal


def valid(config: Path) -> None:
    command = [envoy_binary(), "--mode", "validate", "-c", str(config), "--log-level", "warn", "--base-id", "77"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "eprecated" not in done.stderr
    assert "work-in-progress" not in done.stderr


def certificate() -> bytes:
    """Some certificate, in PEM."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    for name in ("openapi.json", "asyncapi.json", "index.html"):
        (folder / name).write_text("{}")
    return folder


def test_envoy_accepts_the_production_configuration(tmp_path: Path, docs: Path, contract: Contract) -> None:
    """The committed file, with the places of its files moved to where a test may write."""
    (tmp_path / "ca.crt").write_bytes(certificate())
    (tmp_path / "mpp.binpb").write_bytes(contract.descriptors)
    text = (HOME / "generated" / "envoy.yaml").read_text()
    defaults = Files()
    for there, here in (
        (defaults.descriptors, tmp_path / "mpp.binpb"),
        (defaults.docs, docs),
        (defaults.trusted_ca, tmp_path / "ca.crt"),
    ):
        assert there in text
        text = text.replace(there, str(here))
    (tmp_path / "envoy.yaml").write_text(text)
    valid(tmp_path / "envoy.yaml")


def test_envoy_accepts_the_configuration_of_a_bare_machine(tmp_path: Path, docs: Path, contract: Contract) -> None:
    edge = read(HOME / "edge.yaml", HOME / "edge.dev.yaml", env={"MPP_OIDC_JWKS_URL": "http://127.0.0.1:1/jwks"})
    valid(render.for_run(contract, edge, {"queue": ["127.0.0.1:1", "127.0.0.1:2"]}, docs, tmp_path))


def test_the_production_configuration_keeps_admin_inside_and_upstreams_by_name() -> None:
    config = yaml.safe_load((HOME / "generated" / "envoy.yaml").read_text())
    assert config["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"
    assert "access_log" not in config["admin"]
    queue = next(c for c in config["static_resources"]["clusters"] if c["name"] == "queue")
    endpoint = queue["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
    assert (endpoint["address"], endpoint["port_value"]) == ("queue", 50051)
    issuer = next(c for c in config["static_resources"]["clusters"] if c["name"] == "oidc-issuer")
    assert issuer["transport_socket"]["typed_config"]["common_tls_context"]["validation_context"]["trusted_ca"]


def test_tls_of_the_edge_itself(contract: Contract) -> None:
    edge = read(HOME / "edge.yaml")
    own = replace(edge.listen, tls_certificate_file="/tls/tls.crt", tls_key_file="/tls/tls.key")
    config = configuration(contract, Edge(listen=own, identity=edge.identity), {}, ())
    chain = config["static_resources"]["listeners"][0]["filter_chains"][0]
    assert chain["transport_socket"]["name"] == "envoy.transport_sockets.tls"
