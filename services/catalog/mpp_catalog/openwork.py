"""Open tickets, applications and bookings of each agency, service and channel, as their own services tell: what must end
before one of these may go.

The catalogue calls no other service (DESIGN section 4): it keeps this projection. Knows names and whether something is
open; never a person, a number or a state's meaning beyond "ended".

Not guaranteed: a ticket that was taken within the last moments is not heard of yet. What was open before the catalogue
began to listen (an upgrade from 0.2.0) is not known; tickets end with the day all the same.
"""

from __future__ import annotations

from datetime import datetime

from mpp_chassis.aggregates import Store
from mpp_chassis.projection import Projection

from mpp_catalog.store import OPEN_WORK

COUNTED = 1000  # a refusal does not need to know more
TICKETS, APPLICATIONS, APPOINTMENTS = "tickets", "applications", "appointments"


class OpenWork:
    """One line a ticket, application or booking. Only open ones name their agency and service, so only these are counted."""

    def __init__(self, store: Store) -> None:
        self._lines = Projection(store, OPEN_WORK)

    def opened(self, name: str, sequence: int, *, what: str, agency: str, offering: str) -> bool:
        """Idempotent; False and no change when something newer was heard before. A booking of a channel is known by its
        name, `sites/x/channels/c/agendas/...`.
        """
        fields = {"what": what, "of_agency": agency, "of_offering": offering}
        parts = name.split("/")
        if parts[2] == "channels":
            fields["of_channel"] = "/".join(parts[:4])
        return self._lines.apply(name, sequence, fields)

    def ended(self, name: str, sequence: int, at: datetime) -> bool:
        """Idempotent. The line stays for a while without its agency, so that a late opening does no harm."""
        return self._lines.apply(name, sequence, {"ended_at": at})

    def of_agency(self, agency: str, what: str) -> int:
        """How many are open, at most COUNTED."""
        return int(self._lines.collection.count_documents({"of_agency": agency, "what": what}, limit=COUNTED))

    def of_offering(self, offering: str, what: str) -> int:
        """How many are open, at most COUNTED."""
        return int(self._lines.collection.count_documents({"of_offering": offering, "what": what}, limit=COUNTED))

    def of_channel(self, channel: str, what: str) -> int:
        """How many are open, at most COUNTED."""
        return int(self._lines.collection.count_documents({"of_channel": channel, "what": what}, limit=COUNTED))
