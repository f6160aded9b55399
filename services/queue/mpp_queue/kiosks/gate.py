"""Whether a kiosk may give out numbers. Knows who put which kiosk to work; never a ticket."""

from __future__ import annotations

from dataclasses import dataclass

from mpp_chassis.errors import NotFound

from mpp_queue.kiosks.domain import KioskInactive
from mpp_queue.kiosks.store import Duties
from mpp_queue.kiosks.views import Kiosks, KioskSpec


@dataclass(frozen=True, slots=True)
class Gate:
    kiosks: Kiosks
    duties: Duties

    def check(self, site: str, kiosk: str) -> None:
        """Where a site (`sites/malang`) demands it, a kiosk takes tickets only while a manager has it at work. Costs
        nothing but memory where it does not. Raises KioskInactive, NotFound.
        """
        if not self.kiosks.demands(site):
            return
        if not kiosk:
            raise KioskInactive("this site's kiosks say which one they are: `kiosk` is empty", field="kiosk")
        self.must_work(kiosk)

    def must_work(self, kiosk: str) -> KioskSpec:
        """Raises KioskInactive, NotFound."""
        spec = self.spec(kiosk)
        if spec.activation_required and not self.duties.load(kiosk).active:
            raise KioskInactive(f"nobody has put {kiosk} to work")
        return spec

    def spec(self, kiosk: str) -> KioskSpec:
        """Raises NotFound."""
        spec = self.kiosks.find(kiosk)
        if spec is None:
            raise NotFound(f"there is no {kiosk}", reason="KIOSK_UNKNOWN")
        return spec
