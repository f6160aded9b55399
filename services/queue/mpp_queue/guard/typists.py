"""How much one account, phone or device takes for people whose NIK was only typed (ADR 0040). Knows the order of steps;
which keys there are is in ../domain/holder.py, queries are in store.py.

Each such ticket owns a claim of every typist: a document whose id is typist, queue, day and a number below the limit, so
the store itself refuses one too many, whoever asks in whichever process. A claim is taken before the ticket is
written. It is given back when the ticket is refused, and nothing depends on that: whoever finds none free looks whether
the tickets of the others exist, and takes over what does not.

Guaranteed: no more tickets than claims. Not guaranteed: that a process which stood still for more than `FRESH` between
its two writes does not write one too many.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from mpp_chassis.errors import Aborted, FailedPrecondition, InvalidField, NotFound

from mpp_queue.domain import Admission, QueueError, QueueSpec, QuotaReached, typist_keys
from mpp_queue.guard.store import Claim, TypistClaims

FRESH = timedelta(seconds=60)  # so long a claim holds although its ticket is not written yet
ATTEMPTS = 20
# Nothing was written then. What else goes wrong (a store that does not answer) may have happened after the write.
REFUSED = (QueueError, FailedPrecondition, InvalidField, NotFound, Aborted)


@contextmanager
def claimed(claims: TypistClaims, spec: QueueSpec, day: str, admission: Admission, now: datetime) -> Iterator[None]:
    """Own a claim of each typist while the ticket is written. Raises QuotaReached (metadata `limit`: account, phone or
    device; `per_day`), Aborted.
    """
    made: list[str] = []
    try:
        for ids in typist_keys(spec.quota, admission.holder, spec.name, day):
            made += _claim(claims, spec, ids, admission.name, now)
        yield
    except REFUSED:
        for claim in made:
            claims.release(claim, admission.name)
        raise


def _claim(claims: TypistClaims, spec: QueueSpec, ids: Sequence[str], ticket: str, now: datetime) -> list[str]:
    """The claim's id when it was taken here; none when the ticket has one already."""
    for _ in range(ATTEMPTS):
        known = claims.of(ids)
        if any(claim.ticket == ticket for claim in known.values()):
            return []
        free = next((one for one in ids if one not in known), "") or _left(claims, known, now)
        if not free:
            raise QuotaReached(
                f"{len(ids)} tickets of {spec.name} a day may be taken so for people whose NIK is typed; "
                "whoever signs in with their own NIK, or shows the card to an officer, still gets one",
                metadata={"limit": ids[0].partition(":")[0], "per_day": str(len(ids))},
            )
        if claims.take(free, spec.site_id, ticket, now, known[free].ticket if free in known else ""):
            return [free]
    raise Aborted("too many take tickets from the same account or phone at once; try again")


def _left(claims: TypistClaims, known: dict[str, Claim], now: datetime) -> str:
    """One whose ticket was never written; empty when there is none."""
    written = claims.written([claim.ticket for claim in known.values()])
    return next((one for one, c in known.items() if c.ticket not in written and now - c.at >= FRESH), "")
