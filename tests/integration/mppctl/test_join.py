"""An agency joins at run time: one YAML file, applied, and its queue gives numbers; later it leaves, but not while a citizen
waits. No process is started again.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub
from mppctl.main import app
from typer.testing import CliRunner, Result

pytestmark = pytest.mark.stack
Run = Callable[..., Result]
AIM = 2.0  # seconds from the end of `apply` to the first number, as issue 4 asks

SITE = """\
kind: Site
id: {site}
name_id: MPP Uji
region_code: "35.73"
zone: WIB
timezone: Asia/Jakarta
opening_hours: {{}}
---
kind: Agency
site: {site}
id: perhutani
name_id: Perum Perhutani
category: state_owned_enterprise
queue:
  id: perhutani
  prefix: H
  counters: [1, 2]
  minutes_per_visit: 10
  priority:
    kind: ratio
    run: 2
    classes: [{{id: umkm, name_id: UMKM}}]
services: []
"""


@pytest.fixture
def site() -> str:
    return f"uji-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def run(services: Any) -> Run:
    services.service("catalog")
    services.service("queue")
    endpoints = services.platform.endpoints()

    def command(*arguments: object, **given: Any) -> Result:
        known = [f"--endpoint={name}={endpoints[name]}" for name in ("catalog", "queue", "issuer")]
        return CliRunner(env={"COLUMNS": "200"}).invoke(app, [*known, *map(str, arguments)], **given)

    return command


def test_an_agency_joins_and_leaves_without_a_restart(
    run: Run, site: str, services: Any, eventually: Any, tmp_path: Path
) -> None:
    queue, agency = f"sites/{site}/queues/perhutani", f"sites/{site}/agencies/perhutani"
    stub, kiosk = services.stub("queue", QueueServiceStub), services.auth("kiosk", site=site)

    def take() -> Any:
        request = pb.TakeTicketRequest(parent=queue, priority_class="umkm", request_id=str(uuid.uuid4()))
        try:
            return stub.TakeTicket(request, metadata=kiosk, timeout=30).ticket
        except grpc.RpcError:
            return None

    assert take() is None
    joined = run("apply", "-f", "-", input=SITE.format(site=site))
    assert joined.exit_code == 0, joined.output
    start = time.monotonic()
    ticket = eventually(take)
    print(f"an agency joins: its queue gave {ticket.number} {time.monotonic() - start:.2f} s after apply (aim {AIM} s)")
    assert ticket.number == "H-001"

    again = run("apply", "-f", "-", "--dry-run", "--exit-code", input=SITE.format(site=site))
    assert again.exit_code == 0, again.output
    described = run("describe", agency)
    for part in ("kind: ratio", "waiting", "takes tickets"):
        assert part in described.output, described.output

    eventually(lambda: run("delete", agency, "--dry-run").exit_code == 1)
    refused = run("delete", agency, "--yes")
    assert (refused.exit_code, "OPEN_TICKETS" in refused.output) == (1, True)
    assert "drain" in refused.output
    drained = SITE.format(site=site).replace(
        "  minutes_per", "  draining: true\n  draining_text_id: Kami pindah\n  minutes_per"
    )
    assert run("apply", "-f", "-", input=drained).exit_code == 0
    shown = pb.GetQueueRequest(name=queue)
    eventually(lambda: stub.GetQueue(shown, timeout=30).closed_reason == "DRAINING")
    assert take() is None  # nobody new, but who waits is served
    status = stub.GetQueue(shown, timeout=30)
    assert (status.closed_text, status.waiting) == ("Kami pindah", 1)
    assert "draining: nobody new" in run("describe", agency).output
    officer = services.auth("officer", site=site, agency="perhutani")
    cancel = pb.CancelTicketRequest(name=ticket.name, reason="uji", request_id=str(uuid.uuid4()))
    stub.CancelTicket(cancel, metadata=officer, timeout=30)
    eventually(lambda: run("delete", agency, "--yes").exit_code == 0)
    eventually(lambda: _reason(stub, queue) == "QUEUE_CLOSED")

    assert run("apply", "-f", "-", input=SITE.format(site=site)).exit_code == 0  # and comes back
    assert eventually(take).number == "H-002"


def _reason(stub: Any, queue: str) -> str:
    """Why a queue that is no more is not shown; empty while it is."""
    from mppctl.problems import refusal

    try:
        stub.GetQueue(pb.GetQueueRequest(name=queue), timeout=30)
    except grpc.RpcError as error:
        return refusal(error).reason
    return ""
