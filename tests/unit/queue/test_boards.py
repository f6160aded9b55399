"""Watchers wake for their own queue, soon, and never sleep through a beat. Time is a number that the test moves."""

from __future__ import annotations

import threading

from mpp_queue.boards import BEAT_SECONDS, GAP_SECONDS, LOOK_SECONDS, Boards

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
