"""A small aggregator over HTTP: one effect a key, the first answer again for a key that it knows. Knows no provider."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "a-token-of-ours"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Aggregator:
    """On a free port of 127.0.0.1. `refuses`: recipient to the status that it answers, without an effect."""

    def __init__(self, refuses: Mapping[str, int]) -> None:
        self._refuses, self._lock = dict(refuses), threading.Lock()
        self._taken: dict[str, Any] = {}
        aggregator = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                raw = self.rfile.read(size)
                if len(raw) < size:
                    return  # the caller died in the middle
                status, answer = aggregator.answer(self.headers.get("Authorization", ""), json.loads(raw))
                if self.headers.get("Idempotency-Key") != json.loads(raw)["key"]:
                    status = 400
                said = json.dumps(answer).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(said)))
                    self.end_headers()
                    self.wfile.write(said)
                except OSError:
                    return  # it died before the answer

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing on the terminal."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1/messages"

    def answer(self, authorization: str, message: dict[str, Any]) -> tuple[int, dict[str, str]]:
        if authorization != f"Bearer {TOKEN}":
            return 401, {"error": "who are you"}
        if message["recipient"] in self._refuses:
            return self._refuses[message["recipient"]], {"error": f"not to {message['recipient']}"}
        with self._lock:
            self._taken.setdefault(message["key"], message)
            return 202, {"id": f"agg-{list(self._taken).index(message['key'])}"}

    def taken(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._taken.values())

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
