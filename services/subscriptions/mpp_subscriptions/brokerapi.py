"""RabbitMQ's management HTTP API, as far as accounts of agencies need it. Knows HTTP and that API; never a grant.

Everything is idempotent: said twice it is the same. Each call is bounded (2 s to connect, 5 s to answer).
NOT guaranteed: that several changes happen together. Blocks its thread (under eventlet its green thread).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import urllib3

from mpp_subscriptions import metrics
from mpp_subscriptions.domain.access import Access

TIMEOUT = urllib3.Timeout(connect=2.0, read=5.0)
ALGORITHM = "rabbit_password_hashing_sha256"


class BrokerApiDown(Exception):
    """The API could not be reached, or did not do as asked. The text holds no credentials."""


@dataclass(frozen=True, slots=True)
class Account:
    """What the broker says of one user. `bindings`: (exchange, key) of the queue of the same name; None: no queue."""

    username: str
    password_hash: str
    tags: tuple[str, ...]
    permissions: frozenset[tuple[str, str, str]]  # configure, write, read in our virtual host
    elsewhere: bool  # has permissions in another virtual host
    topics: frozenset[tuple[str, str, str]]  # exchange, write, read
    limits: tuple[tuple[str, int], ...]
    bindings: frozenset[tuple[str, str]] | None


class BrokerApi:
    """One broker (or cluster) and one virtual host of it."""

    def __init__(self, url: str, virtual_host: str, ca_file: str = "") -> None:
        """`url`: http(s)://user:password@host:port. `ca_file`: who signed its certificate; default: the system's."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is None:
            raise ValueError("must be http(s)://user:password@host:port")
        self._base = f"{parts.scheme}://{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}/api"
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        self._headers = {**urllib3.make_headers(basic_auth=login), "Content-Type": "application/json"}
        tls: dict[str, Any] = {"cert_reqs": "CERT_REQUIRED", "ca_certs": ca_file or None}
        self._http = urllib3.PoolManager(maxsize=8, timeout=TIMEOUT, retries=False, **tls)
        self._vhost_name, self._vhost = virtual_host, quote(virtual_host, safe="")

    def put(self, access: Access) -> None:
        """Account, permissions, limits, queue and bindings, in one call. An existing queue keeps its arguments."""
        user, vhost, bounds = access.username, self._vhost_name, access.bounds
        limits = {"max-connections": bounds.connections, "max-channels": bounds.channels}
        self._call(
            "POST",
            "definitions",
            {
                "users": [
                    {
                        "name": user,
                        "password_hash": access.password_hash,
                        "hashing_algorithm": ALGORITHM,
                        "tags": [],
                        "limits": limits,
                    }
                ],
                "permissions": [
                    {
                        "user": user,
                        "vhost": vhost,
                        "configure": access.configure,
                        "write": access.write,
                        "read": access.read,
                    }
                ],
                "topic_permissions": [
                    {
                        "user": user,
                        "vhost": vhost,
                        "exchange": access.exchange,
                        "write": access.topic_write,
                        "read": access.topic_read,
                    }
                ],
                "queues": [
                    {
                        "name": access.queue,
                        "vhost": vhost,
                        "durable": True,
                        "auto_delete": False,
                        "arguments": access.queue_arguments,
                    }
                ],
                "bindings": [
                    {
                        "source": access.exchange,
                        "vhost": vhost,
                        "destination": access.queue,
                        "destination_type": "queue",
                        "routing_key": key,
                        "arguments": {},
                    }
                    for key in access.routing_keys
                ],
            },
        )

    def unbind(self, queue: str, exchange: str, keys: Iterable[str]) -> None:
        """Take bindings away, also those that the agency made itself."""
        path = f"bindings/{self._vhost}/e/{quote(exchange, safe='')}/q/{quote(queue, safe='')}"
        gone = set(keys)
        for binding in self._call("GET", path, missing=[]):
            if binding["routing_key"] in gone:
                self._call("DELETE", f"{path}/{quote(binding['properties_key'], safe='')}", missing=None)

    def remove(self, username: str) -> None:
        """The account, its connections and its queue (of the same name)."""
        self._call("DELETE", f"users/{quote(username, safe='')}", missing=None)
        self.close_connections(username, "access was revoked")
        self._call("DELETE", f"queues/{self._vhost}/{quote(username, safe='')}", missing=None)

    def close_connections(self, username: str, reason: str) -> None:
        """Close what is open now."""
        path = f"connections/username/{quote(username, safe='')}"
        self._call("DELETE", path, missing=None, headers={"X-Reason": reason})

    def account(self, username: str) -> Account | None:
        """One account, read by itself; None when there is none."""
        user = quote(username, safe="")
        found = self._call("GET", f"users/{user}", missing=None)
        if found is None:
            return None
        permissions = self._call("GET", f"users/{user}/permissions", missing=[])
        topics = self._call("GET", f"users/{user}/topic-permissions", missing=[])
        limits = self._call("GET", f"user-limits/{user}", missing=[])
        queue = self._call("GET", f"queues/{self._vhost}/{user}?columns=name", missing=None)
        bindings = self._call("GET", f"queues/{self._vhost}/{user}/bindings", missing=[]) if queue else None
        return self._account(found, permissions, topics, limits, bindings)

    def accounts(self, prefix: str) -> dict[str, Account]:
        """All accounts whose name begins with `prefix`, in six calls however many they are."""
        users = [u for u in self._call("GET", "users") if u["name"].startswith(prefix)]
        permissions, topics, limits = (
            _by(self._call("GET", what), "user") for what in ("permissions", "topic-permissions", "user-limits")
        )
        queues = {q["name"] for q in self._call("GET", f"queues/{self._vhost}?columns=name&disable_stats=true")}
        bindings = _by(self._call("GET", f"bindings/{self._vhost}"), "destination")
        return {
            u["name"]: self._account(
                u,
                permissions.get(u["name"], []),
                topics.get(u["name"], []),
                limits.get(u["name"], []),
                bindings.get(u["name"], []) if u["name"] in queues else None,
            )
            for u in users
        }

    def _account(self, user: Mapping[str, Any], permissions: Any, topics: Any, limits: Any, bindings: Any) -> Account:
        tags = user["tags"] if isinstance(user["tags"], list) else [t for t in user["tags"].split(",") if t]
        here = [p for p in permissions if p["vhost"] == self._vhost_name]
        return Account(
            username=user["name"],
            password_hash=user["password_hash"],
            tags=tuple(tags),
            permissions=frozenset((p["configure"], p["write"], p["read"]) for p in here),
            elsewhere=len(here) != len(permissions),
            topics=frozenset((t["exchange"], t["write"], t["read"]) for t in topics if t["vhost"] == self._vhost_name),
            limits=tuple(sorted((k, int(v)) for one in limits for k, v in dict(one["value"]).items())),
            bindings=None
            if bindings is None
            else frozenset(
                (b["source"], b["routing_key"]) for b in bindings if b["source"] and b["destination_type"] == "queue"
            ),
        )

    def _call(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, **default: Any
    ) -> Any:
        """The decoded answer; `missing` where there is no such thing. Raises BrokerApiDown."""
        started = time.monotonic()
        try:
            answer = self._http.request(
                method,
                f"{self._base}/{path}",
                body=None if body is None else json.dumps(body),
                headers={**self._headers, **(headers or {})},
            )
        except (urllib3.exceptions.HTTPError, OSError) as e:
            raise BrokerApiDown(f"{type(e).__name__} while asking the broker's API") from e
        finally:
            metrics.BROKER_API_SECONDS.labels(method).observe(time.monotonic() - started)
        if answer.status == 404 and "missing" in default:
            return default["missing"]
        if answer.status >= 300:
            raise BrokerApiDown(f"the broker's API answered {answer.status} to {method} {path.split('/')[0]}")
        try:
            return json.loads(answer.data) if answer.data else None
        except ValueError as e:
            raise BrokerApiDown(f"the broker's API answered {method} {path.split('/')[0]} with no JSON") from e


def _by(entries: Iterable[Mapping[str, Any]], key: str) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        found.setdefault(entry[key], []).append(entry)
    return found
