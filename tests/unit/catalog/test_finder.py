"""Searching in memory finds what the store's query finds, in the same order; and memory follows what the store has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from mpp_catalog import memory, search
from mpp_catalog.finder import RANKED, Finder, entry
from mpp_catalog.memory import FRESH_SECONDS, Memory
from mpp_catalog.store import Mark, Searched
from mpp_chassis.aggregates import Stored

# Words as Indonesian names have them, with what folding must bear: accents, case, signs, short words, long ones.
WORD = st.sampled_from(
    [
        "Kartu", "kartun", "KAR", "kk", "Keluarga", "keluarga-berencana", "Surat", "Suratnya", "É-KTP", "e-ktp", "SIM A",
        "SIM C", "Akta", "akta’", "Jum’at", "Perpanjangan", "di", "ﬁsik", "Ｎｏｍｏｒ", "naïve", "x" * 30, "x" * 24, "07",
    ]
)  # fmt: skip
NAME = st.lists(WORD, min_size=1, max_size=4).map(" ".join)
SERVICE = st.tuples(
    NAME, NAME | st.just(""), st.lists(NAME, max_size=2), st.sampled_from(["Dinas Kartu", "Samsat", ""])
)
QUERY = st.lists(WORD | WORD.map(lambda word: word[:3]) | st.text(max_size=4), min_size=1, max_size=3).map(" ".join)
Service = tuple[str, str, list[str], str]


def documents(services: Sequence[Service]) -> dict[str, tuple[str, list[str]]]:
    """Name to line and tokens, as the store keeps them."""
    return {
        f"o{n:03}": (search.line(name, english, aliases), search.tokens((name, english), aliases, agency))
        for n, (name, english, aliases, agency) in enumerate(services)
    }


def by_query(kept: dict[str, tuple[str, list[str]]], words: Sequence[str], limit: int) -> list[str]:
    """What views.py does with the store's query, where that gives all that match."""

    def candidates(wanted: Iterable[str]) -> dict[str, str]:
        wanted = set(wanted)
        return {name: line for name, (line, tokens) in kept.items() if wanted <= set(tokens)}

    whole = candidates(search.NAME_MARK + word for word in words)
    names = search.best(words, whole, limit)
    rest = {name: line for name, line in candidates(words).items() if name not in whole}
    return names + search.best(words, rest, limit - len(names))


def finder(kept: dict[str, tuple[str, list[str]]]) -> Finder:
    return Finder(entry(name, line, tokens, name.encode()) for name, (line, tokens) in kept.items())


@settings(deadline=None)
@given(st.lists(SERVICE, max_size=12), QUERY, st.integers(1, 12))
def test_memory_and_query_find_the_same_in_the_same_order(services: list[Service], query: str, limit: int) -> None:
    kept, words = documents(services), search.query_words(query)
    if words:
        found = finder(kept).best(words, limit)
        assert found == by_query(kept, words, limit)
        assert [finder(kept).shown(name) for name in found] == [name.encode() for name in found]


def test_of_more_than_are_ranked_the_short_names_are_in_one_order() -> None:
    services: list[Service] = [(f"Surat {'pengantar ' * (n % 7)}{n}", "", [], "") for n in range(RANKED * 2)]
    services.append(("Surat", "", [], ""))
    kept = documents(services)
    found = finder(kept).best(["surat"], 100)
    assert found == finder(dict(reversed(kept.items()))).best(["surat"], 100)
    assert found[0] == f"o{RANKED * 2:03}"
    assert len(set(found)) == 100


def test_an_empty_site_has_nothing() -> None:
    assert Finder([]).best(["kartu"], 10) == []
    assert not Finder([])


class Shelf:
    """A store in a dictionary: name to (site, version, when changed, name of the service; None: retired)."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[str, int, datetime | None, str | None]] = {}
        self.away = False
        self.reads: list[str] = []

    def write(self, site: str, name: str, text: str | None, at: datetime | None) -> None:
        version = self.rows[name][1] + 1 if name in self.rows else 1
        self.rows[name] = (site, version, at, text)

    def changed(self, since: datetime) -> list[tuple[str, Mark]]:
        self._read("changed")
        return [(s, Mark(n, v, at)) for n, (s, v, at, _) in self.rows.items() if at is not None and at > since]

    def marks(self, site_id: str, limit: int) -> list[Mark]:
        self._read("marks")
        return [Mark(n, v, at) for n, (s, v, at, _) in self.rows.items() if s == site_id][:limit]

    def searched(self, names: Sequence[str]) -> list[Searched]:
        self._read("searched")
        return [self._row(name) for name in names if name in self.rows]

    def _row(self, name: str) -> Searched:
        site, version, at, text = self.rows[name]
        mark = Mark(name, version, at)
        if text is None:
            return Searched(mark, "", (), None)
        tokens = tuple(search.tokens((text, ""), [], ""))
        return Searched(mark, search.line(text, "", []), tokens, Stored(name, site, version, {"text": text}))

    def _read(self, what: str) -> None:
        if self.away:
            raise ConnectionError("the store is away")
        self.reads.append(what)


class Time:
    """Both clocks; `behind`: of the machine that writes."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def wall(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


def shown(stored: Stored) -> bytes:
    return str(stored.state["text"]).encode()


class Following(RuleBasedStateMachine):
    """Writes here and elsewhere, an outage, time: what memory gives is what the store had at most FRESH_SECONDS ago, and
    what this process wrote.
    """

    @initialize()
    def begin(self) -> None:
        self.shelf, self.time = Shelf(), Time()
        self.memory = Memory(self.shelf, shown, self.time.wall, self.time.monotonic)
        self.memory._thread = object()  # type: ignore[assignment]  # looks are the machine's
        self.then: list[tuple[float, dict[str, str]]] = []
        self.memory.want("malang")

    def _write(self, number: int, text: str | None, late: float) -> None:
        self.shelf.write("malang", f"o{number}", text, self.time.wall() - timedelta(seconds=late))

    @rule(number=st.integers(0, 5), text=st.sampled_from(["kartu", "kartu baru", None]), late=st.floats(0, 14))
    def somebody_writes(self, number: int, text: str | None, late: float) -> None:
        self._write(number, text, late)

    @rule(number=st.integers(0, 5), text=st.sampled_from(["kartu", "kartu lama", None]))
    def this_process_writes(self, number: int, text: str | None) -> None:
        self._write(number, text, 0)
        self.memory.changed("malang")
        self.then.clear()

    @rule()
    def the_thread_looks(self) -> None:
        if not self.shelf.away:
            self.memory.look()
        else:
            with pytest.raises(ConnectionError):
                self.memory.look()

    @rule(seconds=st.floats(0.1, 3))
    def time_goes_by(self, seconds: float) -> None:
        self.time.seconds += seconds

    @precondition(lambda self: not self.shelf.away)
    @rule()
    def the_store_goes(self) -> None:
        self.shelf.away = True

    @precondition(lambda self: self.shelf.away)
    @rule(seconds=st.floats(0, 1000))
    def the_store_comes_back(self, seconds: float) -> None:
        self.time.seconds += seconds
        self.shelf.away = False

    @invariant()
    def what_is_given_was_so_lately(self) -> None:
        if not hasattr(self, "memory"):
            return
        now = {name: text for name, (_, _, _, text) in self.shelf.rows.items() if text is not None}
        self.then.append((self.time.seconds, now))
        given = self.memory.of("malang")
        if given is not None:
            got = {name: given.shown(name).decode() for name in given.best(["kartu"], 10)}
            lasted = zip(self.then, [*(at for at, _ in self.then[1:]), float("inf")], strict=True)
            assert any(got == was for (_, was), until in lasted if until >= self.time.seconds - FRESH_SECONDS)


Following.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
TestFollowing = Following.TestCase


def a_memory(shelf: Shelf, clock: Time) -> Memory:
    made = Memory(shelf, shown, clock.wall, clock.monotonic)
    made._thread = object()  # type: ignore[assignment]
    return made


def filled(shelf: Shelf, site: str, count: int) -> None:
    for n in range(count):
        shelf.write(site, f"{site}-{n}", f"kartu {n}", None)


def test_a_change_without_a_mark_is_found_by_the_audit() -> None:
    shelf, clock = Shelf(), Time()
    held = a_memory(shelf, clock)
    filled(shelf, "malang", 3)
    held.want("malang")
    held.look()
    shelf.write("malang", "malang-1", "paspor", None)  # a process of an older version
    del shelf.rows["malang-2"]  # a backup came back
    clock.seconds += memory.AUDIT_SECONDS + 1
    held.look()
    given = held.of("malang")
    assert given is not None
    assert given.best(["paspor"], 9) == ["malang-1"]
    assert given.best(["kartu"], 9) == ["malang-0"]


def test_memory_is_bounded_and_the_site_that_is_searched_keeps_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST", 10)
    shelf, clock = Shelf(), Time()
    held = a_memory(shelf, clock)
    for site, count in (("malang", 6), ("batu", 5), ("besar", 11)):
        filled(shelf, site, count)
        held.want(site)
        held.look()
    assert held.of("malang")
    assert held.of("batu") is None
    assert held.of("besar") is None
    clock.seconds += memory.AUDIT_SECONDS + 1
    held.of("batu")  # only this one is searched by now
    held.look()
    assert held.of("malang") is None
    assert held.of("batu")


def test_nobody_searches_nothing_is_held_or_read() -> None:
    shelf, clock = Shelf(), Time()
    held = a_memory(shelf, clock)
    filled(shelf, "malang", 3)
    held.want("malang")
    held.look()
    clock.seconds += memory.IDLE_SECONDS + 1
    shelf.reads.clear()
    held.look()
    held.look()
    assert shelf.reads == []
    assert held.of("malang") is None


def test_an_interrupted_reading_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "CHUNK", 2)
    shelf, clock = Shelf(), Time()
    held = a_memory(shelf, clock)
    filled(shelf, "malang", 5)
    held.want("malang")
    real, calls = shelf.searched, []

    def breaks(names: Sequence[str]) -> list[Searched]:
        calls.append(names)
        if len(calls) == 2:
            raise ConnectionError("in the middle")
        return real(names)

    monkeypatch.setattr(shelf, "searched", breaks)
    with pytest.raises(ConnectionError):
        held.look()
    assert held.of("malang") is None
    held.look()
    given = held.of("malang")
    assert given is not None
    assert len(given.best(["kartu"], 9)) == 5


def test_a_short_word_of_the_agency_is_found_though_a_longer_one_begins_with_it() -> None:
    kept = documents([("Paspor", "", [], "Imigrasi di Dinas")])
    for query in ("di", "din", "imigrasi di", "paspor di"):
        assert (
            finder(kept).best(search.query_words(query), 9) == by_query(kept, search.query_words(query), 9) == ["o000"]
        )
    assert finder(kept).best(["im"], 9) == []


def test_what_was_written_while_the_store_was_away_is_followed() -> None:
    shelf, clock = Shelf(), Time()
    held = a_memory(shelf, clock)
    held.want("malang")
    filled(shelf, "malang", 1)
    held.look()
    shelf.away = True
    shelf.write("malang", "malang-0", "paspor", clock.wall())
    clock.seconds += 200  # longer than OVERLAP, shorter than AUDIT_SECONDS
    with pytest.raises(ConnectionError):
        held.look()
    shelf.away = False
    held.look()
    given = held.of("malang")
    assert given is not None
    assert given.best(["paspor"], 9) == ["malang-0"]
