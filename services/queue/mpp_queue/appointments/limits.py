"""How many bookings one e-mail address or person may have open at an agenda. Knows the order of steps; queries are in
store.py.

A booking that counts owns a claim: a document whose id is the agenda, the key and a number below the limit, so the store
itself refuses one too many, whoever asks in whichever process. A claim is taken before the booking is written and says
which booking it is for. It is never counted on to be given back: whoever finds none free looks whether the bookings of
the others are still open, and takes over what is not. So a process that dies at any moment leaves nothing that a
sweep must find; the key waits at most `FRESH`.

Not guaranteed: that a process which stood still for more than `FRESH` between its two writes does not book one too many;
that bookings made before the agenda had a limit count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from mpp_chassis.errors import Aborted, Fault, Unavailable

from mpp_queue.appointments.domain.booking import ACTIVE, Booking, Personal, State
from mpp_queue.appointments.domain.calendar import Agenda
from mpp_queue.appointments.store import AgendaDays, Claim, Claims
from mpp_queue.domain import QueueError, QuotaReached

FRESH = timedelta(seconds=60)  # so long a claim holds although its booking is not written yet
HOPS = 40  # changes of time that are followed
ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Limit:
    """`kind`: `email`, `person` or `account` (which typed NIKs); `key`: what stands for it."""

    kind: str
    key: str
    most: int

    def ids(self, agenda: Agenda) -> list[str]:
        return [f"{agenda.parent}#{self.kind}#{self.key}#{n}" for n in range(self.most)]

    def is_of(self, booking: Booking) -> bool:
        personal = booking.personal
        told = {"email": personal.mailbox, "person": personal.counts_for, "account": personal.typist}
        return told[self.kind] == self.key


def limits_of(agenda: Agenda, person: Personal) -> list[Limit]:
    told = [
        Limit("email", person.mailbox, agenda.max_open_per_email),
        Limit("person", person.counts_for, agenda.max_open_per_person),
        Limit("account", person.typist, agenda.max_open_per_person * agenda.quota.typed_people),
    ]
    return [limit for limit in told if limit.key and limit.most]


@contextmanager
def claimed(
    days: AgendaDays, claims: Claims, agenda: Agenda, person: Personal, appointment: str, now: datetime
) -> Iterator[None]:
    """Own a claim of each limit while the booking is written; what was taken here is given back when it was refused. Of a
    write whose answer was lost nobody knows: its claim stays, and is free after `FRESH` if there is no booking.

    Raises QuotaReached (metadata `limit`: email, person or account, `max_open`), Aborted.
    """
    made: list[str] = []
    try:
        for limit in limits_of(agenda, person):
            made += _claim(days, claims, agenda, limit, appointment, now)
        yield
    except (QueueError, Fault) as refused:
        if not isinstance(refused, Unavailable):
            for claim in made:
                claims.release(claim, appointment)
        raise


def _claim(
    days: AgendaDays, claims: Claims, agenda: Agenda, limit: Limit, appointment: str, now: datetime
) -> list[str]:
    """The claim's id when it was taken here; none when the booking has one already."""
    ids = limit.ids(agenda)
    for _ in range(ATTEMPTS):
        known = claims.of(ids)
        if any(claim.appointment == appointment for claim in known.values()):
            return []
        free = next((one for one in ids if one not in known), None)
        if free is None:
            free = _unneeded(days, limit, known, now)
        if free is None:
            raise QuotaReached(
                "there are open bookings enough; one of them must be over, or cancelled, first",
                metadata={"limit": limit.kind, "max_open": str(limit.most)},
            )
        former = known[free].appointment if free in known else ""
        if claims.take(free, agenda.site_id, appointment, now, former):
            return [free]
    raise Aborted("too many book for the same person at once; try again")


def _unneeded(days: AgendaDays, limit: Limit, known: Mapping[str, Claim], now: datetime) -> str | None:
    """A claim of no open booking, or of one that has a claim already: what was missed keeps its own, and the new time that
    it was given once got another.
    """
    held: set[str] = set()
    for id, claim in known.items():
        booking = _open(days, limit, claim, now)
        if not booking or booking in held:
            return id
        held.add(booking)
    return None


def _open(days: AgendaDays, limit: Limit, claim: Claim, now: datetime) -> str:
    """The open booking that a claim is for, wherever it was moved to, a fresh one also while it is not written; or ""."""
    appointment, fresh = claim.appointment, now - claim.at < FRESH
    for _ in range(HOPS):
        day, _, booking_id = appointment.rpartition("/appointments/")
        loaded = days.load(day)
        booking = loaded.day.find(booking_id) if loaded else None
        if booking is None:
            return appointment if fresh else ""
        if booking.state is State.RESCHEDULED:
            appointment = booking.replaced_by
            continue
        if booking.state not in ACTIVE or (booking.state is State.HELD and now >= booking.hold_until):
            return ""
        return appointment if limit.is_of(booking) or fresh else ""
    return appointment
