"""The probes of a process, and migrations that may run twice and at once."""

from __future__ import annotations

import socket
import subprocess
import urllib.error
import urllib.request
from typing import Any

import pytest
from mpp_chassis import broker, metrics
from mpp_chassis.health import serve_health

from .conftest import Probe


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def test_the_probes_answer_what_they_are_asked() -> None:
    answers: dict[str, Any] = {"live": True, "ready": False}

    def live() -> bool:
        if answers["live"] is None:
            raise RuntimeError("cannot tell")
        return bool(answers["live"])

    metrics.OUTBOX_PENDING.set(3)
    server = serve_health("127.0.0.1", 0, live, lambda: answers["ready"])
    port = server.server_address[1]
    try:
        assert get(port, "/livez") == (200, "ok\n")
        assert get(port, "/readyz")[0] == 503
        answers.update(live=False, ready=True)
        assert get(port, "/livez")[0] == 503
        assert get(port, "/readyz?verbose")[0] == 200
        answers["live"] = None
        assert get(port, "/livez")[0] == 503, "a question that fails is a no"
        assert get(port, "/etc/passwd")[0] == 404
        code, text = get(port, "/metrics")
        assert code == 200
        assert "mpp_outbox_pending 3.0" in text
    finally:
        server.shutdown()
        server.server_close()


def test_a_client_that_never_asks_holds_up_nobody() -> None:
    server = serve_health("127.0.0.1", 0, lambda: True, lambda: True)
    port = server.server_address[1]
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
    try:
        assert get(port, "/livez")[0] == 200
        assert server.RequestHandlerClass.timeout is not None  # type: ignore[attr-defined]
    finally:
        for one in silent:
            one.close()
        server.shutdown()
        server.server_close()


@pytest.mark.stack
def test_migrate_twice_and_four_at_once(probe: Probe, amqp_uri: str) -> None:
    def start() -> subprocess.Popen[str]:
        process = probe.process("migrate")
        return subprocess.Popen(
            process.command, env=dict(process.environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    for running in ([start()], [start() for _ in range(4)]):
        for process in running:
            output, _ = process.communicate(timeout=180)
            assert process.returncode == 0, output
    names = set(probe.database["effects"].index_information())
    assert names == {"_id_", "number_1"}
    assert {d["_id"] for d in probe.database["handlers"].find()} == {"probe.record", "probe.project"}
    conn = broker.connection(amqp_uri)
    for queue in ("probe.record", "probe.record.parked", "probe.project", "mpp.retry.200", "public.journal"):
        conn.channel().queue_declare(queue, passive=True)
    conn.close()


@pytest.mark.stack
@pytest.mark.parametrize(("argv", "code"), [([], 2), (["dance"], 2), (["serve", "work"], 2)])
def test_wrong_usage_is_told_and_is_code_2(probe: Probe, argv: list[str], code: int) -> None:
    process = probe.process("work")
    done = subprocess.run(
        [*process.command[:2], *argv], env=dict(process.environment), capture_output=True, text=True, timeout=180
    )
    assert done.returncode == code
    assert "usage" in done.stderr


@pytest.mark.stack
def test_a_missing_setting_is_named_and_is_code_2(probe: Probe) -> None:
    process = probe.process("work", MPP_MONGODB_URI="")
    done = subprocess.run(process.command, env=dict(process.environment), capture_output=True, text=True, timeout=180)
    assert done.returncode == 2
    assert "MPP_MONGODB_URI" in done.stderr
    assert "Traceback" not in done.stderr
