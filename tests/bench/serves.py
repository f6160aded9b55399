"""One more `serve` process of the queue, on ports of its own. Knows the platform of this machine."""

from __future__ import annotations

from dataclasses import replace

from mpp_localrun.platform import Platform, Process, free_ports


def another(platform: Platform, name: str, **extra: str) -> tuple[Process, str]:
    """What to start, and its gRPC address. `extra` goes into its environment."""
    grpc_port, http_port = free_ports(2)
    ports = {"MPP_GRPC_PORT": str(grpc_port), "MPP_HTTP_PORT": str(http_port)}
    made = platform.process("queue", "serve", **ports, **extra)
    process = replace(made, name=f"queue-serve-{name}", ready_url=f"http://127.0.0.1:{http_port}/readyz")
    return process, f"127.0.0.1:{grpc_port}"
