"""gRPC to use cases of bookings: one line a method. Never pymongo, never eventlet."""

from __future__ import annotations

from mpp.queue.v1 import appointment_pb2
from mpp.queue.v1 import appointments_service_pb2 as pb
from mpp_chassis.call import Call

from mpp_queue.appointments import anywhere, blocking, changing, checking_in, holding, listing
from mpp_queue.appointments.app import App


class AppointmentsApi:
    """mpp.queue.v1.AppointmentsService. Identity, access, validation and deadlines were checked by the kit before."""

    def __init__(self, app: App) -> None:
        self._app = app

    def ListSlots(self, request: pb.ListSlotsRequest, call: Call) -> pb.ListSlotsResponse:
        return listing.list_slots(self._app, request, call)

    def HoldSlot(self, request: pb.HoldSlotRequest, call: Call) -> appointment_pb2.Appointment:
        return holding.hold_slot(self._app, request, call)

    def ListAnySlots(self, request: pb.ListAnySlotsRequest, call: Call) -> pb.ListAnySlotsResponse:
        return anywhere.list_any_slots(self._app, request, call)

    def HoldAnySlot(self, request: pb.HoldAnySlotRequest, call: Call) -> appointment_pb2.Appointment:
        return anywhere.hold_any_slot(self._app, request, call)

    def ConfirmAppointment(self, request: pb.ConfirmAppointmentRequest, call: Call) -> appointment_pb2.Appointment:
        return changing.confirm_appointment(self._app, request, call)

    def RescheduleAppointment(
        self, request: pb.RescheduleAppointmentRequest, call: Call
    ) -> appointment_pb2.Appointment:
        return changing.reschedule_appointment(self._app, request, call)

    def CancelAppointment(self, request: pb.CancelAppointmentRequest, call: Call) -> appointment_pb2.Appointment:
        return changing.cancel_appointment(self._app, request, call)

    def CheckIn(self, request: pb.CheckInRequest, call: Call) -> pb.CheckInResponse:
        return checking_in.check_in(self._app, request, call)

    def GetAppointment(self, request: pb.GetAppointmentRequest, call: Call) -> appointment_pb2.Appointment:
        return listing.get_appointment(self._app, request, call)

    def ListAppointments(self, request: pb.ListAppointmentsRequest, call: Call) -> pb.ListAppointmentsResponse:
        return listing.list_appointments(self._app, request, call)

    def ListMyAppointments(self, request: pb.ListMyAppointmentsRequest, call: Call) -> pb.ListMyAppointmentsResponse:
        return listing.list_my_appointments(self._app, request, call)

    def ListConflicts(self, request: pb.ListConflictsRequest, call: Call) -> pb.ListConflictsResponse:
        return listing.list_conflicts(self._app, request, call)

    def BlockSlots(self, request: pb.BlockSlotsRequest, call: Call) -> appointment_pb2.Agenda:
        return blocking.block_slots(self._app, request, call)

    def UnblockSlots(self, request: pb.UnblockSlotsRequest, call: Call) -> appointment_pb2.Agenda:
        return blocking.unblock_slots(self._app, request, call)
