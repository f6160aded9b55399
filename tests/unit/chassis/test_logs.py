"""What really reaches stdout and stderr of a process, whatever anybody logs. Each case runs in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import Any

import pytest

NIK, PHONE = "3573010101900001", "+6281234567890"
HEAD = """
import logging, sys, threading, structlog
from mpp_chassis import logs, trace
NIK, PHONE = "3573010101900001", "+6281234567890"
class Odd:
    def __repr__(self): return NIK
logs.configure("queue", "serve", "debug")
log = logs.get(part="test")
"""


def run(code: str) -> tuple[list[dict[str, Any]], str]:
    """The JSON lines of stdout, and all output together."""
    done = subprocess.run(
        [sys.executable, "-c", HEAD + textwrap.dedent(code)], capture_output=True, text=True, timeout=180
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.stdout + done.stderr


def test_a_nik_anywhere_in_an_event_does_not_reach_stdout() -> None:
    lines, output = run(
        """
        log.info("seen " + NIK, nik=NIK, number=int(NIK), real=float(NIK), raw=NIK.encode(), phone=PHONE)
        log.info("nested", a={"b": [{"c": (NIK, {"d": Odd()})}]}, keys={NIK: 1, int(NIK): 2}, sets={NIK}, odd=Odd())
        log.info("reserved", trace=NIK, part=NIK)
        log.info("spaced %s and %d", "3573 0101 0190 0001", int(NIK))
        log.bind(nik=NIK).warning("bound")
        with structlog.contextvars.bound_contextvars(nik=NIK, phone=PHONE):
            log.info("context")
        try:
            raise ValueError("no " + NIK, {"phone": PHONE})
        except ValueError as e:
            try:
                raise RuntimeError(PHONE) from e
            except RuntimeError as f:
                log.exception("chained " + NIK)
                log.error("carried", error=f, exc_info=f)
                log.error("stack " + NIK, stack_info=True)
        """
    )
    assert len(lines) == 9
    assert NIK not in output
    assert "3573 0101" not in output
    assert "6281234567890" not in output
    assert "RuntimeError" in lines[6]["exception"]  # what remains is still of use


def test_a_nik_in_a_library_s_log_does_not_reach_stdout() -> None:
    lines, output = run(
        """
        std = logging.getLogger("some.library")
        std.warning("cannot store %s", NIK)
        std.error("args %(nik)s", {"nik": NIK})
        try:
            raise ValueError(NIK)
        except ValueError:
            std.exception("failed")
            std.error("with stack", stack_info=True, extra={"nik": NIK})
        std.warning(Odd())
        import warnings; logging.captureWarnings(True); warnings.warn("warn " + NIK)
        """
    )
    assert len(lines) == 6
    assert NIK not in output
    assert all(line["service"] == "queue" for line in lines)
    assert "Traceback" in lines[2]["exception"]


@pytest.mark.parametrize(
    "code",
    [
        "raise ValueError('no ' + NIK)",
        "t = threading.Thread(target=lambda: int(NIK + 'x')); t.start(); t.join()",
        "class D:\n    def __del__(self): raise ValueError(NIK)\nD()",
    ],
    ids=["main", "thread", "finaliser"],
)
def test_a_nik_in_an_uncaught_exception_reaches_neither_stdout_nor_stderr(code: str) -> None:
    lines, output = run(code)
    assert NIK not in output
    assert [line["level"] for line in lines] == ["critical"]
    assert "ValueError" in lines[0]["exception"]


def test_every_line_is_one_json_object_with_its_origin() -> None:
    lines, _ = run(
        """
        trace.enter(trace.child("00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"))
        log.info("several\\nlines", text="a\\nb", count=3, share=0.5, fine=True, none=None)
        """
    )
    assert len(lines) == 1
    line = lines[0]
    assert (line["event"], line["service"], line["process"], line["level"]) == (
        "several\nlines",
        "queue",
        "serve",
        "info",
    )
    assert line["trace"] == "0123456789abcdef0123456789abcdef"
    assert (line["count"], line["share"], line["fine"], line["none"], line["part"]) == (3, 0.5, True, None, "test")
    assert line["timestamp"].endswith("Z")


def test_threads_do_not_mix_their_lines() -> None:
    lines, _ = run(
        """
        def speak(n):
            for i in range(200): log.info("x" * 300, n=n, i=i)
        threads = [threading.Thread(target=speak, args=(n,)) for n in range(8)]
        for t in threads: t.start()
        for t in threads: t.join()
        """
    )
    assert sorted((line["n"], line["i"]) for line in lines) == [(n, i) for n in range(8) for i in range(200)]


def test_a_value_that_cannot_be_shown_does_not_lose_the_line() -> None:
    lines, _ = run(
        """
        class Broken:
            def __str__(self): raise RuntimeError("no")
            __repr__ = __str__
        loop = []; loop.append(loop)
        log.info("still there", broken=Broken(), loop=loop, surrogate="\\ud800", nan=float("nan"), raw=b"\\xff")
        """
    )
    assert [line["event"] for line in lines] == ["still there"]
