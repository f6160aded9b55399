"""Pages of a kiosk: every button is reached, and a key means one thing, whatever the layout and the catalogue say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_queue.domain import InvalidField
from mpp_queue.domain.spec import Text
from mpp_queue.kiosks import messages
from mpp_queue.kiosks.domain import Duty
from mpp_queue.kiosks.layout import MOST_ON_PAGE, Layout, LayoutButton
from mpp_queue.kiosks.store import _duty_state, _layout

KNOWN = [f"q{n}" for n in range(14)]
buttons = st.lists(
    st.builds(
        LayoutButton,
        st.sampled_from(KNOWN),
        label=st.sampled_from([Text(), Text("Paspor", "Passport")]),
        access_key=st.sampled_from(["", "1", "2", "a"]),
        show_wait=st.booleans(),
    ),
    max_size=14,
    unique_by=lambda b: b.button,
)
layouts = st.builds(Layout, buttons.map(tuple), st.integers(0, MOST_ON_PAGE), st.just(0), st.booleans())


@given(layouts, st.lists(st.sampled_from(KNOWN), max_size=20))
def test_every_button_is_on_one_page_and_a_key_is_unique_there(layout: Layout, known: list[str]) -> None:
    pages = layout.pages(known)
    shown = [one.button for page in pages for one in page]
    assert sorted(shown) == sorted(set(known))
    for page in pages:
        assert 1 <= len(page) <= (layout.page_size or MOST_ON_PAGE)
        keys = [one.access_key for one in page]
        assert all(keys)
        assert len(set(keys)) == len(keys)
    named = [one.button for one in layout.buttons if one.button in known]
    assert shown[: len(named)] == named


@given(layouts)
def test_a_layout_that_is_taken_keeps_the_keys_it_gives(layout: Layout) -> None:
    try:
        layout.check(KNOWN)
    except InvalidField:
        return
    given_keys = {one.button: one.access_key for one in layout.buttons if one.access_key}
    named = [one.button for one in layout.buttons]
    shown = {one.button: one.access_key for page in layout.pages(named) for one in page}
    assert {button: shown[button] for button in given_keys} == given_keys


@given(layouts)
def test_a_layout_is_the_same_after_the_contract_and_after_the_store(layout: Layout) -> None:
    assert messages.layout_of(messages.layout(layout)) == layout
    assert _layout(_duty_state(Duty(layout=layout)).get("layout") or {}) == layout


@pytest.mark.parametrize(
    ("layout", "field", "says"),
    [
        (Layout((LayoutButton("q99"),)), "layout.buttons[0].button", "no button q99"),
        (Layout((LayoutButton("q1"), LayoutButton("q1"))), "layout.buttons[1].button", "twice"),
        (Layout((LayoutButton("q1", access_key="a"), LayoutButton("q2", access_key="a"))),
         "layout.buttons[1].access_key", "twice on page 1"),
        (Layout((LayoutButton("q1", Text("Paspor\u202e")),)), "layout.buttons[0].label", "direction"),
        (Layout((LayoutButton("q1", closed_text=Text("Tutup\x07")),)), "layout.buttons[0].closed_text", "control"),
        (Layout(page_size=1, columns=2), "layout.columns", "fewer buttons"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(layout: Layout, field: str, says: str) -> None:
    with pytest.raises(InvalidField, match=says) as caught:
        layout.check(KNOWN)
    assert caught.value.field == field


def test_a_key_may_stand_on_each_page() -> None:
    Layout((LayoutButton("q1", access_key="a"), LayoutButton("q2", access_key="a")), page_size=1).check(KNOWN)
