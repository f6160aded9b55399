"""What deploy/compose/compose.yaml must keep. `faults` takes the loaded file and says in words what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

VERBS = ("migrate", "serve", "work")
_TAG = re.compile(r"(\$\{MPP_REGISTRY:-\})?[a-z0-9/-]+:(\$\{MPP_VERSION:-\d+\.\d+\.\d+\}|v?\d+(\.\d+)+(-[a-z]+)?)")
_SECRET = re.compile(r"(PASSWORD|URI|KEY|TOKEN|SECRET)", re.IGNORECASE)


def faults(compose: Mapping[str, Any], services: list[str], version: str) -> list[str]:
    """`services`: the platform's own, as services/ has them. `version`: of our images."""
    found = compose["services"]
    wrong = [
        f"{service}-{verb} is missing" for service in services for verb in VERBS if f"{service}-{verb}" not in found
    ]
    wrong += [f"{name} is of no service of ours" for name in _ours(found) if name.rsplit("-", 1)[0] not in services]
    for name, each in found.items():
        wrong += [f"{name}: {fault}" for fault in _container(each, version)]
    for name in _ours(found):
        wrong += [f"{name}: {fault}" for fault in _process(name, found[name], services)]
    return [*wrong, *_references(compose)]


def _ours(found: Mapping[str, Any]) -> list[str]:
    return [name for name in found if name.endswith(tuple(f"-{verb}" for verb in VERBS))]


def _container(each: Mapping[str, Any], version: str) -> Iterator[str]:
    image = each.get("image", "")
    if not _TAG.fullmatch(image):
        yield f"image {image} has no exact version, or names a registry"
    if "mpp-" in image and f":-{version}}}" not in image:
        yield f"its version is not {version}"
    yield from _hardening(each)
    for port in each.get("ports", []):
        if not (isinstance(port, str) and port.startswith("127.0.0.1:")):
            yield f"port {port} is open beyond this machine"
    limits = each.get("deploy", {}).get("resources", {}).get("limits", {})
    if not {"memory", "pids"} <= limits.keys():
        yield "it has no limits of memory and processes"
    for key, value in (each.get("environment") or {}).items():
        if _SECRET.search(key) and not key.endswith(("_FILE", "_URL")):
            yield f"{key} may hold a secret ({value!r}): secrets come from files"


def _hardening(each: Mapping[str, Any]) -> Iterator[str]:
    if each.get("read_only") is not True:
        yield "its root can be written"
    if each.get("cap_drop") != ["ALL"] or each.get("cap_add") or each.get("privileged"):
        yield "it has capabilities"
    if "no-new-privileges:true" not in each.get("security_opt", []):
        yield "it may gain privileges"
    if each.get("user", "10001:10001").split(":")[0] in ("0", "root"):
        yield "it runs as root"
    sockets = [volume for volume in each.get("volumes", []) if "docker.sock" in str(volume)]
    if each.get("network_mode") or each.get("pid") or sockets:
        yield "it shares what is the machine's"


def _process(name: str, each: Mapping[str, Any], services: list[str]) -> Iterator[str]:
    service, _, verb = name.rpartition("-")
    if f"mpp-{service}:" not in each["image"]:
        yield f"runs {each['image']}"
    if each.get("command") != [verb]:
        yield f"its command is {each.get('command')}"
    if verb == "migrate":
        return
    waits = {key for key, how in each["depends_on"].items() if how["condition"] == "service_completed_successfully"}
    if waits != {f"{other}-migrate" for other in services}:
        yield "it does not wait for every service's migrate"
    if (each.get("healthcheck") or {}).get("disable"):
        yield "its health is not asked for"
    if verb == "serve" and each["networks"]["inside"]["aliases"] != [service]:
        yield "the gateway does not find it by its name"


def _references(compose: Mapping[str, Any]) -> Iterator[str]:
    """What is named must be there, and what is there must be used."""
    used: set[str] = set()
    for name, each in compose["services"].items():
        names = {secret["source"] if isinstance(secret, dict) else secret for secret in each.get("secrets", [])}
        used |= names
        yield from (f"{name}: secret {secret} is not declared" for secret in sorted(names - compose["secrets"].keys()))
        environment = each.get("environment") or {}
        files = {value.rsplit("/", 1)[1] for key, value in environment.items() if key.endswith("_FILE")}
        yield from (f"{name}: secret {secret} is named but not mounted" for secret in sorted(files - names))
        for other in each.get("depends_on", {}):
            if other not in compose["services"]:
                yield f"{name} waits for {other}, which is not there"
    yield from (f"secret {name} is used by nobody" for name in sorted(compose["secrets"].keys() - used))
