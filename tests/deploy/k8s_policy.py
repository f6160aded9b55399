"""The house's rules for what goes to a cluster. Each is a function: objects in, a list of complaints out.

Knows Kubernetes objects; knows neither files nor kustomize. The tests run every rule over every overlay, and over
objects broken on purpose: a rule that finds nothing in those would be no rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
Rule = Callable[[list[Object]], list[str]]
RULES: dict[str, Rule] = {}
NAMESPACE = "mpp"
DRAIN_SECONDS = 10  # what the chassis needs from SIGTERM to its exit
NO_SERVICES = ("edge", "issuer")  # components that services/ does not hold
ALWAYS_ON = ("Deployment", "StatefulSet")
WORKLOADS = (*ALWAYS_ON, "Job", "DaemonSet", "CronJob")


def rule(function: Rule) -> Rule:
    RULES[function.__name__] = function
    return function


@dataclass(frozen=True)
class Place:
    """A container in its workload."""

    workload: Object
    container: Object

    def __str__(self) -> str:
        return f"{title(self.workload)}/{self.container.get('name')}"


def title(item: Object) -> str:
    return f"{item['kind']} {item['metadata']['name']}"


def of_kind(objects: Iterable[Object], *kinds: str) -> list[Object]:
    return [o for o in objects if o["kind"] in kinds]


def template(workload: Object) -> Object:
    found: Object = workload["spec"]["template"]
    return found


def pod(workload: Object) -> Object:
    found: Object = template(workload)["spec"]
    return found


def labels(workload: Object) -> dict[str, str]:
    return dict(template(workload).get("metadata", {}).get("labels", {}))


def containers(objects: Iterable[Object], *kinds: str) -> Iterator[Place]:
    for workload in of_kind(objects, *(kinds or WORKLOADS)):
        for container in [*pod(workload).get("initContainers", []), *pod(workload)["containers"]]:
            yield Place(workload, container)


def selects(selector: Object | None, found: dict[str, str]) -> bool:
    """A LabelSelector; an empty one selects all, none at all selects nothing."""
    if selector is None:
        return False
    if any(found.get(k) != v for k, v in selector.get("matchLabels", {}).items()):
        return False
    for one in selector.get("matchExpressions", []):
        value, values = found.get(one["key"]), one.get("values", [])
        fine = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not fine[one["operator"]]:
            return False
    return True


def quantity(text: str) -> float:
    """A resource quantity in its base unit."""
    found = re.fullmatch(r"([0-9.]+)(m|k|M|G|Ki|Mi|Gi)?", str(text))
    if not found:
        raise ValueError(f"not a quantity: {text!r}")
    factors = {None: 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
    return float(found[1]) * factors[found[2]]


@rule
def containers_have_requests_and_limits(objects: list[Object]) -> list[str]:
    wrong = []
    for place in containers(objects):
        resources = place.container.get("resources", {})
        for what in ("cpu", "memory"):
            least, most = (resources.get(part, {}).get(what) for part in ("requests", "limits"))
            if not least or not most:
                wrong.append(f"{place}: no request or no limit of {what}")
            elif quantity(least) > quantity(most):
                wrong.append(f"{place}: asks for more {what} than its limit")
    return wrong


@rule
def what_runs_on_has_all_probes(objects: list[Object]) -> list[str]:
    wrong = []
    for place in containers(objects, *ALWAYS_ON):
        ports = {p.get("name"): p["containerPort"] for p in place.container.get("ports", [])}
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = place.container.get(kind)
            if not probe:
                wrong.append(f"{place}: no {kind}")
                continue
            how = probe.get("grpc") or probe.get("httpGet") or probe.get("tcpSocket") or {}
            port = how.get("port")
            if port not in ports and port not in ports.values():
                wrong.append(f"{place}: {kind} asks at port {port}, which it does not have")
    return wrong


@rule
def services_are_probed_in_their_own_way(objects: list[Object]) -> list[str]:
    """`serve` by gRPC's own health service; `work` by its two questions."""
    wrong = []
    for place in containers(objects, "Deployment"):
        component = labels(place.workload).get("app.kubernetes.io/component")
        ready, alive = (place.container.get(f"{kind}Probe", {}) for kind in ("readiness", "liveness"))
        if component == "serve" and ("grpc" not in ready or "grpc" not in alive):
            wrong.append(f"{place}: serve is not asked by gRPC")
        if component == "work" and (
            ready.get("httpGet", {}).get("path") != "/readyz" or alive.get("httpGet", {}).get("path") != "/livez"
        ):
            wrong.append(f"{place}: work is not asked /readyz and /livez")
    return wrong


@rule
def pods_keep_the_restricted_standard(objects: list[Object]) -> list[str]:
    """Pod Security Standards, `restricted`, and a root that cannot be written."""
    wrong = []
    for workload in of_kind(objects, *WORKLOADS):
        spec, context = pod(workload), pod(workload).get("securityContext", {})
        wrong += [f"{title(workload)}: {bad}" for bad in ("hostNetwork", "hostPID", "hostIPC") if spec.get(bad)]
        if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
            wrong.append(f"{title(workload)}: may run as root")
        if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            wrong.append(f"{title(workload)}: no seccomp profile")
        kinds = {key for volume in spec.get("volumes", []) for key in volume if key != "name"}
        if bad_kinds := kinds - {"configMap", "secret", "emptyDir", "projected", "persistentVolumeClaim"}:
            wrong.append(f"{title(workload)}: volumes of {sorted(bad_kinds)}")
    for place in containers(objects):
        context = place.container.get("securityContext", {})
        expected = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "runAsNonRoot": True}
        wrong += [f"{place}: {key} is not {value}" for key, value in expected.items() if context.get(key) is not value]
        capabilities = context.get("capabilities", {})
        if capabilities.get("drop") != ["ALL"] or capabilities.get("add"):
            wrong.append(f"{place}: keeps capabilities")
        if context.get("privileged") or context.get("runAsUser") == 0:
            wrong.append(f"{place}: privileged")
    return wrong


@rule
def namespace_enforces_the_restricted_standard(objects: list[Object]) -> list[str]:
    spaces = of_kind(objects, "Namespace")
    wrong = [] if [s["metadata"]["name"] for s in spaces] == [NAMESPACE] else ["not exactly one namespace, mpp"]
    for space in spaces:
        if space["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce") != "restricted":
            wrong.append(f"{title(space)}: does not enforce `restricted`")
    others = [o for o in objects if o["kind"] != "Namespace" and o["metadata"].get("namespace") != NAMESPACE]
    return wrong + [f"{title(o)}: not in namespace {NAMESPACE}" for o in others]


@rule
def no_token_of_the_cluster_is_mounted(objects: list[Object]) -> list[str]:
    wrong, accounts = [], {a["metadata"]["name"]: a for a in of_kind(objects, "ServiceAccount")}
    wrong += [
        f"{title(a)}: mounts tokens" for a in accounts.values() if a.get("automountServiceAccountToken") is not False
    ]
    for workload in of_kind(objects, *WORKLOADS):
        spec = pod(workload)
        if spec.get("automountServiceAccountToken") is not False:
            wrong.append(f"{title(workload)}: mounts a token")
        if spec.get("serviceAccountName") not in accounts:
            wrong.append(f"{title(workload)}: has no account of its own")
    return wrong


@rule
def images_have_a_version(objects: list[Object]) -> list[str]:
    wrong = []
    images = [
        (str(place), place.container.get("image", ""), place.container.get("imagePullPolicy"))
        for place in containers(objects)
    ]
    images += [(title(c), c["spec"].get("image", ""), "by the operator") for c in of_kind(objects, "RabbitmqCluster")]
    for place, image, policy in images:
        tag = image.rsplit("/", 1)[-1].partition(":")[2]
        if not re.match(r"\d+\.\d+\.\d+", tag):
            wrong.append(f"{place}: image {image!r} has no full version")
        if not policy:
            wrong.append(f"{place}: no imagePullPolicy")
    return wrong


@rule
def deployments_have_a_disruption_budget(objects: list[Object]) -> list[str]:
    """Exactly one (two would forbid every eviction), and one that lets a node be emptied."""
    wrong, budgets = [], of_kind(objects, "PodDisruptionBudget")
    for deployment in of_kind(objects, "Deployment"):
        found = [b for b in budgets if selects(b["spec"]["selector"], labels(deployment))]
        if len(found) != 1:
            wrong.append(f"{title(deployment)}: {len(found)} disruption budgets")
        elif found[0]["spec"].get("maxUnavailable") != 1:
            wrong.append(f"{title(found[0])}: does not allow one pod to go")
    pods = [labels(w) for w in of_kind(objects, *WORKLOADS)] + broker_pods(objects)
    return wrong + [
        f"{title(b)}: guards no pod" for b in budgets if not any(selects(b["spec"]["selector"], p) for p in pods)
    ]


@rule
def deployments_spread_over_nodes(objects: list[Object]) -> list[str]:
    wrong = []
    for deployment in of_kind(objects, "Deployment"):
        spreads = pod(deployment).get("topologySpreadConstraints", [])
        keys = {s["topologyKey"] for s in spreads if selects(s.get("labelSelector"), labels(deployment))}
        if not {"kubernetes.io/hostname", "topology.kubernetes.io/zone"} <= keys:
            wrong.append(f"{title(deployment)}: not spread over nodes and zones")
    return wrong


@rule
def deployments_drain(objects: list[Object]) -> list[str]:
    """A rolling update starts the new before it ends the old; the old has time to end its calls."""
    wrong = []
    for deployment in of_kind(objects, "Deployment"):
        rolling = deployment["spec"].get("strategy", {}).get("rollingUpdate", {})
        if rolling.get("maxUnavailable") != 0 or not rolling.get("maxSurge"):
            wrong.append(f"{title(deployment)}: an update takes pods away before new ones are ready")
        asked = labels(deployment).get("app.kubernetes.io/component") in ("serve", "edge")
        for container in pod(deployment)["containers"]:
            sleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            if asked and sleep < 5:
                wrong.append(f"{title(deployment)}: stops before the others know")
            if pod(deployment).get("terminationGracePeriodSeconds", 0) < sleep + DRAIN_SECONDS + 5:
                wrong.append(f"{title(deployment)}: is killed while it drains")
    return wrong


SECRET_WORDS = re.compile(r"PASSWORD|SECRET|TOKEN|_KEYS?$|_KEYS?_|_URI$|BROKER_API$|CREDENTIAL")
CREDENTIALS = re.compile(r"://[^/\s:@]+:[^/\s@]+@|-----BEGIN [A-Z ]*PRIVATE KEY|password\s*[=:]", re.IGNORECASE)


@rule
def secrets_are_references(objects: list[Object]) -> list[str]:
    """No secret is rendered; an environment names a file of a mounted secret, or refers to one."""
    wrong = [f"{title(o)}: a secret in the manifests" for o in of_kind(objects, "Secret")]
    for config in of_kind(objects, "ConfigMap"):
        for key, text in config.get("data", {}).items():
            if CREDENTIALS.search(text) or SECRET_WORDS.search(key):
                wrong.append(f"{title(config)}: {key} looks like a secret")
    for place in containers(objects):
        wrong += [f"{place}: {bad}" for entry in place.container.get("env", []) if (bad := _written_down(place, entry))]
    return wrong


def _written_down(place: Place, entry: Object) -> str:
    """What is wrong with an entry of an environment; nothing when it names no secret, or only refers to one."""
    name, value = entry["name"], entry.get("value")
    if value is None:
        refers = "secretKeyRef" in entry.get("valueFrom", {})
        return "" if refers else f"{name} has neither a value nor a reference to a secret"
    if name.endswith("_FILE"):
        secret = SECRET_WORDS.search(name.removesuffix("_FILE"))
        return (
            f"{name} names {value}: no secret is mounted there" if secret and value not in secret_files(place) else ""
        )
    return f"{name} is written down" if SECRET_WORDS.search(name) or CREDENTIALS.search(value) else ""


def secret_files(place: Place) -> set[str]:
    """Paths at which this container sees keys of secrets."""
    volumes = {v["name"]: v["secret"] for v in pod(place.workload).get("volumes", []) if "secret" in v}
    found = set()
    for mount in place.container.get("volumeMounts", []):
        secret = volumes.get(mount["name"])
        if secret is None:
            continue
        items = [item["path"] for item in secret.get("items", [])] or ["username", "password"]
        found |= {mount["mountPath"]} if mount.get("subPath") else {f"{mount['mountPath']}/{path}" for path in items}
    return found


@rule
def mounts_and_volumes_meet(objects: list[Object]) -> list[str]:
    wrong = []
    for place in containers(objects):
        spec = pod(place.workload)
        volumes = {v["name"] for v in spec.get("volumes", [])}
        volumes |= {c["metadata"]["name"] for c in place.workload["spec"].get("volumeClaimTemplates", [])}
        wrong += [
            f"{place}: mounts {m['name']}, which is no volume"
            for m in place.container.get("volumeMounts", [])
            if m["name"] not in volumes
        ]
    for workload in of_kind(objects, *WORKLOADS):
        for volume in pod(workload).get("volumes", []):
            if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
                wrong.append(f"{title(workload)}: volume {volume['name']} has no bound")
    return wrong


@rule
def services_find_their_pods(objects: list[Object]) -> list[str]:
    wrong = []
    for service in of_kind(objects, "Service"):
        selector = {"matchLabels": service["spec"].get("selector", {})}
        behind = [w for w in of_kind(objects, *ALWAYS_ON) if selects(selector, labels(w))]
        if len(behind) != 1:
            wrong.append(f"{title(service)}: {len(behind)} workloads behind it")
            continue
        ports = {p.get("name") for c in pod(behind[0])["containers"] for p in c.get("ports", [])}
        wrong += [
            f"{title(service)}: no port {p['targetPort']} behind it"
            for p in service["spec"]["ports"]
            if p["targetPort"] not in ports
        ]
    for deployment in of_kind(objects, *ALWAYS_ON):
        if not selects(deployment["spec"].get("selector"), labels(deployment)):
            wrong.append(f"{title(deployment)}: does not select its own pods")
    return wrong


@rule
def migrate_is_safe_to_run_twice(objects: list[Object]) -> list[str]:
    """That the verb itself is, tests/integration/chassis proves; here: the Job repeats it, waits its turn, and goes."""
    wrong = []
    for job in of_kind(objects, "Job"):
        spec, runs = job["spec"], pod(job)
        if runs["containers"][0].get("args") != ["migrate"]:
            wrong.append(f"{title(job)}: a job that is no migrate")
        if runs.get("restartPolicy") != "OnFailure" or spec.get("backoffLimit", 0) < 3:
            wrong.append(f"{title(job)}: gives up when the store is late")
        if spec.get("completions", 1) != 1 or spec.get("parallelism", 1) != 1:
            wrong.append(f"{title(job)}: runs more than once at a time")
        if not spec.get("ttlSecondsAfterFinished") or not spec.get("activeDeadlineSeconds"):
            wrong.append(f"{title(job)}: stays for ever")
    return wrong


@rule
def autoscalers_and_replicas_do_not_fight(objects: list[Object]) -> list[str]:
    wrong, scaled = (
        [],
        [o["spec"]["scaleTargetRef"]["name"] for o in of_kind(objects, "HorizontalPodAutoscaler", "ScaledObject")],
    )
    deployments = {d["metadata"]["name"]: d for d in of_kind(objects, "Deployment")}
    wrong += [f"an autoscaler of {name}, which is not there" for name in scaled if name not in deployments]
    for name, deployment in deployments.items():
        fixed = "replicas" in deployment["spec"]
        if scaled.count(name) + fixed != 1:
            wrong.append(
                f"{title(deployment)}: number of pods set by {scaled.count(name)} autoscalers and {int(fixed)} manifests"
            )
    return wrong


def complete(objects: list[Object], names: list[str]) -> list[str]:
    """Every service of services/ is there, whole, and nothing else claims to be one."""
    have = {title(o) for o in objects}
    wrong = []
    for name in names:
        parts = [f"Service {name}", f"ServiceAccount {name}", f"Job {name}-migrate"]
        parts += [
            f"{kind} {name}-{verb}" for kind in ("Deployment", "PodDisruptionBudget") for verb in ("serve", "work")
        ]
        wrong += [f"{name}: no {part}" for part in parts if part not in have]
    for place in containers(objects, "Deployment", "Job"):
        found = labels(place.workload)
        name, component = found.get("app.kubernetes.io/name", ""), found.get("app.kubernetes.io/component", "")
        if component in NO_SERVICES:
            continue
        if name not in names:
            wrong.append(f"{title(place.workload)}: a service that services/ does not have")
        image = place.container.get("image", "").rsplit("/", 1)[-1].partition(":")[0]
        if image != f"mpp-{name}":
            wrong.append(f"{title(place.workload)}: runs image {image}")
        if place.container.get("args") != [component]:
            wrong.append(f"{title(place.workload)}: runs {place.container.get('args')}")
    for service in of_kind(objects, "Service"):
        if service["metadata"]["name"] in names and service["spec"].get("clusterIP") != "None":
            wrong.append(f"{title(service)}: not headless, so Envoy would see one address")
    return wrong


def broker_pods(objects: list[Object]) -> list[dict[str, str]]:
    """Labels of the pods that the RabbitMQ Cluster Operator makes (its documentation, "Labels")."""
    return [
        {
            "app.kubernetes.io/name": c["metadata"]["name"],
            "app.kubernetes.io/component": "rabbitmq",
            "app.kubernetes.io/part-of": "rabbitmq",
        }
        for c in of_kind(objects, "RabbitmqCluster")
    ]
