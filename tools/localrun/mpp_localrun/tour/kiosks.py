"""The line is cut: a kiosk prints numbers of a block that it holds, and they are merged exactly once."""

from __future__ import annotations

from mpp.queue.v1 import kiosks_service_pb2 as kiosks_pb

from mpp_localrun.onlookers import now
from mpp_localrun.tour.ground import Ground


def without_a_line(ground: Ground) -> None:
    queue = ground.registry
    with ground.step("A kiosk goes offline (luring): it prints two numbers of its own block"):
        lease = kiosks_pb.LeaseBlockRequest(parent=queue, kiosk=f"{ground.site}/kiosks/kios-contoh", size=5)
        block = ground.call(ground.kiosks.LeaseBlock, lease, ground.kiosk)
        merge = kiosks_pb.MergeOfflineRequest(name=block.name)
        for n in (block.first, block.first + 1):
            merge.tickets.add(n=n).issued_at.FromDatetime(now())
        ground.say(f"di kertas: {', '.join(f'{block.prefix}{t.n:03d}' for t in merge.tickets)}")
    with ground.step("The line is back: both stand in the queue, and sent again they are the same tickets"):
        tickets = [e.ticket for e in ground.call(ground.kiosks.MergeOffline, merge, ground.kiosk).entries]
        for ticket in tickets:
            ground.event("TicketIssued", ticket)
        merge.request_id = ""  # another command with the same paper
        again = ground.call(ground.kiosks.MergeOffline, merge, ground.kiosk).entries
        ground.check([e.ticket for e in again] == tickets, "the same paper is the same ticket")
        numbers = []
        for ticket in tickets:
            called = ground.call_next(queue)
            ground.check(called.name == ticket, "what was printed first is called first")
            ground.finish(called, queue)
            numbers.append(called.number)
        left = kiosks_pb.ReturnBlockRequest(name=block.name, last_used=merge.tickets[-1].n)
        ground.call(ground.kiosks.ReturnBlock, left, ground.kiosk)
        ground.say(f"{' dan '.join(numbers)} digabung satu kali, dipanggil, selesai; the rest of the block is void")
