"""Bring the platform to what the files say: site, kinds of channel, agencies, services, channels at the catalogue, then
displays at the queue service. Declarative and repeatable; a service is asked only when something of it is in the files.

Knows both contracts. A request_id comes from the content and from what the catalogue held before: going back to
an earlier content is a new command. What is not there yet is created under an id of this run, since the same content may
have been there before and been deleted.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.message import Message
from mpp.catalog.v1 import catalog_service_pb2 as pb
from mpp.catalog.v1 import catalog_service_pb2_grpc as rpc
from mpp.queue.v1 import displays_service_pb2 as displays_pb
from mpp.queue.v1 import displays_service_pb2_grpc as displays_rpc

from mppctl import displays
from mppctl.connection import Connection, NoConnection
from mppctl.diffing import Change, changes
from mppctl.problems import Refusal, refusal
from mppctl.sitefiles import SiteFiles

NAMESPACE = uuid.UUID("6f1f0f5e-6c0b-5a0e-9a52-2f1d3c8f4b77")  # of the request ids made here
PAGE = 200
ROLE = "platform_admin"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one resource: created, changed, unchanged, unchecked (dry run) or refused."""

    kind: str
    name: str
    result: str
    refusal: Refusal | None = None
    changes: tuple[Change, ...] = ()


@dataclass(slots=True)
class Report:
    """What became of all of them, and which resources the platform holds beyond the files."""

    outcomes: list[Outcome] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)
    stopped: bool = False  # gave up: every further call would have ended the same way
    interrupted: bool = False  # by Ctrl-C: the call that was under way may have been heard

    def count(self, kind: str, result: str) -> int:
        return sum(1 for o in self.outcomes if o.kind == kind and o.result == result)

    @property
    def pending(self) -> bool:
        """Whether anything was, or in a dry run would be, created or changed; or could not be checked."""
        return any(o.result in ("created", "changed", "unchecked") for o in self.outcomes)

    @property
    def refused(self) -> list[Outcome]:
        return [o for o in self.outcomes if o.refusal]


def request_id(method: str, message: Message, etag_before: str) -> str:
    """A UUID of the content and of the version that it is laid over (or of what stands in for it)."""
    body = message.SerializeToString(deterministic=True).hex()
    return str(uuid.uuid5(NAMESPACE, f"{method}\n{etag_before}\n{body}"))


# Reasons to refuse that would be none if what is before it in the files were there already.
_NOT_YET = ("SITE_NOT_FOUND", "AGENCY_NOT_FOUND", "OFFERING_NOT_FOUND", "CHANNEL_KIND_NOT_FOUND")


class Applier:
    """One run over one site's files. `progress` is called after each resource."""

    def __init__(
        self, connection: Connection, files: SiteFiles, dry_run: bool, progress: Callable[[Outcome], None]
    ) -> None:
        self._connection, self._files, self._dry_run, self._progress = connection, files, dry_run, progress
        self._metadata = connection.metadata(ROLE, site=files.site_name.removeprefix("sites/"))
        self._run = uuid.uuid4().hex
        self._before: dict[str, Any] = {}
        self._until = 0.0  # how long the site may be unknown to the queue
        self.report = Report()

    def run(self) -> Report:
        """Apply all. A refused resource does not hold up the others, unless nobody could be let in at all.

        Raises grpc.RpcError, NoConnection when what is there cannot be read before.
        """
        try:
            self._run_through()
        except KeyboardInterrupt:
            self.report.interrupted = True
        return self.report

    def _run_through(self) -> None:
        files = self._files
        self._before = self._present() if files.catalogued else {}
        self._find_beyond(self._before if files.site else ())
        if files.site:
            self._apply("site", files.site)
        for kind in files.kinds:
            self._apply("kind", kind)
        self._apply_agencies()
        for overseer in files.overseers:
            self._apply("overseer", overseer)
        for offering in files.offerings:
            self._apply("service", offering)
        for channel in files.channels:
            self._apply("channel", channel)
        self._apply_displays()

    def _apply_displays(self) -> None:
        """Last, since another service holds them. When it cannot tell which there are, none is set, and each said so."""
        files = self._files
        if not files.displays or self.report.stopped:
            return
        try:
            displayed = {display.name: display for display in self._displays()}
        except grpc.RpcError as error:
            for display in files.displays:
                self._record(Outcome("display", display.name, "refused", refusal(error)))
            return
        self._before |= displayed
        self._find_beyond(displayed if files.whole_displays else ())
        self._until = time.monotonic() + displays.SITE_SECONDS
        for display in files.displays:
            self._apply("display", display)

    def _find_beyond(self, held: Iterable[str]) -> None:
        files = self._files
        named = {files.site.name} if files.site else set()
        resources: Iterable[Any]
        for resources in (
            files.kinds,
            files.agencies,
            files.overseers,
            files.offerings,
            files.channels,
            files.displays,
        ):
            named |= {resource.name for resource in resources}
        self.report.beyond = sorted({*self.report.beyond, *held} - named)

    def _apply_agencies(self) -> None:
        """Agencies that only wait for a counter, which another one gives up, are tried again after it."""
        waiting = list(self._files.agencies)
        while waiting:
            claimed = []
            for agency in waiting:
                outcome = self._attempt("agency", agency)
                if outcome and outcome.refusal and outcome.refusal.reason == "QUEUE_CLAIMED":
                    claimed.append((agency, outcome))
                elif outcome:
                    self._record(outcome)
            if len(claimed) == len(waiting):
                for _, outcome in claimed:
                    self._record(outcome)
                return
            waiting = [agency for agency, _ in claimed]

    def _apply(self, kind: str, message: Any) -> None:
        outcome = self._attempt(kind, message)
        if outcome:
            self._record(outcome)

    def _record(self, outcome: Outcome) -> None:
        self.report.outcomes.append(outcome)
        self.report.stopped |= bool(outcome.refusal and outcome.refusal.hopeless)
        self._progress(outcome)

    def _attempt(self, kind: str, message: Any) -> Outcome | None:
        if self.report.stopped:
            return None
        before = self._before.get(message.name)
        wanted = type(message)()
        wanted.CopyFrom(message)
        wanted.etag = before.etag if before else ""  # what somebody else changed since is not undone
        method, request = self._request(kind, wanted, before.etag if before else self._run)
        try:
            reply = self._call(kind, method, request)
        except grpc.RpcError as error:
            refused = refusal(error)
            if self._dry_run and refused.reason in _NOT_YET and self._would_exist():
                return Outcome(kind, message.name, "unchecked")
            return Outcome(kind, message.name, "refused", refused)
        if before is None:
            return Outcome(kind, message.name, "created", changes=tuple(changes(None, reply)))
        if reply.etag == before.etag:
            return Outcome(kind, message.name, "unchanged")
        return Outcome(kind, message.name, "changed", changes=tuple(changes(before, reply)))

    def _call(self, kind: str, method: Callable[..., Any], request: Message) -> Any:
        """The queue hears of a new site a moment later: that is waited for, unless the site is in the files only."""

        def call() -> Any:
            return self._connection.call(method, request, self._metadata)

        if kind != "display" or (self._dry_run and self._would_exist()):
            return call()
        return displays.heard_of_site(call, self._site_exists, self._until)

    def _site_exists(self) -> bool:
        """Whether the catalogue has the site; True also when it cannot be asked."""
        try:
            self._connection.call(self._stub.GetSite, pb.GetSiteRequest(name=self._files.site_name))
        except NoConnection:
            return True
        except grpc.RpcError as error:
            return error.code() is not grpc.StatusCode.NOT_FOUND
        return True

    def _would_exist(self) -> bool:
        """In a dry run, what a resource refers to may be in these files and not yet in the catalogue."""
        return bool(self._files.site or self._files.kinds or self._files.agencies or self._files.offerings)

    def _request(self, kind: str, message: Any, etag: str) -> tuple[Callable[..., Any], Message]:
        common: dict[str, Any] = {"validate_only": self._dry_run, "request_id": request_id(kind, message, etag)}
        if kind == "display":
            stub = self._connection.stub("queue", displays_rpc.DisplaysServiceStub)
            return stub.SetDisplay, displays_pb.SetDisplayRequest(
                parent=self._files.site_name, display=message, **common
            )
        if kind == "site":
            return self._stub.ApplySite, pb.ApplySiteRequest(site=message, **common)
        common["parent"] = self._files.site_name
        if kind == "kind":
            return self._stub.ApplyChannelKind, pb.ApplyChannelKindRequest(channel_kind=message, **common)
        if kind in ("agency", "overseer"):
            return self._stub.ApplyAgency, pb.ApplyAgencyRequest(agency=message, **common)
        if kind == "channel":
            return self._stub.ApplyChannel, pb.ApplyChannelRequest(channel=message, **common)
        return self._stub.ApplyOffering, pb.ApplyOfferingRequest(offering=message, **common)

    @property
    def _stub(self) -> Any:
        return self._connection.stub("catalog", rpc.CatalogServiceStub)

    def _displays(self) -> Iterable[Any]:
        return displays.of_site(self._connection, self._files.site_name, self._metadata)

    def _present(self) -> dict[str, Any]:
        """Everything that the catalogue holds of the site now, by name."""
        name = self._files.site_name
        try:
            site = self._connection.call(self._stub.GetSite, pb.GetSiteRequest(name=name))
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return {}
            raise
        return {resource.name: resource for resource in (site, *everything(self._connection, name))}


def everything(connection: Connection, site: str) -> Iterable[Any]:
    """Kinds, agencies, services and channels of a site."""
    yield from channel_kinds(connection, site)
    yield from agencies(connection, site)
    yield from offerings(connection, site)
    yield from channels(connection, site)


def agencies(connection: Connection, site: str) -> Iterable[Any]:
    """All agencies of a site, page by page."""
    stub, token = connection.stub("catalog", rpc.CatalogServiceStub), ""
    while True:
        request = pb.ListAgenciesRequest(parent=site, page_size=PAGE, page_token=token)
        reply = connection.call(stub.ListAgencies, request)
        yield from reply.agencies
        token = reply.next_page_token
        if not token:
            return


def offerings(connection: Connection, site: str, agency: str = "") -> Iterable[Any]:
    """All services of a site, or of one agency (full name), page by page."""
    stub, token = connection.stub("catalog", rpc.CatalogServiceStub), ""
    while True:
        request = pb.ListOfferingsRequest(parent=site, agency=agency, page_size=PAGE, page_token=token)
        reply = connection.call(stub.ListOfferings, request)
        yield from reply.offerings
        token = reply.next_page_token
        if not token:
            return


def channel_kinds(connection: Connection, site: str) -> Iterable[Any]:
    """All kinds of channel of a site, page by page."""
    stub, token = connection.stub("catalog", rpc.CatalogServiceStub), ""
    while True:
        request = pb.ListChannelKindsRequest(parent=site, page_size=PAGE, page_token=token)
        reply = connection.call(stub.ListChannelKinds, request)
        yield from reply.channel_kinds
        token = reply.next_page_token
        if not token:
            return


def channels(connection: Connection, site: str, agency: str = "") -> Iterable[Any]:
    """All channels of a site, or of one agency (full name), page by page."""
    stub, token = connection.stub("catalog", rpc.CatalogServiceStub), ""
    while True:
        request = pb.ListChannelsRequest(parent=site, agency=agency, page_size=PAGE, page_token=token)
        reply = connection.call(stub.ListChannels, request)
        yield from reply.channels
        token = reply.next_page_token
        if not token:
            return
