"""The house's rules hold in every overlay, and each rule finds what it is there to find: objects are broken, in memory,
in the way it forbids, and it must say so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.deploy import k8s_network as network
from tests.deploy import k8s_policy as policy
from tests.deploy.k8s_render import overlays, rendered, services

Objects = list[dict[str, Any]]
Break = Callable[[Objects], object]


@pytest.mark.parametrize("overlay", overlays())
@pytest.mark.parametrize("name", sorted(policy.RULES))
def test_rule_holds(name: str, overlay: str) -> None:
    assert policy.RULES[name](rendered(overlay)) == []


def test_the_network_rules_are_among_them() -> None:
    assert policy.RULES["policies_deny_all_first"] is network.policies_deny_all_first
    assert len(policy.RULES) >= 18


def find(objects: Objects, title: str) -> Any:
    return next(o for o in objects if policy.title(o) == title)


def pod(objects: Objects, title: str = "Deployment queue-serve") -> Any:
    return policy.pod(find(objects, title))


def box(objects: Objects, title: str = "Deployment queue-serve") -> Any:
    return pod(objects, title)["containers"][0]


def spec(objects: Objects, title: str) -> Any:
    return find(objects, title)["spec"]


def drop(objects: Objects, title: str) -> None:
    objects.remove(find(objects, title))


def first(objects: Objects, kind: str, prefix: str = "") -> Any:
    return next(o for o in objects if o["kind"] == kind and o["metadata"]["name"].startswith(prefix))


def _put(where: dict[str, Any], **values: Any) -> None:
    where.update(values)


# rule -> ways to break it, each with the overlay that it is tried on
BROKEN: dict[str, list[tuple[str, Break]]] = {
    "containers_have_requests_and_limits": [
        ("dev", lambda o: box(o)["resources"].pop("limits")),
        ("dev", lambda o: box(o)["resources"]["requests"].pop("memory")),
        ("dev", lambda o: _put(box(o)["resources"]["limits"], memory="8Mi")),
        ("dev", lambda o: box(o, "Job queue-migrate").pop("resources")),
        ("mini", lambda o: box(o, "StatefulSet store").pop("resources")),
    ],
    "what_runs_on_has_all_probes": [
        ("dev", lambda o: box(o).pop("readinessProbe")),
        ("dev", lambda o: box(o, "Deployment queue-work").pop("livenessProbe")),
        ("dev", lambda o: box(o).pop("startupProbe")),
        ("dev", lambda o: _put(box(o)["livenessProbe"]["grpc"], port=50052)),
        ("dev", lambda o: _put(box(o, "Deployment gateway")["readinessProbe"]["httpGet"], port="nowhere")),
    ],
    "services_are_probed_in_their_own_way": [
        ("dev", lambda o: _put(box(o), readinessProbe={"httpGet": {"path": "/readyz", "port": "http"}})),
        ("dev", lambda o: _put(box(o, "Deployment queue-work")["livenessProbe"]["httpGet"], path="/readyz")),
    ],
    "pods_keep_the_restricted_standard": [
        ("dev", lambda o: _put(pod(o), hostNetwork=True)),
        ("dev", lambda o: pod(o)["securityContext"].pop("runAsNonRoot")),
        ("dev", lambda o: _put(pod(o)["securityContext"], runAsUser=0)),
        ("dev", lambda o: pod(o)["securityContext"].pop("seccompProfile")),
        ("dev", lambda o: _put(box(o)["securityContext"], readOnlyRootFilesystem=False)),
        ("dev", lambda o: _put(box(o)["securityContext"], allowPrivilegeEscalation=True)),
        ("dev", lambda o: _put(box(o)["securityContext"], privileged=True)),
        ("dev", lambda o: _put(box(o)["securityContext"]["capabilities"], add=["NET_ADMIN"])),
        ("dev", lambda o: box(o, "Job queue-migrate").pop("securityContext")),
        ("dev", lambda o: pod(o)["volumes"].append({"name": "host", "hostPath": {"path": "/"}})),
        ("dev", lambda o: _put(pod(o), initContainers=[{"name": "root", "image": "mpp-queue:0.2.0"}])),
    ],
    "namespace_enforces_the_restricted_standard": [
        ("dev", lambda o: find(o, "Namespace mpp")["metadata"]["labels"].pop("pod-security.kubernetes.io/enforce")),
        ("dev", lambda o: drop(o, "Namespace mpp")),
        ("production", lambda o: _put(first(o, "ScaledObject")["metadata"], namespace="default")),
    ],
    "no_token_of_the_cluster_is_mounted": [
        ("dev", lambda o: pod(o).pop("automountServiceAccountToken")),
        ("dev", lambda o: _put(pod(o), serviceAccountName="default")),
        ("dev", lambda o: _put(find(o, "ServiceAccount queue"), automountServiceAccountToken=True)),
        ("dev", lambda o: pod(o, "Job queue-migrate").pop("serviceAccountName")),
    ],
    "images_have_a_version": [
        ("dev", lambda o: _put(box(o), image="mpp-queue:latest")),
        ("dev", lambda o: _put(box(o), image="mpp-queue")),
        ("dev", lambda o: _put(box(o), image="registry.example:5000/mpp-queue")),
        ("dev", lambda o: _put(box(o, "StatefulSet broker"), image="rabbitmq:4")),
        ("dev", lambda o: box(o).pop("imagePullPolicy")),
        ("production", lambda o: _put(first(o, "RabbitmqCluster")["spec"], image="rabbitmq:management")),
    ],
    "deployments_have_a_disruption_budget": [
        ("dev", lambda o: drop(o, "PodDisruptionBudget queue-work")),
        ("dev", lambda o: _put(spec(o, "PodDisruptionBudget queue-work"), maxUnavailable=0)),
        ("dev", lambda o: _put(spec(o, "PodDisruptionBudget queue-work"), selector={})),
        ("production", lambda o: drop(o, "RabbitmqCluster broker")),
    ],
    "deployments_spread_over_nodes": [
        ("dev", lambda o: pod(o).pop("topologySpreadConstraints")),
        ("dev", lambda o: pod(o)["topologySpreadConstraints"].pop()),
        ("dev", lambda o: _put(pod(o)["topologySpreadConstraints"][0], labelSelector={"matchLabels": {"a": "b"}})),
    ],
    "deployments_drain": [
        ("dev", lambda o: box(o).pop("lifecycle")),
        ("dev", lambda o: _put(pod(o), terminationGracePeriodSeconds=15)),
        ("dev", lambda o: spec(o, "Deployment queue-work").pop("strategy")),
        ("dev", lambda o: _put(box(o, "Deployment gateway")["lifecycle"]["preStop"]["sleep"], seconds=60)),
    ],
    "secrets_are_references": [
        ("dev", lambda o: o.append({"kind": "Secret", "metadata": {"name": "oops"}, "stringData": {"a": "b"}})),
        ("dev", lambda o: box(o)["env"].append({"name": "MPP_FIELD_KEYS", "value": "k1:AAAA"})),
        ("dev", lambda o: box(o)["env"].append({"name": "MPP_OTHER", "value": "amqp://mpp:pw@broker"})),
        ("dev", lambda o: box(o)["env"].append({"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "a"}}})),
        ("dev", lambda o: _put(box(o)["env"][0], value="/somewhere/else")),
        ("dev", lambda o: box(o)["volumeMounts"].pop(0)),
        ("dev", lambda o: _put(first(o, "ConfigMap", "mpp-settings")["data"], MPP_INDEX_KEY="AAAA")),
        ("dev", lambda o: _put(first(o, "ConfigMap", "broker-config")["data"], more="default_pass = x\npassword = y")),
    ],
    "mounts_and_volumes_meet": [
        ("dev", lambda o: pod(o)["volumes"].pop(0)),
        ("dev", lambda o: pod(o)["volumes"].append({"name": "scratch", "emptyDir": {}})),
    ],
    "services_find_their_pods": [
        ("dev", lambda o: _put(spec(o, "Service queue"), selector={"app.kubernetes.io/name": "other"})),
        ("dev", lambda o: _put(spec(o, "Service queue"), selector={"app.kubernetes.io/name": "queue"})),
        ("dev", lambda o: _put(spec(o, "Service queue")["ports"][0], targetPort="nowhere")),
        ("dev", lambda o: spec(o, "Deployment queue-work")["selector"]["matchLabels"].update(a="b")),
    ],
    "migrate_is_safe_to_run_twice": [
        ("dev", lambda o: _put(box(o, "Job queue-migrate"), args=["serve"])),
        ("dev", lambda o: _put(pod(o, "Job queue-migrate"), restartPolicy="Never")),
        ("dev", lambda o: _put(spec(o, "Job queue-migrate"), backoffLimit=0)),
        ("dev", lambda o: _put(spec(o, "Job queue-migrate"), parallelism=2)),
        ("dev", lambda o: spec(o, "Job queue-migrate").pop("ttlSecondsAfterFinished")),
    ],
    "autoscalers_and_replicas_do_not_fight": [
        ("production", lambda o: _put(spec(o, "Deployment queue-serve"), replicas=3)),
        ("production", lambda o: drop(o, "ScaledObject queue-work")),
        ("production", lambda o: drop(o, "Deployment queue-work")),
        ("dev", lambda o: spec(o, "Deployment queue-serve").pop("replicas")),
    ],
    "policies_deny_all_first": [
        ("dev", lambda o: drop(o, "NetworkPolicy deny-all")),
        ("dev", lambda o: _put(spec(o, "NetworkPolicy deny-all"), policyTypes=["Ingress"])),
        ("dev", lambda o: _put(spec(o, "NetworkPolicy deny-all"), egress=[{}])),
    ],
    "policies_speak_of_pods_that_exist": [
        ("dev", lambda o: drop(o, "Deployment gateway")),
        ("dev", lambda o: drop(o, "StatefulSet store")),
        ("dev", lambda o: _put(spec(o, "NetworkPolicy deny-all"), podSelector={"matchLabels": {"a": "b"}})),
        ("dev", lambda o: _put(spec(o, "NetworkPolicy serve-hears-gateway")["ingress"][0]["ports"][0], port=50052)),
        (
            "dev",
            lambda o: _put(
                spec(o, "NetworkPolicy all-ask-dns")["egress"][0]["to"][0],
                namespaceSelector={"matchLabels": {"kubernetes.io/metadata.name": "nowhere"}},
            ),
        ),
    ],
    "ways_out_have_a_way_in": [
        ("dev", lambda o: drop(o, "NetworkPolicy store-hears-services")),
        ("dev", lambda o: drop(o, "NetworkPolicy services-reach-store")),
        ("dev", lambda o: drop(o, "NetworkPolicy gateway-reaches-serve")),
        ("production", lambda o: drop(o, "NetworkPolicy broker-hears-services")),
        ("dev", lambda o: _put(spec(o, "NetworkPolicy serve-hears-gateway")["ingress"][0]["ports"][0], port=9090)),
    ],
}


def cases() -> list[Any]:
    return [
        pytest.param(name, overlay, breaks, id=f"{name}-{number}")
        for name, ways in BROKEN.items()
        for number, (overlay, breaks) in enumerate(ways)
    ]


@pytest.mark.parametrize(("name", "overlay", "breaks"), cases())
def test_rule_finds_what_is_broken(name: str, overlay: str, breaks: Break) -> None:
    objects = rendered(overlay)
    breaks(objects)
    assert policy.RULES[name](objects), "the rule found nothing"


def test_every_rule_was_seen_to_fail() -> None:
    assert set(BROKEN) == set(policy.RULES)


@pytest.mark.parametrize(
    "breaks",
    [
        lambda o: drop(o, "Deployment queue-work"),
        lambda o: drop(o, "Job queue-migrate"),
        lambda o: drop(o, "Service queue"),
        lambda o: drop(o, "ServiceAccount queue"),
        lambda o: drop(o, "PodDisruptionBudget queue-serve"),
        lambda o: _put(box(o), image="mpp-catalog:0.2.0"),
        lambda o: _put(box(o), args=["work"]),
        lambda o: _put(spec(o, "Service queue"), clusterIP="10.0.0.1"),
    ],
)
def test_a_service_that_is_not_whole_is_found(breaks: Break) -> None:
    objects = rendered("dev")
    breaks(objects)
    assert policy.complete(objects, services())


def test_a_service_without_a_fragment_is_found() -> None:
    assert policy.complete(rendered("dev"), [*services(), "brand-new"])
    assert policy.complete(rendered("dev"), services()[1:])
