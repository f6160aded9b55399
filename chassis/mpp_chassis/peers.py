"""Calls from one service's `serve` to another's, as the caller: the caller's own token travels on.

So the other service checks the same person's rights, and no service holds rights of its own. Knows gRPC, addresses and
faults; knows no service by name. Never in `work`, which calls no other service (it hears events).

Guaranteed: a deadline on every call; the trace goes on; a refusal comes back as the fault that the other service named
(same reason, same metadata), so that a client sees one face. Not guaranteed: that nothing happened there after
Unavailable. Give each call a request_id of `derived`: then a repeated command repeats its calls with the same ids.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from mpp_chassis import errors, trace
from mpp_chassis.call import Call, Command

M = TypeVar("M", bound=Message)
PREFIX = "MPP_PEER_"  # MPP_PEER_QUEUE=127.0.0.1:12003
PORT = 50051  # in a cluster and in Compose a service is found under its own name at this port
SECONDS = 5.0
# Every address behind a name is used in turn: in Kubernetes the Service is headless.
_OPTIONS = [
    ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_reconnect_backoff_ms", 2000),
]
_NAMESPACE = uuid.UUID("6f1b6c7e-2f0e-5a3c-9a51-3d6f6b8d2a10")
_FAULTS: Mapping[grpc.StatusCode, type[errors.Fault]] = {
    grpc.StatusCode.NOT_FOUND: errors.NotFound,
    grpc.StatusCode.ALREADY_EXISTS: errors.AlreadyExists,
    grpc.StatusCode.FAILED_PRECONDITION: errors.FailedPrecondition,
    grpc.StatusCode.INVALID_ARGUMENT: errors.FailedPrecondition,  # ours is at fault, not a field of the caller's
    grpc.StatusCode.ABORTED: errors.Aborted,
    grpc.StatusCode.UNAUTHENTICATED: errors.Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: errors.PermissionDenied,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.ResourceExhausted,
}


def derived(command: Command, step: str) -> str:
    """The request_id of a call that is a part of `command`: the same for the same command, another for each `step`."""
    return str(uuid.uuid5(_NAMESPACE, f"{command.key}/{step}"))


class Peers:
    """Channels to other services, opened when first used. Thread-safe."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """`env`: MPP_PEER_<NAME> = host:port; a service without one is looked for at `<name>:50051`."""
        self._env = env
        self._stubs: dict[tuple[str, Any], Any] = {}
        self._lock = threading.Lock()

    def stub(self, service: str, kind: Callable[[grpc.Channel], Any]) -> Any:
        """A generated stub of a service: `peers.stub("queue", QueueServiceStub)`."""
        with self._lock:
            if (service, kind) not in self._stubs:
                self._stubs[service, kind] = kind(grpc.insecure_channel(self.address(service), options=_OPTIONS))
            return self._stubs[service, kind]

    def address(self, service: str) -> str:
        return f"dns:///{self._env.get(PREFIX + service.upper(), f'{service}:{PORT}')}"

    def call(self, rpc: Callable[..., M], request: Message, call: Call) -> M:
        """Ask as the caller of `call`. Raises the fault that the other service named, or Unavailable."""
        metadata = [("traceparent", trace.child(call.traceparent))]
        if call.bearer:
            metadata.append(("authorization", f"Bearer {call.bearer}"))
        try:
            return rpc(request, metadata=metadata, timeout=SECONDS)
        except grpc.RpcError as error:
            raise fault_of(error) from error


def fault_of(error: Any) -> errors.Fault:
    """What a refusal of another service is to our own caller."""
    kind = _FAULTS.get(error.code())
    if kind is None:
        return errors.Unavailable(f"another service did not answer ({error.code().name})", reason="PEER_UNAVAILABLE")
    info = error_details_pb2.ErrorInfo()
    try:
        status = rpc_status.from_call(error)
    except ValueError:  # code and details do not match: not one of ours
        status = None
    for detail in status.details if status else ():
        if detail.Unpack(info):
            break
    return kind(str(error.details() or kind.default_reason), reason=info.reason or None, metadata=info.metadata)
