"""The development provider: an outbox directory that a person can read. Nothing leaves the machine.

    <outbox>/messages.jsonl       one JSON object a line: at, key, channel, to, body; of a mail title and calendar
    <outbox>/messages/<key>.txt   the same message for the eye

Knows files. Refuses production: phones and texts lie there in the clear (files 0600, directories 0700).

Guaranteed: one line and one file a key, however many processes send it at once and wherever one of them is
killed (an exclusive lock; the file is prepared, the line appended, then the file renamed to its final name: a
prepared file without its final name says that the line must be looked for). NOT guaranteed: the same after a
power cut in the middle of a hand-over, on a file system that forgets the prepared file but keeps the later
line.

Numbers for tests (no Indonesian mobile number begins with 800): +6280000000001 is busy for ever (TEMPORARY),
...02 is unknown (PERMANENT), ...03 is refused (TECHNICAL), ...04 is written and its receipt awaited
(ACCEPTED), ...05 breaks the provider (an exception).
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from mpp_notifications.domain import Channel, Outcome, OutcomeKind
from mpp_notifications.providers.base import BadProvider, OutgoingMessage

_KEY = re.compile(r"[a-z0-9-]{8,80}")
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[A-Za-z0-9.-]{3,253}")
_TEST_NUMBER = "+62800000000"
_TEST_OUTCOMES = {
    _TEST_NUMBER + "01": Outcome(OutcomeKind.TEMPORARY, "busy"),
    _TEST_NUMBER + "02": Outcome(OutcomeKind.PERMANENT, "unknown_number"),
    _TEST_NUMBER + "03": Outcome(OutcomeKind.TECHNICAL, "refused"),
}
# Some readers take these for the end of a line, which is why they are escaped.
_LINE_BREAKS = {ord(each): f"\\u{ord(each):04x}" for each in "\x85\u2028\u2029"}
_ACCEPTS_ONLY = _TEST_NUMBER + "04"
_BREAKS = _TEST_NUMBER + "05"


class FileProvider:
    """Writes into `directory`, which it makes. Raises BadProvider in production or when it cannot be
    written.
    """

    name = "file"

    def __init__(self, directory: Path, *, production: bool, clock: Callable[[], datetime]) -> None:
        if production:
            raise BadProvider("phones and texts would lie in the clear: never when MPP_ENV=production")
        self._directory, self._clock = directory, clock
        self._messages = directory / "messages"
        self._log = directory / "messages.jsonl"
        try:
            self._messages.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(self._open(directory / ".lock", os.O_RDWR))
        except OSError as error:
            raise BadProvider(f"the outbox {directory} cannot be written: {error.strerror}") from error

    def send(self, message: OutgoingMessage) -> Outcome:
        if not _KEY.fullmatch(message.key):
            return Outcome(OutcomeKind.TECHNICAL, "bad_key")
        known = _EMAIL if message.channel is Channel.EMAIL else _PHONE
        if not known.fullmatch(message.recipient):
            return Outcome(OutcomeKind.PERMANENT, "invalid_recipient")
        if message.recipient in _TEST_OUTCOMES:
            return _TEST_OUTCOMES[message.recipient]
        if message.recipient == _BREAKS:
            raise RuntimeError("this number breaks the provider")
        try:
            with self._locked():
                self._write_once(message)
        except OSError:
            return Outcome(OutcomeKind.TEMPORARY, "outbox_not_writable")
        kind = OutcomeKind.ACCEPTED if message.recipient == _ACCEPTS_ONLY else OutcomeKind.DELIVERED
        return Outcome(kind)

    def _write_once(self, message: OutgoingMessage) -> None:
        final = self._messages / f"{message.key}.txt"
        prepared = self._messages / f".{message.key}.prepared"
        if final.exists():
            return
        interrupted = prepared.exists()
        at = self._clock().isoformat(timespec="milliseconds")
        self._write(prepared, os.O_TRUNC, _readable(message, at))
        if not (interrupted and self._has_line(message.key)):
            self._end_with_newline()
            self._write(self._log, os.O_APPEND, _line(message, at))
        prepared.replace(final)

    def _has_line(self, key: str) -> bool:
        needle = f'"key": "{key}"'
        try:
            with self._log.open(encoding="utf-8", errors="replace") as lines:
                return any(needle in line and line.endswith("\n") for line in lines)
        except FileNotFoundError:
            return False

    def _end_with_newline(self) -> None:
        """Cut off half a line that a killed process left; no caller was told that it was written."""
        try:
            with self._log.open("r+b") as file:
                if not file.seek(0, os.SEEK_END):
                    return
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.seek(0)
                    file.truncate(file.read().rfind(b"\n") + 1)
        except FileNotFoundError:
            return

    def _write(self, path: Path, flags: int, text: str) -> None:
        descriptor = self._open(path, os.O_WRONLY | flags)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            content = memoryview(text.encode("utf-8", "replace"))
            while content:
                content = content[file.write(content) :]
            os.fsync(file.fileno())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # A description of its own each time, so that green threads of one process exclude each other too.
        # Nothing inside yields to another green thread.
        descriptor = self._open(self._directory / ".lock", os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @staticmethod
    def _open(path: Path, flags: int) -> int:
        return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _line(message: OutgoingMessage, at: str) -> str:
    fields = {
        "at": at,
        "key": message.key,
        "channel": str(message.channel),
        "to": message.recipient,
        "body": message.body,
        **({"title": message.title} if message.title else {}),
        **({"calendar": message.calendar} if message.calendar else {}),
    }
    return json.dumps(fields, ensure_ascii=False).translate(_LINE_BREAKS) + "\n"


def _readable(message: OutgoingMessage, at: str) -> str:
    title = f"Subject: {message.title}\n" if message.title else ""
    head = f"To: {message.recipient} ({message.channel})\n{title}At: {at}\nKey: {message.key}\n\n"
    return head + message.body + "\n" + (f"\n{message.calendar}" if message.calendar else "")
