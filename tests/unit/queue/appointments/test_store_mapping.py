"""What is written of a booking is read back: every field, set or not."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

from mpp_queue.appointments.domain.booking import Booking, HistoryLine, Personal, State
from mpp_queue.appointments.store import _from_booking, _to_booking

AT = datetime(2026, 11, 23, 2, tzinfo=UTC)
PLAIN = Booking("b1", AT, AT + timedelta(minutes=30), 1, State.HELD, AT, AT, AT)


def test_an_empty_one() -> None:
    assert _to_booking(_from_booking(PLAIN)) == PLAIN
    assert "reason" not in _from_booking(PLAIN)


def test_a_full_one_with_no_field_left_at_its_default() -> None:
    texts = {f.name: f"the {f.name}" for f in fields(Booking) if f.type in ("str",) and f.name != "id"}
    flags = {f.name: True for f in fields(Booking) if f.type == "bool"}
    full = replace(
        PLAIN,
        **texts,
        **flags,
        owners=("sub:ani",),
        arrived_at=AT,
        personal=Personal(**{name: name for name in Personal.__dataclass_fields__}),
        history=(HistoryLine(AT, "citizen:ani", State.HELD), HistoryLine(AT, "officer:o", State.CONFIRMED, "note")),
    )
    left = [f.name for f in fields(Booking) if getattr(full, f.name) in ("", False, None, ()) and f.name != "events"]
    assert left == []
    assert _to_booking(_from_booking(full)) == full
