"""The gRPC server kit. Around every use case, in this order: trace, deadline, identity, role, validation, site, command.

Knows grpcio, protos and faults; knows no service and no collection. Threads, never eventlet. What a use case raises is
turned into one google.rpc.Status with ErrorInfo (domain `mpp`, stable `reason`) and, for a bad field, BadRequest.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import grpc
import protovalidate
from google.protobuf import any_pb2, message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status
from pymongo.errors import PyMongoError

from mpp_chassis import errors, logs, metrics, storage, trace
from mpp_chassis.aggregates import Stale, Taken
from mpp_chassis.broker import BrokerDown
from mpp_chassis.call import Call, Caller, Command
from mpp_chassis.identity import Authenticator
from mpp_chassis.policy import Policy, admit, check_role, policy_of
from mpp_chassis.privacy import scrub

DEFAULT_DEADLINE = 10.0  # seconds, for a client that set none
LONGEST_DEADLINE = 30.0
MAX_REQUEST_BYTES = 1_000_000
MOST_VIOLATIONS = 12
LONGEST_MESSAGE = 500

ErrorMap = Mapping[type[Exception], grpc.StatusCode]
Mounted = tuple[ServiceDescriptor, Any, ErrorMap]  # what a service offers: descriptor, implementation, its errors

_FAULTS: ErrorMap = {
    errors.InvalidField: grpc.StatusCode.INVALID_ARGUMENT,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Aborted: grpc.StatusCode.ABORTED,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    errors.ResourceExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    Stale: grpc.StatusCode.ABORTED,
    Taken: grpc.StatusCode.ALREADY_EXISTS,
}
_validator = protovalidate.Validator()
log = logs.get(part="grpc")


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as the client will see it."""

    code: grpc.StatusCode
    reason: str
    message: str
    fields: tuple[tuple[str, str], ...] = ()  # (field path, what is wrong)
    metadata: Mapping[str, str] | None = None

    def to_status(self) -> Any:
        """Kept below gRPC's 8 kB for trailers: the first 12 fields, texts cut."""
        metadata = {str(k)[:64]: str(v)[:200] for k, v in (self.metadata or {}).items()}
        info = error_details_pb2.ErrorInfo(reason=self.reason, domain="mpp", metadata=metadata)
        details: list[Message] = [info]
        if self.fields:
            violations = [
                error_details_pb2.BadRequest.FieldViolation(field=f[:100], description=d[:200], reason=self.reason)
                for f, d in self.fields[:MOST_VIOLATIONS]
            ]
            details.append(error_details_pb2.BadRequest(field_violations=violations))
        packed = []
        for detail in details:
            box = any_pb2.Any()
            box.Pack(detail)
            packed.append(box)
        number = code_pb2.Code.Value(self.code.name)
        return rpc_status.to_status(
            status_pb2.Status(code=number, message=self.message[:LONGEST_MESSAGE], details=packed)
        )


class Refused(Exception):
    """Carries a Problem out of the checks."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def problem_of(error: Exception, known: ErrorMap) -> Problem | None:
    """The one mapping from exceptions to statuses; None for what nobody foresaw."""
    if isinstance(error, Refused):
        return error.problem
    if isinstance(error, PyMongoError):
        error = storage.as_fault(error)
    if isinstance(error, BrokerDown):
        error = errors.Unavailable("the broker did not answer", reason="BROKER_UNAVAILABLE")
    for kind in type(error).__mro__:
        code = known.get(kind) or _FAULTS.get(kind)
        if code is not None:
            field = getattr(error, "field", None)
            return Problem(
                code,
                getattr(error, "reason", None) or code.name,
                str(error) or code.name.replace("_", " ").lower(),
                ((field, str(error)),) if field else (),
                getattr(error, "metadata", None),
            )
    return None


def violations(request: Message) -> tuple[tuple[str, str], ...]:
    """(field path, text) of each protovalidate rule that the request breaks."""
    found = []
    for violation in _validator.collect_violations(request):
        path = ""
        for element in violation.proto.field.elements if violation.proto.field else ():
            path += ("." if path else "") + element.field_name
            subscript = element.subscript
            if subscript is not None and getattr(subscript, "value", None) is not None:
                path += f"[{subscript.value}]"
        found.append((path or "(message)", violation.proto.message or violation.proto.rule_id))
    return tuple(found)


class Kit:
    """Builds method handlers out of implementations. One for a process."""

    def __init__(self, authenticator: Authenticator, clock: Callable[[], datetime]) -> None:
        self._authenticator, self._clock = authenticator, clock

    def mount(self, server: grpc.Server, mounted: Mounted) -> None:
        """Register a service; TypeError when a method has no policy or no implementation."""
        descriptor, implementation, known = mounted
        handlers = {}
        for method in descriptor.methods:
            function = getattr(implementation, method.name, None)
            if function is None:
                raise TypeError(f"{method.full_name} has no implementation")
            behaviour = self._unary(method, function, policy_of(method), known)
            handlers[method.name] = grpc.unary_unary_rpc_method_handler(
                behaviour, response_serializer=lambda reply: reply.SerializeToString()
            )
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(descriptor.full_name, handlers)])

    def _unary(
        self, method: MethodDescriptor, function: Callable[[Any, Call], Message], policy: Policy, known: ErrorMap
    ) -> Callable[[bytes, grpc.ServicerContext], Message]:
        request_class = message_factory.GetMessageClass(method.input_type)
        name = f"{method.containing_service.name}.{method.name}"
        ok_seconds = metrics.RPC_SECONDS.labels(name, "OK")

        def behaviour(raw: bytes, context: grpc.ServicerContext) -> Message:
            started = time.perf_counter()
            metadata = {k: v for k, v in context.invocation_metadata() if isinstance(v, str)}
            traceparent = trace.child(metadata.get("traceparent", ""))
            trace.enter(traceparent)
            call: Call | None = None
            try:
                remaining = self._deadline(context)
                caller = self._caller(metadata)
                request = _parse(request_class, raw)
                check_role(policy, caller)
                _refuse_violations(request)
                call = self._call(name, policy, caller, request, traceparent)
                with storage.deadline(remaining):
                    reply = function(request, call)
            except Exception as error:
                problem = problem_of(error, known)
                if problem is None:
                    log.exception("rpc_crashed", method=name)
                    problem = Problem(grpc.StatusCode.INTERNAL, "INTERNAL", "an unforeseen error; it was logged")
                self._report(name, call, started, problem)
                context.abort_with_status(problem.to_status())  # raises
            ok_seconds.observe(time.perf_counter() - started)
            if policy.mutating and call:
                log.info("rpc", method=name, role=call.role, ms=round((time.perf_counter() - started) * 1000, 1))
            return reply

        return behaviour

    def _deadline(self, context: grpc.ServicerContext) -> float:
        remaining = cast("float | None", context.time_remaining())  # the stubs forget None
        if remaining is None:
            return DEFAULT_DEADLINE
        if remaining <= 0:
            raise Refused(
                Problem(grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "the deadline had passed on arrival")
            )
        return float(min(remaining, LONGEST_DEADLINE))

    def _caller(self, metadata: Mapping[str, str]) -> Caller | None:
        header = metadata.get("authorization", "")
        if not header:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise errors.Unauthenticated("authorization is not a bearer token", reason="TOKEN_INVALID")
        return self._authenticator.caller(token.strip())

    def _call(self, name: str, policy: Policy, caller: Caller | None, request: Message, traceparent: str) -> Call:
        admission = admit(policy, caller, request)
        now = self._clock()
        call = Call(caller or Caller(), now, None, admission.scopes, admission.role, traceparent)
        if not policy.mutating:
            return call
        digest = hashlib.blake2b(request.SerializeToString(deterministic=True), digest_size=16).hexdigest()
        request_id: str = request.request_id  # type: ignore[attr-defined]
        command = Command(request_id, name, digest, call.actor, now, traceparent)
        return Call(call.caller, now, command, call.scopes, call.role, traceparent)

    def _report(self, name: str, call: Call | None, started: float, problem: Problem) -> None:
        seconds = time.perf_counter() - started
        metrics.RPC_SECONDS.labels(name, problem.code.name).observe(seconds)
        log.info(
            "rpc_refused",
            method=name,
            code=problem.code.name,
            reason=problem.reason,
            fields=[f for f, _ in problem.fields],
            message=scrub(problem.message)[:300],
            role=call.role if call else "",
            ms=round(seconds * 1000, 1),
        )


def _refuse_violations(request: Message) -> None:
    if found := violations(request):
        text = "; ".join(f"{f}: {d}" for f, d in found)
        raise Refused(Problem(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", text, found))


def _parse(request_class: type[Message], raw: bytes) -> Message:
    try:
        return request_class.FromString(raw)
    except DecodeError as e:
        problem = Problem(
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_FIELD",
            "the request is not a valid message",
            (("(message)", "not a valid message"),),
        )
        raise Refused(problem) from e


class GrpcServer:
    """A listening server with health and reflection. `stop` drains."""

    def __init__(self, kit: Kit, mounted: Sequence[Mounted], address: str, threads: int) -> None:
        options = [
            ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
            ("grpc.so_reuseport", 0),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ]
        self._server = grpc.server(futures.ThreadPoolExecutor(threads, thread_name_prefix="rpc"), options=options)
        self._health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._names = [descriptor.full_name for descriptor, _, _ in mounted]
        for one in mounted:
            kit.mount(self._server, one)
        reflection.enable_server_reflection(
            [*self._names, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME],
            self._server,
        )
        self.port = self._server.add_insecure_port(address)
        if not self.port:
            raise RuntimeError(f"cannot listen on {address}")

    def start(self) -> None:
        self._server.start()
        self._set(health_pb2.HealthCheckResponse.SERVING)

    def stop(self, grace: float) -> None:
        """Say NOT_SERVING, take no new calls, let those under way finish for `grace` seconds."""
        self._set(health_pb2.HealthCheckResponse.NOT_SERVING)
        self._server.stop(grace).wait()

    def _set(self, status: int) -> None:
        for name in ("", *self._names):
            self._health.set(name, status)
