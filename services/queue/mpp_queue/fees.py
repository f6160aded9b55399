"""What offerings cost, as the catalogue publishes it: printed on every ticket, so that nobody pays a broker for what is
free. Knows the catalogue's contract; decides nothing.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from mpp.catalog.v1 import offering_pb2
from mpp_chassis.aggregates import Store
from mpp_chassis.projection import Projection

KNOWN_SECONDS = 10.0  # a change in the catalogue reaches every process so much after its event
REMEMBERED = 4096


class Fees:
    """`of` answers from memory for ten seconds."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._offerings, self._clock = Projection(store, "offerings"), clock
        self._known: OrderedDict[str, tuple[float, offering_pb2.Fee | None]] = OrderedDict()

    def learn(self, offering: offering_pb2.Offering, sequence: int) -> None:
        """Idempotent; an older event changes nothing."""
        standard = offering.standard
        fee = standard.fee.SerializeToString(deterministic=True) if standard.HasField("fee") else b""
        known = {"published": standard.HasField("fee"), "fee": fee, "agency": offering.agency}
        self._offerings.apply(offering.name, sequence, known)

    def retire(self, offering: str, sequence: int) -> None:
        self._offerings.apply(offering, sequence, {"published": False, "fee": b"", "agency": ""})

    def of(self, offering: str) -> offering_pb2.Fee | None:
        """None where the standard names no fee: a gap, not "free of charge"."""
        known, now = self._known.get(offering), self._clock()
        if known is not None and now < known[0]:
            return known[1]
        found = self._offerings.get(offering)
        fee = offering_pb2.Fee.FromString(found["fee"]) if found and found["published"] else None
        self._known[offering] = (now + KNOWN_SECONDS, fee)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return fee
