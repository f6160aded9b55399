"""How a kiosk shows its buttons: pages, order, access keys. Pure: standard library only.

Two promises, whatever the layout says and however the catalogue's buttons change after it was set: every button is on
one page, and an access key is unique on its page. Never knows what a button does, nor whether it is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from mpp_queue.domain.errors import InvalidField
from mpp_queue.domain.spec import Text
from mpp_queue.words import fault_of

MOST_ON_PAGE = 6
USUAL_COLUMNS = 2
FREE_KEYS = "1234567890abcdefghijklmnopqrstuvwxyz"
NO_TEXT = Text()


@dataclass(frozen=True, slots=True)
class LayoutButton:
    """`access_key` empty: the first free one of its page."""

    button: str
    label: Text = NO_TEXT
    icon: str = ""
    access_key: str = ""
    show_waiting: bool = False
    show_wait: bool = False
    closed_text: Text = NO_TEXT


@dataclass(frozen=True, slots=True)
class Layout:
    """Zeros of the contract mean the defaults."""

    buttons: tuple[LayoutButton, ...] = ()
    page_size: int = 0
    columns: int = 0
    large_print: bool = False
    high_contrast: bool = False

    def check(self, known: Iterable[str]) -> None:
        """Raises InvalidField naming the field: a button that is not among `known` or comes twice, an access key that is
        twice on a page, a character that no screen should show, more columns than a page has buttons.
        """
        there, seen = set(known), set[str]()
        for n, one in enumerate(self.buttons):
            field = f"layout.buttons[{n}]"
            if one.button not in there:
                raise InvalidField(f"{field}.button", f"the kiosk has no button {one.button}")
            if one.button in seen:
                raise InvalidField(f"{field}.button", f"{one.button} is named twice")
            seen.add(one.button)
            for name, text in (("label", one.label), ("closed_text", one.closed_text)):
                if fault := fault_of(text.id) or fault_of(text.en):
                    raise InvalidField(f"{field}.{name}", fault)
        if self.columns > (self.page_size or MOST_ON_PAGE):
            raise InvalidField("layout.columns", "there are fewer buttons on a page")
        self._check_keys()

    def _check_keys(self) -> None:
        size = self.page_size or MOST_ON_PAGE
        for first in range(0, len(self.buttons), size):
            keys = set[str]()
            for n, one in enumerate(self.buttons[first : first + size], first):
                if one.access_key and one.access_key in keys:
                    raise InvalidField(
                        f"layout.buttons[{n}].access_key", f"{one.access_key} is twice on page {first // size + 1}"
                    )
                keys.add(one.access_key)

    def pages(self, known: Sequence[str]) -> list[list[LayoutButton]]:
        """The kiosk's buttons as they are now, page by page, each with an access key. What the layout names and the kiosk
        no longer has is left out; what it does not name comes last.
        """
        there, named = set(known), {one.button for one in self.buttons}
        order = [one for one in self.buttons if one.button in there]
        order += [LayoutButton(button) for button in dict.fromkeys(known) if button not in named]
        size = self.page_size or MOST_ON_PAGE
        return [_with_keys(order[n : n + size]) for n in range(0, len(order), size)]


def _with_keys(page: Sequence[LayoutButton]) -> list[LayoutButton]:
    """A key that a button before it has already (two pages became one) counts as not given."""
    given: dict[str, str] = {}
    for one in page:
        if one.access_key:
            given.setdefault(one.access_key, one.button)
    free = iter(key for key in FREE_KEYS if key not in given)
    return [one if given.get(one.access_key) == one.button else replace(one, access_key=next(free)) for one in page]
