"""Where the platform is and who asks: endpoints, tokens, calls. Knows gRPC and the development issuer's
door.
"""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import grpc

R = TypeVar("R")
TIMEOUT = 10.0  # seconds a call
ATTEMPTS = 4  # of a call that finds nobody at home
ISSUER = "issuer"


class NoConnection(Exception):
    """It is not known, or not possible, to reach what is needed. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the development issuer shall say we are. Empty: what the command at hand needs."""

    role: str = ""
    subject: str = "mppctl"
    site: str = ""
    agency: str = ""


@dataclass(slots=True)
class Connection:
    """Endpoints by service name, and a token or the means to get one."""

    endpoints: Mapping[str, str]
    token: str = field(default="", repr=False)
    identity: Identity = field(default_factory=Identity)
    _channels: dict[str, grpc.Channel] = field(default_factory=dict)
    _tokens: dict[tuple[str, str, str], str] = field(default_factory=dict, repr=False)

    def knows(self, service: str) -> bool:
        """Whether an endpoint of it is known; not whether anybody answers there."""
        return bool(self.endpoints.get(service))

    def stub(self, service: str, stub: Callable[[grpc.Channel], Any]) -> Any:
        """A stub of a service. `https://host:port` is reached over TLS, `host:port` in the clear."""
        if service not in self._channels:
            address = self.endpoints.get(service)
            if not address:
                known = ", ".join(sorted(self.endpoints)) or "none"
                raise NoConnection(
                    f"no endpoint of {service!r} is known (known: {known}); is the platform up (`make run`)? "
                    f"Else give --endpoint {service}=HOST:PORT"
                )
            if address.startswith("https://"):
                host = address.removeprefix("https://")
                self._channels[service] = grpc.secure_channel(host, grpc.ssl_channel_credentials())
            else:
                self._channels[service] = grpc.insecure_channel(address.removeprefix("http://"))
        return stub(self._channels[service])

    def metadata(self, role: str, *, site: str = "", agency: str = "") -> list[tuple[str, str]]:
        """Authorization for a call that `role` may make; options of the command line win over the
        arguments.
        """
        token = self.token or self._issued(
            self.identity.role or role, self.identity.site or site, self.identity.agency or agency
        )
        return [("authorization", f"Bearer {token}")]

    def call(self, rpc: Callable[..., R], request: Any, metadata: list[tuple[str, str]] | None = None) -> R:
        """Call with a deadline; again, a few times, while the service is unavailable.

        Harmless: a mutating request carries a `request_id`, so that its repetition has no second effect.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return rpc(request, metadata=metadata, timeout=TIMEOUT)
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE or attempt == ATTEMPTS:
                    raise
                time.sleep(0.25 * 2**attempt)
        raise AssertionError("the loop returns or raises")

    def close(self) -> None:
        for channel in self._channels.values():
            channel.close()

    def _issued(self, role: str, site: str, agency: str) -> str:
        key = (role, site, agency)
        if key not in self._tokens:
            self._tokens[key] = self._ask_issuer(role, site, agency)
        return self._tokens[key]

    def _ask_issuer(self, role: str, site: str, agency: str) -> str:
        issuer = self.endpoints.get(ISSUER)
        if not issuer:
            raise NoConnection("no token: give --token or MPP_TOKEN (or the development issuer's endpoint)")
        claims: dict[str, object] = {"subject": self.identity.subject, "roles": [role], "site": site, "agency": agency}
        if "," in site:
            claims |= {"site": "", "sites": site.split(",")}
        body = json.dumps({name: value for name, value in claims.items() if value}).encode()
        request = urllib.request.Request(  # noqa: S310  the address is the operator's own
            f"{issuer}/token", data=body, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:  # noqa: S310
                return str(json.load(reply)["access_token"])
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")[:300]
            raise NoConnection(f"the issuer {issuer} gave no token ({error.code}): {text}") from error
        except (OSError, ValueError, KeyError) as error:
            raise NoConnection(f"the issuer {issuer} gave no token: {error}") from error


def find_endpoints(given: list[str], environment: Mapping[str, str], profile: str, start: Path) -> dict[str, str]:
    """Endpoints from the profile's file, then MPP_ENDPOINTS, then the options; the later win.

    Raises NoConnection for an entry that is not name=address.
    """
    found = _of_profile(profile, start)
    entries = [entry for entry in environment.get("MPP_ENDPOINTS", "").split(",") if entry.strip()]
    for entry in [*entries, *given]:
        name, equals, address = entry.strip().partition("=")
        if not equals or not name or not address:
            raise NoConnection(f"{entry!r} is not an endpoint; write name=host:port, as in catalog=127.0.0.1:50061")
        found[name] = address
    return found


def _of_profile(profile: str, start: Path) -> dict[str, str]:
    """`.dev/<profile>/endpoints.json` of the checkout that `start` is in; nothing where there is none."""
    for folder in (start, *start.parents):
        file = folder / ".dev" / profile / "endpoints.json"
        if file.is_file():
            try:
                return {str(name): str(address) for name, address in json.loads(file.read_text()).items()}
            except (OSError, ValueError, AttributeError) as error:
                raise NoConnection(f"{file} is not usable: {error}") from error
    return {}


def connect(endpoint: list[str], profile: str, token: str, identity: Identity) -> Connection:
    """From the options of the command line."""
    return Connection(find_endpoints(endpoint, os.environ, profile, Path.cwd()), token, identity)
