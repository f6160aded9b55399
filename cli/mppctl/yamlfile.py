"""Strict reading of YAML: every problem names file, key and line. Knows YAML; knows nothing of sites or
agencies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO, TypeVar

import yaml

T = TypeVar("T")
MOST_CHARACTERS = 2_000_000  # of a file: fifty times the largest there is
MOST_VALUES = 200_000  # of a document, each alias counted as what it stands for
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")  # no text holds them, nor half a character
_TEXT_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp")
_WHOLE_TAG = "tag:yaml.org,2002:int"
_FLAG_TAG = "tag:yaml.org,2002:bool"
_NULL_TAG = "tag:yaml.org,2002:null"


class FileProblem(Exception):
    """Something in a file that cannot be used. `key` is a path such as `services[2].standard.fee`."""

    def __init__(self, file: Path, line: int, key: str, message: str, column: int = 1) -> None:
        where = f"{file}:{line}:{column}"
        super().__init__(f"{where}: {key}: {message}" if key else f"{where}: {message}")
        self.file, self.line, self.key, self.message, self.column = file, line, key, message, column


class Value:
    """A value with its place. The readers raise FileProblem when it is not what is asked for."""

    def __init__(self, file: Path, key: str, node: yaml.Node) -> None:
        self.file, self.key, self._node = file, key, node

    @property
    def line(self) -> int:
        """Counted from 1."""
        return int(self._node.start_mark.line) + 1

    @property
    def column(self) -> int:
        """Counted from 1."""
        return int(self._node.start_mark.column) + 1

    @property
    def is_null(self) -> bool:
        return self._node.tag == _NULL_TAG

    def problem(self, message: str) -> FileProblem:
        return FileProblem(self.file, self.line, self.key, message, self.column)

    def text(self) -> str:
        """A text; a date may stand without quotes."""
        if isinstance(self._node, yaml.ScalarNode) and self._node.tag in _TEXT_TAGS:
            if not self._node.value.strip():
                raise self.problem("must not be empty")
            if found := _CONTROL.search(self._node.value):
                raise self.problem(f"holds a control character, or half of one: {found[0]!a}")
            return str(self._node.value)
        if isinstance(self._node, yaml.ScalarNode) and not self.is_null:
            raise self.problem(f'must be a text; write it in quotes: "{self._node.value}"')
        raise self.problem("must be a text")

    def whole(self, most: int = 2**31 - 1) -> int:
        """A whole number, not negative and at most `most`."""
        if isinstance(self._node, yaml.ScalarNode) and self._node.tag == _WHOLE_TAG:
            digits = self._node.value.replace("_", "")
            if digits.isascii() and digits.isdigit() and (digits == "0" or digits[0] != "0"):
                if len(digits) > len(str(most)) or int(digits) > most:
                    raise self.problem(f"must be at most {most}")
                return int(digits)
        raise self.problem("must be a whole number (digits only)")

    def flag(self) -> bool:
        """true or false."""
        if self._node.tag == _FLAG_TAG and str(self._node.value).lower() in ("true", "false"):
            return bool(self._node.value.lower() == "true")
        raise self.problem("must be true or false")

    def plain(self) -> object:
        """Whatever stands here as plain data: mappings, lists, texts, whole numbers, true and false; null is left out."""
        if isinstance(self._node, yaml.MappingNode):
            entries = self.fields("", " ".join(str(key.value) for key, _ in self._node.value))
            return {key: entries[key].plain() for key in entries if not entries[key].is_null}
        if isinstance(self._node, yaml.SequenceNode):
            return [item.plain() for item in self.items()]
        if self._node.tag == _FLAG_TAG:
            return self.flag()
        return self.whole(2**53) if self._node.tag == _WHOLE_TAG else self.text()

    @property
    def is_mapping(self) -> bool:
        return isinstance(self._node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        return isinstance(self._node, yaml.SequenceNode)

    def keys(self) -> list[str]:
        """The keys of a mapping, as they are written."""
        return [str(key.value) for key, _ in self._node.value] if self.is_mapping else []

    def child(self, key: str) -> Value | None:
        """The entry of a mapping, if this is one that has it."""
        if isinstance(self._node, yaml.MappingNode):
            for key_node, value_node in self._node.value:
                if key_node.value == key:
                    return Value(self.file, f"{self.key}.{key}" if self.key else key, value_node)
        return None

    def choice(self, allowed: Mapping[str, T]) -> T:
        """What `allowed` gives for the text."""
        text = self.text()
        if text not in allowed:
            raise self.problem(f"{text!r} is not one of {', '.join(sorted(allowed))}")
        return allowed[text]

    def items(self) -> list[Value]:
        """The items of a list, which may be empty."""
        if not isinstance(self._node, yaml.SequenceNode):
            raise self.problem("must be a list")
        return [Value(self.file, f"{self.key}[{n}]", node) for n, node in enumerate(self._node.value)]

    def texts(self) -> list[str]:
        return [item.text() for item in self.items()]

    def fields(self, required: str, optional: str = "") -> Fields:
        """The entries of a mapping. Key names are given separated by blanks; any other key is a problem."""
        if not isinstance(self._node, yaml.MappingNode):
            raise self.problem("must be a mapping (key: value)")
        entries: dict[str, Value] = {}
        known = (*required.split(), *optional.split())
        for key_node, value_node in self._node.value:
            name = str(key_node.value)
            path = f"{self.key}.{name}" if self.key else name
            place = Value(self.file, path, key_node)
            if name not in known:
                raise place.problem(f"unknown key{_guess(name, known)}")
            if name in entries:
                raise place.problem("this key is written twice")
            entries[name] = Value(self.file, path, value_node)
        for name in required.split():
            if name not in entries:
                raise self.problem(f"the key {name!r} is missing")
        return Fields(self, entries)


class Fields:
    """The entries of a mapping whose keys have been checked."""

    def __init__(self, value: Value, entries: Mapping[str, Value]) -> None:
        self.value, self._entries = value, entries

    def __getitem__(self, name: str) -> Value:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def get(self, name: str) -> Value | None:
        """The entry, or None where it is absent or null."""
        value = self._entries.get(name)
        return None if value is None or value.is_null else value

    def text(self, name: str) -> str:
        """The text of the entry, or "" where it is absent or null."""
        value = self.get(name)
        return value.text() if value else ""


def read(file: Path) -> Value:
    """The one document of a YAML file. Raises FileProblem, also for a file that cannot be read."""
    found = read_all(file)
    if len(found) > 1:
        raise found[1].problem("is a second document; this file may hold one only")
    return found[0]


def read_all(file: Path, text: str | None = None) -> list[Value]:
    """The documents of a YAML file, or of a text that is given under its name. At least one. Raises FileProblem."""
    text = file_text(file) if text is None else text
    try:
        nodes = [node for node in yaml.compose_all(text, yaml.SafeLoader) if node]
        for node in nodes:
            _weigh(file, node, {}, set())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise FileProblem(file, line, "", f"is not YAML: {error.problem}", column) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise FileProblem(file, line, "", f"holds the character {chr(error.character)!a}", column) from error
    except yaml.YAMLError as error:
        raise FileProblem(file, 1, "", f"is not YAML: {error}") from error
    except RecursionError as error:
        raise FileProblem(file, 1, "", "is nested too deeply") from error
    if not nodes:
        raise FileProblem(file, 1, "", "is empty")
    return [Value(file, "", node) for node in nodes]


def _weigh(file: Path, node: yaml.Node, known: dict[int, int], around: set[int]) -> int:
    """How many values stand in a node when each alias is written out. Raises FileProblem for too many, or without end."""
    if id(node) in known:
        return known[id(node)]
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    if id(node) in around:
        raise FileProblem(file, line, "", "an anchor stands within itself", column)
    around.add(id(node))
    inner = [one for pair in node.value for one in pair] if isinstance(node, yaml.MappingNode) else node.value
    weight = 1 + sum(_weigh(file, one, known, around) for one in inner if isinstance(one, yaml.Node))
    around.remove(id(node))
    if weight > MOST_VALUES:
        raise FileProblem(file, line, "", f"is more than {MOST_VALUES} values when its aliases are written out", column)
    known[id(node)] = weight
    return weight


def file_text(file: Path) -> str:
    """Raises FileProblem for a file that cannot be read, is too large, or is no text."""
    try:
        with file.open(encoding="utf-8") as stream:
            return stream_text(file, stream)
    except OSError as error:
        raise FileProblem(file, 1, "", f"cannot be read: {error.strerror}") from error


def stream_text(file: Path, stream: TextIO) -> str:
    """What comes from a stream that is known as `file`. Raises FileProblem for what is too large, or no text."""
    try:
        text = stream.read(MOST_CHARACTERS + 1)
    except UnicodeDecodeError as error:
        raise FileProblem(file, 1, "", "is not UTF-8 text") from error
    if len(text) > MOST_CHARACTERS:
        raise FileProblem(file, 1, "", f"is larger than {MOST_CHARACTERS} characters")
    return text


def _guess(name: str, known: tuple[str, ...]) -> str:
    """A hint for a slip of the pen."""
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known here: {', '.join(known)}"
