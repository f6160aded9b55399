"""Under whom a ticket or a booking counts, when it is for a person: pure, standard library only (ADR 0040).

Knows people, accounts, phones and devices as opaque keys. Never knows a NIK, nor how many somebody has already.

A NIK that somebody typed proves nothing about who typed it. So what was taken with a *typed* NIK counts for that NIK and
whoever typed it, together, and for the typist over all NIKs; only what was taken with a *proven* one counts for the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from mpp_queue.domain.spec import Quota


@dataclass(frozen=True, slots=True)
class Holder:
    """`key`: under which quota and cool-down count; empty for nobody. `typists`: accounts, phones and devices that typed
    the NIK; none when it is proven.
    """

    key: str = ""
    typists: tuple[str, ...] = ()


NOBODY = Holder()


def proven(person_key: str) -> Holder:
    """By the token, or by an officer who has the card before them."""
    return Holder(person_key)


def typed(person_key: str, *, account: str = "", phone: str = "", device: str = "", door: str = "") -> Holder:
    """Somebody typed it: the account, else the phone, else the device says who. `door`: where nothing else is known, such as
    a kiosk that all use; it is not limited itself. Phone and device are blind indexes.
    """
    if not person_key:
        return NOBODY
    told = (("account", account), ("phone", phone), ("device", device))
    typists = tuple(f"{kind}:{_digest(key)}" for kind, key in told if key)
    by = typists[0] if typists else f"door:{_digest(door)}"
    return Holder(f"typed:{_digest(f'{by} {person_key}')}", typists)


def quota_keys(holder: str, queue: str, day: str, per_day: int) -> list[str]:
    """What may be held of a queue and day under one key, one a ticket."""
    return [f"{holder}#{queue}#{day}#{k}" for k in range(per_day)]


def typist_keys(quota: Quota, holder: Holder, queue: str, day: str) -> list[Sequence[str]]:
    """For each typist the keys of which a ticket needs one, beside the one of `quota_keys`. None without a quota."""
    most = quota.per_day * quota.typed_people
    return [quota_keys(typist, queue, day, most) for typist in holder.typists] if most else []


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16, person=b"mpp-holder").hexdigest()
