"""A kiosk that goes on when the line is cut: takes tickets from the platform while it can, prints numbers of its own
block while it cannot, and brings them home when the line is back.

    python kiosk.py --target localhost:8080 --token-file token --kiosk sites/malang/kiosks/kios-utama \\
        --queue sites/malang/queues/dukcapil --journal /var/lib/kiosk/dukcapil.jsonl

Press Enter for a ticket, q to leave. Order matters in three places: a number is in the journal before it is on paper,
a lease's request is in the journal before it is sent, and a ticket leaves the journal only after the platform's answer.
"""

from __future__ import annotations

import argparse
import sys
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TextIO

import grpc
from journal import Block, Journal
from mpp.queue.v1 import kiosk_pb2, queue_service_pb2
from mpp.queue.v1 import kiosks_service_pb2 as pb
from mpp.queue.v1.kiosks_service_pb2_grpc import KiosksServiceStub
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub

PATIENCE = 2.0  # seconds that a citizen waits at the button before the kiosk helps itself
TEND_SECONDS = 15.0
RESERVE = 20  # so many numbers it wants to hold
BATCH = 50
# Then the kiosk helps itself: no line, or a platform that is not well. Anything else is a refusal, and is told.
AWAY = (
    grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.INTERNAL, grpc.StatusCode.ABORTED,
)  # fmt: skip


class SoldOut(Exception):
    """No line and no numbers: send the citizen to the desk."""


class NotNow(Exception):
    """No line, and a time for which the platform announced that nobody gets a number. The text is for the citizen."""


@dataclass(frozen=True)
class Paper:
    """What comes out of the printer."""

    number: str
    issued_at: datetime
    online: bool


class Kiosk:
    """One button of one kiosk. `take` and `tend` may be called from different threads."""

    def __init__(
        self, channel: grpc.Channel, token: Callable[[], str], journal: Journal, kiosk: str, queue: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC), reserve: int = RESERVE,
    ) -> None:  # fmt: skip
        self._tickets, self._kiosks = QueueServiceStub(channel), KiosksServiceStub(channel)
        self._token, self._journal = token, journal
        self._kiosk, self._queue = kiosk, queue
        self._clock, self._reserve = clock, reserve
        self._lock = threading.RLock()
        self._leaving: set[str] = set()  # blocks that are being given back: nothing is printed of them any more

    # -- a citizen at the button

    def take(self, offering: str = "", group: int = 0) -> Paper:
        """From the platform, else of an own block. Raises SoldOut, NotNow; grpc.RpcError when the platform says no.

        When the platform gives a ticket and its answer gets lost, the citizen holds an offline number and the ticket
        has nobody: it is called once or twice and missed. The other way round - paper that counts for nothing - cannot be.
        """
        request = queue_service_pb2.TakeTicketRequest(
            parent=self._queue, offering=offering, priority_group=group, request_id=str(uuid.uuid4())
        )
        try:
            issued = self._tickets.TakeTicket(request, metadata=self._metadata(), timeout=PATIENCE)
        except grpc.RpcError as e:
            if e.code() not in AWAY:
                raise
            return self._print_own(offering, group)
        return Paper(issued.ticket.number, issued.ticket.issued_at.ToDatetime(tzinfo=UTC), online=True)

    def _print_own(self, offering: str, group: int) -> Paper:
        with self._lock:
            clock = self._clock()
            usable = (b for b in self._journal.blocks.values() if b.left and b.name not in self._leaving)
            block = next((b for b in usable if b.lasts(clock)), None)
            if block is None:
                raise SoldOut("no line, and no numbers left of this kiosk's own")
            if closed := block.closed_at(clock):
                raise NotNow(" / ".join(t for t in (closed.text_id, closed.text_en) if t))
            n, at = max(block.used, block.first - 1) + 1, block.now(clock)
            self._journal.write(
                "printed", block=block.name, n=n, issued_at=at.isoformat(), offering=offering, group=group
            )
            return Paper(f"{block.prefix}{n:03d}", at, online=False)

    # -- what it does by itself

    def tend(self) -> bool:
        """Bring home what was printed, give back what is of no use, hold enough numbers. False while there is no line.

        A block that the platform refuses does not hold up the others; the refusal is raised at the end.
        """
        with self._lock:
            blocks = list(self._journal.blocks.values())
        refused: list[grpc.RpcError] = []
        steps: list[Callable[[], None]] = [*(partial(self._bring_home, block) for block in blocks), self._hold_enough]
        for step in steps:
            try:
                step()
            except grpc.RpcError as e:
                if e.code() in AWAY:
                    return False
                refused.append(e)
        if refused:
            raise refused[0]
        return True

    def _bring_home(self, block: Block) -> None:
        self._merge(block)
        self._give_back_or_renew(block)

    def unmerged(self) -> int:
        with self._lock:
            return sum(len(b.unmerged) for b in self._journal.blocks.values())

    def _merge(self, block: Block) -> None:
        with self._lock:
            waiting = block.unmerged
        for start in range(0, len(waiting), BATCH):
            request = pb.MergeOfflineRequest(name=block.name, request_id=str(uuid.uuid4()))
            for printed in waiting[start : start + BATCH]:
                entry = request.tickets.add(n=printed.n, offering=printed.offering, priority_group=printed.group)
                entry.issued_at.FromDatetime(datetime.fromisoformat(printed.issued_at))
            reply = self._kiosks.MergeOffline(request, metadata=self._metadata(), timeout=30)
            for result in reply.entries:
                if result.outcome == kiosk_pb2.MergedEntry.OUTCOME_MERGED:
                    self._note("outcome", block=block.name, n=result.n, outcome="merged")
                elif result.outcome == kiosk_pb2.MergedEntry.OUTCOME_REFUSED:  # staff must look: the paper is out there
                    self._note("outcome", block=block.name, n=result.n, outcome=result.reason)

    def _give_back_or_renew(self, block: Block) -> None:
        clock = self._clock()
        with self._lock:
            done = not block.returned and not block.unmerged and (not block.left or not block.lasts(clock))
            if done:
                self._leaving.add(block.name)
            half = datetime.fromisoformat(block.until) - block.now(clock) < timedelta(hours=1)
            renew = not done and not block.returned and block.lasts(clock) and half
            renew = renew and block.until < block.day_ends_at
        if done:
            used = block.used
            request = pb.ReturnBlockRequest(name=block.name, last_used=used, request_id=str(uuid.uuid4()))
            self._kiosks.ReturnBlock(request, metadata=self._metadata(), timeout=10)
            self._note("returned", block=block.name)
        elif renew:
            again = pb.RenewBlockRequest(name=block.name, request_id=str(uuid.uuid4()))
            reply = self._kiosks.RenewBlock(again, metadata=self._metadata(), timeout=10)
            self._note("renewed", block=block.name, until=_iso(reply.leased_until.ToDatetime(tzinfo=UTC)))
            self._learn_closed(block, reply)
        elif not block.returned:
            seen = pb.GetBlockRequest(name=block.name)
            self._learn_closed(block, self._kiosks.GetBlock(seen, metadata=self._metadata(), timeout=10))

    def _learn_closed(self, block: Block, told: kiosk_pb2.OfflineBlock) -> None:
        """What was announced since: maintenance, a day off, a queue that takes nobody new."""
        closed = _closed(told)
        if [asdict(c) for c in block.closed] != closed:
            self._note("closed", block=block.name, closed=closed)

    def _hold_enough(self) -> None:
        clock = self._clock()
        with self._lock:
            held = sum(b.left for b in self._journal.blocks.values() if b.lasts(clock))
            if held >= self._reserve:
                return
            if self._journal.leasing is None:
                asking = {"request_id": str(uuid.uuid4()), "size": 2 * self._reserve, "at": clock.isoformat()}
                self._journal.write("leasing", **asking)
            asked = self._journal.leasing
            assert asked is not None
        request = pb.LeaseBlockRequest(
            parent=self._queue, kiosk=self._kiosk, size=asked.size, request_id=asked.request_id
        )
        reply = self._kiosks.LeaseBlock(request, metadata=self._metadata(), timeout=10)
        offset = difference(datetime.fromisoformat(asked.at), reply.leased_at.ToDatetime(tzinfo=UTC), self._clock())
        self._note("leased", block=_block(reply, offset))

    def _note(self, kind: str, **given: object) -> None:
        with self._lock:
            self._journal.write(kind, **given)

    def _metadata(self) -> Sequence[tuple[str, str]]:
        return [("authorization", f"Bearer {self._token()}")]


def difference(asked: datetime, leased_at: datetime, answered: datetime) -> timedelta:
    """The platform's clock minus this machine's: the least that makes the lease fall between question and answer.

    So clocks that agree are left alone, however long the answer took, and also when it is the stored answer to a
    question from before a crash.
    """
    return min(max(timedelta(0), leased_at - answered), leased_at - asked)


def _block(reply: kiosk_pb2.OfflineBlock, offset: timedelta) -> dict[str, object]:
    return {
        "name": reply.name,
        "day": reply.day,
        "prefix": reply.prefix,
        "first": reply.first,
        "last": reply.last,
        "until": _iso(reply.leased_until.ToDatetime(tzinfo=UTC)),
        "day_ends_at": _iso(reply.day_ends_at.ToDatetime(tzinfo=UTC)),
        "offset_ms": offset // timedelta(milliseconds=1),
        "leased_at": _iso(reply.leased_at.ToDatetime(tzinfo=UTC)),
        "closed": _closed(reply),
    }


def _closed(told: kiosk_pb2.OfflineBlock) -> list[dict[str, object]]:
    return [
        {
            "starts": _iso(c.starts_at.ToDatetime(tzinfo=UTC)),
            "ends": _iso(c.ends_at.ToDatetime(tzinfo=UTC)),
            "text_id": c.text.id,
            "text_en": c.text.en,
        }
        for c in told.no_printing
    ]


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def say(line: str, out: TextIO = sys.stdout) -> None:
    out.write(f"{line}\n")
    out.flush()


def press(kiosk: Kiosk) -> None:
    """A citizen at the button: a number, or why there is none."""
    try:
        paper = kiosk.take()
        say(f"{paper.number}   {'' if paper.online else '(luring / offline)'}")
    except NotNow as e:
        say(str(e))
    except SoldOut:
        say("Silakan ke meja informasi. / Please go to the information desk.")
    except grpc.RpcError as e:
        say(f"{e.details()}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name in ("target", "token-file", "kiosk", "queue", "journal"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--tls", action="store_true")
    args = parser.parse_args()
    token_file = Path(args.token_file)
    back_soon = [("grpc.max_reconnect_backoff_ms", 5000)]
    if args.tls:
        channel = grpc.secure_channel(args.target, grpc.ssl_channel_credentials(), back_soon)
    else:
        channel = grpc.insecure_channel(args.target, back_soon)
    kiosk = Kiosk(channel, lambda: token_file.read_text().strip(), Journal(Path(args.journal)), args.kiosk, args.queue)
    stop = threading.Event()

    def tend() -> None:
        while not stop.is_set():
            try:
                kiosk.tend()
            except grpc.RpcError as e:
                say(f"the platform says no: {e.code().name} {e.details()}", sys.stderr)
            stop.wait(TEND_SECONDS)

    threading.Thread(target=tend, daemon=True).start()
    for line in sys.stdin:
        if line.strip() == "q":
            break
        press(kiosk)
    stop.set()
    return 0


if __name__ == "__main__":
    sys.exit(main())
