"""The check against the last release bites: each way of breaking a promise, done to a copy of the protos, is found."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]
QUEUE, TICKET, EVENTS = "queue/v1/queue_service.proto", "queue/v1/ticket.proto", "queue/v1/events.proto"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("releases", ROOT / "tools" / "protos" / "releases.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


releases = _load()


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image of this checkout: what is measured against it breaks by its mutations alone."""
    image = tmp_path_factory.mktemp("images") / "now.binpb"
    releases.build(image)
    return image


def protos(tmp: Path) -> Path:
    copy = tmp / "proto"
    shutil.copytree(ROOT / "proto", copy, ignore=shutil.ignore_patterns("gen", "releases"))
    return copy


def put(old: str, new: str = "") -> Callable[[str], str]:
    """A mutation: the first `old` (a pattern) becomes `new`."""

    def change(text: str) -> str:
        changed, count = re.subn(old, new, text, count=1, flags=re.DOTALL)
        assert count, f"the mutation finds nothing: {old}"
        return changed

    return change


def mutated(changes: Iterable[tuple[str, Callable[[str], str]]], tmp: Path) -> Path:
    copy = protos(tmp)
    for file, change in changes:
        path = copy / "mpp" / file
        path.write_text(change(path.read_text()))
    return copy


# Each touches a place of its own: all are done to one copy, and each must be found.
BREAKING = {
    "a field is removed": (EVENTS, put(r"  string day = 5;\n"), 'field "5" with name "day"'),
    "a field is removed and its number reserved": (
        TICKET,
        put(r"string reason = 16;", "reserved 16;"),
        'field "16" with name "reason"',
    ),
    "a field is renamed": (TICKET, put(r"string day = 3;", "string date = 3;"), 'changed name from "day" to "date"'),
    "a type is changed": (TICKET, put(r"int32 calls = 7;", "string calls = 7;"), 'type from "int32" to "string"'),
    "a number is changed": (TICKET, put(r"int32 counter = 6;", "int32 counter = 60;"), 'field "6" with name "counter"'),
    "one becomes many": (TICKET, put(r"string offering = 5;", "repeated string offering = 5;"), 'name "offering"'),
    "an enum value is removed": (TICKET, put(r"    STATE_MISSED = 5;\n"), 'enum value "5"'),
    "an enum value is renamed": (TICKET, put(r"STATE_NO_SHOW = 6", "STATE_ABSENT = 6"), '"STATE_ABSENT"'),
    "an RPC is removed": (QUEUE, put(r"  rpc MissTicket.*?\n  }\n"), 'RPC "MissTicket"'),
    "an RPC answers otherwise": (QUEUE, put(r"returns \(IssuedTicket\)", "returns (Ticket)"), '"mpp.queue.v1.Ticket"'),
    "an event is removed": (EVENTS, put(r"message TicketEnded \{.*?\n\}\n"), 'message "TicketEnded"'),
    # Ours, which buf does not see.
    "a path is changed": (QUEUE, put(r"\}:callNext", "}:next"), "{queue}:callNext is no longer served"),
    "a verb is changed": (
        QUEUE,
        put(r'post: ("/v1/[^"]*\}:cancel")', r"put: \1"),
        "POST /v1/sites/{site}/queues/{queue}/",
    ),
    "a token is needed": (
        QUEUE,
        put(r"\{anonymous: true\}", "{grants: [{role: ROLE_CITIZEN, scope: SCOPE_OWN}]}"),
        "anyone could call it",
    ),
    "a role is left out": (QUEUE, put(r"\{role: ROLE_KIOSK, scope: SCOPE_SITE\}, "), "the role kiosk may no longer"),
    "a role reaches less": (QUEUE, put(r"SCOPE_ANY", "SCOPE_OWN"), "citizen reached any, now own"),
    "a field is due": (
        QUEUE,
        put(r"enum\.defined_only = true", "enum = {defined_only: true, not_in: [0]}"),
        "priority_group: a request without it was taken",
    ),
    "a limit is lowered": (QUEUE, put("max_len = 500", "max_len = 5"), "maxLength is 5, it was 500"),
    "an event becomes internal": (EVENTS, put("AUDIENCE_PUBLIC", "AUDIENCE_INTERNAL"), "agencies got this event"),
    "a field becomes personal": (
        EVENTS,
        put(r"int32 counter = 4;", "int32 counter = 4 [(mpp.options.v1.personal) = true];"),
        "TicketCalled.counter: agencies saw this field",
    ),
    "a first personal field moves the event": (
        EVENTS,
        put(r"(serving_at = 7;\n)", r"\1  string note = 90 [(mpp.options.v1.personal) = true];\n"),
        "routing key was ticket_serving.v1, now ticket_serving.v1.public",
    ),
}


@pytest.fixture(scope="module")
def complaints(now: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    copy = mutated([(file, change) for file, change, _ in BREAKING.values()], tmp_path_factory.mktemp("broken"))
    found: list[str] = releases.broken(now, copy)
    return found


@pytest.mark.parametrize("name", BREAKING)
def test_it_is_found(name: str, complaints: list[str]) -> None:
    assert any(BREAKING[name][2] in line for line in complaints), complaints


def test_lint_fails_for_one_removed_field(now: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = mutated([BREAKING["a field is removed"][:2]], tmp_path)
    monkeypatch.setattr(releases, "broken", lambda against, real=releases.broken: real(against, copy))
    monkeypatch.setattr(releases, "last_release", lambda: now)
    with pytest.raises(SystemExit, match='"day"'):
        releases.check()


GROWING = {
    "a field is added to an event": (EVENTS, put(r"string day = 5;", "string day = 5;\n  string weather = 90;")),
    "a field is added to a request": (QUEUE, put(r"string offering = 2", "string note = 90;\n  string offering = 2")),
    "a value is added": (TICKET, put(r"STATE_NO_SHOW = 6;", "STATE_NO_SHOW = 6;\n    STATE_ASLEEP = 90;")),
    "an event is added": (EVENTS, lambda text: text + "\nmessage TicketLaughed {\n  string ticket = 1;\n}\n"),
    "a role is added": (
        QUEUE,
        put(r"\{role: ROLE_KIOSK", "{role: ROLE_VERIFIER, scope: SCOPE_SITE}, {role: ROLE_KIOSK"),
    ),
    "a limit is raised": (QUEUE, put("max_len = 500", "max_len = 5000")),
}


def test_growing_breaks_nothing(now: Path, tmp_path: Path) -> None:
    assert releases.broken(now, mutated(GROWING.values(), tmp_path)) == []


def test_this_checkout_breaks_nothing_of_the_last_release() -> None:
    assert releases.broken(releases.last_release()) == []


def test_the_last_release_is_the_highest_number_not_the_last_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("v0.9.0", "v0.10.0", "v0.2.11"):
        (tmp_path / f"{version}.binpb").touch()
    monkeypatch.setattr(releases, "RELEASES", tmp_path)
    assert releases.last_release().stem == "v0.10.0"


def test_a_release_is_not_made_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="not made twice"):
        releases.cut("0.1.0")
    with pytest.raises(SystemExit, match="three numbers"):
        releases.cut("next")
