"""A queue's day against a simple model: several tickets and counters, commands in any order.

The machine keeps tickets as the store does (one version each, the unique keys checked as the indexes check
them) and the model keeps two plain lists of numbers, a set of counters and nothing else.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from mpp_queue import domain
from mpp_queue.domain import PriorityGroup, QueueSpec, Rules, State, Ticket

DAY, NEXT_DAY = "2026-11-23", "2026-11-24"
QUEUE = "sites/malang/queues/dukcapil"
SPEC = QueueSpec(QUEUE, "malang", "sites/malang/agencies/dukcapil", "D", (1, 2, 3), 10, "Asia/Jakarta")


class Line(RuleBasedStateMachine):
    @initialize(run=st.integers(1, 3), returns=st.integers(0, 2))
    def open(self, run: int, returns: int) -> None:
        self.rules = Rules(priority_run=run, returns=returns)
        self.now = datetime(2026, 11, 23, 1, tzinfo=UTC)
        self.tickets: dict[str, Ticket] = {}
        self.commands = 0
        # the model
        self.model_waiting: dict[bool, list[int]] = {True: [], False: []}  # by class, in the order of calling
        self.model_at: dict[int, int] = {}  # counter -> number
        self.model_calls: list[tuple[int, bool]] = []  # (number, priority), newest first
        self.model_misses: dict[int, int] = {}

    def _act(self) -> None:
        self.now += timedelta(milliseconds=700)
        self.commands += 1

    def _seq(self, seq: int) -> Ticket:
        return next(t for t in self.tickets.values() if t.seq == seq)

    def _put(self, ticket: Ticket) -> None:
        """As the unique indexes would: refuse a counter or a command that another ticket holds."""
        for other in self.tickets.values():
            if other.name != ticket.name:
                assert other.seq != ticket.seq
                assert not other.busy_key or other.busy_key != ticket.busy_key
                assert not other.call_key or other.call_key != ticket.call_key
                assert not other.second_call_key or other.second_call_key != ticket.second_call_key
        self.tickets[ticket.name] = ticket

    @rule(group=st.sampled_from(PriorityGroup))
    def take(self, group: PriorityGroup) -> None:
        self._act()
        seq = len(self.tickets) + 1
        ticket = domain.issue(
            SPEC, name=f"t{seq}", day=DAY, seq=seq, offering="", group=group, owners=(), sealed_phone="",
            masked_phone="", people_ahead=0, estimated_wait=timedelta(0), now=self.now, actor="a", rules=self.rules,
        )  # fmt: skip
        self._put(ticket)
        self.model_waiting[group is not PriorityGroup.NONE].append(seq)

    def _model_next(self) -> int | None:
        run = self.rules.priority_run
        last = [priority for _, priority in self.model_calls[:run]]
        urgent, others = self.model_waiting[True], self.model_waiting[False]
        if urgent and others:
            return others[0] if len(last) == run and all(last) else urgent[0]
        return (urgent or others or [None])[0]

    @rule(counter=st.sampled_from(SPEC.counters))
    def call_next(self, counter: int) -> None:
        self._act()
        waiting = sorted((t for t in self.tickets.values() if t.state is State.WAITING), key=lambda t: t.rank)
        lately = [t for t in self.tickets.values() if t.state in domain.LATELY_CALLED]
        recent = sorted(lately, key=lambda t: t.rank, reverse=True)
        order = domain.turn_order(
            [t for t in waiting if t.priority],
            [t for t in waiting if not t.priority],
            [t.priority for t in recent[: self.rules.priority_run]],
            self.rules,
        )
        expected = self._model_next()
        if not order:
            assert expected is None
            return
        assert order[0].seq == expected
        called = order[0].call(now=self.now, actor="o", counter=counter, call_key=f"c{self.commands}")
        if counter in self.model_at:
            with pytest.raises(AssertionError):
                self._put(called)
            return
        self._put(called)
        self.model_waiting[called.priority].remove(called.seq)
        self.model_at[counter] = called.seq
        self.model_calls.insert(0, (called.seq, called.priority))

    @precondition(lambda self: self.model_at)
    @rule(data=st.data(), wait=st.sampled_from([0, 14, 15, 60]))
    def recall(self, data: st.DataObject, wait: int) -> None:
        self._act()
        self.now += timedelta(seconds=wait)
        ticket = self._seq(data.draw(st.sampled_from(sorted(self.model_at.values()))))
        try:
            self._put(ticket.recall(now=self.now, actor="o", rules=self.rules))
            self._model_recalled(ticket)
        except domain.WrongState:
            assert ticket.state is State.SERVING
        except domain.RecallLimit:
            assert ticket.calls == 3
        except domain.RecallTooSoon:
            assert ticket.called_at is not None
            assert self.now - ticket.called_at < timedelta(seconds=15)

    def _model_recalled(self, ticket: Ticket) -> None:
        call = (ticket.seq, ticket.priority)
        self.model_calls.remove(call)
        self.model_calls.insert(0, call)

    @precondition(lambda self: self.model_at)
    @rule(data=st.data(), step=st.sampled_from(["serve", "finish"]))
    def serve_or_finish(self, data: st.DataObject, step: str) -> None:
        self._act()
        counter = data.draw(st.sampled_from(sorted(self.model_at)))
        ticket = self._seq(self.model_at[counter])
        fits = ticket.state is (State.CALLED if step == "serve" else State.SERVING)
        try:
            self._put(getattr(ticket, step)(now=self.now, actor="o"))
        except domain.WrongState:
            assert not fits
            return
        assert fits
        if step == "finish":
            del self.model_at[counter]

    @precondition(lambda self: self.model_at)
    @rule(data=st.data())
    def miss(self, data: st.DataObject) -> None:
        self._act()
        counter = data.draw(st.sampled_from(sorted(self.model_at)))
        seq = self.model_at[counter]
        ticket = self._seq(seq)
        if ticket.state is not State.CALLED:
            return
        self._put(ticket.miss(now=self.now, actor="o", last_seq=len(self.tickets), rules=self.rules))
        del self.model_at[counter]
        self.model_calls.remove((seq, ticket.priority))
        self.model_misses[seq] = self.model_misses.get(seq, 0) + 1
        if self.model_misses[seq] <= self.rules.returns:
            self.model_waiting[ticket.priority].append(seq)
        else:
            assert self._seq(seq).state is State.NO_SHOW

    @precondition(lambda self: self.tickets)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self._act()
        ticket = data.draw(st.sampled_from(list(self.tickets.values())))
        try:
            self._put(ticket.cancel(now=self.now, actor="c", reason="pulang"))
        except domain.WrongState:
            assert ticket.state not in (State.WAITING, State.CALLED)
            return
        self.model_at = {c: s for c, s in self.model_at.items() if s != ticket.seq}
        self.model_calls = [(s, p) for s, p in self.model_calls if s != ticket.seq]
        if ticket.seq in self.model_waiting[ticket.priority]:
            self.model_waiting[ticket.priority].remove(ticket.seq)

    @rule()
    def close_the_day(self) -> None:
        for ticket in list(self.tickets.values()):
            if ticket.state in domain.OPEN:
                self._put(ticket.close(now=self.now, actor="s", today=NEXT_DAY))
        self.model_waiting = {True: [], False: []}
        self.model_calls = [(s, p) for s, p in self.model_calls if s not in self.model_at.values()]
        self.model_at = {}

    @invariant()
    def counters_have_one_citizen_and_a_citizen_one_counter(self) -> None:
        if not hasattr(self, "tickets"):
            return
        at_counters = [t for t in self.tickets.values() if t.state in domain.AT_A_COUNTER]
        assert {t.counter: t.seq for t in at_counters} == self.model_at
        assert len(at_counters) == len(self.model_at)

    @invariant()
    def waiting_order_is_the_models(self) -> None:
        if not hasattr(self, "tickets"):
            return
        waiting = sorted((t for t in self.tickets.values() if t.state is State.WAITING), key=lambda t: t.rank)
        assert [t.seq for t in waiting] == self.model_waiting[True] + self.model_waiting[False]

    @invariant()
    def calls_and_misses_stay_in_their_limits(self) -> None:
        for ticket in getattr(self, "tickets", {}).values():
            assert ticket.calls <= 3
            assert ticket.misses <= self.rules.returns + 1
            assert (ticket.busy_key == "") == (ticket.state not in domain.AT_A_COUNTER)


TestLine = Line.TestCase
TestLine.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
