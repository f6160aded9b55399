"""An agency and what its queue may not share with the site's other agencies. Knows no service of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from mpp_catalog.domain.errors import InvalidField, QueueClaimed
from mpp_catalog.domain.parts import Text, check_text, check_unique
from mpp_catalog.domain.queue import Claim, QueueSpec


@dataclass(frozen=True, slots=True)
class Facility:
    """Something to use rather than to apply for: a reading corner."""

    id: str
    display_name: Text


@dataclass(frozen=True, slots=True)
class AgencyPublished:
    """An agency is new or changed."""

    agency: Agency


@dataclass(frozen=True, slots=True)
class Agency:
    """An institution that serves citizens at a site: `sites/{site}/agencies/{agency}`."""

    name: str
    display_name: Text
    category: str
    declared_services: int | None = None
    source: str = ""
    queue: QueueSpec | None = None
    facilities: tuple[Facility, ...] = ()
    overseer: bool = False  # oversees the site from outside; not one of its declared agencies
    published_at: datetime | None = field(default=None, compare=False)
    published_by: str = field(default="", compare=False)
    events: tuple[AgencyPublished, ...] = field(default=(), compare=False)

    def check(self) -> None:
        """Raise InvalidField for blank text, facilities given twice, a queue that breaks a rule of its own, and what an
        overseer has not.
        """
        check_text("agency.display_name", self.display_name)
        for index, facility in enumerate(self.facilities):
            check_text(f"agency.facilities[{index}].display_name", facility.display_name)
        check_unique("agency.facilities", [f.id for f in self.facilities])
        if self.queue:
            self.queue.check("agency.queue")
        if self.overseer:
            self._check_overseer()

    def _check_overseer(self) -> None:
        """Nobody comes to it at this site. Raises InvalidField."""
        for name, given in (
            ("queue", self.queue is not None),
            ("facilities", bool(self.facilities)),
            ("declared_services", self.declared_services is not None),
        ):
            if given:
                raise InvalidField(f"agency.{name}", "an overseer is no agency that citizens come to: it has none")

    def announced(self) -> Agency:
        """This agency with the event that tells of it."""
        return replace(self, events=(AgencyPublished(self),))

    def refuse_claimed(self, others: Iterable[tuple[str, Claim | QueueSpec]]) -> None:
        """Raise QueueClaimed where another agency of the site holds this one's queue id, prefix or a counter.

        `others` are (agency name, queue) pairs; a pair of this agency itself is passed over. Guarantees
        nothing about agencies not among `others`: two that come at the same time are the store's concern.
        """
        if self.queue is None:
            return
        for holder, queue in others:
            if holder == self.name:
                continue
            if queue.id == self.queue.id:
                raise _claimed("agency.queue.id", queue.id, holder)
            if queue.prefix == self.queue.prefix:
                raise _claimed("agency.queue.prefix", queue.prefix, holder)
            shared = sorted(set(queue.counters) & set(self.queue.counters))
            if shared:
                raise _claimed("agency.queue.counters", ", ".join(map(str, shared)), holder)


def _claimed(path: str, value: str, holder: str) -> QueueClaimed:
    return QueueClaimed(
        f"{path}: {value} is already used by {holder}",
        field=path,
        metadata={"value": value, "claimed_by": holder},
    )
