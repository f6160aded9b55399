"""gRPC to use cases of counters: one line a method. Never pymongo, never eventlet."""

from __future__ import annotations

from mpp.queue.v1 import counter_pb2
from mpp.queue.v1 import counters_service_pb2 as pb
from mpp_chassis.call import Call

from mpp_queue.counters import usecases
from mpp_queue.counters.usecases import App


class CountersApi:
    """mpp.queue.v1.CountersService. Identity, access, validation and deadlines were checked by the kit before."""

    def __init__(self, app: App) -> None:
        self._app = app

    def OpenCounter(self, request: pb.OpenCounterRequest, call: Call) -> counter_pb2.Counter:
        return usecases.open_counter(self._app, request, call)

    def PauseCounter(self, request: pb.PauseCounterRequest, call: Call) -> counter_pb2.Counter:
        return usecases.pause_counter(self._app, request, call)

    def ResumeCounter(self, request: pb.ResumeCounterRequest, call: Call) -> counter_pb2.Counter:
        return usecases.resume_counter(self._app, request, call)

    def CloseCounter(self, request: pb.CloseCounterRequest, call: Call) -> counter_pb2.Counter:
        return usecases.close_counter(self._app, request, call)

    def ReleaseCounter(self, request: pb.ReleaseCounterRequest, call: Call) -> counter_pb2.Counter:
        return usecases.release_counter(self._app, request, call)

    def SetCounterServices(self, request: pb.SetCounterServicesRequest, call: Call) -> counter_pb2.Counter:
        return usecases.set_counter_services(self._app, request, call)

    def GetCounter(self, request: pb.GetCounterRequest, call: Call) -> counter_pb2.Counter:
        return usecases.get_counter(self._app, request.name, call)

    def ListCounters(self, request: pb.ListCountersRequest, call: Call) -> pb.ListCountersResponse:
        return usecases.list_counters(self._app, request, call)

    def RaiseCounterAlarm(self, request: pb.RaiseCounterAlarmRequest, call: Call) -> counter_pb2.CounterAlarm:
        return usecases.raise_alarm(self._app, request, call)

    def AcknowledgeCounterAlarm(
        self, request: pb.AcknowledgeCounterAlarmRequest, call: Call
    ) -> counter_pb2.CounterAlarm:
        return usecases.acknowledge_alarm(self._app, request, call)

    def ListCounterAlarms(self, request: pb.ListCounterAlarmsRequest, call: Call) -> pb.ListCounterAlarmsResponse:
        return usecases.list_alarms(self._app, request, call)
