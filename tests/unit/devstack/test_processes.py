"""Ports, processes and cursors, without any server."""

from __future__ import annotations

import concurrent.futures
import os
import random
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mpp_devstack import processes
from mpp_devstack.errors import DevstackError
from mpp_devstack.ports import PortBook, is_free
from mpp_devstack.processes import Part
from mpp_devstack.stack import Stack
from mpp_devstack.wirefront.cursors import IDLE_SECONDS, Cursors


@pytest.fixture
def part(tmp_path: Path) -> Iterator[Part]:
    made = Part("sleeper", tmp_path)
    yield made
    processes.end(made.processes, grace=0, first=signal.SIGKILL)


def sleeper(part: Part, code: str = "import time; time.sleep(60)") -> int:
    return part.spawn([sys.executable, "-c", code], env=dict(os.environ), cwd=part.home)


def test_a_process_is_found_by_its_mark_and_ended(part: Part) -> None:
    pid = sleeper(part)
    assert processes.wait_until(lambda: part.processes() == [pid], 10)
    assert part.main_pid() == pid
    processes.end(part.processes, grace=10)
    assert part.processes() == []
    assert part.main_pid() is None


def test_one_that_ignores_sigterm_is_killed(part: Part) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open('up', 'w'); time.sleep(60)"
    sleeper(part, code)
    assert processes.wait_until((part.home / "up").exists, 10)
    processes.end(part.processes, grace=0.2)
    assert part.processes() == []


def test_a_recycled_pid_is_not_ours(part: Part) -> None:
    part.pid_file.write_text(f"{os.getpid()} 12345\n")
    assert part.main_pid() is None


def test_a_zombie_is_gone() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    assert processes.wait_until(lambda: not processes.alive(child), 10)


def test_ports_are_remembered_and_replaced_when_taken(tmp_path: Path) -> None:
    book = PortBook(tmp_path / "ports.json", random.Random(5))
    port = book.claim("amqp")
    assert is_free(port)
    assert PortBook(tmp_path / "ports.json", random.Random(6)).claim("amqp") == port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        other = book.claim("amqp")
    assert other != port
    assert book.get("amqp") == other


@pytest.mark.parametrize("name", ["", "Run", "../x", "a b", "1run", "x" * 40])
def test_bad_profile_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(DevstackError, match="profile"):
        Stack(name, tmp_path)


def test_cursors_are_forgotten_when_idle() -> None:
    now = [0.0]
    cursors = Cursors(lambda: now[0])
    cursors.add(1, "db", b"a")
    now[0] = IDLE_SECONDS + 1
    cursors.add(2, "db", b"b")
    assert cursors.get(1) is None
    assert cursors.get(2) is not None
    assert cursors.drop(2)
    assert not cursors.drop(2)


def test_ports_claimed_by_two_threads_are_both_remembered(tmp_path: Path) -> None:
    book = PortBook(tmp_path / "ports.json", random.Random(5))
    names = [f"p{i}" for i in range(40)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        claimed = dict(zip(names, pool.map(book.claim, names), strict=True))
    assert len(set(claimed.values())) == 40
    assert {name: book.get(name) for name in names} == claimed
