"""Words of the catalogue's search: folding, tokens, ranking. Pure.

Knows how a citizen's words are compared with a service's; never knows where services are kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

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


def line(name: str, english: str, aliases: Iterable[str]) -> str:
    """All folded words of one service in a short string, `name|english|alias ; alias`: what ranking reads."""
    parts = " ; ".join(" ".join(fold(alias)) for alias in aliases)
    return f"{' '.join(fold(name))}|{' '.join(fold(english))}|{parts}"


class Parts(NamedTuple):
    """A `line` made ready for `rank`: its parts, each between blanks, and how many blanks the name has."""

    name: str
    english: str
    aliases: str
    closed_aliases: str
    blanks: int


def parts(of: str) -> Parts:
    name, english, aliases = (f" {part} " for part in of.split("|"))
    return Parts(name, english, aliases, f";{aliases};", name.count(" "))


def score(words: Sequence[str], of: str) -> float:
    """How well a service (its `line`) that matches answers the query; higher is better.

    In this order: the query is the name or an alias; stands in the name as a phrase; each word by where it
    is found (name before alias before English before agency, a whole word before a beginning); short names
    first.
    """
    return _score(_asked(words), parts(of))


def best(words: Sequence[str], candidates: Mapping[str, str], limit: int) -> list[str]:
    """The names of the best of `candidates` (name: line), best first; equal scores by name, for one order."""
    return rank(words, ((name, parts(line)) for name, line in candidates.items()), limit)


def rank(words: Sequence[str], candidates: Iterable[tuple[str, Parts]], limit: int) -> list[str]:
    """As `best`. Works on strings as they are: some hundred candidates in less than a millisecond."""
    asked = _asked(words)
    return [name for _, name in sorted((-_score(asked, of), name) for name, of in candidates)[:limit]]


class _Asked(NamedTuple):
    phrase: str
    closed: str
    words: tuple[tuple[str, str], ...]  # as a whole word, and as a beginning ("" if it is too short for one)
    first: str


def _asked(words: Sequence[str]) -> _Asked:
    phrase = f" {' '.join(words)} "
    forms = tuple((f" {word} ", f" {word}" if len(word) >= PREFIX_LETTERS else "") for word in words)
    return _Asked(phrase, f";{phrase};", forms, f" {words[0]}" if words else "")


def _score(asked: _Asked, of: Parts) -> float:
    total = 0.0
    if asked.phrase in (of.name, of.english) or asked.closed in of.closed_aliases:
        total += 40
    elif asked.phrase in of.name:
        total += 20
    elif asked.phrase in of.english:
        total += 10
    for word, beginning in asked.words:
        total += _found(word, beginning, of)
    if asked.first and of.name.startswith(asked.first):
        total += 2
    return total - 0.05 * of.blanks


def _found(word: str, beginning: str, of: Parts) -> float:
    """The best of where the word is found, from above to below."""
    for text, weight in ((of.name, 8.0), (of.aliases, 6.0), (of.english, 5.0)):
        if word in text:
            return weight
    if beginning:
        for text, weight in ((of.name, 4.0), (of.aliases, 3.0), (of.english, 2.5)):
            if beginning in text:
                return weight
    return 0.0
