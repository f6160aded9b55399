"""A small SMTP server (RFC 5321 with STARTTLS and AUTH PLAIN) on a real socket. Knows no provider.

It keeps a mail once for each Message-ID, as a mailbox with a filter for doubles does (RFC 7352).
"""

from __future__ import annotations

import base64
import email
import socket
import ssl
import threading
from collections.abc import Mapping
from email import policy
from email.message import EmailMessage
from typing import cast

USER, PASSWORD = "kabar", "a-password-of-ours"


class MailHost:
    """On a free port of 127.0.0.1. `says`: what it answers to a command (the verb, `greeting`, or `end` of the data) in
    the place of yes; `hush` says nothing any more, `hangup` closes the connection, `late` takes the mail and then does."""

    def __init__(
        self, says: Mapping[str, str] | None = None, tls: ssl.SSLContext | None = None, *, implicit: bool = False,
        auth: bool = False,
    ) -> None:  # fmt: skip
        self._says, self._tls, self._implicit, self._auth = dict(says or {}), tls, implicit, auth
        self._lock, self._kept = threading.Lock(), dict[str, EmailMessage]()
        self.deliveries: list[tuple[str, str]] = []  # sender and recipient of each transaction, doubles too
        self.commands: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def kept(self) -> list[EmailMessage]:
        with self._lock:
            return list(self._kept.values())

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                raw, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(raw,), daemon=True).start()

    def _one(self, raw: socket.socket) -> None:
        try:
            peer = self._tls.wrap_socket(raw, server_side=True) if self._tls and self._implicit else raw
            _Conversation(self, peer).run()
        except (OSError, EOFError):
            raw.close()


class _Conversation:
    def __init__(self, host: MailHost, peer: socket.socket) -> None:
        self.host, self.peer, self.file = host, peer, peer.makefile("rb")
        self.secure, self.sender, self.recipient = host._implicit, "", ""

    def run(self) -> None:
        self.answer("greeting", "220 mailhost ready")
        while line := self.file.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            self.host.commands.append(verb.upper())
            getattr(self, f"on_{verb.lower()}", self.unknown)(rest)
            if verb.upper() == "QUIT":
                break
        self.peer.close()

    def answer(self, step: str, usual: str) -> bool:
        """Whether it went on as usual."""
        said = self.host._says.get(step, usual)
        if said == "hush":
            threading.Event().wait(20)
        if said in ("hangup", "late", "hush"):
            self.peer.shutdown(socket.SHUT_RDWR)
            raise EOFError
        self.peer.sendall(f"{said}\r\n".encode())
        return said == usual

    def unknown(self, rest: str) -> None:
        self.answer("unknown", "500 what")

    def on_ehlo(self, rest: str) -> None:
        more = [] if self.secure or self.host._tls is None else ["STARTTLS"]
        more += ["AUTH PLAIN"] if self.host._auth else []
        lines = ["mailhost", *more]
        self.answer(
            "EHLO", "\r\n".join(f"250{'-' if n < len(lines) - 1 else ' '}{each}" for n, each in enumerate(lines))
        )

    def on_starttls(self, rest: str) -> None:
        if self.answer("STARTTLS", "220 go on"):
            assert self.host._tls is not None
            self.peer = self.host._tls.wrap_socket(self.peer, server_side=True)
            self.file, self.secure = self.peer.makefile("rb"), True

    def on_auth(self, rest: str) -> None:
        given = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")[1:]
        self.answer("AUTH", "235 welcome" if given == [USER, PASSWORD] else "535 5.7.8 who are you")

    def on_mail(self, rest: str) -> None:
        if self.answer("MAIL", "250 ok"):
            self.sender = rest.partition("<")[2].partition(">")[0]

    def on_rcpt(self, rest: str) -> None:
        if self.answer("RCPT", "250 ok"):
            self.recipient = rest.partition("<")[2].partition(">")[0]

    def on_data(self, rest: str) -> None:
        if not self.answer("DATA", "354 go on"):
            return
        lines = []
        while (line := self.file.readline()) != b".\r\n":
            if not line:
                raise EOFError
            lines.append(line[1:] if line.startswith(b".") else line)
        if self.host._says.get("end", "late") == "late":
            mail = cast(EmailMessage, email.message_from_bytes(b"".join(lines), policy=policy.default))
            with self.host._lock:
                self.host._kept.setdefault(str(mail["Message-ID"]), mail)
                self.host.deliveries.append((self.sender, self.recipient))
        self.answer("end", "250 taken")

    def on_quit(self, rest: str) -> None:
        self.answer("QUIT", "221 bye")
