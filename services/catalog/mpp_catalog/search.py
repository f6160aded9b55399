"""Words of the catalogue's search: folding, tokens, ranking. Pure.

Knows how a citizen's words are compared with a service's; never knows where services are kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

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


def score(words: Sequence[str], of: str) -> float:
    """How well a service (its `line`) that matches answers the query; higher is better.

    In this order: the query is the name or an alias; stands in the name as a phrase; each word by where it
    is found (name before alias before English before agency, a whole word before a beginning); short names
    first. Works on strings as they are: a search scores up to a hundred lines within a millisecond.
    """
    name, english, aliases = (f" {part} " for part in of.split("|"))
    query = f" {' '.join(words)} "
    total = 0.0
    if query in (name, english) or f";{query};" in f";{aliases};":
        total += 40
    elif query in name:
        total += 20
    elif query in english:
        total += 10
    for word in words:
        total += max(_found(word, name, 8), _found(word, aliases, 6), _found(word, english, 5))
    if words and name.startswith(f" {words[0]}"):
        total += 2
    return total - 0.05 * name.count(" ")


def best(words: Sequence[str], candidates: Mapping[str, str], limit: int) -> list[str]:
    """The names of the best of `candidates` (name: line), best first; equal scores by name, for one order."""
    ranked = sorted(candidates, key=lambda name: (-score(words, candidates[name]), name))
    return ranked[:limit]


def _found(word: str, text: str, weight: float) -> float:
    if f" {word} " in text:
        return weight
    if len(word) >= PREFIX_LETTERS and f" {word}" in text:
        return weight / 2
    return 0.0
