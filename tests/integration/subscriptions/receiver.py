"""An agency's own server: takes webhooks over HTTP/1.1, keeps what came, and answers as the test says, path by path."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks.webhooks import Webhook

Answer = Callable[[int], int]  # the how-manieth request (0 is the first) -> status; may block


@dataclass
class Received:
    """One request."""

    headers: dict[str, str]
    body: str
    at: float
    status: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> Any:
        return json.loads(self.body)

    def verified(self, secret: str) -> Any:
        """As a receiver checks it, with the library of the specification."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Inbox:
    """What came to one path."""

    url: str
    answer: Answer
    requests: list[Received] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)  # of the answers

    @property
    def taken(self) -> list[Received]:
        """What was answered with success."""
        return [r for r in self.requests if 200 <= r.status < 300]

    @property
    def subjects(self) -> list[str]:
        """Of what was taken, each once, in the order of its first coming."""
        return list(dict.fromkeys(r.event["subject"] for r in self.taken))


class Receiver:
    """One server, many paths."""

    def __init__(self) -> None:
        self.inboxes: dict[str, Inbox] = {}
        self.released = threading.Event()  # ends what hangs
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                inbox = outer.inboxes[self.path]
                headers = {k.lower(): v for k, v in self.headers.items()}
                received = Received(headers, body, time.time(), 0)
                inbox.requests.append(received)
                received.status = status = inbox.answer(len(inbox.requests) - 1)
                with contextlib.suppress(ConnectionError):  # the sender did not wait so long
                    self._reply(status, inbox.headers)

            def _reply(self, status: int, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "content-length": "2"}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: object) -> None:
                return

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def inbox(self, path: str, answer: Answer = lambda _: 200) -> Inbox:
        found = self.inboxes[path] = Inbox(self.address + path, answer)
        return found

    def hang(self, _: int) -> int:
        """Answers when the test is over."""
        self.released.wait(60)
        return 500

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
