"""Whether a kiosk may give out numbers. Knows who put which kiosk to work, and its days off; never a ticket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from mpp_chassis.errors import NotFound

from mpp_queue.domain import QueueNotOpen, QueueSpec
from mpp_queue.domain.doors import CLOSURE
from mpp_queue.kiosks.buttons import NOT_AT_WORK
from mpp_queue.kiosks.domain import KioskInactive
from mpp_queue.kiosks.store import Duties
from mpp_queue.kiosks.views import Kiosks, KioskSpec


@dataclass(frozen=True, slots=True)
class Gate:
    kiosks: Kiosks
    duties: Duties

    def check(self, spec: QueueSpec, kiosk: str, now: datetime) -> None:
        """A kiosk that is named gives numbers when its buttons would: not while a manager has put it out of work, nor on a
        day off of its own. Where a site demands it, each kiosk must be named and put to work. Costs two reads by name, and
        nothing but memory where no kiosk is named. Raises KioskInactive, QueueNotOpen, NotFound.
        """
        site = "/".join(spec.name.split("/")[:2])
        strict = self.kiosks.demands(site)
        if not kiosk:
            if strict:
                raise KioskInactive("this site's kiosks say which one they are: `kiosk` is empty", field="kiosk")
            return
        known = self.spec(kiosk) if strict else self.kiosks.find(kiosk)
        if known is None:
            return
        self._must_work(known)
        off = known.day_off(now.astimezone(ZoneInfo(spec.zone)).date().isoformat())
        if off is not None:
            said = {"cause": CLOSURE, "text_id": off.id, "text_en": off.en}
            raise QueueNotOpen(f"{kiosk} does not serve today", field="kiosk", metadata=said)

    def must_work(self, kiosk: str) -> KioskSpec:
        """Raises KioskInactive, NotFound."""
        spec = self.spec(kiosk)
        self._must_work(spec)
        return spec

    def _must_work(self, spec: KioskSpec) -> None:
        if not self.duties.load(spec.name).works(required=spec.activation_required):
            said = {"text_id": NOT_AT_WORK.id, "text_en": NOT_AT_WORK.en}
            raise KioskInactive(f"{spec.name} is not at work", metadata=said)

    def spec(self, kiosk: str) -> KioskSpec:
        """Raises NotFound."""
        spec = self.kiosks.find(kiosk)
        if spec is None:
            raise NotFound(f"there is no {kiosk}", reason="KIOSK_UNKNOWN")
        return spec
