"""Standard Webhooks (the specification of that name, version 1): secrets, headers and the body. Knows no network."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks.webhooks import Webhook as Signer

from mpp_subscriptions.journal import Entry

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
SECRET_BYTES = 32  # the specification asks for 24 to 64


def secret_text(raw: bytes) -> str:
    return f"whsec_{base64.b64encode(raw).decode()}"


def headers(message_id: str, at: datetime, body: str, secrets: Sequence[str]) -> dict[str, str]:
    """Signed with each of `secrets`, the newest first; `at` is the time of this try, not of the event."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Signer(secret).sign(message_id, at, body) for secret in secrets),
        "content-type": CONTENT_TYPE,
        "user-agent": "mpp-webhooks/1",
    }


def body_of(entry: Entry) -> str:
    """The event in CloudEvents' structured JSON form."""
    attributes: dict[str, object] = {
        "specversion": "1.0",
        "id": entry.id,
        "source": entry.source,
        "type": entry.type,
        "subject": entry.subject,
        "time": entry.time.isoformat() if entry.time else "",
        "sequence": str(entry.sequence),
        "datacontenttype": "application/json",
        "data": json.loads(entry.body),
    }
    if entry.traceparent:
        attributes["traceparent"] = entry.traceparent
    return json.dumps({k: v for k, v in attributes.items() if v != ""}, separators=(",", ":"), ensure_ascii=False)


def test_body(message_id: str, webhook: str, at: datetime) -> str:
    """An event of no service, for trying an address out."""
    return json.dumps(
        {
            "specversion": "1.0",
            "id": message_id,
            "source": "/mpp/subscriptions",
            "type": TEST_TYPE,
            "subject": webhook,
            "time": at.isoformat(),
            "datacontenttype": "application/json",
            "data": {"webhook": webhook},
        },
        separators=(",", ":"),
    )


TEST_TYPE = "mpp.subscriptions.v1.WebhookTest"
