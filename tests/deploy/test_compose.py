"""deploy/compose: valid by the Compose Specification's schema and by Compose itself, and by our own policy.

Not run here: there is no Docker on the bare machine. What is in our images runs in `make images`.
"""

from __future__ import annotations

import base64
import copy
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from mpp_chassis.privacy import BlindIndex, FieldCipher
from mpp_chassis.settings import from_env
from mpp_devstack.packages import PackageSet, ensure
from mpp_devstack.progress import Reporter

from tests.deploy.compose_policy import faults
from tests.deploy.dockerfile_policy import ROOT, VERSION

HOME = ROOT / "deploy" / "compose"
COMPOSE: dict[str, Any] = yaml.safe_load((HOME / "compose.yaml").read_text())
SERVICES = sorted(path.parent.name for path in ROOT.glob("services/*/pyproject.toml"))
# Debian's Compose: the first suite that has version 2, which is a single program.
TOOL = PackageSet("docker-compose", "docker-compose", "trixie", lambda name: name == "docker-compose", lambda *_: None)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the folder with secrets of its own, beside what it refers to."""
    root = tmp_path_factory.mktemp("compose")
    shutil.copytree(HOME, root / "deploy/compose", ignore=shutil.ignore_patterns("secrets", ".env"))
    made = subprocess.run([str(root / "deploy/compose/make-secrets")], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return root / "deploy/compose"


def test_it_is_valid_by_the_specification() -> None:
    schema = json.loads((ROOT / "tests/deploy/schemas/compose-spec.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    assert [f"{e.json_path}: {e.message}" for e in validator.iter_errors(COMPOSE)] == []
    broken = copy.deepcopy(COMPOSE)
    broken["services"]["gateway"]["port"] = ["8080"]
    assert [e.message for e in validator.iter_errors(broken)] != []


@pytest.mark.timeout(600)  # the first run downloads Compose
def test_compose_itself_reads_it(installation: Path) -> None:
    with Reporter() as report:
        program = ensure(TOOL, report) / "usr/libexec/docker/cli-plugins/docker-compose"
    env = {"PATH": os.environ["PATH"], "HOME": str(installation), "GATEWAY_PORT": "18080"}
    command = [str(program), "-f", str(installation / "compose.yaml"), "config", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    read = json.loads(done.stdout)["services"]
    assert read.keys() == COMPOSE["services"].keys()
    assert [(p["host_ip"], p["published"]) for p in read["gateway"]["ports"]] == [("127.0.0.1", "18080")]
    assert all(port["host_ip"] == "127.0.0.1" for each in read.values() for port in each.get("ports", []))
    assert read["queue-serve"]["image"] == f"mpp-queue:{VERSION}"


def test_it_keeps_the_policy() -> None:
    assert faults(COMPOSE, SERVICES, VERSION) == []


def _spoil(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Put `value` at a path of keys; None removes."""

    def change(compose: dict[str, Any]) -> None:
        *folders, last = path.split(".")
        place: Any = compose
        for name in folders:
            place = place[name]
        if value is None:
            del place[last]
        else:
            place[last] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("services.queue-work", None, "queue-work is missing"),
        ("services.queue-serve.image", "mpp-queue:latest", "has no exact version"),
        ("services.mongodb.image", "mongo", "has no exact version"),
        ("services.mongodb.image", "registry.example:5000/mongo:8.0.12", "names a registry"),
        ("services.queue-serve.image", "${MPP_REGISTRY:-}mpp-queue:${MPP_VERSION:-0.1.0}", "its version is not"),
        ("services.queue-serve.image", "${MPP_REGISTRY:-}mpp-catalog:${MPP_VERSION:-0.2.0}", "runs"),
        ("services.queue-serve.read_only", False, "its root can be written"),
        ("services.queue-serve.cap_drop", [], "it has capabilities"),
        ("services.gateway.security_opt", [], "it may gain privileges"),
        ("services.gateway.user", "0:0", "it runs as root"),
        ("services.gateway.ports", ["8080:8080"], "is open beyond this machine"),
        ("services.gateway.network_mode", "host", "it shares what is the machine's"),
        ("services.gateway.deploy", {}, "it has no limits"),
        ("services.grafana.environment.GF_SECURITY_ADMIN_PASSWORD", "x", "may hold a secret"),
        ("services.queue-work.command", ["serve"], "its command is"),
        ("services.queue-work.depends_on.catalog-migrate", None, "does not wait for every service's migrate"),
        ("services.queue-work.healthcheck", {"disable": True}, "its health is not asked for"),
        ("services.queue-serve.networks", {"inside": {"aliases": ["other"]}}, "does not find it by its name"),
        ("services.queue-serve.secrets", ["amqp_uri"], "is named but not mounted"),
        ("secrets.field_keys", None, "is not declared"),
        ("secrets.more", {"file": "./x"}, "is used by nobody"),
        ("services.gateway.depends_on", {"x": {"condition": "service_healthy"}}, "which is not there"),
    ],
)
def test_the_policy_finds_what_is_broken(path: str, value: Any, fault: str) -> None:
    broken = copy.deepcopy(COMPOSE)
    _spoil(path, value)(broken)
    assert any(fault in each for each in faults(broken, SERVICES, VERSION)), faults(broken, SERVICES, VERSION)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("verb", ["migrate", "serve", "work"])
def test_its_settings_and_secrets_are_what_the_processes_want(installation: Path, service: str, verb: str) -> None:
    given = COMPOSE["services"][f"{service}-{verb}"]["environment"]
    defaults = {key: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", str(value)) for key, value in given.items()}
    env = {key: value.replace("/run/secrets", str(installation / "secrets")) for key, value in defaults.items()}
    settings = from_env(service, env)
    cipher, index = FieldCipher(settings.field_keys), BlindIndex(settings.index_key)
    assert cipher is not None
    assert index.of("3573014101900001", "nik") != index.of("3573014101900002", "nik")
    assert settings.jwks_url.startswith("http://issuer:8900/")
    assert "@rabbitmq:5672/" in settings.amqp_uri
    assert "@mongodb:27017/" in settings.mongodb_uri


def test_secrets_are_made_once_and_closed_to_others(installation: Path) -> None:
    folder = installation / "secrets"
    assert {path.name for path in folder.iterdir()} == COMPOSE["secrets"].keys()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    subprocess.run([str(installation / "make-secrets")], check=True, capture_output=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(base64.b64decode(before["index_key"])) == 32
    assert len(set(before.values())) == len(before)


def test_prometheus_finds_every_process_here() -> None:
    file = ROOT / "deploy/observability/prometheus.yml"
    jobs = yaml.safe_load(file.read_text())["scrape_configs"]
    hosts = {t.split(":")[0] for job in jobs for static in job.get("static_configs", []) for t in static["targets"]}
    assert hosts <= COMPOSE["services"].keys()
    edge = next(job for job in jobs if job["job_name"] == "gateway")
    port = yaml.safe_load((ROOT / "deploy/gateway/edge.yaml").read_text())["metrics_port"]
    assert (edge["static_configs"][0]["targets"], edge.get("metrics_path", "/metrics")) == (
        [f"gateway:{port}"],
        "/metrics",
    )
    assert {f"{service}-{verb}" for service in SERVICES for verb in ("serve", "work")} <= hosts


def test_what_it_mounts_is_there() -> None:
    mounts = [v for each in COMPOSE["services"].values() for v in each.get("volumes", []) if v.startswith(".")]
    assert mounts
    for mount in mounts:
        source, _, mode = mount.split(":")
        assert (HOME / source).exists(), source
        assert mode == "ro"


def test_example_settings_are_those_that_the_file_reads() -> None:
    text = (HOME / "compose.yaml").read_text()
    read = dict(re.findall(r"\$\{(\w+):-(.*?)\}", text))
    lines = [line for line in (HOME / ".env.example").read_text().splitlines() if line and not line.startswith("#")]
    assert dict(line.split("=", 1) for line in lines) == read
