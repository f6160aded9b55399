"""Plain HTTP for probes and Prometheus: /livez, /readyz, /metrics. Knows two questions and no service."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import REGISTRY
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # the default of 5 makes a burst of connections wait for seconds


def serve_health(bind: str, port: int, live: Callable[[], bool], ready: Callable[[], bool]) -> ThreadingHTTPServer:
    """Answer 200 or 503; returns the running server (its thread is a daemon)."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # seconds for a client to say what it wants: one that never does must not keep its thread

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                self._answer(200, generate_latest(REGISTRY), CONTENT_TYPE_LATEST)
                return
            question = {"/livez": live, "/readyz": ready}.get(path)
            if question is None:
                self._answer(404, b"livez, readyz or metrics\n", "text/plain")
                return
            try:
                fine = question()
            except Exception:  # a question that cannot be answered is a no, not a broken connection
                fine = False
            self._answer(200 if fine else 503, b"ok\n" if fine else b"not ok\n", "text/plain")

        def _answer(self, code: int, body: bytes, kind: str) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Probes are no news."""

    server = _Server((bind, port), Handler)
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server
