"""structlog as JSON lines on stdout: one event a line, with service, process and trace id; personal data scrubbed.

Knows structlog and the scrubber. Logs of libraries come through the same filter, from warnings up.
"""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import structlog

from mpp_chassis import trace
from mpp_chassis.privacy import scrub_value

_KEPT = ("level", "timestamp", "service", "process")  # written by this module itself


def configure(service: str, process: str, level: str = "info") -> None:
    """Set up logging of this OS process. Call once, first."""

    def identify(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"], event["process"] = service, process
        if trace_id := trace.trace_id():
            event["trace"] = trace_id
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        identify,
        structlog.processors.format_exc_info,
        drop_personal,
    ]
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # half a surrogate pair must not lose the line
    number = getattr(logging, level.upper(), logging.INFO)
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(sort_keys=False, ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processor=structlog.processors.JSONRenderer(ensure_ascii=False)
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    # nameko logs whole exceptions of handlers; the entrypoint logs them as an event with its fields.
    logging.getLogger("nameko").setLevel(logging.CRITICAL)
    _catch_the_uncaught()


def _catch_the_uncaught() -> None:
    """Python prints uncaught exceptions to stderr as they are, with whatever is in their text: log them instead."""
    log = get(part="uncaught")

    def of_process(kind: type[BaseException], error: BaseException, tb: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, tb)
            return
        log.critical("uncaught_exception", exc_info=(kind, error, tb))

    def of_thread(args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread else ""
        log.critical("uncaught_exception", thread=name, exc_info=(args.exc_type, args.exc_value, args.exc_traceback))

    def unraisable(args: sys.UnraisableHookArgs) -> None:
        log.critical("uncaught_exception", exc_info=(args.exc_type, args.exc_value, args.exc_traceback))

    sys.excepthook, threading.excepthook, sys.unraisablehook = of_process, of_thread, unraisable


def drop_personal(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The log filter of the privacy kit."""
    return {k: v if k in _KEPT else scrub_value(v) for k, v in event.items()}


def get(**fields: Any) -> Any:
    return structlog.get_logger(**fields)
