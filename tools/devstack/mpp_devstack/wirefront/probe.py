"""Asks a MongoDB-compatible server one question over a fresh connection. For health checks only."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from typing import Any

import bson


def ask(port: int, command: Mapping[str, Any], timeout: float = 1.0) -> dict[str, Any] | None:
    """The answer to `command` from loopback `port`, or None when there is none within `timeout` seconds."""
    body = b"\0\0\0\0\0" + bson.encode(command)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout) as link:
            link.settimeout(timeout)
            link.sendall(struct.pack("<iiii", 16 + len(body), 1, 0, 2013) + body)
            data = b""
            while len(data) < 4 or len(data) < int.from_bytes(data[:4], "little"):
                chunk = link.recv(65536)
                if not chunk:
                    return None
                data += chunk
        return dict(bson.decode(data[21:]))
    except (OSError, ValueError):
        return None
