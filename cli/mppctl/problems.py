"""Errors as a person wants to read them, and the exit codes. Knows google.rpc.Status; knows no command."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
import typer
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from rich.console import Console

from mppctl.connection import NoConnection
from mppctl.sitefiles import FileProblems

REFUSED = 1  # the platform said no
USAGE = 2  # the command line is wrong (typer's own code)
BAD_FILE = 3  # a file is wrong; nothing was sent
UNREACHABLE = 4  # nobody answered
NOT_ALLOWED = 5  # no or not enough rights
WOULD_CHANGE = 6  # a dry run found something to change, and was asked to tell so
INTERRUPTED = 130  # Ctrl-C, as shells count it

errors = Console(stderr=True, highlight=False, soft_wrap=True)

_CODES = {
    grpc.StatusCode.UNAVAILABLE: UNREACHABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: UNREACHABLE,
    grpc.StatusCode.UNAUTHENTICATED: NOT_ALLOWED,
    grpc.StatusCode.PERMISSION_DENIED: NOT_ALLOWED,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a service answered instead of a reply."""

    code: grpc.StatusCode
    message: str
    reason: str = ""
    fields: tuple[tuple[str, str], ...] = ()  # (path, what is wrong)
    metadata: tuple[tuple[str, str], ...] = ()

    @property
    def exit_code(self) -> int:
        return _CODES.get(self.code, REFUSED)

    @property
    def hopeless(self) -> bool:
        """The next call would end the same way."""
        return self.code in _CODES

    def lines(self, places: Mapping[str, str] | None = None) -> list[str]:
        """For people: what, why, where. `places` tells where in the files a field stands (`file:line:column`)."""
        places = places or {}
        head = self.message or self.code.name.replace("_", " ").lower()
        found = [f"{head} ({self.reason or self.code.name})"]
        for path, text in self.fields:
            line = f"  field {path}: {text}" if text != self.message else f"  field {path}"
            found.append(f"{line}  at {places[path]}" if places.get(path) else line)
        found += [f"  {name}: {value}" for name, value in self.metadata]
        if self.code is grpc.StatusCode.UNAVAILABLE:
            found.append("  is the platform up? `make run` starts it")
        if self.code is grpc.StatusCode.UNAUTHENTICATED:
            found.append("  give a token with --token or MPP_TOKEN")
        return found


def refusal(error: Any) -> Refusal:
    """Read the status, ErrorInfo and BadRequest of a failed call (a grpc.RpcError that is a grpc.Call too)."""
    reason, fields, metadata = "", [], {}
    with contextlib.suppress(ValueError):  # a status that does not match the call's code
        status = rpc_status.from_call(error)
        for detail in status.details if status else ():
            info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            if detail.Unpack(info):
                reason, metadata = info.reason, dict(info.metadata)
            elif detail.Unpack(bad):
                fields += [(v.field, v.description) for v in bad.field_violations]
    return Refusal(error.code(), error.details() or "", reason, tuple(fields), tuple(sorted(metadata.items())))


@contextlib.contextmanager
def explained(hints: Mapping[str, str] | None = None) -> Iterator[None]:
    """Print what went wrong and leave with its exit code. `hints` tell by reason what to do about it."""
    try:
        yield
    except FileProblems as problems:
        for problem in problems.problems:
            errors.print(f"[red]✗[/red] {_plain(str(problem))}")
        raise typer.Exit(BAD_FILE) from None
    except KeyboardInterrupt:
        errors.print("[red]✗[/red] interrupted: what is told above was done, what was under way may have been")
        raise typer.Exit(INTERRUPTED) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        errors.print(f"[red]✗[/red] {_plain(f'{where}{error.strerror or error}')}")
        raise typer.Exit(BAD_FILE) from None
    except NoConnection as problem:
        errors.print(f"[red]✗[/red] {_plain(str(problem))}")
        raise typer.Exit(UNREACHABLE) from None
    except grpc.RpcError as error:
        refused = refusal(error)
        tell(refused)
        if hint := (hints or {}).get(refused.reason):
            errors.print(f"  {_plain(hint)}")
        raise typer.Exit(refused.exit_code) from None


def tell(refused: Refusal, about: str = "", places: Mapping[str, str] | None = None) -> None:
    head, *rest = refused.lines(places)
    errors.print(f"[red]✗[/red] {_plain(f'{about}: {head}' if about else head)}")
    for line in rest:
        errors.print(_plain(line))


def _plain(text: str) -> str:
    """As it stands, but for what a file or a server could make a terminal do."""
    from rich.markup import escape

    return escape("".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text))
