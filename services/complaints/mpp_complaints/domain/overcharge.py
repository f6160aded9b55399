"""More was asked than the published fee: the sums. Never knows who handles such a report, nor the catalogue."""

from __future__ import annotations

from dataclasses import dataclass

from mpp_complaints.domain.errors import InvalidField, NotAboveFee


@dataclass(frozen=True, slots=True)
class Overcharge:
    """More was asked than the published fee. Whole rupiah. `official_idr`: None where the fee is not one amount or is not
    published; `published`: the fee as the catalogue told it, opaque here."""

    asked_idr: int
    official_idr: int | None = None
    published: bytes = b""
    offering: str = ""

    def __post_init__(self) -> None:
        if self.asked_idr < 1:
            raise InvalidField("asked_idr", "must be at least one rupiah")
        if self.official_idr is not None and self.asked_idr <= self.official_idr:
            raise NotAboveFee(
                f"the published fee is Rp {self.official_idr}; what was asked is not more",
                metadata={"official_idr": str(self.official_idr)},
            )

    @property
    def excess_idr(self) -> int | None:
        return None if self.official_idr is None else self.asked_idr - self.official_idr
