"""One arrival, two agencies: a ticket at each, and nobody is called to two counters at once."""

from __future__ import annotations

from mpp.queue.v1 import queue_service_pb2 as queue_pb
from mpp.queue.v1 import visits_service_pb2 as visits_pb

from mpp_localrun.tour.ground import Ground


def two_agencies(ground: Ground) -> None:
    with ground.step("A family comes with errands at both agencies: one visit, two tickets"):
        request = visits_pb.StartVisitRequest(parent=ground.site)
        for queue in (ground.registry, ground.licences):
            request.wishes.add(queue=queue)
        visit = ground.call(ground.visits.StartVisit, request, ground.kiosk)
        ground.event("VisitStarted", visit.name)
        tickets = {stop.queue: stop.ticket for stop in visit.stops}
        ground.check(set(tickets) == {ground.registry, ground.licences}, "a ticket at each agency")
        ground.say(f"urutan yang disarankan (proposed order): {' → '.join(s.ticket.number for s in visit.stops)}")
    with ground.step("While they are at loket 1, loket 11 does not call them; then it does"):
        here = ground.call_next(ground.registry)
        ground.check(here.name == tickets[ground.registry].name, "the family is called to loket 1")
        there = queue_pb.CallNextRequest(parent=ground.licences, counter=ground.counter(ground.licences))
        ground.refused("QUEUE_EMPTY", ground.queue.CallNext, there, ground.officer(ground.licences))
        ground.finish(here, ground.registry)
        then = ground.call_next(ground.licences)
        ground.check(then.name == tickets[ground.licences].name, "the family is called to loket 11 afterwards")
        ground.finish(then, ground.licences)
        ground.say(f"{here.number} selesai di loket 1, lalu {then.number} dipanggil ke loket 11")
