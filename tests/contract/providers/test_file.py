"""What only the file provider promises: readable, private, repaired after a crash at any point, never in production."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mpp_notifications.domain import Channel, Outcome, OutcomeKind
from mpp_notifications.providers.base import BadProvider, OutgoingMessage
from mpp_notifications.providers.file import FileProvider

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
HELLO = OutgoingMessage("key-00000001", Channel.SMS, "+6281234567890", "Halo.\n\nHello.")


def provider(outbox: Path) -> FileProvider:
    return FileProvider(outbox, production=False, clock=lambda: NOW)


def lines(outbox: Path) -> list[str]:
    return [json.loads(line)["key"] for line in (outbox / "messages.jsonl").read_text().splitlines()]


def test_a_person_can_read_the_outbox(tmp_path: Path) -> None:
    provider(tmp_path / "outbox").send(HELLO)
    text = (tmp_path / "outbox" / "messages" / "key-00000001.txt").read_text()
    assert "To: +6281234567890 (sms)" in text
    assert text.endswith("\n\nHalo.\n\nHello.\n")
    [line] = (tmp_path / "outbox" / "messages.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "at": "2026-03-02T02:00:00.000+00:00",
        "key": "key-00000001",
        "channel": "sms",
        "to": "+6281234567890",
        "body": "Halo.\n\nHello.",
    }


def test_only_its_owner_can(tmp_path: Path) -> None:
    provider(tmp_path / "outbox").send(HELLO)
    for path in (tmp_path / "outbox").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_never_in_production(tmp_path: Path) -> None:
    with pytest.raises(BadProvider, match="MPP_ENV=production"):
        FileProvider(tmp_path / "outbox", production=True, clock=lambda: NOW)
    assert not (tmp_path / "outbox").exists()


def test_an_outbox_that_cannot_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file in the way")
    with pytest.raises(BadProvider, match="cannot be written"):
        provider(tmp_path / "outbox")


def test_an_outbox_that_goes_away_is_a_temporary_failure(tmp_path: Path) -> None:
    made = provider(tmp_path / "outbox")
    (tmp_path / "outbox").rename(tmp_path / "elsewhere")
    assert made.send(HELLO) == Outcome(OutcomeKind.TEMPORARY, "outbox_not_writable")
    (tmp_path / "elsewhere").rename(tmp_path / "outbox")
    assert made.send(HELLO) == Outcome(OutcomeKind.DELIVERED)
    assert lines(tmp_path / "outbox") == ["key-00000001"]


@pytest.mark.parametrize("point", ["before the line", "in the line", "after the line"])
def test_a_crash_at_each_point_is_repaired_by_the_repetition(tmp_path: Path, point: str) -> None:
    outbox = tmp_path / "outbox"
    made = provider(outbox)
    made.send(OutgoingMessage("key-00000000", Channel.SMS, "+6281234567890", "before"))
    made.send(HELLO)
    done = outbox / "messages" / "key-00000001.txt"
    done.rename(done.with_name(".key-00000001.prepared"))
    log = outbox / "messages.jsonl"
    first, second = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(first + {"before the line": b"", "in the line": second[:-9], "after the line": second}[point])
    assert made.send(HELLO).kind is OutcomeKind.DELIVERED
    assert lines(outbox) == ["key-00000000", "key-00000001"]
    assert sorted(path.name for path in (outbox / "messages").iterdir()) == [
        "key-00000000.txt",
        "key-00000001.txt",
    ]


def test_a_body_cannot_pass_for_another_key(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    made = provider(outbox)
    made.send(OutgoingMessage("key-00000000", Channel.SMS, "+6281234567890", '"key": "key-00000001"'))
    prepared = outbox / "messages" / ".key-00000001.prepared"
    os.close(os.open(prepared, os.O_CREAT, 0o600))  # killed before its line
    made.send(HELLO)
    assert lines(outbox) == ["key-00000000", "key-00000001"]
