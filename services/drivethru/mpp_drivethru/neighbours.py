"""The queue, asked over gRPC as the caller. Only `serve` has it: `work` hears the queue's events instead.

Knows the queue's proto and which of its refusals mean that what was wanted is so already. Every call that changes
something has a request_id derived from the command at hand, so a repeated command has one effect there too.
"""

from __future__ import annotations

from mpp.drivethru.v1.drivethru_service_pb2 import RegisterVehicleRequest
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1 import ticket_pb2
from mpp.queue.v1.queue_service_pb2_grpc import QueueServiceStub
from mpp_chassis.call import Call, Command, new_id
from mpp_chassis.errors import FailedPrecondition
from mpp_chassis.peers import Peers, derived

from mpp_drivethru import messages
from mpp_drivethru.app import Taken
from mpp_drivethru.domain import TicketNews


class Queue:
    """`app.TicketOffice` by gRPC. Each method raises the fault that the queue named, or Unavailable."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    def ticket_of(self, queue: str, call: Call) -> str:
        """What the ticket of `take` will be called: the platform's names follow from the command (`call.new_id`).

        Another caller's name when the queue chooses another of the caller's roles than this service did.
        """
        command = Command(derived(call.mutation, "take"), "QueueService.TakeTicket", "", call.mutation.actor, call.now)
        return f"{queue}/tickets/{new_id(command)}"

    def take(self, queue: str, offering: str, vehicle: RegisterVehicleRequest, call: Call) -> Taken:
        """As the caller and with its proof: a challenge of the queue's is bound to this request, which is the same again
        when the caller repeats its own with the answer."""
        request = pb.TakeTicketRequest(
            parent=queue,
            offering=offering,
            phone=vehicle.phone,
            priority_group=vehicle.priority_group,
            kiosk=vehicle.kiosk,
            proof=vehicle.proof,
            request_id=derived(call.mutation, "take"),
        )
        issued = self._peers.call(self._stub().TakeTicket, request, call).ticket
        return Taken(issued.name, issued.number, issued.offering)

    def look(self, ticket: str, call: Call) -> tuple[Taken, TicketNews | None]:
        found: ticket_pb2.Ticket = self._peers.call(self._stub().GetTicket, pb.GetTicketRequest(name=ticket), call)
        state = messages.ticket_state(found.state)
        news = TicketNews(ticket, state, call.now.replace(microsecond=0), found.counter) if state else None
        return Taken(found.name, found.number, found.offering), news

    def serving(self, ticket: str, call: Call) -> None:
        """The citizen is there. Nothing when the ticket is past that."""
        request = pb.StartServingRequest(name=ticket, request_id=derived(call.mutation, "serving"))
        try:
            self._peers.call(self._stub().StartServing, request, call)
        except FailedPrecondition as e:
            if e.reason != "WRONG_STATE":
                raise

    def finish(self, ticket: str, call: Call) -> None:
        """The visit is over. Nothing when it has ended already."""
        request = pb.FinishTicketRequest(name=ticket, request_id=derived(call.mutation, "finish"))
        try:
            self._peers.call(self._stub().FinishTicket, request, call)
        except FailedPrecondition as e:
            if e.reason != "WRONG_STATE":
                raise
            _, news = self.look(ticket, call)
            if news is not None and news.state == "called":  # nobody said that the citizen was there
                self.serving(ticket, call)
                self._peers.call(self._stub().FinishTicket, request, call)

    def _stub(self) -> QueueServiceStub:
        stub: QueueServiceStub = self._peers.stub("queue", QueueServiceStub)
        return stub
