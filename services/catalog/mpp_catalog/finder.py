"""A site's services in memory, to be searched: words to services, ranked. Pure; safe for many threads.

Knows words, names and the bytes that stand for a service; never knows a store, a clock or how it is kept fresh
(memory.py does). A `Finder` never changes: a change of the catalogue makes another one.

Guaranteed: the same services in the same order as the store's query (`Catalogue.candidates`) with `search.best`, wherever
that ranks all that match. Of more than RANKED that match, those with the fewest words in their names are ranked, and
it is one order whichever process is asked.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from sys import intern

from mpp_catalog import search

RANKED = 200  # services of each group that a search ranks; more when the caller asks for more
_NONE: frozenset[int] = frozenset()
_AFTER = "\x7f"  # follows every letter and digit that a folded word has


@dataclass(frozen=True, slots=True)
class Entry:
    """A service as the search needs it. `own`: words of its names and aliases; `others`: of its agency."""

    name: str
    parts: search.Parts
    own: tuple[str, ...]
    others: tuple[str, ...]
    shown: bytes  # what the caller gets for it


def entry(name: str, line: str, tokens: Iterable[str], shown: bytes) -> Entry:
    """From what the store keeps: `search.line` and `search.tokens` of a service.

    A beginning of a longer word is left out: whoever asks for it finds the longer one.
    """
    every = sorted(tokens)
    own = {token[1:] for token in every if token.startswith(search.NAME_MARK)}
    words = [token for token in every if not token.startswith(search.NAME_MARK)]
    others = [
        word
        for word, longer in zip(words, [*words[1:], ""], strict=True)
        if word not in own and not (len(word) >= search.PREFIX_LETTERS and longer.startswith(word))
    ]
    return Entry(name, search.parts(line), tuple(map(intern, sorted(own))), tuple(map(intern, others)), shown)


class Finder:
    """Searches one site."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        # A service's place in this list stands for it: of many that match, the first ones are ranked.
        self._entries = sorted(entries, key=lambda e: (e.parts.blanks, e.name))
        self._places = {e.name: place for place, e in enumerate(self._entries)}
        own: dict[str, set[int]] = {}
        others: dict[str, set[int]] = {}
        for place, found in enumerate(self._entries):
            for word in found.own:
                own.setdefault(word, set()).add(place)
            for word in found.others:
                others.setdefault(word, set()).add(place)
        self._own = {word: frozenset(places) for word, places in own.items()}
        self._others = {word: frozenset(places) for word, places in others.items()}
        self._words = sorted(own.keys() | others.keys())

    def __len__(self) -> int:
        return len(self._entries)

    def best(self, words: Sequence[str], limit: int) -> list[str]:
        """Names of at most `limit` services that hold every word of `search.query_words`, best first.

        Those whose own names or aliases hold all the words whole come before all others.
        """
        bound = max(RANKED, limit)
        whole = _common([self._own.get(word, _NONE) for word in words])
        names = self._ranked(words, whole, bound, limit)
        if len(names) == limit:
            return names
        rest = _common([self._with(word) for word in words]) - whole
        return names + self._ranked(words, rest, bound, limit - len(names))

    def shown(self, name: str) -> bytes:
        """What stands for a service that `best` named."""
        return self._entries[self._places[name]].shown

    def _with(self, word: str) -> frozenset[int]:
        """Services with this word, or with one that begins with it."""
        found = [word]
        if len(word) >= search.PREFIX_LETTERS:
            found = self._words[bisect_left(self._words, word) : bisect_left(self._words, word + _AFTER)]
        return _NONE.union(*(places.get(each, _NONE) for each in found for places in (self._own, self._others)))

    def _ranked(self, words: Sequence[str], places: frozenset[int], bound: int, limit: int) -> list[str]:
        some: Iterable[int] = places if len(places) <= bound else heapq.nsmallest(bound, places)
        found = (self._entries[place] for place in some)
        return search.rank(words, ((each.name, each.parts) for each in found), limit)


def _common(sets: Sequence[frozenset[int]]) -> frozenset[int]:
    ordered = sorted(sets, key=len)
    return reduce(frozenset.intersection, ordered[1:], ordered[0]) if ordered else _NONE
