"""The examples' calls over HTTP and JSON through the gateway. Knows the document and the token service of a bare machine."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import urllib3
from mpp_apidocs.examples import Example

from tests.contract.apidocs.calls import Answer
from tests.contract.apidocs.schemas import document, operations


@dataclass
class Web:
    """Sends calls to `base`. `platform` gives tokens and holds the outbox of the development provider."""

    base: str
    platform: Any
    http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=30))
    tokens: dict[str, str] = field(default_factory=dict)
    operations: dict[str, tuple[str, str, dict[str, Any]]] = field(
        default_factory=lambda: operations(document("openapi.json"))
    )

    def send(
        self,
        operation: str,
        path: Mapping[str, str],
        query: Mapping[str, Any],
        body: Any,
        claims: Mapping[str, Any] | None,
    ) -> Answer:
        verb, template, described = self.operations[operation]
        url = self.base + re.sub(r"\{(\w+)\}", lambda m: path[m[1]], template)
        streams = "text/event-stream" in described["responses"]["200"]["content"]
        headers = {"accept": "text/event-stream" if streams else "application/json"}
        if claims is not None:
            headers["authorization"] = f"Bearer {self.token(claims)}"
        if body is not None:
            headers["content-type"] = "application/json"
        fields = [(k, str(one)) for k, v in query.items() for one in (v if isinstance(v, list) else [v])]
        url += "?" + urlencode(fields) if fields else ""
        data = None if body is None else json.dumps(body).encode()
        reply = self.http.request(verb.upper(), url, headers=headers, body=data, preload_content=not streams)
        if streams and reply.status == 200:
            return _first_event(reply)
        text = reply.data.decode()
        return Answer(reply.status, json.loads(text), text)

    def token(self, claims: Mapping[str, Any]) -> str:
        key = json.dumps(claims, sort_keys=True)
        if key not in self.tokens:
            more = {k: v for k, v in claims.items() if k not in ("subject", "roles")}
            self.tokens[key] = self.platform.token(claims["subject"], list(claims["roles"]), **more)
        return self.tokens[key]

    def pickup_code(self, _example: Example, path: Mapping[str, str]) -> str:
        """The code that the citizen reads on the phone: in the outbox of the development provider."""
        subject = f"sites/{path['site']}/applications/{path['application']}"
        manager = {"subject": "manajer-malang", "roles": ["site_manager"], "site": path["site"]}
        end = time.monotonic() + 20
        while time.monotonic() < end:
            query = {"subject": subject, "pageSize": 100}
            told = self.send("NotificationsService.ListNotifications", {"site": path["site"]}, query, None, manager)
            for notification in told.body["notifications"]:
                if notification["template"] == "application_ready_for_pickup" and "deliveredAt" in notification:
                    return self._on_the_phone(notification["name"].rsplit("/", 1)[1])
            time.sleep(0.1)
        raise AssertionError("the citizen was not told the pickup code")

    def _on_the_phone(self, key: str) -> str:
        for line in (self.platform.outbox / "messages.jsonl").read_text().splitlines():
            message = json.loads(line)
            if message["key"].startswith(key) and (code := re.search(r"Kode pengambilan: (\d{6})\b", message["body"])):
                return code[1]
        raise AssertionError("the message on the phone holds no code")


def _first_event(reply: Any) -> Answer:
    """The first event of a stream that says something (a sign of life has only defaults); then the stream is left."""
    assert reply.headers["content-type"].startswith("text/event-stream"), reply.headers["content-type"]
    waiting = ""
    for chunk in reply.stream(1 << 16):
        *events, waiting = (waiting + chunk.decode()).split("\n\n")
        for event in events:
            lines = [line.removeprefix("data:").strip() for line in event.split("\n") if line.startswith("data:")]
            message = json.loads("\n".join(lines) or "{}")
            if any(message.values()):
                reply.close()
                return Answer(reply.status, message, event + "\n\n")
    raise AssertionError("the stream ended and said nothing")
