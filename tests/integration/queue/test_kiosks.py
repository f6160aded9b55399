"""Offline numbers and buttons on the real store, with two `serve` processes: blocks never overlap, a printed number is one
ticket, and a kiosk shows what its queues say.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import grpc
import pytest
from google.protobuf import json_format
from mpp.catalog.v1 import channel_pb2, site_pb2
from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp.queue.v1 import kiosk_pb2, ticket_pb2
from mpp.queue.v1 import kiosks_service_pb2 as pb
from mpp.queue.v1.kiosks_service_pb2_grpc import KiosksServiceStub
from mpp_localrun.platform import free_ports, stop, wait_ready

MERGED, REFUSED = kiosk_pb2.MergedEntry.OUTCOME_MERGED, kiosk_pb2.MergedEntry.OUTCOME_REFUSED
PHONE = "+628123456789"
TIMEOUT = 20


def together(callers: int, act: Callable[[int], Any]) -> list[Any]:
    gate = threading.Barrier(callers)

    def run(n: int) -> Any:
        gate.wait()
        return act(n)

    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(run, range(callers)))


@dataclass(frozen=True)
class Foyer:
    """Kiosks of the test's site, at one of two processes."""

    hall: Any
    stubs: tuple[Any, Any]
    site: str = "uji-antrean"

    def elsewhere(self, site: str) -> tuple[Foyer, Any]:
        """The same processes, at another site with one queue."""
        published = site_pb2.Site(name=f"sites/{site}", time_zone="Asia/Jakarta")
        self.hall.tell("catalog.events", catalog_events.SitePublished(site=published), published.name, 1)
        made = uuid.uuid4().hex[:10]
        line = replace(
            self.hall.open_line(), name=f"sites/{site}/queues/q{made}", agency=f"sites/{site}/agencies/a{made}"
        )
        self.hall.tell_agency(line, 1)
        for collection, subject in (("sites", published.name), ("agencies", line.agency)):
            self.hall.until(lambda c=collection, s=subject: self.hall.database[c].find_one({"_id": s}))
        return replace(self, site=site), line

    def who(self, kiosk: str = "kios-1", role: str = "kiosk") -> Any:
        return self.hall.services.auth(role, subject=kiosk, site=self.site)

    def call(self, rpc: str, request: Any, who: Any, process: int = 0) -> Any:
        return getattr(self.stubs[process], rpc)(request, metadata=who, timeout=TIMEOUT)

    def lease(self, line: Any, kiosk: str = "kios-1", size: int = 10, process: int = 0, request_id: str = "") -> Any:
        request = pb.LeaseBlockRequest(
            parent=line.name, kiosk=f"sites/{self.site}/kiosks/{kiosk}", size=size, request_id=request_id or _id()
        )
        return self.call("LeaseBlock", request, self.who(kiosk), process)

    def merge(self, block: Any, *tickets: Any, who: Any = None, process: int = 0) -> list[Any]:
        request = pb.MergeOfflineRequest(name=block.name, tickets=tickets, request_id=_id())
        return list(self.call("MergeOffline", request, who or self.who(), process).entries)

    def install(self, kiosk: str, sequence: int = 1, closures: Sequence[str] = (), **settings: Any) -> str:
        """The catalogue publishes a channel of kind `kiosk`."""
        name = f"sites/{self.site}/channels/{kiosk}"
        given = {
            "name": name,
            "kind": f"sites/{self.site}/channelKinds/kiosk",
            "agency": f"sites/{self.site}/agencies/tu",
            "displayName": {"id": kiosk, "en": kiosk},
            "settings": settings,
            "closures": [{"date": day, "text": {"id": "Kios libur"}} for day in closures],
        }
        channel = json_format.ParseDict(given, channel_pb2.Channel())
        self.hall.tell("catalog.events", catalog_events.ChannelPublished(channel=channel), name, sequence)
        known = self.hall.database["channels"]
        self.hall.until(lambda: (known.find_one({"_id": name}) or {}).get("sequence") == sequence)
        return f"sites/{self.site}/kiosks/{kiosk}"


def _id() -> str:
    return str(uuid.uuid4())


def paper(n: int, at: datetime | None = None, **given: Any) -> Any:
    ticket = pb.OfflineTicket(n=n, **given)
    ticket.issued_at.FromDatetime(at or datetime.now(UTC))
    return ticket


def _a_millisecond_later(printed: Any) -> None:
    """The line knows milliseconds: of two arrivals in the same one the lower number goes first."""
    after = printed.issued_at.ToDatetime(UTC) + timedelta(milliseconds=1)
    while datetime.now(UTC) <= after:
        pass


@pytest.fixture(scope="module")
def foyer(services: Any, hall: Any) -> Iterator[Foyer]:
    platform = services.platform
    grpc_port, http_port = free_ports(2)
    made = platform.process("queue", "serve", MPP_GRPC_PORT=str(grpc_port), MPP_HTTP_PORT=str(http_port))
    process = replace(made, name="queue-serve-kiosks", ready_url=f"http://127.0.0.1:{http_port}/readyz")
    popen = platform.start(process)
    wait_ready([(process, popen)], platform.logs)
    with grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
        here = Foyer(hall, (services.stub("queue", KiosksServiceStub), KiosksServiceStub(channel)))
        for kiosk in ("kios-1", "kios-2"):
            here.install(kiosk)
        yield here
    assert stop(popen) == 0


def test_kiosks_that_lease_at_once_get_numbers_of_their_own(foyer: Foyer, line: Any) -> None:
    leases = together(8, lambda n: foyer.lease(line, f"kios-{n % 2 + 1}", size=7 + n, process=n % 2))
    ranges = sorted((b.first, b.last) for b in leases)
    assert ranges[0][0] == 1
    assert all(last + 1 == first for (_, last), (first, _) in pairwise(ranges)), "no gap, no overlap"
    assert {b.prefix for b in leases} == {f"{line.prefix}-K"}


def test_a_repeated_lease_is_one_block_and_a_kiosk_holds_so_many(foyer: Foyer, line: Any, refusal: Any) -> None:
    request_id = _id()
    again = together(6, lambda n: foyer.lease(line, request_id=request_id, process=n % 2))
    assert len({b.SerializeToString(deterministic=True) for b in again}) == 1
    for _ in range(3):
        foyer.lease(line)
    assert refusal(foyer.lease, line).reason == "TOO_MANY_BLOCKS"
    assert refusal(foyer.lease, line, "kios-9").reason == "KIOSK_UNKNOWN"


def test_what_is_merged_twice_in_parallel_is_in_line_once(foyer: Foyer, line: Any) -> None:
    block = foyer.lease(line, size=20)
    now = datetime.now(UTC)
    printed = [paper(n, now + timedelta(milliseconds=n), phone=PHONE) for n in range(1, 21)]
    replies = together(6, lambda n: foyer.merge(block, *printed, process=n % 2))
    for entries in replies:
        assert [(e.n, e.outcome, e.number, e.late) for e in entries] == [
            (n, MERGED, f"{line.prefix}-K{n:03d}", False) for n in range(1, 21)
        ]
        assert [e.ticket for e in entries] == [e.ticket for e in replies[0]]
    documents = foyer.hall.documents(line)
    assert [d["number"] for d in documents] == [f"{line.prefix}-K{n:03d}" for n in range(1, 21)]
    assert [d["_id"] for d in documents] == [e.ticket for e in replies[0]]
    assert {d["channel"] for d in documents} == {"offline_kiosk"}
    day = foyer.hall.database["offline_days"].find_one({"queue": line.name})
    assert PHONE not in str(documents) + str(day), "sealed, masked, or a blind index"


def test_each_entry_has_an_answer_of_its_own(foyer: Foyer, line: Any) -> None:
    block, other = foyer.lease(line), foyer.lease(line, "kios-2")
    first = paper(1)
    assert foyer.merge(block, first)[0].outcome == MERGED
    entries = foyer.merge(
        block,
        first,
        paper(1, datetime.now(UTC) - timedelta(seconds=1)),
        paper(other.first),
        paper(2, datetime.now(UTC) + timedelta(hours=1)),
        paper(3, datetime.now(UTC) - timedelta(hours=1)),
        paper(5, priority_group=ticket_pb2.PRIORITY_GROUP_ELDERLY, priority_class="gone"),
    )
    assert [(e.outcome, e.reason) for e in entries] == [
        (MERGED, ""),
        (REFUSED, "NUMBER_DIFFERS"),
        (REFUSED, "NUMBER_OUTSIDE_BLOCK"),
        (REFUSED, "ISSUED_IN_FUTURE"),
        (REFUSED, "ISSUED_BEFORE_LEASE"),
        (MERGED, ""),
    ]
    assert len(foyer.hall.documents(line)) == 2


def test_paper_stands_where_it_was_printed_and_keeps_what_happened_since(foyer: Foyer, line: Any) -> None:
    block = foyer.lease(line)
    printed = paper(1)
    _a_millisecond_later(printed)
    online = foyer.hall.take(line).ticket
    foyer.merge(block, printed)
    called = foyer.hall.call(line)
    assert called.number == f"{line.prefix}-K001", "it was printed before the other came"
    again = foyer.merge(block, printed)[0]
    assert (again.outcome, again.ticket) == (MERGED, called.name)
    assert foyer.hall.get(called, foyer.hall.kiosk()).state == ticket_pb2.Ticket.STATE_CALLED
    assert foyer.hall.call(line, counter=2).number == online.number
    assert foyer.hall.take(line).ticket.number == f"{line.prefix}-002", "numbers of the platform go on by themselves"


def test_only_its_holder_or_a_manager_speaks_for_a_block(foyer: Foyer, line: Any, refusal: Any) -> None:
    block = foyer.lease(line)
    assert refusal(foyer.merge, block, paper(1), who=foyer.who("kios-2")).code == "PERMISSION_DENIED"
    entries = foyer.merge(block, paper(1), who=foyer.who("bu-siti", "site_manager"))
    assert entries[0].outcome == MERGED
    back = pb.ReturnBlockRequest(name=block.name, last_used=2, request_id=_id())
    assert foyer.call("ReturnBlock", back, foyer.who()).last_used == 2
    assert [(e.outcome, e.reason) for e in foyer.merge(block, paper(2), paper(3))] == [
        (MERGED, ""),
        (REFUSED, "NUMBER_RETURNED"),
    ]
    renew = pb.RenewBlockRequest(name=block.name, request_id=_id())
    assert refusal(foyer.call, "RenewBlock", renew, foyer.who()).reason == "BLOCK_RETURNED"
    seen = foyer.call("GetBlock", pb.GetBlockRequest(name=block.name), foyer.who())
    assert (seen.merged, seen.returned, seen.last_used) == (2, True, 2)


def test_a_lease_is_renewed(foyer: Foyer, line: Any) -> None:
    block = foyer.lease(line)
    renewed = foyer.call("RenewBlock", pb.RenewBlockRequest(name=block.name, request_id=_id()), foyer.who())
    assert renewed.leased_until.ToDatetime() >= block.leased_until.ToDatetime()
    assert (renewed.first, renewed.last) == (block.first, block.last)


def test_a_kiosk_is_put_to_work_and_shows_its_queues(foyer: Foyer, refusal: Any) -> None:
    """On a site of its own: where one kiosk needs a manager's word, every kiosk must say which it is."""
    here, line = foyer.elsewhere("uji-kios")
    queue = line.name.rsplit("/", 1)[1]
    title = {"id": "Kependudukan", "en": "Civil registry"}
    buttons = [{"queue": queue, "title": title}, {"queue": "tidak-ada"}]
    name = here.install("kios-3", buttons=buttons, activation_required=True)
    manager, state = here.who("bu-siti", "site_manager"), kiosk_pb2.KioskButton.State.Name

    def look() -> Any:
        return here.call("GetKiosk", pb.GetKioskRequest(name=name), here.who("kios-3"))

    def take(**given: Any) -> Any:
        return here.hall.take(line, who=here.who("kios-3"), **given).ticket

    assert {state(b.state) for b in look().buttons} == {"STATE_PAUSED"}, "nobody has put it to work"
    for refused in (refusal(here.lease, line, "kios-3"), refusal(take), refusal(take, kiosk=name)):
        assert refused.reason == "KIOSK_INACTIVE"
    here.call("ActivateKiosk", pb.ActivateKioskRequest(name=name, request_id=_id()), manager)
    assert take(kiosk=name).number == f"{line.prefix}-001"
    assert here.hall.take(line, who=here.hall.citizen()).ticket.number == f"{line.prefix}-002", "a phone is no kiosk"
    shown = here.hall.until(lambda: (k := look()).buttons[0].waiting == 2 and k)
    assert [state(b.state) for b in shown.buttons] == ["STATE_OPEN", "STATE_CLOSED"]
    first, second = shown.buttons
    assert (shown.active, first.title.id, second.text.id) == (True, "Kependudukan", "Layanan ini sedang tutup.")
    here.lease(line, "kios-3")

    said = "Sistem pusat terganggu"
    pause = pb.SetKioskButtonRequest(name=name, button=queue, paused=True, text=said, request_id=_id())
    paused = here.call("SetKioskButton", pause, manager).buttons[0]
    assert (state(paused.state), paused.text.id) == ("STATE_PAUSED", said)
    unknown = pb.SetKioskButtonRequest(name=name, button="bukan-tombol", paused=True, request_id=_id())
    assert refusal(here.call, "SetKioskButton", unknown, manager).fields == ["button"]
    off = pb.DeactivateKioskRequest(name=name, reason="kertas habis", request_id=_id())
    assert {state(b.state) for b in here.call("DeactivateKiosk", off, manager).buttons} == {"STATE_PAUSED"}
    assert refusal(take, kiosk=name).reason == "KIOSK_INACTIVE"


def test_a_named_kiosk_gives_no_number_when_its_buttons_would_not(foyer: Foyer, line: Any, refusal: Any) -> None:
    """At a site that does not ask for activation: on the kiosk's own day off, and out of work."""
    queue = line.name.rsplit("/", 1)[1]
    today = datetime.now(ZoneInfo("Asia/Jakarta")).date()
    days = [(today + timedelta(days=n)).isoformat() for n in (0, 1)]  # the suite may run at midnight
    name = foyer.install("kios-7", queues=[queue], closures=days)

    def take(**given: Any) -> Any:
        return foyer.hall.take(line, who=foyer.who("kios-7"), **given).ticket

    shown = foyer.call("GetKiosk", pb.GetKioskRequest(name=name), foyer.who("kios-7")).buttons[0]
    told = refusal(take, kiosk=name)
    assert (told.code, told.reason, told.metadata["cause"]) == ("FAILED_PRECONDITION", "QUEUE_NOT_OPEN", "CLOSURE")
    assert (told.metadata["text_id"], told.metadata["text_en"]) == (shown.text.id, shown.text.en) == ("Kios libur", "")
    assert take().number == f"{line.prefix}-001", "another kiosk, or none, goes on"
    block = foyer.lease(line, "kios-7")
    assert [(q.reason, q.text.id) for q in block.no_printing] == [("CLOSURE", "Kios libur")]
    assert block.no_printing[0].ends_at == block.day_ends_at
    entries = foyer.merge(block, paper(block.first), who=foyer.who("kios-7"))
    assert [(e.outcome, e.printed_while) for e in entries] == [(MERGED, "CLOSURE")], "whoever holds paper is served"

    foyer.install("kios-7", 2, queues=[queue])
    assert take(kiosk=name).number == f"{line.prefix}-002"
    off = pb.DeactivateKioskRequest(name=name, reason="kertas habis", request_id=_id())
    foyer.call("DeactivateKiosk", off, foyer.who("bu-siti", "site_manager"))
    shown = foyer.call("GetKiosk", pb.GetKioskRequest(name=name), foyer.who("kios-7")).buttons[0]
    told = refusal(take, kiosk=name)
    assert (told.reason, told.metadata["text_id"]) == ("KIOSK_INACTIVE", shown.text.id)
    seen = foyer.call("GetBlock", pb.GetBlockRequest(name=block.name), foyer.who("kios-7"))
    assert [q.reason for q in seen.no_printing] == ["KIOSK_INACTIVE"]
    assert refusal(take, kiosk="sites/lain/kiosks/kios-7").code == "PERMISSION_DENIED"


def test_a_kiosk_shows_its_buttons_as_its_layout_says_and_new_ones_after_them(
    foyer: Foyer, line: Any, refusal: Any
) -> None:
    queue = line.name.rsplit("/", 1)[1]
    name = foyer.install("kios-6", queues=[queue, "belum-ada"])
    manager = foyer.who("manajer", "site_manager")
    layout = kiosk_pb2.KioskLayout(page_size=1, columns=1, large_print=True)
    layout.buttons.add(button="belum-ada", icon="id-card", access_key="p").closed_text.id = "Kembali besok"
    layout.buttons.add(button=queue, show_waiting=True).label.id = "Paspor"
    set_it = pb.SetKioskLayoutRequest(name=name, layout=layout, request_id=_id())
    shown = foyer.call("SetKioskLayout", set_it, manager)
    assert foyer.call("SetKioskLayout", set_it, manager, 1) == shown  # repeated, in another process
    assert shown.layout == layout
    assert [[(b.id, b.access_key, b.icon, b.text.id) for b in page.buttons] for page in shown.pages] == [
        [("belum-ada", "p", "id-card", "Kembali besok")],
        [(queue, "1", "", "")],
    ]
    assert (shown.pages[1].buttons[0].title.id, shown.pages[1].buttons[0].show_waiting) == ("Paspor", True)
    foyer.install("kios-6", 2, queues=["baru", queue])
    off = pb.DeactivateKioskRequest(name=name, reason="kertas habis", request_id=_id())
    after = foyer.call("DeactivateKiosk", off, manager, 1)
    assert [[b.id for b in page.buttons] for page in after.pages] == [[queue], ["baru"]]
    assert after.layout == layout
    gone = pb.SetKioskLayoutRequest(name=name, layout=layout, request_id=_id())
    assert refusal(foyer.call, "SetKioskLayout", gone, manager).fields == ["layout.buttons[0].button"]
    assert refusal(foyer.call, "SetKioskLayout", gone, foyer.who("kios-6")).reason == "ROLE_MISSING"


def test_a_kiosk_whose_catalogue_says_so_prints_nothing_by_itself(foyer: Foyer, line: Any, refusal: Any) -> None:
    foyer.install("kios-4", offline_numbers=0)
    foyer.install("kios-5", offline_numbers=5)
    assert refusal(foyer.lease, line, "kios-4").reason == "OFFLINE_NOT_ALLOWED"
    block = foyer.lease(line, "kios-5", size=100)
    assert block.last - block.first + 1 == 5
