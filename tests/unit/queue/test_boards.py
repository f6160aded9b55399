"""Watchers wake for their own queue, soon, and never sleep through a beat. Time is a number that the test moves."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_queue.boards import (
    BEAT_SECONDS,
    BOARD_LINES,
    CALLED,
    GAP_SECONDS,
    LOOK_SECONDS,
    SETTLE_SECONDS,
    BoardLine,
    Boards,
    Heard,
    board_line,
    merged,
)

ONE, OTHER = "sites/malang/queues/dukcapil", "sites/malang/queues/samsat"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_change_wakes_the_watchers_of_that_queue_only() -> None:
    clock = Clock()
    boards = Boards(clock=clock)
    mine, others = boards.watch(ONE), boards.watch(OTHER)
    for watch in (mine, others):
        watch.sent()
    seen, their = mine.look(), others.look()
    clock.now += 2 * GAP_SECONDS
    boards.changed(f"{ONE}/tickets/t1")
    assert mine.wait(seen, 0)
    assert not others.wait(their, 0)
    assert mine.look().changed_at == clock.now
    assert others.look().changed_at == float("-inf")


def test_what_comes_close_together_is_told_together() -> None:
    clock = Clock()
    boards = Boards(clock=clock)
    watch = boards.watch(ONE)
    watch.sent()
    seen = watch.look()
    boards.changed(f"{ONE}/tickets/t1")
    clock.now += GAP_SECONDS / 2
    assert not watch.wait(seen, 0)
    clock.now += 2 * GAP_SECONDS
    assert watch.wait(seen, 0)


def test_a_watcher_looks_by_itself_and_beats() -> None:
    clock = Clock()
    watch = Boards(clock=clock).watch(ONE)
    assert watch.look().beat_due
    watch.sent()
    seen = watch.look()
    assert not seen.beat_due
    clock.now += LOOK_SECONDS
    assert watch.wait(seen, 0)
    clock.now += BEAT_SECONDS
    assert watch.look().beat_due


def test_a_gap_wakes_everybody() -> None:
    clock = Clock()
    boards = Boards(clock=clock)
    watches = [boards.watch(ONE), boards.watch(OTHER)]
    seen = [w.look() for w in watches]
    for w in watches:
        w.sent()
    clock.now += 2 * GAP_SECONDS
    boards.all_changed()
    assert all(w.wait(s, 0) for w, s in zip(watches, seen, strict=True))


def test_names_that_nobody_watches_are_not_remembered() -> None:
    boards = Boards()
    for number in range(100):
        boards.changed(f"sites/x/queues/q{number}/tickets/t")
    assert boards._lines == {}


def test_a_sleeping_thread_is_woken() -> None:
    boards = Boards()
    watch = boards.watch(ONE)
    watch.sent()
    seen, woken = watch.look(), []
    thread = threading.Thread(target=lambda: woken.append(watch.wait(seen, 10)))
    thread.start()
    boards.changed(f"{ONE}/tickets/t1")
    thread.join(5)
    assert woken == [True]


NOON = datetime(2026, 11, 23, 5, tzinfo=UTC)
A, B = board_line("D-001", 1, NOON), board_line("D-002", 2, NOON + timedelta(seconds=9))


def told(number: str = "D-001", counter: object = 1, at: object = NOON.isoformat(), spoken: str = "Nomor") -> str:
    event = {"ticket": f"{ONE}/tickets/{number}", "number": number, "counter": counter, "calledAt": at}
    return json.dumps({**event, "announcement": spoken})


def test_a_call_is_told_with_its_line_and_twice_is_once() -> None:
    clock = Clock()
    boards = Boards(clock=clock, wall=lambda: NOON)
    watch = boards.watch(ONE)
    boards.called(f"{ONE}/tickets/t1", A)  # by this process itself
    version = watch.look().version
    boards.told(CALLED, told())  # and then by its event
    seen = watch.look()
    assert [heard.line for heard in seen.heard] == [A]
    assert seen.version == version
    boards.told(CALLED, told(at=(NOON + timedelta(seconds=20)).isoformat()))  # called again
    assert watch.look().version > version


@pytest.mark.parametrize(
    "body",
    [
        "", "[]", "null", "{}", b"\xff", told(counter="three"), told(at="soon"), told(at=None), told(at="2026-11-23T05:00"),
        told(at=(NOON - timedelta(minutes=1)).isoformat()),  # told late: the store knows better
        told(spoken=""),  # on the phone
    ],
)  # fmt: skip
def test_what_is_no_call_of_this_moment_changes_no_board(body: str | bytes) -> None:
    boards = Boards(wall=lambda: NOON)
    watch = boards.watch(ONE)
    boards.told(CALLED, body)
    boards.told("mpp.queue.v1.TicketServing", told())
    assert watch.look().heard == ()


def test_under_load_the_store_is_read_four_times_a_second_and_soon_after_the_last_change() -> None:
    clock = Clock()
    boards = Boards(clock=clock)
    watch = boards.watch(ONE)
    read_at, reads = float("-inf"), []
    for _ in range(100):  # a change every 20 ms for two seconds
        clock.now += 0.02
        boards.changed(f"{ONE}/tickets/t1")
        if read_at < watch.look().settled_at:
            read_at = clock.now
            reads.append(read_at)
    assert reads[0] == pytest.approx(100.02)  # the first change after a quiet time waits for nothing
    assert 6 <= len(reads) <= 9
    seen = watch.look()
    due = seen.again_at(read_at)
    assert due <= clock.now + SETTLE_SECONDS
    watch.sent()
    assert not watch.wait(seen, 0, due)
    clock.now = due
    assert watch.wait(seen, 0, due)
    assert watch.look().settled_at == pytest.approx(seen.changed_at)
    assert watch.look().again_at(clock.now) == float("inf")


numbers = st.sampled_from(["D-001", "D-002", "D-003", "P-001"])
lines = st.builds(BoardLine, numbers, st.integers(1, 9), st.integers(0, 99).map(lambda s: NOON + timedelta(seconds=s)))


@given(board=st.lists(lines, max_size=BOARD_LINES), heard=st.lists(st.builds(Heard, st.floats(0, 9), lines)))
def test_a_board_shows_the_newest_call_of_each_number(board: list[BoardLine], heard: list[Heard]) -> None:
    board.sort(key=lambda line: line.called_at, reverse=True)
    board = [line for n, line in enumerate(board) if line.number not in {one.number for one in board[:n]}]
    shown = merged(board, 5.0, heard)
    newer = [one.line for one in heard if one.at >= 5.0]
    assert len({line.number for line in shown}) == len(shown)
    assert [line.called_at for line in shown] == sorted((line.called_at for line in shown), reverse=True)
    for line in shown:
        assert line.called_at == max(one.called_at for one in [*board, *newer] if one.number == line.number)
    assert {line.number for line in shown} == {line.number for line in [*board, *newer]}


def test_what_was_told_before_the_board_was_read_is_in_it_or_was_undone() -> None:
    assert merged([B], 5.0, [Heard(4.9, A)]) == (B,)
    assert merged([A], 5.0, [Heard(5.0, B)]) == (B, A)
