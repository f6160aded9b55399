"""One citizen's visit, end to end, through public surfaces only: the same code that `make run` shows to people."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from mpp_localrun.visit import run_visit, traced
from rich.console import Console

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def visit(malang: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    malang.gateway()
    told = tmp_path_factory.mktemp("visit") / "told.txt"
    with told.open("w") as file:
        done = run_visit(malang.platform, Console(file=file, width=200))
    malang.settled()
    done.told = told.read_text()
    return done


def test_the_visit_is_told_to_its_end(visit: Any) -> None:
    assert len(visit.steps) == 23
    for word in (
        "Number D-",
        "belum tersedia / not published yet",
        "Kode pengambilan",
        "rates the answer",
        "ApplicationAdvanced",
    ):
        assert word in visit.told


def test_one_visit_is_one_trace_through_serve_and_work_of_the_services(visit: Any) -> None:
    _, processes = traced(visit.platform, visit.trace)
    expected = {f"{s}-{v}" for s in ("queue", "applications", "complaints") for v in ("serve", "work")}
    assert processes >= expected | {"notifications-work"}


def test_no_log_holds_the_person(visit: Any) -> None:
    for file in sorted(visit.platform.logs.glob("*.log")):
        text = file.read_text(errors="replace")
        for secret in (
            visit.nik,
            visit.phone,
            visit.phone.removeprefix("+62"),
            "Budi Santoso",
            "menunggu terlalu lama",
        ):
            assert secret not in text, f"{file.name} holds {secret[:4]}..."


def test_no_store_holds_the_person_in_the_clear(visit: Any, malang: Any) -> None:
    for service in malang.platform.services():
        database = malang.database(service)
        for name in database.list_collection_names():
            for document in database[name].find({}):
                text = repr(document)
                for secret in (visit.nik, visit.phone, "Budi Santoso", "menunggu terlalu lama"):
                    assert secret not in text, f"{service}.{name} {document['_id']} holds {secret[:4]}..."


def test_nothing_is_left_waiting_or_parked(visit: Any, malang: Any) -> None:
    from tests.integration.chassis.conftest import parked

    assert malang.unsettled() == {}
    for service in malang.platform.services():
        for handler in malang.database(service)["handlers"].find({}):
            assert parked(malang.platform.stack.amqp_uri, handler["_id"]) == []


def test_each_message_was_handed_over_once(visit: Any) -> None:
    lines = (visit.platform.outbox / "messages.jsonl").read_text().splitlines()
    keys = [json.loads(line)["key"] for line in lines if visit.phone in line]
    assert len(keys) == len(set(keys))
    assert len(keys) >= 14


def test_the_makefile_knows_the_way() -> None:
    makefile = (Path(__file__).resolve().parents[2] / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    assert targets >= {"run", "stop", "test", "lint", "bench", "help", "clean-data"}
