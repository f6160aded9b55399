"""examples/kiosk against the real service, through a line that is cut and a kiosk whose power fails."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from mpp.catalog.v1 import agency_pb2, channel_pb2
from mpp.catalog.v1 import events_pb2 as catalog_events

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "kiosk"
KIOSK = "sites/uji-antrean/kiosks/kios-depan"


class Wire:
    """A TCP line that can be cut: what passes is passed on, until `cut`."""

    def __init__(self, host: str, port: int) -> None:
        self._target, self._pairs = (host, port), set[socket.socket]()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._up, self._closed = True, False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.getsockname()[1]}"

    def cut(self) -> None:
        self._up = False
        for one in list(self._pairs):
            _drop(one)
        self._pairs.clear()

    def mend(self) -> None:
        self._up = True

    def close(self) -> None:
        self._closed = True
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        while not self._closed:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            if not self._up:
                near.close()
                continue
            far = socket.create_connection(self._target)
            self._pairs |= {near, far}
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(a, b), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    finally:
        _drop(source)
        _drop(sink)


def _drop(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@pytest.fixture
def wire(services: Any) -> Iterator[Wire]:
    host, port = services.platform.endpoints()["queue"].rsplit(":", 1)
    here = Wire(host, int(port))
    yield here
    here.close()


@pytest.fixture(scope="module")
def modules() -> Iterator[Any]:
    sys.path.insert(0, str(EXAMPLE))
    import journal
    import kiosk

    yield kiosk, journal
    sys.path.remove(str(EXAMPLE))


@pytest.fixture(scope="module")
def installed(hall: Any) -> None:
    name = "sites/uji-antrean/channels/kios-depan"
    given = {"name": name, "kind": "sites/uji-antrean/channelKinds/kiosk", "displayName": {"id": "Kios", "en": "Kiosk"}}
    channel = json_format.ParseDict(given, channel_pb2.Channel())
    hall.tell("catalog.events", catalog_events.ChannelPublished(channel=channel), name, 1)
    hall.until(lambda: hall.database["channels"].find_one({"_id": name}))


def _kiosk(modules: Any, hall: Any, wire: Wire, path: Path, line: Any, **given: Any) -> Any:
    program, journal = modules
    channel = grpc.insecure_channel(wire.address, [("grpc.max_reconnect_backoff_ms", 100)])
    token = hall.services.token("kiosk", subject="kios-depan", site="uji-antrean")
    return program.Kiosk(channel, lambda: token, journal.Journal(path), KIOSK, line.name, reserve=5, **given)


def test_the_line_is_cut_and_mended(
    hall: Any, line: Any, wire: Wire, modules: Any, installed: None, tmp_path: Path
) -> None:
    kiosk = _kiosk(modules, hall, wire, tmp_path / "journal.jsonl", line)
    assert kiosk.tend()
    papers = [kiosk.take(), kiosk.take()]
    wire.cut()
    papers += [kiosk.take() for _ in range(4)]
    assert not kiosk.tend()
    assert [p.number for p in papers] == [f"{line.prefix}-{n}" for n in ("001", "002", "K001", "K002", "K003", "K004")]
    assert kiosk.unmerged() == 4
    wire.mend()
    hall.until(kiosk.tend)
    assert kiosk.unmerged() == 0
    assert kiosk.tend(), "nothing is left to do"
    assert kiosk.take().number == f"{line.prefix}-003"
    called = [hall.call(line, counter=1 + n).number for n in range(3)]
    assert called == [p.number for p in papers[:3]], "in the order of the paper, whoever printed it"
    assert len(hall.documents(line)) == 7


def test_without_line_and_numbers_the_citizen_is_sent_to_the_desk(
    hall: Any, line: Any, wire: Wire, modules: Any, installed: None, tmp_path: Path
) -> None:
    kiosk = _kiosk(modules, hall, wire, tmp_path / "journal.jsonl", line)
    wire.cut()
    with pytest.raises(modules[0].SoldOut):
        kiosk.take()
    wire.mend()
    hall.until(kiosk.tend)
    wire.cut()
    numbers = [kiosk.take().number for _ in range(10)]
    assert numbers == [f"{line.prefix}-K{n:03d}" for n in range(1, 11)]
    with pytest.raises(modules[0].SoldOut):
        kiosk.take()


def test_yesterdays_numbers_are_not_printed(
    hall: Any, line: Any, wire: Wire, modules: Any, installed: None, tmp_path: Path
) -> None:
    ahead = [timedelta(0)]
    kiosk = _kiosk(modules, hall, wire, tmp_path / "journal.jsonl", line, clock=lambda: datetime.now(UTC) + ahead[0])
    assert kiosk.tend()
    wire.cut()
    assert not kiosk.take().online
    ahead[0] = timedelta(days=1)
    with pytest.raises(modules[0].SoldOut):
        kiosk.take()


def test_a_kiosk_that_is_cut_off_prints_nothing_in_a_time_that_was_announced(
    hall: Any, line: Any, wire: Wire, modules: Any, installed: None, tmp_path: Path
) -> None:
    """The agency says while there is a line that it takes nobody new; the kiosk hears it by itself and keeps to it, also
    after its power was cut."""
    path = tmp_path / "journal.jsonl"
    kiosk = _kiosk(modules, hall, wire, path, line)
    assert kiosk.tend()
    wire.cut()
    honest = kiosk.take()
    wire.mend()
    queue = {"id": line.name.rsplit("/", 1)[1], "prefix": line.prefix, "counters": line.counters, "minutesPerVisit": 10}
    moving = {**queue, "draining": True, "drainingText": {"id": "Pindah ke gedung B", "en": "Moved to B"}}
    agency = json_format.ParseDict({"name": line.agency, "queue": moving}, agency_pb2.Agency())
    hall.tell("catalog.events", catalog_events.AgencyPublished(agency=agency), line.agency, 2)
    hall.until(lambda: kiosk.tend() and [b for b in kiosk._journal.blocks.values() if b.closed])
    wire.cut()
    with pytest.raises(modules[0].NotNow, match="Pindah ke gedung B / Moved to B"):
        kiosk.take()
    kiosk._journal.close()
    after = _kiosk(modules, hall, wire, path, line)
    with pytest.raises(modules[0].NotNow):
        after.take()
    assert [d["number"] for d in hall.documents(line)] == [honest.number]
    wire.mend()
    hall.tell_agency(line, 3)
    hall.until(lambda: after.tend() and not [b for b in after._journal.blocks.values() if b.closed])
    wire.cut()
    assert not after.take().online


PRINTS_UNTIL_KILLED = """
import sys
from pathlib import Path
import grpc
from journal import Journal
from kiosk import Kiosk
path, kiosk, queue = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
here = Kiosk(grpc.insecure_channel("127.0.0.1:9"), lambda: "", Journal(path), kiosk, queue)
for _ in range(1000):
    sys.stdout.write(here.take().number + "\\n")
    sys.stdout.flush()
"""


def test_a_power_cut_loses_no_printed_ticket(
    hall: Any, line: Any, wire: Wire, modules: Any, installed: None, tmp_path: Path
) -> None:
    """The process is killed while it prints; what came out of the printer is merged, each number once."""
    path = tmp_path / "journal.jsonl"
    kiosk = _kiosk(modules, hall, wire, path, line)
    assert kiosk.tend()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(EXAMPLE), *sys.path])}
    program = [sys.executable, "-c", PRINTS_UNTIL_KILLED, str(path), KIOSK, line.name]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=environment) as printing:
        assert printing.stdout is not None
        printed = [printing.stdout.readline().strip() for _ in range(5)]
        printing.kill()
        printed += [rest.strip() for rest in printing.stdout if rest.endswith("\n")]
    with path.open("ab") as torn:
        torn.write(b'{"kind":"printed","block":"')  # the line that the power cut tore
    after = _kiosk(modules, hall, wire, path, line)
    hall.until(after.tend)
    merged = [d["number"] for d in hall.documents(line)]
    assert len(merged) == len(set(merged))
    assert set(printed) <= set(merged)
    assert len(merged) - len(printed) <= 1, "at most the one that was in the journal and not yet on paper"


def test_the_difference_of_the_clocks_is_the_least_that_explains_the_answer(modules: Any) -> None:
    difference, noon, second = modules[0].difference, datetime(2026, 11, 23, 5, tzinfo=UTC), timedelta(seconds=1)
    assert difference(noon, noon + second, noon + 2 * second) == timedelta(0)
    assert difference(noon, noon + 60 * second, noon + 2 * second) == 58 * second
    assert difference(noon, noon - 60 * second, noon + 2 * second) == -60 * second
    half_an_hour_later = noon + timedelta(minutes=30)
    assert difference(noon, noon + second, half_an_hour_later) == timedelta(0), "a stored answer, after a crash"


def test_the_journal_does_not_grow_for_ever(modules: Any, tmp_path: Path) -> None:
    journal = modules[1]
    path = tmp_path / "journal.jsonl"
    here = journal.Journal(path)
    block = {
        "name": f"sites/x/queues/q/offlineBlocks/20261123-{uuid.uuid4().hex[:26]}", "day": "2026-11-23", "prefix": "D-K",
        "first": 1, "last": 2, "until": "2026-11-23T10:00:00+00:00", "day_ends_at": "2026-11-23T17:00:00+00:00",
        "offset_ms": 0,
    }  # fmt: skip
    here.write("leased", block=block)
    here.write("printed", block=block["name"], n=1, issued_at="2026-11-23T09:00:00+00:00", offering="", group=0)
    here.close()
    again = journal.Journal(path)
    assert [p.n for p in again.blocks[block["name"]].unmerged] == [1]
    assert again.blocks[block["name"]].left == 1
    again.write("outcome", block=block["name"], n=1, outcome="merged")
    again.write("returned", block=block["name"])
    again.close()
    assert journal.Journal(path).blocks == {}
    assert path.read_bytes() == b""


def test_a_full_disk_leaves_no_line_that_cannot_be_read(modules: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """Half of a line was written when the disk was full: the next fact stands in its place, not behind it."""
    journal, path = modules[1], tmp_path / "journal.jsonl"
    here, real = journal.Journal(path), os.pwrite

    def full(file: int, data: bytes, at: int) -> int:
        real(file, data[: len(data) // 2], at)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="No space"):
            here.write("leasing", request_id="x" * 500, size=7, at="2026-11-23T09:00:00+00:00")
    assert here.leasing is None
    here.write("leasing", request_id="y", size=8, at="2026-11-23T09:00:00+00:00")
    here.close()
    assert journal.Journal(path).leasing.request_id == "y"


def test_a_clock_that_goes_back_makes_no_paper_from_before_the_lease_or_out_of_order(
    modules: Any, tmp_path: Path
) -> None:
    """The platform would refuse it, and somebody holds it."""
    program, journal = modules
    here = journal.Journal(tmp_path / "journal.jsonl")
    leased = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    block = {
        "name": f"sites/x/queues/q/offlineBlocks/20261123-{uuid.uuid4().hex[:26]}", "day": "2026-11-23", "prefix": "D-K",
        "first": 1, "last": 9, "until": "2026-11-23T05:00:00+00:00", "day_ends_at": "2026-11-23T17:00:00+00:00",
        "offset_ms": 0, "leased_at": leased.isoformat(),
    }  # fmt: skip
    here.write("leased", block=block)
    minutes = iter([-60, 5, -60, 7])
    with grpc.insecure_channel("127.0.0.1:9") as channel:
        kiosk = program.Kiosk(
            channel,
            lambda: "",
            here,
            KIOSK,
            "sites/x/queues/q",
            clock=lambda: leased + timedelta(minutes=next(minutes)),
        )
        issued = [kiosk.take().issued_at - leased for _ in range(4)]
    here.close()
    assert issued == [timedelta(minutes=m) for m in (0, 5, 5, 7)]
    before = {k: v for k, v in block.items() if k != "leased_at"}  # as an earlier version of the program wrote it
    assert journal.Block(**before).now(leased) == leased
