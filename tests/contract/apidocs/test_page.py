"""docs/api/index.html can be read by everyone: self-contained, well-formed, every link leads somewhere."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser

from tests.contract.apidocs.schemas import DOCS, document, operations

TEXT = (DOCS / "index.html").read_text(encoding="utf-8")
VOID = {"meta", "link", "input", "br", "hr", "img"}


class Reader(HTMLParser):
    """Collects tags with their attributes, and complains of what is not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")


READER = Reader()
READER.feed(TEXT)


def test_it_is_well_formed_and_no_id_is_there_twice() -> None:
    assert (READER.faults, READER.open) == ([], [])
    ids = [a["id"] for _, a in READER.tags if "id" in a]
    assert len(ids) == len(set(ids))


def test_nothing_is_fetched_from_elsewhere() -> None:
    for tag, attributes in READER.tags:
        for name in ("src", "href", "action", "srcset", "data"):
            target = attributes.get(name, "")
            assert not re.match(r"(https?:)?//", target), f"<{tag} {name}={target}>"
        assert tag not in ("img", "iframe", "object", "embed")
        assert "style" not in attributes
    style = TEXT.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(", TEXT.split("<script>")[1])


def test_each_link_leads_somewhere() -> None:
    ids = {a["id"] for _, a in READER.tags if "id" in a}
    links = {a["href"] for t, a in READER.tags if t == "a"}
    assert {link for link in links if link.startswith("#") and link[1:] not in ids} == set()
    assert {link for link in links if not link.startswith("#")} == {"/openapi.json", "/asyncapi.json"}


def test_every_call_and_every_event_is_on_it() -> None:
    ids = {a["id"] for _, a in READER.tags if "id" in a}
    assert {o["operationId"] for _, _, o in operations(document("openapi.json")).values()} <= ids
    messages = document("asyncapi.json")["components"]["messages"]
    assert {re.sub(r"\W+", "-", name) for name in messages if name.startswith("mpp.")} <= ids


def test_it_can_be_read_by_all() -> None:
    """Language, a way past the navigation, a label for the field, a heading for each part, Indonesian beside English."""
    assert ("html", {"lang": "en"}) in READER.tags
    assert any(t == "a" and a.get("class") == "skip" and a["href"] == "#isi" for t, a in READER.tags)
    assert {a["for"] for t, a in READER.tags if t == "label"} == {a["id"] for t, a in READER.tags if t == "input"}
    headings = [t for t, _ in READER.tags if re.fullmatch(r"h[1-6]", t)]
    assert headings[0] == "h1"
    assert headings.count("h1") == 1
    assert all(int(b[1]) - int(a[1]) <= 1 for a, b in itertools.pairwise(headings))
    for part in re.findall(r"<h2.*?</h2>", TEXT):
        assert 'lang="id"' in part, part
