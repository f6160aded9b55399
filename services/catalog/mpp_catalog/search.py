"""Words of the catalogue's search: folding, tokens, ranking. Pure.

Knows how a citizen's words are compared with a service's; never knows where services are kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

PREFIX_LETTERS = 3  # a beginning of this many letters finds the word
WORD_LETTERS = 24  # longer words are cut, in the index and in the query alike
QUERY_WORDS = 8  # further words of a query are not looked at
NAME_MARK = "="  # before a token: a whole word of the service's own name or aliases

_WORDS = re.compile(r"[a-z0-9]+")


def fold(text: str) -> list[str]:
    """The words of a text: lower case, accents stripped, letters and digits only, in their order."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    return [word[:WORD_LETTERS] for word in _WORDS.findall(bare)]


def query_words(query: str) -> list[str]:
    """The different words of a query, at most QUERY_WORDS, in their order."""
    return list(dict.fromkeys(fold(query)))[:QUERY_WORDS]


def tokens(names: Iterable[str], aliases: Iterable[str], agency: str) -> list[str]:
    """What the index holds for one service, sorted: words, their beginnings, whole words of names marked."""
    own = {word for text in (*names, *aliases) for word in fold(text)}
    every = own | set(fold(agency))
    beginnings = {word[:n] for word in every for n in range(PREFIX_LETTERS, len(word))}
    return sorted(every | beginnings | {NAME_MARK + word for word in own})


@dataclass(frozen=True, slots=True)
class Words:
    """The folded words of one service, for ranking."""

    name: tuple[str, ...]
    english: tuple[str, ...]
    aliases: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, name: str, english: str, aliases: Iterable[str]) -> Words:
        return cls(tuple(fold(name)), tuple(fold(english)), tuple(tuple(fold(alias)) for alias in aliases))

    def line(self) -> str:
        """All in one short string: what a search reads of a candidate before it is worth more."""
        aliases = ";".join(" ".join(alias) for alias in self.aliases)
        return f"{' '.join(self.name)}|{' '.join(self.english)}|{aliases}"

    @classmethod
    def from_line(cls, line: str) -> Words:
        name, english, aliases = line.split("|")
        parts = tuple(tuple(alias.split()) for alias in aliases.split(";") if alias)
        return cls(tuple(name.split()), tuple(english.split()), parts)


def score(words: Sequence[str], service: Words) -> float:
    """How well a service that matches answers the query; higher is better.

    In this order: the query is the name or an alias; stands in the name as a phrase; each word by where it is
    found (name before alias before English before agency, a whole word before a beginning); short names
    first.
    """
    total = 0.0
    if tuple(words) in (service.name, service.english, *service.aliases):
        total += 40
    elif _phrase(words, service.name):
        total += 20
    elif _phrase(words, service.english):
        total += 10
    aliases = [word for alias in service.aliases for word in alias]
    for word in words:
        total += max(_found(word, service.name, 8), _found(word, aliases, 6), _found(word, service.english, 5))
    if words and service.name and service.name[0].startswith(words[0]):
        total += 2
    return total - 0.05 * len(service.name)


def best(words: Sequence[str], candidates: Mapping[str, Words], limit: int) -> list[str]:
    """The names of the best candidates, best first; equal scores by name, so that there is one order."""
    ranked = sorted(candidates, key=lambda name: (-score(words, candidates[name]), name))
    return ranked[:limit]


def _phrase(words: Sequence[str], text: Sequence[str]) -> bool:
    return f" {' '.join(words)} " in f" {' '.join(text)} "


def _found(word: str, text: Sequence[str], weight: float) -> float:
    if word in text:
        return weight
    if len(word) >= PREFIX_LETTERS and any(other.startswith(word) for other in text):
        return weight / 2
    return 0.0
