"""The gRPC server kit. Around every use case, in this order: trace, deadline, identity, role, validation, site, command.

Knows grpcio, protos and faults; knows no service and no collection. Threads, never eventlet. What a use case raises is
turned into one google.rpc.Status with ErrorInfo (domain `mpp`, stable `reason`) and, for a bad field, BadRequest.

Unary calls and server streams have thread pools apart: hundreds of open streams take nothing from unary calls.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass, replace
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

from mpp_chassis import bounds, errors, logs, metrics, storage, trace
from mpp_chassis.aggregates import Stale, Taken
from mpp_chassis.broker import BrokerDown
from mpp_chassis.call import Call, Caller, Command
from mpp_chassis.identity import Authenticator
from mpp_chassis.policy import Policy, admit, check_role, policy_of
from mpp_chassis.privacy import scrub

DEFAULT_DEADLINE = 10.0  # seconds, for a client that set none
LONGEST_DEADLINE = 30.0
LONGEST_STREAM = 3600.0  # then the client is asked to come again: connections spread anew after a scale-up
SPARE_THREADS = 8  # answer, with a refusal, those who come when all streams are taken
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
        metadata = {str(k)[:64]: str(v)[: 1000 if k == "challenge" else 200] for k, v in (self.metadata or {}).items()}
        info = error_details_pb2.ErrorInfo(reason=self.reason, domain="mpp", metadata=metadata)
        details: list[Message] = [info]
        if self.fields:
            violations = [
                error_details_pb2.BadRequest.FieldViolation(field=f[:100], description=d[:200], reason=self.reason)
                for f, d in self.fields[:MOST_VIOLATIONS]
            ]
            details.append(error_details_pb2.BadRequest(field_violations=violations))
        if (seconds := metadata.get("retry_after_seconds", "")).isdecimal():
            details.append(error_details_pb2.RetryInfo(retry_delay={"seconds": int(seconds)}))
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
    """(field path, text) of each protovalidate rule that the request breaks, and of what no field may hold (bounds.py)."""
    found = []
    for violation in _validator.collect_violations(request):
        path = ""
        for element in violation.proto.field.elements if violation.proto.field else ():
            path += ("." if path else "") + element.field_name
            subscript = element.subscript
            if subscript is not None and getattr(subscript, "value", None) is not None:
                path += f"[{subscript.value}]"
        found.append((path or "(message)", violation.proto.message or violation.proto.rule_id))
    return (*found, *bounds.faults(request))


class Kit:
    """Builds method handlers out of implementations. One for a process. At most `streams` server streams are open."""

    def __init__(self, authenticator: Authenticator, clock: Callable[[], datetime], streams: int = 500) -> None:
        self._authenticator, self._clock = authenticator, clock
        self._stream_pool = futures.ThreadPoolExecutor(streams + SPARE_THREADS, thread_name_prefix="stream")
        self._places = threading.BoundedSemaphore(streams)
        self.draining = threading.Event()  # set: open streams end within about a second

    def mount(self, server: grpc.Server, mounted: Mounted) -> None:
        """Register a service; TypeError when a method has no policy, no implementation, or streams from the client."""
        descriptor, implementation, known = mounted
        handlers = {}
        for method in descriptor.methods:
            function = getattr(implementation, method.name, None)
            if function is None:
                raise TypeError(f"{method.full_name} has no implementation")
            policy = policy_of(method)
            if method.client_streaming or (method.server_streaming and policy.mutating):
                raise TypeError(f"{method.full_name}: neither a stream of requests nor one that mutates is served")
            make = self._stream_handler if method.server_streaming else self._unary_handler
            handlers[method.name] = make(method, function, policy, known)
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(descriptor.full_name, handlers)])

    def _unary_handler(
        self, method: MethodDescriptor, function: Callable[[Any, Call], Message], policy: Policy, known: ErrorMap
    ) -> Any:
        request_class = message_factory.GetMessageClass(method.input_type)
        name = f"{method.containing_service.name}.{method.name}"
        ok_seconds = metrics.RPC_SECONDS.labels(name, "OK")

        def behaviour(raw: bytes, context: grpc.ServicerContext) -> Message:
            started = time.perf_counter()
            metadata = _metadata(context)
            call: Call | None = None
            try:
                remaining = self._deadline(context)
                caller = self._caller(metadata)
                request = _parse(request_class, raw)
                check_role(policy, caller)
                _refuse_violations(request)
                call = self._call(name, policy, caller, request, metadata)
                with storage.deadline(remaining):
                    reply = function(request, call)
            except Exception as error:
                problem = _explained(error, known, name)
                self._report(name, call, started, problem)
                context.abort_with_status(problem.to_status())  # raises
            ok_seconds.observe(time.perf_counter() - started)
            if policy.mutating and call:
                log.info("rpc", method=name, role=call.role, ms=round((time.perf_counter() - started) * 1000, 1))
            return reply

        return grpc.unary_unary_rpc_method_handler(behaviour, response_serializer=_serialized)

    def _stream_handler(
        self, method: MethodDescriptor, function: Callable[[Any, Call], Iterator[Message | None]], policy: Policy,
        known: ErrorMap,
    ) -> Any:  # fmt: skip
        """`function` yields messages, and None at least every second while there is nothing: then the kit looks whether
        the client is still there, its token still good, and this process not about to stop.
        """
        request_class = message_factory.GetMessageClass(method.input_type)
        name = f"{method.containing_service.name}.{method.name}"
        opened = metrics.STREAMS_OPEN.labels(name)

        def behaviour(raw: bytes, context: grpc.ServicerContext) -> Iterator[Message]:
            started = time.perf_counter()
            metadata = _metadata(context)
            call: Call | None = None
            code, placed = "CANCELLED", False
            try:
                self._deadline(context)
                caller = self._caller(metadata)
                request = _parse(request_class, raw)
                check_role(policy, caller)
                _refuse_violations(request)
                call = self._call(name, policy, caller, request, metadata)
                placed = self._places.acquire(blocking=False)
                if not placed:
                    raise errors.ResourceExhausted(
                        "too many streams are open here; come again", reason="TOO_MANY_STREAMS"
                    )
                opened.inc()
                for message in function(request, call):
                    if not context.is_active():
                        return
                    self._refuse_ended(call, time.perf_counter() - started)
                    if message is not None:
                        yield message
                code = "OK"
            except Exception as error:
                problem = _explained(error, known, name)
                code = problem.code.name
                self._report(name, call, started, problem)
                context.abort_with_status(problem.to_status())  # raises
            finally:
                if placed:
                    opened.dec()
                    self._places.release()
                metrics.STREAMS_ENDED.labels(name, code).inc()

        behaviour.experimental_thread_pool = self._stream_pool  # type: ignore[attr-defined]  # grpcio's own switch
        return grpc.unary_stream_rpc_method_handler(behaviour, response_serializer=_serialized)

    def _refuse_ended(self, call: Call, seconds: float) -> None:
        """Raises Unavailable or Unauthenticated: the client opens its stream again, with a fresh token if need be."""
        if self.draining.is_set():
            raise errors.Unavailable("this server is about to stop; open the stream again", reason="SERVER_DRAINING")
        if seconds > LONGEST_STREAM:
            raise errors.Unavailable("the stream has been open for an hour; open it again", reason="STREAM_RENEW")
        if time.time() > call.caller.expires:
            raise errors.Unauthenticated("the token has expired", reason="TOKEN_EXPIRED")

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

    def _call(
        self, name: str, policy: Policy, caller: Caller | None, request: Message, metadata: Mapping[str, str]
    ) -> Call:
        admission = admit(policy, caller, request)
        now, traceparent = self._clock(), trace.current()
        bearer = metadata.get("authorization", "").partition(" ")[2].strip()
        call = Call(caller or Caller(), now, None, admission.scopes, admission.role, traceparent, bearer)
        if not policy.mutating:
            return call
        if getattr(request, "proof", ""):  # the answer to a challenge: the same command as without it
            body, request = request, type(request)()
            request.CopyFrom(body)
            request.ClearField("proof")
        digest = hashlib.blake2b(request.SerializeToString(deterministic=True), digest_size=16).hexdigest()
        request_id: str = request.request_id  # type: ignore[attr-defined]
        command = Command(request_id, name, digest, call.actor, now, traceparent)
        return replace(call, command=command)

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


def _serialized(reply: Message) -> bytes:
    return reply.SerializeToString()


def _metadata(context: grpc.ServicerContext) -> dict[str, str]:
    """The call's metadata; also enters its trace."""
    metadata = {k: v for k, v in context.invocation_metadata() if isinstance(v, str)}
    trace.enter(trace.child(metadata.get("traceparent", "")))
    return metadata


def _explained(error: Exception, known: ErrorMap, name: str) -> Problem:
    problem = problem_of(error, known)
    if problem is None:
        log.exception("rpc_crashed", method=name)
        problem = Problem(grpc.StatusCode.INTERNAL, "INTERNAL", "an unforeseen error; it was logged")
    return problem


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
            ("grpc.keepalive_time_ms", 30_000),  # a stream's client that vanished gives its place back
            ("grpc.keepalive_timeout_ms", 10_000),
        ]
        self._kit = kit
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
        self._kit.draining.set()
        self._server.stop(grace).wait()

    def _set(self, status: int) -> None:
        for name in ("", *self._names):
            self._health.set(name, status)
