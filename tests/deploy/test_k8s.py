"""deploy/k8s renders, keeps the API's schemas, and does what its words say. No cluster is needed."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.deploy import k8s_policy as policy
from tests.deploy.k8s_network import allowed, outside, pods
from tests.deploy.k8s_render import K8S, ROOT, kustomize, overlays, rendered, services
from tests.deploy.k8s_schemas import complaints

API_VERSIONS = ("1.36", "1.37")
# Custom resources: small strict schemas of our own, of the fields that we use. They were checked against the operators'
# own definitions (RabbitMQ Cluster Operator 2.22, KEDA 2.20, Prometheus Operator 0.93).
SCHEMAS = Path(__file__).parent / "schemas"
CUSTOM = {"RabbitmqCluster", "ScaledObject", "TriggerAuthentication", "PodMonitor"}
each_overlay = pytest.mark.parametrize("overlay", overlays())


def test_there_are_the_three_overlays() -> None:
    assert set(overlays()) == {"dev", "mini", "production"}


@each_overlay
def test_every_service_is_whole_in_every_overlay(overlay: str) -> None:
    assert policy.complete(rendered(overlay), services()) == []


@each_overlay
def test_nothing_of_the_shape_is_left(overlay: str) -> None:
    """SERVICE is the shape's placeholder; a ConfigMap that only feeds kustomize must not reach the cluster."""
    for one in rendered(overlay):
        assert "SERVICE" not in json.dumps({k: v for k, v in one.items() if k not in ("data", "binaryData")})
        assert "config.kubernetes.io/local-config" not in one["metadata"].get("annotations", {})


def test_objects_keep_the_schemas_of_two_versions_of_the_api() -> None:
    seen = {json.dumps(one, sort_keys=True) for overlay in overlays() for one in rendered(overlay)}
    standard = [one for one in map(json.loads, seen) if one["kind"] not in CUSTOM]
    assert len(standard) > 80
    assert [wrong for version in API_VERSIONS for one in standard for wrong in complaints(one, version)] == []


def test_the_schemas_refuse_what_is_wrong() -> None:
    """The tool above really looks: a misspelt field and a number in the place of a text do not pass."""
    one = next(o for o in rendered("dev") if o["kind"] == "Deployment")
    policy.pod(one)["containers"][0]["livenesProbe"] = {}
    two = next(o for o in rendered("dev") if o["kind"] == "Job")
    two["spec"]["backoffLimit"] = "10"
    for version in API_VERSIONS:
        assert "livenesProbe" in str(complaints(one, version))
        assert "backoffLimit" in str(complaints(two, version))


@each_overlay
def test_custom_resources_keep_their_schemas(overlay: str) -> None:
    for one in rendered(overlay):
        if one["kind"] in CUSTOM:
            jsonschema.validate(one, schema(one["kind"]))


def test_production_has_the_custom_resources() -> None:
    assert {o["kind"] for o in rendered("production")} >= CUSTOM


def schema(kind: str) -> Any:
    return json.loads((SCHEMAS / f"{kind.lower()}.json").read_text())


def test_the_schemas_of_custom_resources_refuse_what_is_wrong() -> None:
    one = next(o for o in rendered("production") if o["kind"] == "ScaledObject")
    one["spec"]["triggers"][0]["metadata"]["value"] = 500  # KEDA wants text
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(one, schema("ScaledObject"))


@each_overlay
def test_settings_are_read_by_the_chassis(overlay: str) -> None:
    """The ConfigMap and the mounted secrets together are settings that the processes accept."""
    from mpp_chassis.settings import from_env

    objects = rendered(overlay)
    config = next(o for o in objects if o["metadata"]["name"].startswith("mpp-settings"))["data"]
    for place in policy.containers(objects, "Deployment", "Job"):
        if place.container["name"] != "service":
            continue
        environment = {**config, **{e["name"]: e["value"] for e in place.container["env"]}}
        files = {k: v for k, v in environment.items() if k.startswith("MPP_") and k.endswith("_FILE")}
        assert set(files.values()) <= policy.secret_files(place), place
        given = {
            **{k: v for k, v in environment.items() if k not in files},
            **{k.removesuffix("_FILE"): "a secret" for k in files},
        }
        settings = from_env("queue", given)
        ports = {p["name"]: p["containerPort"] for p in place.container.get("ports", [])}
        assert ports.get("grpc", settings.grpc_port) == settings.grpc_port
        assert ports.get("http", settings.http_port) == settings.http_port
        assert settings.production == (overlay != "dev")


@each_overlay
def test_notifications_has_a_provider_that_starts(overlay: str, tmp_path: Path) -> None:
    """With the overlay's own settings, as its pods compose themselves: files in dev, an aggregator elsewhere."""
    import random
    from datetime import UTC, datetime

    from mpp_chassis.process import Kit
    from mpp_chassis.settings import from_env
    from mpp_notifications import main

    (tmp_path / "token").write_text("a-token\n")
    here = {"MPP_NOTIFICATIONS_OUTBOX": tmp_path / "outbox", "MPP_NOTIFICATIONS_HTTP_TOKEN_FILE": tmp_path / "token"}
    objects = rendered(overlay)
    config = next(o for o in objects if o["metadata"]["name"].startswith("mpp-settings"))["data"]
    for verb in ("serve", "work"):
        pod = policy.pod(next(o for o in objects if policy.title(o) == f"Deployment notifications-{verb}"))
        environment = {**config, **{e["name"]: e["value"] for e in pod["containers"][0]["env"]}}
        given = {k: str(here.get(k, v)) for k, v in environment.items()}
        for secret in ("MPP_AMQP_URI", "MPP_MONGODB_URI", "MPP_FIELD_KEYS", "MPP_INDEX_KEY"):
            del given[f"{secret}_FILE"]
            given[secret] = "a secret"
        settings = from_env("notifications", given)
        kit = Kit(settings, None, None, None, None, lambda: datetime.now(UTC), random.Random(1), None)
        assert main._provider(kit).name == ("file" if overlay == "dev" else "http")


@each_overlay
def test_every_mpp_setting_of_the_config_is_known(overlay: str) -> None:
    """A misspelt variable would be ignored in silence."""
    code = "".join(p.read_text() for p in (ROOT / "chassis").rglob("*.py"))
    code += "".join(p.read_text() for folder in ("services", "tools/gateway") for p in (ROOT / folder).rglob("*.py"))
    config = next(o for o in rendered(overlay) if o["metadata"]["name"].startswith("mpp-settings"))["data"]
    for place in policy.containers(rendered(overlay), "Deployment", "Job"):
        config |= {e["name"]: "" for e in place.container.get("env", []) if e["name"].startswith("MPP_")}
    unknown = [name for name in config if f'"{name.removesuffix("_FILE")}"' not in code and f'"{name}"' not in code]
    assert unknown == []


@each_overlay
def test_the_gateway_makes_its_configuration_of_what_it_is_given(overlay: str, tmp_path: Path) -> None:
    """As the pod does: the image's edge.yaml and the ConfigMap's, the environment, every service by its DNS name."""
    from mpp_gateway import contract, edge, render

    objects = rendered(overlay)
    config = next(o for o in objects if o["metadata"]["name"].startswith("gateway-edge"))["data"]
    settings = next(o for o in objects if o["metadata"]["name"].startswith("mpp-settings"))["data"]
    gateway = next(p.container for p in policy.containers(objects, "Deployment") if p.container["name"] == "envoy")
    assert gateway["args"] == ["--edge", "/etc/mpp-gateway/edge.yaml"]
    assert "/etc/mpp-gateway" in {m["mountPath"] for m in gateway["volumeMounts"]}
    (tmp_path / "edge.yaml").write_text(config["edge.yaml"])
    read = edge.read(ROOT / "deploy/gateway/edge.yaml", tmp_path / "edge.yaml", env=settings)
    assert read.identity.issuer == settings["MPP_OIDC_ISSUER"]
    assert read.identity.audience == settings["MPP_OIDC_AUDIENCE"]
    ports = {p["name"]: p["containerPort"] for p in gateway["ports"]}
    assert ports == {"edge": read.listen.port, "http": read.metrics_port}
    behind_proxy = any(o["kind"] == "Ingress" for o in objects)
    assert read.listen.trusted_hops == int(behind_proxy), "whose X-Forwarded-For is believed"
    folders = {m["mountPath"] for m in gateway["volumeMounts"]}
    trusted = Path(read.files.trusted_ca)
    assert str(trusted.parent) in folders or trusted == Path(edge.Files().trusted_ca), "of the image, or mounted"
    assert str(trusted) in (tmp_path / "edge.yaml").read_text() or not behind_proxy
    pod = policy.pod(next(o for o in objects if policy.title(o) == "Deployment gateway"))
    sleep = gateway["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > sleep + read.timeouts.drain
    assert policy.quantity(gateway["resources"]["limits"]["memory"]) / 2**20 > read.limits.heap_megabytes
    file = render.for_run(contract.from_repository(ROOT), read, {}, tmp_path / "docs", tmp_path / "out")
    envoy = file.read_text()
    for name in services():
        headless = next(o for o in objects if policy.title(o) == f"Service {name}")
        port = headless["spec"]["ports"][0]["port"]
        assert re.search(rf"address: {name}\n\s+port_value: {port}\n", envoy), f"the gateway does not know {name}"


@each_overlay
def test_secrets_that_are_referred_to_are_in_the_readme(overlay: str) -> None:
    readme = (K8S / "README.md").read_text()
    objects = rendered(overlay)
    text = json.dumps([o for o in objects if o["kind"] != "ConfigMap"])
    names = set(re.findall(r'"(?:secretName|caSecretName)": "([^"]+)"', text))
    names |= {r["name"] for o in objects if o["kind"] == "TriggerAuthentication" for r in o["spec"]["secretTargetRef"]}
    made = {o["metadata"]["name"] for o in objects if o["kind"] == "ConfigMap"}
    names |= set(re.findall(r'"configMap(?:Ref)?": {[^}]*"name": "([^"]+)"', text)) - made
    assert names
    assert [name for name in sorted(names) if f"`{name}`" not in readme] == []


def test_the_queues_by_which_work_is_scaled_are_its_handlers_and_no_other() -> None:
    from mpp_chassis.entrypoint import handlers_of

    mine = {name: [queue for queue, _ in handlers_of(handlers(name))] for name in services()}
    others = [f"{queue}.parked" for queues in mine.values() for queue in queues]
    others += ["mpp.retry.1000", "public.journal", *(f"public.{name}" for name in services()), "agency.dukcapil"]
    every = [queue for queues in mine.values() for queue in queues] + others
    triggers = {
        o["metadata"]["name"]: o["spec"]["triggers"] for o in rendered("production") if o["kind"] == "ScaledObject"
    }
    for name, queues in mine.items():
        (trigger,) = triggers.pop(f"{name}-work")
        # RabbitMQ's API searches the pattern anywhere in the name.
        assert [q for q in every if re.search(trigger["metadata"]["queueName"], q)] == queues, name
    assert triggers == {}


def handlers(service: str) -> Any:
    main = importlib.import_module(f"mpp_{service}.main")
    module, _, name = main.SERVICE.handlers.partition(":")
    return getattr(importlib.import_module(module), name)


def test_base_and_autoscaling_list_every_service() -> None:
    """The two lists that `make lists` keeps."""
    base = yaml.safe_load((K8S / "base/kustomization.yaml").read_text())["resources"]
    scaling = yaml.safe_load((K8S / "components/autoscaling/kustomization.yaml").read_text())["resources"]
    assert [r.split("/")[-2] for r in base if "services/" in r] == services()
    assert [r.split("/")[-3] for r in scaling if "services/" in r] == services()


def test_a_new_service_is_one_small_folder(tmp_path: Path) -> None:
    """The shape under another name: nothing in it is bound to the services of today."""
    folder = ROOT / "build" / "k8s-new-service"
    folder.mkdir(parents=True, exist_ok=True)
    text = (ROOT / "services/queue/deploy/kustomization.yaml").read_text()
    text = text.replace("../../../deploy/k8s/service", "../../deploy/k8s/service").replace("queue", "sedekah")
    (folder / "kustomization.yaml").write_text(text)
    objects = list(yaml.safe_load_all(kustomize(folder)))
    assert policy.complete(objects, ["sedekah"]) == []


def test_registry_and_version_of_production_are_in_one_place() -> None:
    images = {p.container["image"] for p in policy.containers(rendered("production"), "Deployment", "Job")}
    assert images == {f"registry.example/mpp/mpp-{name}:0.2.0" for name in [*services(), "gateway"]}


def test_the_memory_of_a_mini_mpp_is_what_its_readme_says() -> None:
    """Told as so much for each service and so much for the rest, so that one more service makes nothing untrue."""
    objects, count = rendered("mini"), len(services())
    asked, most = memory(objects)
    one_asks, one_most = memory([o for o in objects if o["metadata"]["name"] in ("queue-serve", "queue-work")])
    readme = (K8S / "overlays/mini/README.md").read_text()
    for told in (one_asks, asked - count * one_asks, one_most, most - count * one_most):
        assert f"**{told:.0f} MiB**" in readme, f"{told:.0f} MiB is not told"
    assert asked <= 2600, "a node of 4 GiB keeps 1.4 GiB for the system, Kubernetes and an update's second pod"


def memory(objects: list[policy.Object]) -> tuple[float, float]:
    """Requests and limits in MiB of all that runs at all times."""
    sums = []
    for part in ("requests", "limits"):
        total = 0.0
        for place in policy.containers(objects, *policy.ALWAYS_ON):
            count = place.workload["spec"].get("replicas", 1)
            total += count * policy.quantity(place.container["resources"][part]["memory"])
        sums.append(total / 2**20)
    return sums[0], sums[1]


@pytest.mark.parametrize("overlay", ["mini", "production"])
def test_nothing_of_development_is_in_production(overlay: str) -> None:
    objects = rendered(overlay)
    config = next(o for o in objects if o["metadata"]["name"].startswith("mpp-settings"))["data"]
    assert config["MPP_ENV"] == "production"
    assert config["MPP_OIDC_ISSUER"].startswith("https://")
    text = json.dumps(objects)
    assert "devissuer" not in text
    assert "MPP_NOTIFICATIONS_OUTBOX" not in text, "messages would be written into files"


def test_exceptions_of_checkov_have_their_reasons() -> None:
    lines = (ROOT / "deploy/.checkov.yaml").read_text().splitlines()
    skips = [number for number, line in enumerate(lines) if line.strip().startswith("- CKV")]
    assert skips
    for number in skips:
        assert lines[number - 1].strip().startswith("# "), f"{lines[number].strip()} has no reason above it"
    for overlay in overlays():
        for one in rendered(overlay):
            for key, value in one["metadata"].get("annotations", {}).items():
                if key.startswith("checkov.io/skip"):
                    assert re.fullmatch(r"CKV\w+=.{20,}", value), f"{policy.title(one)}: {value}"


WORLD, PRIVATE, METADATA = "203.0.113.7", "10.9.8.7", "169.254.169.254"
BROKER_PORT = {"dev": (5672, 15672), "mini": (5672, 15672), "production": (5671, 15671)}


@each_overlay
def test_what_must_talk_can_talk(overlay: str) -> None:
    objects = rendered(overlay)
    end, (amqp, api) = pods(objects), BROKER_PORT[overlay]
    for name in services():
        assert allowed(objects, end["gateway"], end[f"{name}-serve"], 50051), name
        assert allowed(objects, end[f"{name}-serve"], outside(WORLD), 443), "the issuer's keys"
        for verb in ("serve", "work", "migrate"):
            here = end[f"{name}-{verb}"]
            store = end.get("store") or outside(PRIVATE)
            assert allowed(objects, here, end["broker"], amqp), here.name
            assert allowed(objects, here, store, 27017), here.name
            assert allowed(objects, here, end["kube-system"], 53, "UDP"), here.name
            assert allowed(objects, here, end["kube-system"], 53), here.name
    assert allowed(objects, outside(WORLD), end["gateway"], 8080)
    assert allowed(objects, end["stranger"], end["gateway"], 8080), "an ingress controller"
    assert allowed(objects, end["gateway"], outside(WORLD), 443), "the issuer's keys"
    if "issuer" in end:
        assert allowed(objects, end["gateway"], end["issuer"], 8900)
        assert allowed(objects, end["queue-serve"], end["issuer"], 8900)
    assert allowed(objects, end["subscriptions-work"], end["broker"], api)
    for name in ("subscriptions-work", "notifications-work"):
        assert allowed(objects, end[name], outside(WORLD), 443), name


@each_overlay
def test_services_talk_to_nobody_else(overlay: str) -> None:
    objects = rendered(overlay)
    end, (_, api) = pods(objects), BROKER_PORT[overlay]
    for name in services():
        serve, work, migrate = (end[f"{name}-{verb}"] for verb in ("serve", "work", "migrate"))
        asks = "network.mpp/peers" in serve.labels  # says so in its own fragment
        for other in services():
            if other != name:
                assert allowed(objects, serve, end[f"{other}-serve"], 50051) == asks, "only who says so calls a service"
            for quiet in (work, migrate):
                assert not allowed(objects, quiet, end[f"{other}-serve"], 50051), "work and migrate call no service"
        for target, port in ((serve, 50051), (serve, 9090), (work, 9090)):
            assert not allowed(objects, outside(WORLD), target, port), target.name
            assert not allowed(objects, end["stranger"], target, port), target.name
        assert not allowed(objects, migrate, outside(WORLD), 443)
        assert not allowed(objects, serve, outside(WORLD), 80)
        assert not allowed(objects, serve, end["broker"], api), "only the work of subscriptions manages the broker"
        assert allowed(objects, work, end["broker"], api) == (name == "subscriptions"), name
        assert allowed(objects, work, outside(WORLD), 443) == (name in ("subscriptions", "notifications")), name
        for address in (PRIVATE, METADATA, "172.20.0.1", "192.168.1.1", "127.0.0.1", "100.64.0.1"):
            assert not allowed(objects, work, outside(address), 443), f"{name} reaches {address}"


@each_overlay
def test_strangers_reach_nothing_but_the_gateway(overlay: str) -> None:
    objects = rendered(overlay)
    end, (amqp, api) = pods(objects), BROKER_PORT[overlay]
    strangers = (end["stranger"], end["gateway"], outside(WORLD))
    for stranger in strangers:
        assert not allowed(objects, stranger, end["broker"], api), stranger.name
        if "store" in end:  # one that is outside is guarded by whoever runs it
            assert not allowed(objects, stranger, end["store"], 27017), stranger.name
        if overlay != "production":  # there agencies may come in by AMQP with TLS
            assert not allowed(objects, stranger, end["broker"], amqp), stranger.name
    for stranger in (end["stranger"], outside(WORLD)):
        if "issuer" in end:  # it signs for anyone
            assert not allowed(objects, stranger, end["issuer"], 8900), stranger.name
    assert not allowed(objects, end["gateway"], end["broker"], amqp)
    assert not allowed(objects, end["gateway"], end.get("store") or outside(PRIVATE), 27017)


def test_prometheus_and_keda_have_their_way_in_and_no_more() -> None:
    objects = rendered("production")
    end = pods(objects)
    for name in services():
        assert allowed(objects, end["monitoring"], end[f"{name}-serve"], 9090)
        assert allowed(objects, end["monitoring"], end[f"{name}-work"], 9090)
        assert not allowed(objects, end["monitoring"], end[f"{name}-serve"], 50051)
        assert not allowed(objects, end["keda"], end[f"{name}-work"], 9090)
    assert allowed(objects, end["monitoring"], end["gateway"], 9090)
    assert allowed(objects, end["monitoring"], end["broker"], 15691)
    assert allowed(objects, end["keda"], end["broker"], 15671)
    assert not allowed(objects, end["keda"], end["broker"], 25672)
    assert allowed(objects, end["broker"], end["broker"], 25672), "brokers form their cluster"


def test_prometheus_finds_every_process() -> None:
    objects = rendered("production")
    monitor = next(o for o in objects if o["kind"] == "PodMonitor")["spec"]
    for deployment in policy.of_kind(objects, "Deployment"):
        assert policy.selects(monitor["selector"], policy.labels(deployment)), policy.title(deployment)
        ports = {p.get("name") for p in policy.pod(deployment)["containers"][0]["ports"]}
        assert monitor["podMetricsEndpoints"][0]["port"] in ports, policy.title(deployment)
