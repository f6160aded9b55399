"""Offline numbers against a simple model: several kiosks, crashes, repetitions, clocks that differ.

The machine keeps one queue-day as the store does (a version; a writer that read an older one has lost) and the model
keeps what each kiosk has in its journal and which paper is in somebody's hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from mpp_queue.domain import OFFLINE_BASE, QueueSpec
from mpp_queue.kiosks.domain import (
    MOST_NUMBERS,
    Block,
    BlockDay,
    BlockReturned,
    BlockRules,
    DayOver,
    Entry,
    InvalidKioskField,
    MergeTooLate,
    NumbersExhausted,
    Refusal,
    TooManyBlocks,
    printed_prefix,
)

QUEUE, KIOSKS = "sites/malang/queues/dukcapil", ("a", "b", "c")
START, MIDNIGHT = datetime(2026, 11, 23, 1, tzinfo=UTC), datetime(2026, 11, 23, 17, tzinfo=UTC)
RULES = BlockRules(most_blocks=3)


def fresh() -> BlockDay:
    return BlockDay(QUEUE, "2026-11-23", MIDNIGHT)


def leased(size: int = 10, now: datetime = START) -> tuple[BlockDay, Block]:
    return fresh().lease("b1", kiosk="a", holder="a", size=size, now=now, rules=RULES)


@dataclass
class Journal:
    """A kiosk's disk: blocks with how far each was printed, and paper that no answer has confirmed."""

    skew: timedelta
    blocks: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # id -> first, last, next
    unmerged: list[tuple[str, Entry]] = field(default_factory=list)


class Offline(RuleBasedStateMachine):
    @initialize(skews=st.tuples(*[st.integers(-110, 110)] * 3))
    def open(self, skews: tuple[int, ...]) -> None:
        self.now, self.day = START, fresh()
        self.old = [self.day]  # what a slow process may still believe
        self.journals = {k: Journal(timedelta(seconds=s)) for k, s in zip(KIOSKS, skews, strict=True)}
        self.paper: dict[int, str] = {}  # number -> content, of every citizen
        self.tickets: dict[int, str] = {}  # number -> content, as the line has them (insert under a name made of n)
        self.commands = 0

    def _write(self, read: BlockDay, after: BlockDay) -> bool:
        """Compare-and-set."""
        if read is not self.day:
            return False
        self.day = after
        self.old.append(after)
        return True

    def _entry(self, n: int, journal: Journal, block: str) -> Entry:
        at = self.now + journal.skew
        return Entry(n, at, f"{block}:{n}:{at.isoformat()}")

    @rule(seconds=st.integers(1, 2000))
    def pass_time(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(kiosk=st.sampled_from(KIOSKS), size=st.integers(1, 5), answer_lost=st.booleans(), stale=st.booleans())
    def lease(self, kiosk: str, size: int, answer_lost: bool, stale: bool) -> None:
        read = self.old[-2] if stale and len(self.old) > 1 else self.day
        self.commands += 1
        name = f"{kiosk}{self.commands}"
        try:
            after, block = read.lease(name, kiosk=kiosk, holder=kiosk, size=size, now=self.now, rules=RULES)
        except (TooManyBlocks, DayOver):
            return
        if self._write(read, after) and not answer_lost:
            self.journals[kiosk].blocks[name] = (block.first, block.last, block.first)

    @rule(kiosk=st.sampled_from(KIOSKS))
    def print_offline(self, kiosk: str) -> None:
        journal = self.journals[kiosk]
        if self.now + journal.skew >= MIDNIGHT:
            return  # a kiosk does not print numbers of yesterday
        for name, (first, last, after) in journal.blocks.items():
            if after <= last:
                journal.blocks[name] = (first, last, after + 1)
                entry = self._entry(after, journal, name)
                assert after not in self.paper, "two citizens hold the same number"
                self.paper[after] = entry.digest
                journal.unmerged.append((name, entry))
                return

    @precondition(lambda self: any(j.unmerged for j in self.journals.values()))
    @rule(
        kiosk=st.sampled_from(KIOSKS), some=st.integers(1, 5), dies_after=st.integers(0, 5),
        answer_lost=st.booleans(), stale=st.booleans(),
    )  # fmt: skip
    def merge(self, kiosk: str, some: int, dies_after: int, answer_lost: bool, stale: bool) -> None:
        """The process may die after any number of tickets, the answer may get lost: the journal keeps what is open."""
        journal = self.journals[kiosk]
        sent = [u for u in journal.unmerged if u[0] == (journal.unmerged or [("", None)])[0][0]][:some]
        if not sent or self.now >= MIDNIGHT + RULES.grace:
            return
        read = self.old[-2] if stale and len(self.old) > 1 else self.day
        block = read.find(sent[0][0])
        if block is None:
            return  # the slow process has not seen it; it loses
        after, verdicts = read.claim(block, [e for _, e in sent], now=self.now, rules=RULES)
        if after is not read and not self._write(read, after):
            return
        for (_, entry), verdict in list(zip(sent, verdicts, strict=True))[: max(dies_after, 0)]:
            assert verdict.refusal is None, (verdict, "paper that a citizen holds was refused")
            assert verdict.arrived_at is not None
            assert verdict.arrived_at <= self.now
            assert verdict.arrived_at < MIDNIGHT
            self.tickets.setdefault(entry.n, entry.digest)
            assert self.tickets[entry.n] == entry.digest
        if dies_after >= len(sent) and not answer_lost:
            journal.unmerged = [u for u in journal.unmerged if u not in sent]

    @rule(kiosk=st.sampled_from(KIOSKS))
    def forge(self, kiosk: str) -> None:
        """Another content for a number that is merged, by whichever kiosk: never."""
        for block in self.day.blocks:
            for n in block.claims:
                entry = Entry(n, self.now, "something else")
                verdict = block.judge(entry, now=self.now, day_ends_at=MIDNIGHT, rules=RULES)
                assert verdict.refusal is Refusal.DIFFERS

    @rule(kiosk=st.sampled_from(KIOSKS), answer_lost=st.booleans())
    def give_back(self, kiosk: str, answer_lost: bool) -> None:
        journal = self.journals[kiosk]
        for name, (first, _last, after) in list(journal.blocks.items()):
            block = self.day.find(name)
            assert block is not None
            self._write(self.day, self.day.give_back(block, after - 1 if after > first else 0)[0])
            journal.blocks[name] = (first, after - 1, after)  # on its disk first: it prints no more of it
            if not answer_lost:
                del journal.blocks[name]
            return

    @rule(kiosk=st.sampled_from(KIOSKS))
    def renew(self, kiosk: str) -> None:
        for name in self.journals[kiosk].blocks:
            block = self.day.find(name)
            assert block is not None
            try:
                after, renewed = self.day.renew(block, now=self.now, rules=RULES)
            except (BlockReturned, DayOver):
                continue
            assert renewed.until >= block.until
            self._write(self.day, after)

    @invariant()
    def blocks_never_overlap(self) -> None:
        taken = [n for b in self.day.blocks for n in range(b.first, b.last + 1)]
        assert len(taken) == len(set(taken))
        assert all(n < self.day.next_n for n in taken)

    @invariant()
    def what_is_in_line_is_what_is_on_paper(self) -> None:
        for n, content in self.tickets.items():
            assert self.paper[n] == content

    def teardown(self) -> None:
        """In the end every kiosk comes back, and everything on paper is in line, once."""
        if not hasattr(self, "journals") or self.now >= MIDNIGHT + RULES.grace:
            return
        for journal in self.journals.values():
            for name, entry in journal.unmerged:
                block = self.day.find(name)
                assert block is not None
                self.day, verdicts = self.day.claim(block, [entry, entry], now=self.now, rules=RULES)
                assert [v.refusal for v in verdicts] == [None, None]
                self.tickets.setdefault(entry.n, entry.digest)
        assert self.tickets == self.paper


TestOffline = Offline.TestCase
TestOffline.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_two_leases_follow_each_other() -> None:
    day, first = leased(10)
    day, second = day.lease("b2", kiosk="b", holder="b", size=0, now=START, rules=RULES)
    assert (first.first, first.last) == (1, 10)
    assert (second.first, second.last) == (11, 60)
    assert second.until == START + RULES.lease


def test_a_lease_ends_at_midnight_at_the_latest_and_none_begins_after() -> None:
    _, block = leased(now=MIDNIGHT - timedelta(minutes=5))
    assert block.until == MIDNIGHT
    with pytest.raises(DayOver):
        leased(now=MIDNIGHT)


def test_a_kiosk_holds_so_many_blocks_until_their_lease_ends() -> None:
    day = fresh()
    for n in range(RULES.most_blocks):
        day, _ = day.lease(f"b{n}", kiosk="a", holder="a", size=5, now=START, rules=RULES)
    with pytest.raises(TooManyBlocks):
        day.lease("more", kiosk="a", holder="a", size=5, now=START, rules=RULES)
    day.lease("other", kiosk="b", holder="b", size=5, now=START, rules=RULES)
    day.lease("later", kiosk="a", holder="a", size=5, now=START + RULES.lease, rules=RULES)


def test_numbers_end() -> None:
    day = replace(fresh(), next_n=MOST_NUMBERS - 3)
    with pytest.raises(NumbersExhausted):
        day.lease("b", kiosk="a", holder="a", size=5, now=START, rules=RULES)
    assert day.lease("b", kiosk="a", holder="a", size=4, now=START, rules=RULES)[1].last == MOST_NUMBERS


@pytest.mark.parametrize(
    ("n", "minutes", "refusal"),
    [
        (0, 10, Refusal.OUTSIDE),
        (11, 10, Refusal.OUTSIDE),
        (1, -3, Refusal.BEFORE_LEASE),
        (1, -1, None),
        (1, 33, Refusal.IN_FUTURE),
        (1, 31, None),
    ],
)
def test_what_is_refused(n: int, minutes: int, refusal: Refusal | None) -> None:
    day, block = leased(10)
    entry = Entry(n, START + timedelta(minutes=minutes), "x")
    now = START + timedelta(minutes=30)
    after, (verdict,) = day.claim(block, [entry], now=now, rules=RULES)
    assert verdict.refusal is refusal
    if refusal is None:
        assert verdict.arrived_at is not None
        assert START <= verdict.arrived_at <= now, "within the lease and the past"
    else:
        assert after is day, "nothing is written for it"


def test_after_the_lease_it_is_late_and_stays_late_when_the_lease_is_renewed() -> None:
    day, block = leased(10)
    entry = Entry(1, START + timedelta(hours=3), "x")
    now = START + timedelta(hours=4)
    day, (verdict,) = day.claim(block, [entry], now=now, rules=RULES)
    assert (verdict.refusal, verdict.late) == (None, True)
    held = day.find("b1")
    assert held is not None
    day, renewed = day.renew(held, now=now, rules=RULES)
    assert renewed.judge(entry, now=now, day_ends_at=MIDNIGHT, rules=RULES).late


def test_a_printed_number_counts_until_a_day_after_midnight() -> None:
    day, block = leased(10)
    entry = Entry(1, START, "x")
    late = MIDNIGHT + RULES.grace
    assert day.claim(block, [entry], now=late - timedelta(seconds=1), rules=RULES)[1][0].refusal is None
    with pytest.raises(MergeTooLate):
        day.claim(block, [entry], now=late, rules=RULES)
    just_after = Entry(3, MIDNIGHT + timedelta(minutes=1), "z")
    (verdict,) = day.claim(block, [just_after], now=MIDNIGHT + timedelta(hours=2), rules=RULES)[1]
    assert verdict.arrived_at is not None
    assert verdict.arrived_at < MIDNIGHT, "a clock that is a minute ahead makes no ticket of tomorrow"
    yesterday = Entry(2, MIDNIGHT + timedelta(hours=1), "y")
    (verdict,) = day.claim(block, [yesterday], now=MIDNIGHT + timedelta(hours=2), rules=RULES)[1]
    assert verdict.refusal is Refusal.AFTER_DAY


def test_a_repetition_is_no_change_and_two_contents_in_one_request_are_one() -> None:
    day, block = leased(10)
    one, other = Entry(1, START, "x"), Entry(1, START, "y")
    after, verdicts = day.claim(block, [one, other, one], now=START, rules=RULES)
    assert [v.refusal for v in verdicts] == [None, Refusal.DIFFERS, None]
    held = after.find("b1")
    assert held is not None
    assert after.claim(held, [one], now=START, rules=RULES)[0] is after


def test_a_block_given_back_keeps_what_was_printed() -> None:
    day, block = leased(10)
    day, back = day.give_back(block, 3)
    verdicts = day.claim(back, [Entry(3, START, "x"), Entry(4, START, "y")], now=START, rules=RULES)[1]
    assert [v.refusal for v in verdicts] == [None, Refusal.RETURNED]
    assert day.give_back(back, 3)[0] is day
    with pytest.raises(BlockReturned):
        day.give_back(back, 4)
    with pytest.raises(BlockReturned):
        day.renew(back, now=START, rules=RULES)


def test_a_block_cannot_be_given_back_below_what_was_merged_or_above_its_end() -> None:
    day, block = leased(10)
    day, _ = day.claim(block, [Entry(5, START, "x")], now=START, rules=RULES)
    held = day.find("b1")
    assert held is not None
    for last_used in (0, 4, 11):
        with pytest.raises(InvalidKioskField):
            day.give_back(held, last_used)


def test_the_kiosk_prints_what_the_platform_calls() -> None:
    spec = QueueSpec(QUEUE, "malang", "sites/malang/agencies/dukcapil", "D", (1,), 10, "Asia/Jakarta")
    assert spec.number(OFFLINE_BASE + 7) == f"{printed_prefix('D')}{7:03d}" == "D-K007"


def test_a_block_of_less_than_nothing_is_none() -> None:
    """Else the next block would begin within the one before."""
    day, block = fresh().lease("b1", kiosk="a", holder="a", size=10, now=START, rules=RULES)
    with pytest.raises(InvalidKioskField):
        day.lease("b2", kiosk="b", holder="b", size=-5, now=START, rules=RULES)
    assert day.lease("b2", kiosk="b", holder="b", size=1, now=START, rules=RULES)[1].first == block.last + 1
