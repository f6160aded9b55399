"""The raw RPC floor: a bare grpcio server that answers a fixed reply. `python -m tests.bench.echo PORT REPLY_BYTES`."""

from __future__ import annotations

import sys
from concurrent import futures
from typing import Any

import grpc


def main(port: int, size: int) -> None:
    reply = b"\x00" * size

    def answer(_request: bytes, _context: Any) -> bytes:
        return reply

    server = grpc.server(futures.ThreadPoolExecutor(128))
    handler = grpc.method_handlers_generic_handler("Floor", {"Echo": grpc.unary_unary_rpc_method_handler(answer)})
    server.add_generic_rpc_handlers([handler])
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
