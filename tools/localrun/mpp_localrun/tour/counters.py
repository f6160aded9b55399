"""At the counter: opened, paused, called by policy, parked, resumed, transferred, closed."""

from __future__ import annotations

from mpp.queue.v1 import counters_service_pb2 as counters_pb
from mpp.queue.v1 import queue_service_pb2 as queue_pb
from mpp.queue.v1 import ticket_pb2

from mpp_localrun.tour.ground import Ground, Ticket

ELDERLY = ticket_pb2.PRIORITY_GROUP_ELDERLY


def open_and_call(ground: Ground) -> None:
    """An officer opens a counter; who is called follows the queue's policy; the wall shows and says it."""
    queue, officer = ground.registry, ground.officer(ground.registry)
    counter = f"{ground.site}/counters/{ground.counter(queue)}"
    with ground.step("An officer opens loket 1; during a break it calls nobody"):
        ground.call(ground.counters.OpenCounter, counters_pb.OpenCounterRequest(name=counter, queue=queue), officer)
        ground.event("CounterOpened", counter)
        ground.call(
            ground.counters.PauseCounter, counters_pb.PauseCounterRequest(name=counter, reason="istirahat"), officer
        )
        ground.event("CounterPaused", counter)
        call = queue_pb.CallNextRequest(parent=queue, counter=ground.counter(queue))
        ground.refused("COUNTER_PAUSED", ground.queue.CallNext, call, officer)
        ground.call(ground.counters.ResumeCounter, counters_pb.ResumeCounterRequest(name=counter), officer)
        ground.event("CounterResumed", counter)
        ground.say("loket 1 dibuka, istirahat (COUNTER_PAUSED), buka lagi")
    with ground.step("Three citizens come; the third is elderly (kelompok rentan), and the policy puts her first"):
        first, second, elder = ground.take(queue), ground.take(queue), ground.take(queue, ELDERLY)
        look = queue_pb.PreviewNextRequest(parent=queue, counter=ground.counter(queue), count=3)
        shown = ground.call(ground.queue.PreviewNext, look, officer).tickets
        expected = [elder.number, first.number, second.number]
        ground.check([t.number for t in shown] == expected, f"the preview shows {expected} in this order")
        ground.say(f"came: {first.number}, {second.number}, {elder.number}; preview: {', '.join(expected)}")
    _on_the_wall(ground, elder)


def _on_the_wall(ground: Ground, elder: Ticket) -> None:
    board = ground.board(ground.registry)
    with ground.step("She is called, and the wall screen speaks"):
        called = ground.call_next(ground.registry)
        ground.check(called.number == elder.number, f"{elder.number} is called")
        said = ground.event("TicketCalled", elder.name)["announcement"]
        spoken = ground.until("the spoken text on the board", lambda: board.speaks(elder.number))
        ground.check(said == spoken, "the board says what the event announced")
        ground.say(f"[italic]“{spoken}”[/italic]")
    board.close()


def park_and_resume(ground: Ground) -> None:
    """Somebody must fetch a copy: aside, the next one, and back, without a new number."""
    queue, officer = ground.registry, ground.officer(ground.registry)
    with ground.step("She needs a photocopy: parked; the next citizen is served meanwhile; then she comes back"):
        elder = _at_the_counter(ground)
        ground.serve(elder, queue)
        park = queue_pb.ParkTicketRequest(name=elder.name, reason="mengambil fotokopi")
        ground.call(ground.queue.ParkTicket, park, officer)
        ground.event("TicketParked", elder.name)
        other = ground.call_next(queue)
        ground.finish(other, queue)
        back = queue_pb.ResumeTicketRequest(name=elder.name, counter=ground.counter(queue))
        ground.call(ground.queue.ResumeTicket, back, officer)
        ground.event("TicketCalled", elder.name, resumed=True)
        ground.serve(elder, queue)
        ground.say(f"{elder.number} parked, {other.number} served, {elder.number} resumed at loket 1")


def _at_the_counter(ground: Ground) -> Ticket:
    look = counters_pb.GetCounterRequest(name=f"{ground.site}/counters/{ground.counter(ground.registry)}")
    name = ground.call(ground.counters.GetCounter, look, ground.officer(ground.registry)).ticket
    found: Ticket = ground.call(ground.queue.GetTicket, queue_pb.GetTicketRequest(name=name), ground.kiosk)
    return found


def transfer(ground: Ground) -> None:
    """Another agency goes on with the same number and the same time of arrival."""
    queue, target = ground.registry, ground.licences
    with ground.step("She also needs a licence: transferred to the other agency, with the number she has"):
        elder = _at_the_counter(ground)
        request = queue_pb.TransferTicketRequest(name=elder.name, target=target, reason="perlu izin usaha")
        ground.call(ground.queue.TransferTicket, request, ground.officer(queue))
        child = ground.event("TicketTransferred", elder.name)["child"]
        ground.transferred += 1
        ground.event("TicketIssued", child)
        called = ground.call_next(target)
        ground.check(
            (called.name, called.number) == (child, elder.number), f"{elder.number} is called at the other agency"
        )
        ground.check(called.arrived_at == elder.arrived_at, "her time of arrival is kept")
        ground.say(f"[italic]“{ground.event('TicketCalled', child)['announcement']}”[/italic]")
        ground.finish(called, target)
    with ground.step("The one who waited longest is served too"):
        rest = ground.call_next(queue)
        ground.finish(rest, queue)
        ground.say(f"{rest.number} selesai")


def close(ground: Ground) -> None:
    """The end of the shift."""
    with ground.step("Both counters close"):
        for queue in (ground.registry, ground.licences):
            counter = f"{ground.site}/counters/{ground.counter(queue)}"
            ground.call(
                ground.counters.CloseCounter, counters_pb.CloseCounterRequest(name=counter), ground.officer(queue)
            )
            ground.event("CounterClosed", counter)
        ground.say("loket 1 dan 11 ditutup")
