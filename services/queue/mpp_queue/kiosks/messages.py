"""Blocks, merged entries and kiosks as the public contract shows them. Knows both shapes; decides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from mpp.catalog.v1 import site_pb2
from mpp.queue.v1 import kiosk_pb2

from mpp_queue.domain.spec import Text
from mpp_queue.kiosks.buttons import ButtonState, Seen
from mpp_queue.kiosks.domain import Block, BlockDay, Duty, printed_prefix
from mpp_queue.kiosks.layout import Layout, LayoutButton
from mpp_queue.kiosks.quiet import Quiet
from mpp_queue.kiosks.views import Button, KioskSpec

_STATES: dict[ButtonState, Any] = {s: kiosk_pb2.KioskButton.State.Value(f"STATE_{s.name}") for s in ButtonState}


def block_name(queue: str, day: str, block_id: str) -> str:
    """`sites/x/queues/q/offlineBlocks/20261123-<id>`: the day is in it, so that its document is found by name."""
    return f"{queue}/offlineBlocks/{day.replace('-', '')}-{block_id}"


def parts_of(name: str) -> tuple[str, str, str]:
    """(queue, ISO day, block id) of a block's name (validated before). Raises ValueError for a date that is none."""
    queue, _, rest = name.partition("/offlineBlocks/")
    day, _, block_id = rest.partition("-")
    return queue, date.fromisoformat(day).isoformat(), block_id


def block(day: BlockDay, b: Block, prefix: str, quiet: Iterable[Quiet] = ()) -> kiosk_pb2.OfflineBlock:
    reply = kiosk_pb2.OfflineBlock(
        name=block_name(day.queue, day.day, b.id),
        kiosk=b.kiosk,
        day=day.day,
        first=b.first,
        last=b.last,
        prefix=printed_prefix(prefix),
        merged=len(b.claims),
        returned=b.last_used is not None,
        last_used=b.last_used if b.last_used is not None and b.last_used >= b.first else 0,
    )
    _stamp(reply.leased_at, b.leased_at)
    _stamp(reply.leased_until, b.until)
    _stamp(reply.day_ends_at, day.ends_at)
    for one in quiet:
        told = reply.no_printing.add(reason=one.reason, text=localized(one.text))
        _stamp(told.starts_at, one.starts)
        _stamp(told.ends_at, one.ends)
    return reply


def kiosk(spec: KioskSpec, duty: Duty, buttons: list[kiosk_pb2.KioskButton]) -> kiosk_pb2.Kiosk:
    """`buttons`: of each button of `spec`."""
    reply = kiosk_pb2.Kiosk(
        name=spec.name,
        display_name=localized(spec.display_name),
        active=duty.active,
        activation_required=spec.activation_required,
        buttons=buttons,
        reason=duty.reason,
    )
    if duty.layout != Layout():
        reply.layout.CopyFrom(layout(duty.layout))
    shown = {b.id: b for b in buttons}
    for page in duty.layout.pages([b.id for b in spec.buttons]):
        reply.pages.add(buttons=[_laid_out(shown[one.button], one) for one in page])
    return reply


def _laid_out(b: kiosk_pb2.KioskButton, one: LayoutButton) -> kiosk_pb2.KioskButton:
    """A button as its page shows it."""
    shown = kiosk_pb2.KioskButton(
        icon=one.icon, access_key=one.access_key, show_waiting=one.show_waiting, show_wait=one.show_wait
    )
    shown.MergeFrom(b)
    if one.label.id:
        shown.title.CopyFrom(localized(one.label))
    if one.closed_text.id and b.state == kiosk_pb2.KioskButton.STATE_CLOSED:
        shown.text.CopyFrom(localized(one.closed_text))
    return shown


def layout(told: Layout) -> kiosk_pb2.KioskLayout:
    reply = kiosk_pb2.KioskLayout(
        page_size=told.page_size, columns=told.columns, large_print=told.large_print, high_contrast=told.high_contrast
    )
    for one in told.buttons:
        added = reply.buttons.add(
            button=one.button, icon=one.icon, access_key=one.access_key, show_waiting=one.show_waiting,
            show_wait=one.show_wait,
        )  # fmt: skip
        if one.label.id:
            added.label.CopyFrom(localized(one.label))
        if one.closed_text.id:
            added.closed_text.CopyFrom(localized(one.closed_text))
    return reply


def layout_of(told: kiosk_pb2.KioskLayout) -> Layout:
    buttons = (
        LayoutButton(
            button=b.button, label=Text(b.label.id, b.label.en), icon=b.icon, access_key=b.access_key,
            show_waiting=b.show_waiting, show_wait=b.show_wait, closed_text=Text(b.closed_text.id, b.closed_text.en),
        )
        for b in told.buttons
    )  # fmt: skip
    return Layout(tuple(buttons), told.page_size, told.columns, told.large_print, told.high_contrast)


def button(b: Button, seen: Seen) -> kiosk_pb2.KioskButton:
    reply = kiosk_pb2.KioskButton(
        id=b.id, queue=b.queue, offering=b.offering, title=localized(b.title), state=_STATES[seen.state],
        waiting=seen.waiting,
    )  # fmt: skip
    if seen.state is not ButtonState.OPEN:
        reply.text.CopyFrom(localized(seen.text))
    reply.wait_low.FromTimedelta(seen.wait_low)
    reply.wait_high.FromTimedelta(seen.wait_high)
    return reply


def localized(text: Text) -> site_pb2.LocalizedText:
    return site_pb2.LocalizedText(id=text.id, en=text.en)


def _stamp(field: Any, moment: datetime) -> None:
    field.FromDatetime(moment)
