"""Numbers of one process against a store that refuses what is taken: never a double, no gap while nothing
fails.
"""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from mpp_queue.numbering import Numbering

KEY = ("sites/malang/queues/dukcapil", "2026-11-23")


class SeveralProcesses(RuleBasedStateMachine):
    """Processes reserve, insert, lose, repeat and die in any order; the set of numbers is the unique index."""

    @initialize(processes=st.integers(1, 3))
    def start(self, processes: int) -> None:
        self.taken: set[int] = set()
        self.holes_allowed = False
        self.processes = [self._process() for _ in range(processes)]
        self.reserved: list[tuple[Numbering, int]] = []

    def _process(self) -> Numbering:
        return Numbering(lambda queue, day: max(self.taken, default=0))

    @rule(data=st.data())
    def reserve(self, data: st.DataObject) -> None:
        process = data.draw(st.sampled_from(self.processes))
        self.reserved.append((process, process.reserve(*KEY)))

    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        """A snapshot was read, perhaps a moment ago: it may know fewer than there are, and never more."""
        process = data.draw(st.sampled_from(self.processes))
        greatest = max(self.taken, default=0)
        process.seen(*KEY, data.draw(st.integers(min(greatest, max(0, greatest - 2)), greatest)))

    @precondition(lambda self: self.reserved)
    @rule(data=st.data())
    def insert(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.reserved) - 1))
        process, seq = self.reserved.pop(index)
        if seq in self.taken:
            process.lost(*KEY)
            self.reserved.append((process, process.reserve(*KEY)))
        else:
            self.taken.add(seq)

    @precondition(lambda self: self.reserved)
    @rule(data=st.data())
    def repeated_command(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.reserved) - 1))
        process, seq = self.reserved.pop(index)
        if any(p is process and s > seq for p, s in self.reserved) or max(self.taken, default=0) > seq:
            self.holes_allowed = True  # a number above is out: the documented rare gap
        process.give_back(*KEY, seq)

    @precondition(lambda self: self.processes)
    @rule(data=st.data())
    def kill(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.processes) - 1))
        dead = self.processes[index]
        self.holes_allowed = self.holes_allowed or any(p is dead for p, _ in self.reserved)
        self.reserved = [(p, s) for p, s in self.reserved if p is not dead]
        self.processes[index] = self._process()

    @invariant()
    def no_number_reserved_twice_in_a_process(self) -> None:
        if hasattr(self, "reserved"):
            mine = [(id(p), s) for p, s in self.reserved]
            assert len(mine) == len(set(mine))

    def teardown(self) -> None:
        if not hasattr(self, "reserved"):
            return
        while self.reserved:  # everyone who waits gets a ticket
            process, seq = self.reserved.pop()
            if seq in self.taken:
                process.lost(*KEY)
                self.reserved.append((process, process.reserve(*KEY)))
            else:
                self.taken.add(seq)
        if not self.holes_allowed:
            assert self.taken == set(range(1, len(self.taken) + 1))


TestSeveralProcesses = SeveralProcesses.TestCase


def test_threads_get_each_number_once() -> None:
    numbering = Numbering(lambda queue, day: 100)
    got: list[int] = []
    lock = threading.Lock()

    def take() -> None:
        for _ in range(200):
            seq = numbering.reserve(*KEY)
            with lock:
                got.append(seq)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == list(range(101, 101 + 1600))


@given(back=st.permutations([1, 2, 3, 4]))
def test_all_given_back_leave_no_gap(back: list[int]) -> None:
    numbering = Numbering(lambda queue, day: 0)
    assert [numbering.reserve(*KEY) for _ in range(4)] == [1, 2, 3, 4]
    for seq in back:
        numbering.give_back(*KEY, seq)
    assert numbering.reserve(*KEY) == 1


def test_a_number_below_one_that_is_out_stays_a_gap() -> None:
    numbering = Numbering(lambda queue, day: 0)
    one, two = numbering.reserve(*KEY), numbering.reserve(*KEY)
    numbering.give_back(*KEY, one)
    assert (one, two, numbering.reserve(*KEY)) == (1, 2, 3)


def test_each_queue_and_day_counts_for_itself_and_old_days_are_forgotten() -> None:
    reads: list[tuple[str, str]] = []

    def last(queue: str, day: str) -> int:
        reads.append((queue, day))
        return 0

    numbering = Numbering(last)
    assert [numbering.reserve("q", "2026-11-23"), numbering.reserve("p", "2026-11-23")] == [1, 1]
    assert numbering.reserve("q", "2026-11-24") == 1
    numbering.reserve("q", "2026-11-24")
    assert reads == [("q", "2026-11-23"), ("p", "2026-11-23"), ("q", "2026-11-24")]
