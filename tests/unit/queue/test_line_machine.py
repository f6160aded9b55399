"""A queue's day against a simple model: several tickets, visits and counters, every step in any order.

The machine keeps tickets as the store does (one version each, the unique keys checked as the indexes check
them). The model keeps plain lists and dicts of numbers: who waits in which class and since when, who is where. Its order
of calling is the sentence of the rule, written a second time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from mpp_queue import domain
from mpp_queue.domain import Admission, Delivery, PriorityGroup, QueueError, QueueSpec, Rules, State, Ticket, WrongState

DAY, NEXT_DAY = "2026-11-23", "2026-11-24"
QUEUE, OTHER = "sites/malang/queues/dukcapil", "sites/malang/queues/bpjs"
SPEC = QueueSpec(QUEUE, "malang", "sites/malang/agencies/dukcapil", "D", (1, 2, 3), 10, "Asia/Jakarta")
OFFICERS = st.sampled_from(["o1", "o2"])
REST = timedelta(seconds=20)


class Refused(Exception):
    """By a unique index."""


class Line(RuleBasedStateMachine):
    @initialize(run=st.integers(1, 3), returns=st.integers(0, 2))
    def open(self, run: int, returns: int) -> None:
        self.rules = Rules(priority_run=run, returns=returns, rest=REST)
        self.now = datetime(2026, 11, 23, 1, tzinfo=UTC)
        self.tickets: dict[str, Ticket] = {}
        self.commands = 0
        # the model
        self.place: dict[int, tuple[int, datetime]] = {}  # number -> class, effective arrival; fixed while it waits
        self.where: dict[int, str | int] = {}  # number -> "waiting", "parked", "over", or the counter it is at
        self.visits: dict[int, str] = {}
        self.turns: list[tuple[datetime, int, int]] = []  # (time, number, class) of its latest turn, newest first
        self.calls: dict[int, int] = {}
        self.misses: dict[int, int] = {}
        self.resumed: set[int] = set()
        self.at_once: dict[int, int] = {}  # its present call and the recalls of it

    def _act(self, seconds: float = 0.7) -> None:
        self.now += timedelta(seconds=seconds)
        self.commands += 1

    def _seq(self, seq: int) -> Ticket:
        return next(t for t in self.tickets.values() if t.seq == seq)

    def _put(self, ticket: Ticket) -> None:
        """As the unique indexes would: refuse a counter, a visitor or a command that another ticket holds."""
        for other in self.tickets.values():
            if other.name != ticket.name:
                assert other.seq != ticket.seq
                for key in ("busy_key", "visit_key", "call_key", "second_call_key"):
                    if getattr(other, key) and getattr(other, key) == getattr(ticket, key):
                        raise Refused(key)
        self.tickets[ticket.name] = ticket

    def _at_counters(self) -> dict[int, int]:
        return {where: seq for seq, where in self.where.items() if isinstance(where, int)}

    def _of(self, *places: str) -> list[int]:
        return [seq for seq, where in self.where.items() if where in places]

    def _over(self, seq: int) -> None:
        self.where[seq] = "over"
        self.resumed.discard(seq)

    # -- the line

    @rule(group=st.sampled_from(PriorityGroup), visit=st.sampled_from(["", "", "v1", "v2"]))
    def take(self, group: PriorityGroup, visit: str) -> None:
        self._act()
        seq = len(self.tickets) + 1
        admission = Admission(f"t{seq}", QUEUE, "kiosk", self.now, group=group, visit=visit)
        event = domain.Issued(0, timedelta(0))
        self._put(
            domain.issue(SPEC, admission, day=DAY, seq=seq, event=event, now=self.now, actor="k", rules=self.rules)
        )
        self.place[seq] = (0 if group is not PriorityGroup.NONE else 1, self.now)
        self.where[seq], self.visits[seq], self.calls[seq], self.misses[seq] = "waiting", visit, 0, 0

    def _model_next(self, among: list[int]) -> int:
        """Priority first, but after `run` calls of it one of the others; who rests only when nobody else waits."""
        fresh = [s for s in among if self.place[s][1] <= self.now] or among
        urgent = sorted((s for s in fresh if self.place[s][0] == 0), key=lambda s: (self.place[s][1], s))
        others = sorted((s for s in fresh if self.place[s][0] == 1), key=lambda s: (self.place[s][1], s))
        if urgent and others:
            last = [index for _, _, index in self.turns[: self.rules.priority_run]]
            return others[0] if len(last) == self.rules.priority_run and not any(last) else urgent[0]
        return (urgent or others)[0]

    def _system_order(self) -> list[Ticket]:
        lines: dict[int, list[Ticket]] = {}
        for t in sorted((t for t in self.tickets.values() if t.state is State.WAITING), key=lambda t: t.rank):
            lines.setdefault(min(t.class_digit, 1), []).append(t)
        turned = [t for t in self.tickets.values() if t.last_call and t.turn_at]
        recent = [min(t.class_digit, 1) for t in sorted(turned, key=lambda t: t.turn_at or self.now, reverse=True)]
        policy = self.rules.policy_of(SPEC)
        return list(domain.upcoming(policy, lines, recent[: domain.window(policy)], self.now, lambda t: t.effective))

    @rule(counter=st.sampled_from(SPEC.counters), officer=OFFICERS)
    def call_next(self, counter: int, officer: str) -> None:
        self._act()
        order, waiting = self._system_order(), self._of("waiting")
        assert len(order) == len(waiting)
        for ticket in order:
            assert ticket.seq == self._model_next(waiting)
            called = ticket.call(now=self.now, actor=officer, counter=counter, call_key=f"c{self.commands}")
            try:
                self._put(called)
            except Refused as refused:
                if str(refused) == "busy_key":
                    assert counter in self._at_counters()
                    self._forget_passed()
                    return
                self._visitor_is_elsewhere(ticket.seq)
                # passed over; the next is the one that would be called if this one did not wait
                turn = (self.now, ticket.seq, self.place[ticket.seq][0])
                waiting, self.turns = [s for s in waiting if s != ticket.seq], [turn, *self.turns]
                continue
            self._forget_passed()
            self._called(called, officer)
            return
        self._forget_passed()

    def _forget_passed(self) -> None:
        self.turns = [turn for turn in self.turns if turn[0] != self.now]

    def _visitor_is_elsewhere(self, seq: int) -> None:
        visit = self.visits[seq]
        assert visit
        assert any(isinstance(self.where[s], int) for s, v in self.visits.items() if v == visit and s != seq)

    def _called(self, ticket: Ticket, officer: str) -> None:
        self.where[ticket.seq] = ticket.counter
        self.calls[ticket.seq] += 1
        self.at_once[ticket.seq] = 1
        self._untold(ticket.seq)
        self.turns.insert(0, (self.now, ticket.seq, self.place[ticket.seq][0]))

    def _untold(self, seq: int) -> None:
        self.turns = [turn for turn in self.turns if turn[1] != seq]

    @precondition(lambda self: self._of("waiting"))
    @rule(data=st.data(), counter=st.sampled_from(SPEC.counters), officer=OFFICERS)
    def call_chosen(self, data: st.DataObject, counter: int, officer: str) -> None:
        self._act()
        ticket = self._seq(data.draw(st.sampled_from(self._of("waiting"))))
        called = ticket.call(now=self.now, actor=officer, counter=counter, out_of_turn=True, reason="hamil tua")
        if self._try_at_counter(called, counter):
            self._called(called, officer)

    def _try_at_counter(self, ticket: Ticket, counter: int) -> bool:
        try:
            self._put(ticket)
            return True
        except Refused as refused:
            if str(refused) == "busy_key":
                assert counter in self._at_counters()
            else:
                self._visitor_is_elsewhere(ticket.seq)
            return False

    # -- at a counter

    @precondition(lambda self: self._at_counters())
    @rule(data=st.data(), wait=st.sampled_from([0, 14, 15, 60]))
    def recall(self, data: st.DataObject, wait: int) -> None:
        self._act(wait + 0.7)
        ticket = self._seq(data.draw(st.sampled_from(sorted(self._at_counters().values()))))
        since = self.now - (ticket.called_at or self.now)
        fits = ticket.state is State.CALLED and ticket.calls < 3 and since >= self.rules.recall_gap
        try:
            self._put(ticket.recall(now=self.now, actor="o1", rules=self.rules))
        except QueueError:
            assert not fits
            return
        assert fits
        self.calls[ticket.seq] += 1
        self.at_once[ticket.seq] += 1

    @precondition(lambda self: self._at_counters())
    @rule(data=st.data(), officer=OFFICERS, wait=st.sampled_from([0, 30, 70]))
    def undo(self, data: st.DataObject, officer: str, wait: int) -> None:
        self._act(wait + 0.7)
        ticket = self._seq(data.draw(st.sampled_from(sorted(self._at_counters().values()))))
        since = self.now - (ticket.called_at or self.now)
        fits = ticket.state is State.CALLED and ticket.called_by == officer and since <= self.rules.undo
        try:
            self._put(ticket.undo(now=self.now, actor=officer, rules=self.rules))
        except QueueError:
            assert not fits
            return
        assert fits
        self.calls[ticket.seq] -= self.at_once[ticket.seq]
        if ticket.seq in self.resumed:
            self.where[ticket.seq] = "parked"
            self.resumed.discard(ticket.seq)
        else:
            self.where[ticket.seq] = "waiting"
            self._untold(ticket.seq)

    @precondition(lambda self: self._at_counters())
    @rule(data=st.data(), step=st.sampled_from(["serve", "finish", "park"]))
    def serve_finish_or_park(self, data: st.DataObject, step: str) -> None:
        self._act()
        ticket = self._seq(data.draw(st.sampled_from(sorted(self._at_counters().values()))))
        given: dict[str, Any] = {"park": {"reason": "fotokopi"}, "finish": {"delivery": Delivery.RECORDED}}.get(
            step, {}
        )
        fits = {"serve": State.CALLED, "finish": State.SERVING}.get(step, ticket.state) is ticket.state
        try:
            self._put(getattr(ticket, step)(now=self.now, actor="o1", **given))
        except WrongState:
            assert not fits
            return
        assert fits
        self.resumed.discard(ticket.seq)
        if step != "serve":
            self.where[ticket.seq] = "over" if step == "finish" else "parked"

    @precondition(lambda self: self._of("parked"))
    @rule(data=st.data(), counter=st.sampled_from(SPEC.counters), officer=OFFICERS)
    def resume(self, data: st.DataObject, counter: int, officer: str) -> None:
        self._act()
        ticket = self._seq(data.draw(st.sampled_from(self._of("parked"))))
        called = ticket.resume(now=self.now, actor=officer, counter=counter)
        if self._try_at_counter(called, counter):
            self.where[ticket.seq], self.calls[ticket.seq], self.at_once[ticket.seq] = counter, 1, 1
            self.resumed.add(ticket.seq)

    @precondition(lambda self: self._at_counters())
    @rule(data=st.data())
    def miss(self, data: st.DataObject) -> None:
        self._act()
        ticket = self._seq(data.draw(st.sampled_from(sorted(self._at_counters().values()))))
        if ticket.state is not State.CALLED:
            return
        self._put(ticket.miss(now=self.now, actor="o1", rules=self.rules))
        self.misses[ticket.seq] += 1
        if self.misses[ticket.seq] > self.rules.returns:
            self._over(ticket.seq)
            assert self._seq(ticket.seq).state is State.NO_SHOW
            return
        self.where[ticket.seq], self.calls[ticket.seq] = "waiting", 0
        self.place[ticket.seq] = (self.place[ticket.seq][0], self.now + REST)
        self.resumed.discard(ticket.seq)

    @precondition(lambda self: self._at_counters() or self._of("parked"))
    @rule(data=st.data(), reset=st.booleans())
    def requeue(self, data: st.DataObject, reset: bool) -> None:
        self._act()
        seq = data.draw(st.sampled_from([*sorted(self._at_counters().values()), *self._of("parked")]))
        ticket = self._seq(seq)
        fits = ticket.state in (State.CALLED, State.PARKED) and (reset or self.calls[seq] < 3)
        try:
            self._put(ticket.requeue(now=self.now, actor="o", reason="listrik", reset_calls=reset, rules=self.rules))
        except QueueError:
            assert not fits
            return
        assert fits
        self.where[seq], self.calls[seq] = "waiting", 0 if reset else self.calls[seq]
        self.resumed.discard(seq)

    @precondition(lambda self: self._at_counters() or self._of("parked"))
    @rule(data=st.data())
    def transfer(self, data: st.DataObject) -> None:
        self._act()
        seq = data.draw(st.sampled_from([*sorted(self._at_counters().values()), *self._of("parked")]))
        ticket = self._seq(seq)
        over = ticket.transfer(
            now=self.now, actor="o", child=f"{OTHER}/tickets/c{seq}", target=OTHER, offering="", reason=""
        )
        self._put(over)
        self._over(seq)
        admission = domain.admission_of(over, OTHER, "")
        assert (admission.number, admission.arrived_at, admission.visit) == (
            ticket.number, ticket.arrived_at, ticket.visit,
        )  # fmt: skip

    # -- ends

    @precondition(lambda self: self.tickets)
    @rule(data=st.data(), by_officer=st.booleans())
    def cancel(self, data: st.DataObject, by_officer: bool) -> None:
        self._act()
        ticket = data.draw(st.sampled_from(list(self.tickets.values())))
        fits = ticket.state in (domain.OPEN if by_officer else (State.WAITING, State.CALLED))
        try:
            self._put(ticket.cancel(now=self.now, actor="c", reason="pulang", by_officer=by_officer))
        except WrongState:
            assert not fits
            return
        assert fits
        self._over(ticket.seq)

    @rule()
    def close_the_day(self) -> None:
        if self.commands % 5:
            return
        for ticket in list(self.tickets.values()):
            if ticket.state in domain.OPEN:
                self._put(ticket.close(now=self.now, actor="s", today=NEXT_DAY))
                self._over(ticket.seq)

    # -- always

    @invariant()
    def each_is_where_the_model_says(self) -> None:
        for t in getattr(self, "tickets", {}).values():
            where = self.where[t.seq]
            if isinstance(where, int):
                assert (t.state in domain.AT_A_COUNTER, t.counter) == (True, where)
            else:
                over = t.state not in domain.OPEN
                assert {"waiting": t.state is State.WAITING, "parked": t.state is State.PARKED, "over": over}[where]

    @invariant()
    def a_counter_has_one_citizen_and_a_citizen_one_counter(self) -> None:
        there = [t for t in getattr(self, "tickets", {}).values() if t.state in domain.AT_A_COUNTER]
        assert len({t.counter for t in there}) == len(there)
        visits = [t.visit for t in there if t.visit]
        assert len(set(visits)) == len(visits)

    @invariant()
    def calls_misses_and_keys_stay_in_their_limits(self) -> None:
        for t in getattr(self, "tickets", {}).values():
            assert t.calls <= 3
            assert t.calls == self.calls[t.seq]
            assert t.misses <= self.rules.returns + 1
            assert (t.busy_key == "") == (t.state not in domain.AT_A_COUNTER)
            assert t.visit_key == (t.visit if t.state in domain.AT_A_COUNTER else "")

    @invariant()
    def times_add_up(self) -> None:
        for t in getattr(self, "tickets", {}).values():
            facts = domain.facts_of(t)
            assert t.served(self.now) <= self.now - t.issued_at
            assert facts.at_counter + facts.parked <= self.now - t.issued_at
            assert facts.turns <= facts.calls


TestLine = Line.TestCase
TestLine.settings = settings(max_examples=50, stateful_step_count=50, deadline=None)
