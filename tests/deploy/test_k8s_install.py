"""`deploy/k8s/install` keeps the order that the platform needs. The cluster is a stand-in that records what it is told:
a real one cannot run here. Rendering is real.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy import k8s_policy as policy
from tests.deploy.k8s_render import K8S, kubectl, rendered

STAND_IN = """#!{python}
import json, os, sys
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
if sys.argv[1] == "kustomize":
    os.execv({kubectl!r}, [{kubectl!r}, *sys.argv[1:]])
if {broken!r} and {broken!r} in sys.argv:
    sys.exit("the stand-in was told to fail")
if "get" in sys.argv:
    print("deployment.apps/gateway\\ndeployment.apps/queue-serve")
"""


def install(tmp_path: Path, overlay: str, broken: str = "") -> tuple[int, list[list[str]]]:
    log, fake = tmp_path / "log", tmp_path / "kubectl"
    fake.write_text(STAND_IN.format(python=sys.executable, log=str(log), kubectl=str(kubectl()), broken=broken))
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    environment = {**os.environ, "KUBECTL": str(fake)}
    command = [str(K8S / "install"), str(K8S / "overlays" / overlay)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
    return done.returncode, [json.loads(line) for line in log.read_text().splitlines()]


def places(calls: list[list[str]], *words: str) -> list[int]:
    return [number for number, call in enumerate(calls) if all(word in call for word in words)]


MIGRATE = "app.kubernetes.io/component=migrate"


@pytest.mark.parametrize(
    ("overlay", "store"), [("dev", "statefulset/broker"), ("production", "rabbitmqcluster/broker")]
)
def test_migrations_come_after_the_broker_and_before_the_services(tmp_path: Path, overlay: str, store: str) -> None:
    code, calls = install(tmp_path, overlay)
    assert code == 0
    ground, migrate, everything = places(calls, "apply")
    (broker,) = places(calls, store)
    (forgotten,) = places(calls, "delete", "jobs", MIGRATE)
    (migrated,) = places(calls, "wait", "jobs", MIGRATE)
    assert ground < broker < forgotten < migrate < migrated < everything < places(calls, "rollout")[-1]
    assert MIGRATE in calls[migrate]
    assert "-l" not in calls[everything]
    assert all("--server-side" in calls[number] for number in (ground, migrate, everything))


def test_services_do_not_start_when_a_migration_fails(tmp_path: Path) -> None:
    code, calls = install(tmp_path, "dev", broken="wait")
    assert code != 0
    assert len(places(calls, "apply")) == 2


@pytest.mark.parametrize("overlay", ["dev", "mini", "production"])
def test_the_ground_is_what_migrations_need(overlay: str) -> None:
    """The selector of the first step takes no process of the platform, and all that those refer to."""
    late = {
        "matchExpressions": [
            {"key": "app.kubernetes.io/component", "operator": "In", "values": ["serve", "work", "edge", "migrate"]}
        ]
    }
    first = [o for o in rendered(overlay) if not policy.selects(late, o["metadata"].get("labels", {}))]
    kinds = {o["kind"] for o in first}
    assert kinds >= {"Namespace", "ConfigMap", "ServiceAccount", "NetworkPolicy"}
    assert kinds & {"StatefulSet", "RabbitmqCluster"}
    assert {policy.title(o) for o in first if o["kind"] in ("Deployment", "Job")} <= {"Deployment issuer"}
    jobs = [o for o in rendered(overlay) if o["kind"] == "Job"]
    assert all(o["metadata"]["labels"]["app.kubernetes.io/component"] == "migrate" for o in jobs)
