"""Bring the catalogue to what the files say: site, then agencies, then services. Declarative and
repeatable.

Knows the catalogue's contract. A request_id comes from the content and from what the catalogue held before:
the same run again is the same command, while going back to an earlier content is a new one.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.message import Message
from mpp.catalog.v1 import catalog_service_pb2 as pb
from mpp.catalog.v1 import catalog_service_pb2_grpc as rpc

from mppctl.connection import Connection
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


@dataclass(slots=True)
class Report:
    """What became of all of them, and which resources the catalogue holds beyond the files."""

    outcomes: list[Outcome] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)
    stopped: bool = False  # gave up: every further call would have ended the same way

    def count(self, kind: str, result: str) -> int:
        return sum(1 for o in self.outcomes if o.kind == kind and o.result == result)

    @property
    def refused(self) -> list[Outcome]:
        return [o for o in self.outcomes if o.refusal]


def request_id(method: str, message: Message, etag_before: str) -> str:
    """A UUID of the content and of the version that it is laid over."""
    body = message.SerializeToString(deterministic=True).hex()
    return str(uuid.uuid5(NAMESPACE, f"{method}\n{etag_before}\n{body}"))


class Applier:
    """One run over one site's files. `progress` is called after each resource."""

    def __init__(
        self, connection: Connection, files: SiteFiles, dry_run: bool, progress: Callable[[Outcome], None]
    ) -> None:
        self._connection, self._files, self._dry_run, self._progress = connection, files, dry_run, progress
        self._stub = connection.stub("catalog", rpc.CatalogServiceStub)
        self._metadata = connection.metadata(ROLE, site=files.site_name.removeprefix("sites/"))
        self.report = Report()

    def run(self) -> Report:
        """Apply all. A refused resource does not hold up the others, unless nobody could be let in at all.

        Raises grpc.RpcError when the catalogue cannot be read before.
        """
        before = self._etags()
        names = {self._files.site_name} if self._files.site else set()
        names |= {m.name for m in self._files.agencies} | {m.name for m in self._files.offerings}
        if self._files.site:
            self.report.beyond = sorted(set(before) - names)
            self._apply("site", self._files.site, before)
        self._apply_agencies(before)
        for offering in self._files.offerings:
            self._apply("service", offering, before)
        return self.report

    def _apply_agencies(self, before: dict[str, str]) -> None:
        """Agencies that only wait for a counter, which another one gives up, are tried again after it."""
        waiting = list(self._files.agencies)
        while waiting:
            claimed = []
            for agency in waiting:
                outcome = self._attempt("agency", agency, before)
                if outcome and outcome.refusal and outcome.refusal.reason == "QUEUE_CLAIMED":
                    claimed.append((agency, outcome))
                elif outcome:
                    self._record(outcome)
            if len(claimed) == len(waiting):
                for _, outcome in claimed:
                    self._record(outcome)
                return
            waiting = [agency for agency, _ in claimed]

    def _apply(self, kind: str, message: Any, before: dict[str, str]) -> None:
        outcome = self._attempt(kind, message, before)
        if outcome:
            self._record(outcome)

    def _record(self, outcome: Outcome) -> None:
        self.report.outcomes.append(outcome)
        self.report.stopped |= bool(outcome.refusal and outcome.refusal.hopeless)
        self._progress(outcome)

    def _attempt(self, kind: str, message: Any, before: dict[str, str]) -> Outcome | None:
        if self.report.stopped:
            return None
        etag = before.get(message.name, "")
        method, request = self._request(kind, message, etag)
        try:
            reply = self._connection.call(method, request, self._metadata)
        except grpc.RpcError as error:
            refused = refusal(error)
            if self._dry_run and self._would_exist(refused):
                return Outcome(kind, message.name, "unchecked")
            return Outcome(kind, message.name, "refused", refused)
        if not etag:
            return Outcome(kind, message.name, "created")
        return Outcome(kind, message.name, "unchanged" if reply.etag == etag else "changed")

    def _would_exist(self, refused: Refusal) -> bool:
        """In a dry run, what the resource refers to may be in these files and not yet in the catalogue."""
        return refused.reason in ("SITE_NOT_FOUND", "AGENCY_NOT_FOUND") and bool(self._files.agencies)

    def _request(self, kind: str, message: Any, etag: str) -> tuple[Callable[..., Any], Message]:
        common: dict[str, Any] = {"validate_only": self._dry_run, "request_id": request_id(kind, message, etag)}
        if kind == "site":
            return self._stub.ApplySite, pb.ApplySiteRequest(site=message, **common)
        parent = self._files.site_name
        if kind == "agency":
            return self._stub.ApplyAgency, pb.ApplyAgencyRequest(parent=parent, agency=message, **common)
        return self._stub.ApplyOffering, pb.ApplyOfferingRequest(parent=parent, offering=message, **common)

    def _etags(self) -> dict[str, str]:
        """Of everything that the catalogue holds of the site now."""
        name = self._files.site_name
        try:
            site = self._connection.call(self._stub.GetSite, pb.GetSiteRequest(name=name))
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return {}
            raise
        etags = {site.name: site.etag}
        etags |= {agency.name: agency.etag for agency in agencies(self._connection, name)}
        etags |= {offering.name: offering.etag for offering in offerings(self._connection, name)}
        return etags


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
