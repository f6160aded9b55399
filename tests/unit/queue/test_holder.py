"""Under whom a ticket counts: a NIK that somebody typed uses up nothing of the person's own, and typing many NIKs gives no
account, phone or device more than its own limit (ADR 0040).

The shelf stands for the store: each key once, as its unique indexes have it. `Hall` takes tickets as `admitting.admit` does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_queue.domain import (
    NOBODY,
    Admission,
    Holder,
    Issued,
    QueueSpec,
    Quota,
    Rules,
    Ticket,
    issue,
    proven,
    quota_keys,
    typed,
    typist_keys,
)
from mpp_queue.guard.domain import CoolDown, Ending, refuse_while_cooling

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
QUEUE, DAY, COOL = "sites/uji/queues/q", "2026-11-23", timedelta(minutes=30)
ANI = "ani"  # the person with a proven NIK; strangers type it


@dataclass
class Hall:
    quota: Quota
    shelf: set[str] = field(default_factory=set)
    endings: list[tuple[str, datetime]] = field(default_factory=list)

    def take(self, holder: Holder, now: datetime) -> bool:
        """Whether a ticket came of it."""
        try:
            refuse_while_cooling([Ending(at) for key, at in self.endings if key == holder.key], COOL, now)
        except CoolDown:
            return False
        keys = quota_keys(holder.key, QUEUE, DAY, self.quota.per_day)
        wanted: list[Sequence[str]] = [keys, *typist_keys(self.quota, holder, QUEUE, DAY)]
        free = [next((one for one in keys if one not in self.shelf), "") for keys in wanted]
        if not all(free):
            return False
        self.shelf.update(free)
        return True


CALLS = st.lists(
    st.tuples(
        st.sampled_from(["", "a1", "a2", "a3"]),  # account; none at a kiosk
        st.sampled_from(["", "p1", "p2"]),
        st.sampled_from(["", "d1", "d2"]),
        st.sampled_from([ANI, "budi", "citra", "dewi", "eko"]),
        st.booleans(),  # whether the ticket is given up at once
    ),
    max_size=60,
)


@given(CALLS, st.integers(1, 3), st.integers(1, 3), st.integers(0, 60))
def test_nothing_that_strangers_type_refuses_a_person_who_proves_a_nik_and_nobody_gets_more_than_their_own_limit(
    calls: list[tuple[str, str, str, str, bool]], per_day: int, people: int, own_at: int
) -> None:
    hall, mine = Hall(Quota(per_day=per_day, typed_people=people)), 0
    got: Counter[tuple[str, str]] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for n, (account, phone, device, person, gives_up) in enumerate(calls):
        now = NOW + timedelta(minutes=n)
        if n >= own_at and mine < per_day:
            assert hall.take(proven(ANI), now)  # (a): the first `per_day` are never refused, whatever was typed before
            mine += 1
        holder = typed(person, account=account, phone=phone, device=device, door="kiosk:k1")
        if hall.take(holder, now):
            pairs[account or phone or device or "k1", person] += 1
            got.update((kind, key) for kind, key in (("a", account), ("p", phone), ("d", device)) if key)
            if gives_up:
                hall.endings.append((holder.key, now))
    while mine < per_day:
        assert hall.take(proven(ANI), NOW + timedelta(days=1))
        mine += 1
    assert not hall.take(proven(ANI), NOW + timedelta(days=1)), "the own quota holds"
    assert all(n <= per_day * people for n in got.values())  # (b): whatever was typed
    assert all(n <= per_day for n in pairs.values()), "and for one NIK no more than one person may have"


def test_keys_tell_nobody_and_are_the_same_again() -> None:
    one = typed(ANI, account="sub-1", phone="blind-1", device="blind-2")
    assert one == typed(ANI, account="sub-1", phone="blind-1", device="blind-2")
    assert one.key == typed(ANI, account="sub-1", phone="another").key, "an account that changes phones is one typist"
    assert [t.partition(":")[0] for t in one.typists] == ["account", "phone", "device"]
    assert "sub-1" not in str(one)
    assert typed("", account="sub-1") == NOBODY
    assert typed(ANI, door="kiosk:1").typists == ()
    assert len({typed(ANI, door=f"kiosk:{n}").key for n in range(3)} | {proven(ANI).key}) == 4


def test_without_a_quota_no_typist_is_limited() -> None:
    assert typist_keys(Quota(), typed(ANI, account="sub-1"), QUEUE, DAY) == []


@pytest.mark.parametrize("key", ["", "own-0"])
def test_a_card_at_the_counter_makes_the_ticket_the_persons_own_while_there_is_a_place(key: str) -> None:
    spec = QueueSpec(QUEUE, "uji", "sites/uji/agencies/a", "A", (1,), 5, "Asia/Jakarta", quota=Quota(per_day=1))
    admission = Admission(f"{QUEUE}/tickets/t", QUEUE, "online", NOW, person_key=ANI, holder=typed(ANI, account="s"))
    ticket = issue(
        spec, admission, day=DAY, seq=1, event=Issued(0, timedelta(0)), now=NOW, actor="citizen:s", rules=Rules()
    )
    ticket = changed(ticket, quota_key="typed-0")
    after = ticket.shown_by(ANI, key)
    assert (after.holder_key, after.quota_key) == ((ANI, key) if key else (ticket.holder_key, "typed-0"))
    others: list[Ticket] = [ticket.shown_by("", "own-0"), ticket.shown_by("budi", "own-0")]
    assert others == [ticket, ticket], "no card, or another's: nothing changes"
    assert after.shown_by(ANI, "own-1") == (after if key else changed(ticket, holder_key=ANI, quota_key="own-1"))
