"""W3C trace context (https://www.w3.org/TR/trace-context/) across gRPC and events. Knows only the `traceparent` text."""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

_FORM = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_current: ContextVar[str] = ContextVar("mpp_traceparent", default="")


def child(parent: str) -> str:
    """A new span below `parent`; a new trace when `parent` is empty or malformed (the standard says: start anew)."""
    match = _FORM.fullmatch(parent)
    known = match and set(match[1]) != {"0"} and set(match[2]) != {"0"}
    trace_id, flags = (match[1], match[3]) if match and known else (secrets.token_hex(16), "01")
    return f"00-{trace_id}-{secrets.token_hex(8)}-{flags}"


def enter(traceparent: str) -> str:
    """Make `traceparent` the current one of this thread or green thread; returns its trace id."""
    _current.set(traceparent)
    return traceparent[3:35]


def current() -> str:
    return _current.get()


def trace_id() -> str:
    return _current.get()[3:35]
