"""What NetworkPolicies allow, computed. Knows policies, pods and addresses; knows no overlay.

Kubernetes' own rules: a pod that no policy selects for a direction may do all in it; one that is selected may do what
any of those policies allows. A connection needs both its ends' consent.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.deploy.k8s_policy import (
    NAMESPACE,
    WORKLOADS,
    Object,
    broker_pods,
    labels,
    of_kind,
    pod,
    rule,
    selects,
    title,
)

# Namespaces that are not ours, and who is in them: each with the reason for a way in or out.
NEIGHBOURS = {
    "kube-system": {"k8s-app": "kube-dns"},
    "monitoring": {"app.kubernetes.io/name": "prometheus"},
    "keda": {"app": "keda-operator"},
}
OPERATORS_PORTS = (4369, 5671, 15671, 15691, 15692, 25672, 35672)  # of a RabbitMQ cluster with TLS only


@dataclass(frozen=True)
class End:
    """One end of a connection: a pod, or an address outside."""

    name: str
    labels: dict[str, str] = field(default_factory=dict, hash=False)
    namespace: str = ""
    address: str = ""
    ports: tuple[int, ...] = ()


def pods(objects: list[Object]) -> dict[str, End]:
    """Every pod of the overlay by its workload's name, and the neighbours'."""
    found = {}
    for workload in of_kind(objects, *WORKLOADS):
        ports = [p["containerPort"] for c in pod(workload)["containers"] for p in c.get("ports", [])]
        name = workload["metadata"]["name"]
        found[name] = End(name, labels(workload), NAMESPACE, ports=tuple(ports))
    for made in broker_pods(objects):
        found["broker"] = End("broker", made, NAMESPACE, ports=OPERATORS_PORTS)
    for namespace, its in NEIGHBOURS.items():
        found[namespace] = End(namespace, its, namespace, ports=(53,) if namespace == "kube-system" else ())
    found["stranger"] = End("stranger", {"app": "stranger"}, "elsewhere")
    return found


def outside(address: str) -> End:
    return End(address, address=address)


def allowed(objects: list[Object], source: End, target: End, port: int, protocol: str = "TCP") -> bool:
    out = _consents(objects, "Egress", source, target, port, protocol)
    return out and _consents(objects, "Ingress", target, source, port, protocol)


def _consents(objects: list[Object], direction: str, own: End, other: End, port: int, protocol: str) -> bool:
    if own.namespace != NAMESPACE:  # not ours to forbid
        return True
    policies = [
        p["spec"]
        for p in of_kind(objects, "NetworkPolicy")
        if direction in p["spec"].get("policyTypes", ["Ingress"]) and selects(p["spec"]["podSelector"], own.labels)
    ]
    if not policies:
        return True
    side, peers = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    return any(
        _ports(entry, port, protocol) and (peers not in entry or any(_peer(one, other) for one in entry[peers]))
        for policy in policies
        for entry in policy.get(side, [])
    )


def _ports(entry: Object, port: int, protocol: str) -> bool:
    if "ports" not in entry:
        return True
    return any(
        one.get("protocol", "TCP") == protocol
        and ("port" not in one or one["port"] <= port <= one.get("endPort", one["port"]))
        for one in entry["ports"]
    )


def _peer(peer: Object, other: End) -> bool:
    if "ipBlock" in peer:
        if not other.address:
            return False
        address, block = ipaddress.ip_address(other.address), peer["ipBlock"]
        inside = address in ipaddress.ip_network(block["cidr"])
        return inside and not any(address in ipaddress.ip_network(one) for one in block.get("except", []))
    if other.address:
        return False
    space = {"kubernetes.io/metadata.name": other.namespace}
    if "namespaceSelector" in peer:
        if not selects(peer["namespaceSelector"], space):
            return False
    elif other.namespace != NAMESPACE:
        return False
    return "podSelector" not in peer or selects(peer["podSelector"], other.labels)


def _selectors(policy: Object) -> Iterator[tuple[Object, Object | None]]:
    """(peer's pod selector, its namespace selector) of each allowed peer that is a pod."""
    for side, peers in (("ingress", "from"), ("egress", "to")):
        for entry in policy["spec"].get(side, []):
            for one in entry.get(peers, []):
                if "ipBlock" not in one:
                    yield one.get("podSelector", {}), one.get("namespaceSelector")


@rule
def policies_deny_all_first(objects: list[Object]) -> list[str]:
    for policy in of_kind(objects, "NetworkPolicy"):
        spec = policy["spec"]
        bare = not spec.get("ingress") and not spec.get("egress")
        if spec["podSelector"] == {} and set(spec.get("policyTypes", [])) == {"Ingress", "Egress"} and bare:
            return []
    return ["no policy denies everything"]


@rule
def policies_speak_of_pods_that_exist(objects: list[Object]) -> list[str]:
    """Each policy selects a pod, each peer it names exists, and each way in leads to a port that somebody listens on."""
    wrong, ends = [], [e for e in pods(objects).values() if e.name != "stranger"]
    ours = [e for e in ends if e.namespace == NAMESPACE]
    for policy in of_kind(objects, "NetworkPolicy"):
        own = [e for e in ours if selects(policy["spec"]["podSelector"], e.labels)]
        if not own:
            wrong.append(f"{title(policy)}: selects no pod")
        for selector, space in _selectors(policy):
            names = {"kubernetes.io/metadata.name": ""}
            candidates = (
                ours
                if space is None
                else [e for e in ends if selects(space, {**names, "kubernetes.io/metadata.name": e.namespace})]
            )
            if not any(selects(selector, e.labels) for e in candidates):
                wrong.append(f"{title(policy)}: a peer that is not there: {selector} {space or ''}")
        for entry in policy["spec"].get("ingress", []):
            wanted = {p["port"] for p in entry.get("ports", []) if "port" in p}
            if wanted and not wanted & {port for e in own for port in e.ports}:
                wrong.append(f"{title(policy)}: nobody listens on {sorted(wanted)}")
    return wrong


@rule
def ways_out_have_a_way_in(objects: list[Object]) -> list[str]:
    """Where a pod may go to another of ours it is let in there, port by port, and the other way round."""
    wrong, ours = [], [e for e in pods(objects).values() if e.namespace == NAMESPACE]
    for target in ours:
        # A door that is open to the whole world needs no way out of each of our own pods.
        world = {p for p in target.ports if _consents(objects, "Ingress", target, outside("203.0.113.7"), p, "TCP")}
        for source in ours:
            out = {p for p in target.ports if _consents(objects, "Egress", source, target, p, "TCP")}
            into = {p for p in target.ports if _consents(objects, "Ingress", target, source, p, "TCP")}
            if source is not target and out | world != into | world:
                wrong.append(f"{source.name} -> {target.name}: out {sorted(out)}, in {sorted(into)}")
    return wrong
