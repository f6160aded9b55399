"""Offline numbers, and who puts a kiosk to work: pure rules, standard library only.

A queue's day is one value, `BlockDay`: which numbers are leased to whom, and what was printed on each number that
came back. Whoever changes it replaces the whole of it (compare-and-set, see store.py), so two kiosks can never hold
the same number and a number never has two contents. `next_n` only grows: a number that was given back is not leased
again, since paper with it may be in somebody's hand.

Never knows the store, the transport, or the time of day: `now` is an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from mpp_queue.domain.errors import QueueError
from mpp_queue.kiosks.layout import Layout

_MOMENT = timedelta(milliseconds=1)  # what the store can tell apart
MOST_NUMBERS = 99_999  # a queue's day; what fits on paper
MOST_BLOCKS = 200  # of a kiosk, a queue's day: one that leases and returns without end must not fill the day's document


class KioskError(QueueError):
    """A rule of kiosks says no."""

    reason = "KIOSK_ERROR"


class InvalidKioskField(KioskError):
    reason = "INVALID_FIELD"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field=field)


class TooManyBlocks(KioskError):
    """The kiosk holds, or had today, as many blocks as it may; metadata: `blocks`."""

    reason = "TOO_MANY_BLOCKS"


class NumbersExhausted(KioskError):
    reason = "NUMBERS_EXHAUSTED"


class BlockReturned(KioskError):
    reason = "BLOCK_RETURNED"


class DayOver(KioskError):
    """The block is of an earlier day; metadata: `day`."""

    reason = "DAY_OVER"


class MergeTooLate(KioskError):
    """More than a day after the block's own day: paper of then is nobody's place any more."""

    reason = "MERGE_TOO_LATE"


class KioskInactive(KioskError):
    """The site demands that a manager puts its kiosks to work, and nobody has."""

    reason = "KIOSK_INACTIVE"


class OfflineNotAllowed(KioskError):
    """The catalogue says that this kiosk prints nothing by itself."""

    reason = "OFFLINE_NOT_ALLOWED"


class Refusal(StrEnum):
    """Why one printed ticket cannot be merged; its neighbours can."""

    OUTSIDE = "NUMBER_OUTSIDE_BLOCK"
    RETURNED = "NUMBER_RETURNED"
    DIFFERS = "NUMBER_DIFFERS"
    BEFORE_LEASE = "ISSUED_BEFORE_LEASE"
    IN_FUTURE = "ISSUED_IN_FUTURE"
    AFTER_DAY = "ISSUED_AFTER_DAY"


@dataclass(frozen=True, slots=True)
class BlockRules:
    """House rules, all settings.

    `lease`: how long a kiosk may print before its tickets count as late. `tolerance`: how far its clock may be off.
    `grace`: how long after the block's day a merge is taken; what comes after midnight is of its own day and closed by the
    day-end sweep, so it is in the reports and in nobody's line.
    `most_blocks`: unexpired blocks that one kiosk may hold of a queue's day.
    """

    lease: timedelta = timedelta(hours=2)
    tolerance: timedelta = timedelta(minutes=2)
    grace: timedelta = timedelta(days=1)
    most_blocks: int = 4
    usual_size: int = 50


Closed = Callable[[datetime], str]  # why nothing should have been printed at a moment; empty when it was right


def never(at: datetime) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A printed ticket: `digest` stands for its whole content."""

    n: int
    issued_at: datetime
    digest: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What number n stands for, once and for all. `late`: printed after the lease's end, as it was then. `while_closed`: why
    nothing should have been printed then, by what was known at the first merge; else empty."""

    digest: str
    late: bool = False
    while_closed: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of an entry; `refusal` is None when it belongs in the line. `arrived_at`: its place there."""

    n: int
    refusal: Refusal | None
    late: bool = False
    arrived_at: datetime | None = None
    while_closed: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Numbers `first` to `last` of a kiosk. `holder`: the subject of the token that leased it. `last_used` is None until
    the block is given back."""

    id: str
    kiosk: str
    holder: str
    first: int
    last: int
    leased_at: datetime
    until: datetime
    last_used: int | None = None
    claims: Mapping[int, Claim] = field(default_factory=dict)

    def overdue(self, now: datetime) -> bool:
        """Its lease is over and it was not given back: paper with its numbers may be in hands, and in nobody's line."""
        return self.last_used is None and self.until < now

    def judge(
        self, entry: Entry, *, now: datetime, day_ends_at: datetime, rules: BlockRules, closed: Closed = never
    ) -> Verdict:
        """What number n stands for already decides before anything else: a repetition is never refused, whatever
        happened to the lease since. That the doors were closed refuses nothing: somebody holds the paper."""
        # Of the block's day, whatever the kiosk's clock said about midnight: tomorrow has a number n of its own.
        arrived_at = min(max(entry.issued_at, self.leased_at), now, day_ends_at - _MOMENT)
        known = self.claims.get(entry.n)
        if known is not None:
            if known.digest != entry.digest:
                return Verdict(entry.n, Refusal.DIFFERS)
            return Verdict(entry.n, None, known.late, arrived_at, known.while_closed)
        late, refusal = entry.issued_at > self.until, self._refusal(entry, now, day_ends_at, rules)
        if refusal is not None:
            return Verdict(entry.n, refusal, late)
        return Verdict(entry.n, None, late, arrived_at, closed(arrived_at))

    def _refusal(self, entry: Entry, now: datetime, day_ends_at: datetime, rules: BlockRules) -> Refusal | None:
        if not self.first <= entry.n <= self.last:
            return Refusal.OUTSIDE
        if self.last_used is not None and entry.n > self.last_used:
            return Refusal.RETURNED
        if entry.issued_at < self.leased_at - rules.tolerance:
            return Refusal.BEFORE_LEASE
        if entry.issued_at > now + rules.tolerance:
            return Refusal.IN_FUTURE
        if entry.issued_at >= day_ends_at + rules.tolerance:
            return Refusal.AFTER_DAY
        return None


@dataclass(frozen=True, slots=True)
class BlockDay:
    """The offline numbers of a queue's local day. `ends_at`: the site's midnight."""

    queue: str
    day: str
    ends_at: datetime
    next_n: int = 1
    blocks: tuple[Block, ...] = ()

    def find(self, block_id: str) -> Block | None:
        return next((b for b in self.blocks if b.id == block_id), None)

    def lease(
        self, block_id: str, *, kiosk: str, holder: str, size: int, now: datetime, rules: BlockRules
    ) -> tuple[BlockDay, Block]:
        """The next `size` numbers (0: the usual). Raises DayOver, TooManyBlocks, NumbersExhausted, InvalidKioskField for
        less: `next_n` must only grow, or two kiosks would print one number.
        """
        if size < 0:
            raise InvalidKioskField("size", "must not be negative")
        self._must_last(now)
        own = [b for b in self.blocks if b.kiosk == kiosk]
        held = [b for b in own if b.last_used is None and b.until > now]
        if len(held) >= rules.most_blocks:
            raise TooManyBlocks(f"{kiosk} holds {len(held)} blocks; give one back", metadata={"blocks": str(len(held))})
        if len(own) >= MOST_BLOCKS:
            raise TooManyBlocks(f"{kiosk} had {len(own)} blocks today", metadata={"blocks": str(len(own))})
        last = self.next_n + (size or rules.usual_size) - 1
        if last > MOST_NUMBERS:
            raise NumbersExhausted(f"{self.queue} has no offline numbers left today")
        block = Block(block_id, kiosk, holder, self.next_n, last, now, self._until(now, rules))
        return replace(self, next_n=last + 1, blocks=(*self.blocks, block)), block

    def renew(self, block: Block, *, now: datetime, rules: BlockRules) -> tuple[BlockDay, Block]:
        """The lease counts from now; it never becomes shorter. Raises DayOver, BlockReturned."""
        self._must_last(now)
        if block.last_used is not None:
            raise BlockReturned("the block was given back")
        return self._with(replace(block, until=max(block.until, self._until(now, rules))))

    def give_back(self, block: Block, last_used: int) -> tuple[BlockDay, Block]:
        """Numbers above `last_used` (0: all) are void. Again with the same number: no change. Raises BlockReturned for
        another number, InvalidKioskField for one outside the block or below one that was merged."""
        used = max(last_used, block.first - 1)
        if block.last_used is not None:
            if block.last_used != used:
                raise BlockReturned(f"the block was given back with last number {block.last_used}")
            return self, block
        if used > block.last:
            raise InvalidKioskField("last_used", f"the block ends at {block.last}")
        if used < max(block.claims, default=0):
            raise InvalidKioskField("last_used", f"number {max(block.claims)} was printed: it is merged")
        return self._with(replace(block, last_used=used))

    def claim(
        self, block: Block, entries: Sequence[Entry], *, now: datetime, rules: BlockRules, closed: Closed = never
    ) -> tuple[BlockDay, list[Verdict]]:
        """Say once and for all what the entries' numbers stand for. The same day when nothing is new. Raises
        MergeTooLate."""
        if now >= self.ends_at + rules.grace:
            raise MergeTooLate(f"the block is of {self.day}", metadata={"day": self.day})
        verdicts = []
        claimed = block
        for entry in entries:
            verdict = claimed.judge(entry, now=now, day_ends_at=self.ends_at, rules=rules, closed=closed)
            verdicts.append(verdict)
            if verdict.refusal is None and entry.n not in claimed.claims:
                claims = {**claimed.claims, entry.n: Claim(entry.digest, verdict.late, verdict.while_closed)}
                claimed = replace(claimed, claims=claims)
        return (self if claimed is block else self._with(claimed)[0]), verdicts

    def _until(self, now: datetime, rules: BlockRules) -> datetime:
        return min(now + rules.lease, self.ends_at)

    def _must_last(self, now: datetime) -> None:
        if now >= self.ends_at:
            raise DayOver(f"{self.day} is over", metadata={"day": self.day})

    def _with(self, block: Block) -> tuple[BlockDay, Block]:
        return replace(self, blocks=tuple(block if b.id == block.id else b for b in self.blocks)), block


def printed_prefix(prefix: str) -> str:
    """What stands before n on paper: `D-K` of `D-K001`. The K keeps it apart from every number of the platform itself."""
    return f"{prefix}-K"


@dataclass(frozen=True, slots=True)
class Duty:
    """Whether a kiosk works, which of its buttons are paused (id -> text for the citizen, may be empty), and how they are
    laid out.
    """

    active: bool = False
    reason: str = ""
    paused: Mapping[str, str] = field(default_factory=dict)
    layout: Layout = field(default_factory=Layout)

    def works(self, *, required: bool) -> bool:
        """Whether it may give numbers. `required`: a manager must have put it to work first; else it works until one says
        no."""
        return self.active if required else not self.reason

    def activate(self) -> Duty:
        return replace(self, active=True, reason="")

    def deactivate(self, reason: str) -> Duty:
        return replace(self, active=False, reason=reason)

    def set_button(self, button: str, *, paused: bool, text: str) -> Duty:
        others = {b: t for b, t in self.paused.items() if b != button}
        return replace(self, paused={**others, button: text} if paused else others)
