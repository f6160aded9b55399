"""Resources as tables for people, or as the contract's JSON for programs. Knows messages and rich; makes no
call.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from google.protobuf import json_format
from google.protobuf.message import Message
from mpp.applications.v1 import application_pb2
from mpp.catalog.v1 import agency_pb2, catalog_service_pb2, channel_pb2, offering_pb2, site_pb2
from mpp.complaints.v1 import complaint_pb2
from mpp.notifications.v1 import notification_pb2
from mpp.queue.v1 import counter_pb2, display_pb2, ticket_pb2
from mpp.subscriptions.v1 import feed_pb2
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from mppctl.diffing import Change

console = Console(highlight=False)
MOST_COUNTED = 1000  # the catalogue counts no further
_DAYS = ("", "Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")


def as_json(found: Message | Sequence[Message]) -> None:
    """A resource as an object; a listing as a list, also when it holds one."""

    def plain(message: Message) -> object:
        return json_format.MessageToDict(message, preserving_proto_field_name=True)

    shown = plain(found) if isinstance(found, Message) else [plain(m) for m in found]
    console.print_json(json.dumps(shown, ensure_ascii=False))


def difference(kind: str, name: str, result: str, changes: Sequence[Change]) -> None:
    """What would happen to a resource, as a unified diff of its fields. Silent where nothing would."""
    if result not in ("created", "changed"):
        return
    style, mark = ("green", "+") if result == "created" else ("yellow", "~")
    console.print(f"[{style}]{mark} {kind} {escape(name)}[/{style}]")
    if result == "created":
        return  # the files are there to be read
    for change in changes:
        if change.old is not None:
            console.print(f"[red]    - {escape(change.path)}: {escape(change.old)}[/red]", soft_wrap=True)
        if change.new is not None:
            console.print(f"[green]    + {escape(change.path)}: {escape(change.new)}[/green]", soft_wrap=True)


# --- catalogue


def site(message: site_pb2.Site) -> None:
    table = _facts(message.display_name.id)
    _fact(table, "name", message.name)
    _fact(table, "English", message.display_name.en)
    _fact(table, "region", message.region_code)
    _fact(table, "zone", message.time_zone)
    _fact(table, "kind", message.kind)
    _fact(table, "opened", message.opened)
    for day in range(1, 8):
        spans = [f"{h.opens}-{h.closes}" for h in message.opening_hours if h.weekday == day]
        _fact(table, _DAYS[day], ", ".join(spans) or "tutup")
    _fact(table, "channels", ", ".join(message.channels))
    _fact(table, "declared services", _optional(message, "declared_services"))
    _fact(table, "declared agencies", _optional(message, "declared_agencies"))
    joint = sum(h.joint_leave for h in message.holidays)
    _fact(table, "holidays", f"{len(message.holidays) - joint} national, {joint} joint leave")
    for m in message.maintenance:
        _fact(table, "maintenance", f"{m.starts} to {m.ends}: {m.text.id}")
    _fact(table, "etag", message.etag)
    console.print(table)


def agencies(messages: Iterable[agency_pb2.Agency]) -> None:
    table = _columns("", "agency", "name", "category", "declared", "queue", "counters", "facilities")
    for m in messages:
        category = agency_pb2.Agency.Category.Name(m.category).removeprefix("CATEGORY_").lower()
        _row(
            table,
            _last(m.name),
            m.display_name.id,
            category.replace("_", " "),
            _optional(m, "declared_services") or "-",
            f"{m.queue.prefix} ({m.queue.id})" if m.HasField("queue") else "-",
            ", ".join(map(str, m.queue.counters)) or "-",
            "overseer" if m.overseer else ", ".join(f.display_name.id for f in m.facilities),
        )
    console.print(table)


def agency(message: agency_pb2.Agency) -> None:
    table = _facts(message.display_name.id)
    _fact(table, "name", message.name)
    _fact(table, "English", message.display_name.en)
    _fact(table, "category", _enum(agency_pb2.Agency.Category, message.category, "CATEGORY_"))
    _fact(table, "declared services", _optional(message, "declared_services"))
    _fact(table, "source", message.source)
    _fact(table, "facilities", ", ".join(f.display_name.id for f in message.facilities))
    _fact(table, "etag", message.etag)
    console.print(table)


def channel_kinds(messages: Sequence[channel_pb2.ChannelKind]) -> None:
    table = _columns("", "kind of channel", "name", "attributes")
    for m in messages:
        _row(table, _last(m.name), m.display_name.id, ", ".join(a.id for a in m.attributes))
    if messages:
        console.print(table)


def channel_kind(message: channel_pb2.ChannelKind) -> None:
    """The attributes that channels of the kind have."""
    table = _columns(f"{message.display_name.id}  ({message.name})", "attribute", "name", "type", "needed", "what fits")
    for a in message.attributes:
        fits = ", ".join(a.words) or (f"{a.least} to {a.most}" if a.least or a.most else "")
        fits = fits or ", ".join(entry.id for entry in a.entries)
        kind = _enum(channel_pb2.ChannelAttribute.Type, a.type, "TYPE_")
        _row(table, a.id, a.display_name.id, kind, "yes" if a.required else "", fits)
    console.print(table)


def open_work(found: catalog_service_pb2.OpenWork) -> None:
    """What is still open: of an agency that drains, what is waited for."""
    counts = {"tickets": found.tickets, "applications": found.applications, "appointments": found.appointments}
    parts = [f"{n}{'+' if n >= MOST_COUNTED else ''} {what}" for what, n in counts.items() if n]
    said = f"still open: {', '.join(parts)}" if parts else "nothing is open"
    if found.draining:
        said += (
            "; draining: nobody new" if parts else "; draining: it can be deleted when its services and channels are"
        )
    console.print(said, markup=False)


def channels(messages: Sequence[channel_pb2.Channel]) -> None:
    table = _columns("", "channel", "kind", "name", "agency", "services", "bookings")
    for m in messages:
        booked = f"{m.appointments.slot_minutes} min x {m.appointments.places}" if m.HasField("appointments") else "-"
        offered = ", ".join(map(_last, m.offerings)) or "-"
        _row(table, _last(m.name), _last(m.kind), m.display_name.id, _last(m.agency), offered, booked)
    if messages:
        console.print(table)


def document(title: str, text: str) -> None:
    """YAML as it stands in a file."""
    console.print(Panel(escape(text.rstrip()), title=title, title_align="left"))


def offerings(messages: Iterable[offering_pb2.Offering]) -> None:
    table = _columns("", "service", "name", "agency", "time", "fee", "gaps", "source")
    for m in messages:
        _row(
            table,
            _last(m.name),
            m.display_name.id,
            _last(m.agency),
            service_time(m.standard),
            fee(m.standard),
            str(len(m.missing_components)),
            offering_pb2.Offering.Source.Name(m.source).removeprefix("SOURCE_").lower(),
        )
    console.print(table)


def offering(message: offering_pb2.Offering) -> None:
    """The standard with its 14 components, and each gap shown as one."""
    standard = message.standard
    table = _facts(f"{message.display_name.id}  ({message.display_name.en})")
    _fact(table, "name", message.name)
    _fact(table, "agency", message.agency)
    shown = {
        "requirements": "\n".join(f"• {r.display_name.id}" for r in standard.requirements),
        "procedure": "\n".join(f"{n}. {step}" for n, step in enumerate(standard.procedure, start=1)),
        "time": service_time(standard),
        "fee": fee(standard) + (f"  [{standard.fee.basis}]" if standard.fee.basis else ""),
        "legal_basis": "; ".join(standard.legal_basis),
        "staff_count": _optional(standard, "staff_count"),
    }
    for component in _components():
        name = component.replace("_", " ")
        if component in message.missing_components:
            table.add_row(name, "[yellow]not published yet (gap)[/yellow]")
            continue
        text = shown.get(component) or str(getattr(standard, component))
        sample = "  (sample value)" if component in standard.sample_components else ""
        _fact(table, name, text + sample)
    _fact(table, "etag", message.etag)
    console.print(table)


def service_time(standard: offering_pb2.Standard) -> str:
    if not standard.HasField("time"):
        return "-"
    unit = offering_pb2.ServiceTime.Unit.Name(standard.time.unit).removeprefix("UNIT_").lower()
    return f"{standard.time.amount} {unit.replace('_', ' ')}{'s' if standard.time.amount > 1 else ''}"


def fee(standard: offering_pb2.Standard) -> str:
    """In rupiah, with points between thousands as Indonesians write them."""
    if not standard.HasField("fee"):
        return "-"
    if standard.fee.HasField("amount_idr"):
        return rupiah(standard.fee.amount_idr) if standard.fee.amount_idr else "gratis"
    if standard.fee.tariffs:
        amounts = [t.amount_idr for t in standard.fee.tariffs]
        return f"{rupiah(min(amounts))} - {rupiah(max(amounts))}"
    return standard.fee.formula


def rupiah(amount: int) -> str:
    return f"Rp{amount:,}".replace(",", ".")


# --- the other services


def queue(message: ticket_pb2.QueueStatus) -> None:
    table = _facts(message.name)
    _fact(table, "agency", message.agency)
    _fact(table, "prefix", message.prefix)
    _fact(table, "counters", ", ".join(map(str, message.counters)))
    _fact(table, "waiting", str(message.waiting))
    classes = [f"{c.priority_class or 'others'} {c.waiting}" for c in message.waiting_by_class]
    _fact(table, "by class", ", ".join(classes))
    _fact(table, "estimated wait", _wait(message))
    state = "takes tickets" if message.open else f"closed {message.closed_reason}".strip()
    _fact(table, "now", state + (f", opens {moment(message, 'opens_at')}" if message.HasField("opens_at") else ""))
    console.print(table)
    board = _columns("last calls", "number", "counter", "at")
    for line in message.board:
        _row(board, line.number, str(line.counter), moment(line, "called_at"))
    if message.board:
        console.print(board)


def displays(messages: Iterable[display_pb2.Display]) -> None:
    table = _columns("", "display", "title", "queues", "speaks", "last calls")
    for m in messages:
        _row(table, _last(m.name), m.title.id or "-", _shown_queues(m), _speech(m), str(m.last_calls or "-"))
    console.print(table)


def subscriptions(messages: Iterable[feed_pb2.Subscription]) -> None:
    table = _columns("", "subscription", "opened", "acknowledged", "up to")
    for m in messages:
        cursor = m.acknowledged_cursor or "nothing yet"
        _row(table, m.name, moment(m, "opened_at"), moment(m, "acknowledged_at"), cursor)
    console.print(table)


def display(message: display_pb2.Display) -> None:
    table = _facts(message.title.id or _last(message.name))
    _fact(table, "name", message.name)
    _fact(table, "queues", _shown_queues(message))
    _fact(table, "board", f"{message.rows or 8} rows, {message.columns or 1} columns")
    _fact(table, "speaks", _speech(message))
    _fact(table, "ring", message.ring)
    _fact(table, "last calls", str(message.last_calls or "-"))
    _fact(table, "running texts", "\n".join(m.text.id for m in message.messages))
    _fact(table, "slides", "\n".join(s.media_url for s in message.slides))
    _fact(table, "etag", message.etag)
    console.print(table)


def frame(message: display_pb2.DisplayFrame) -> None:
    """What a screen shows now."""
    table = _columns("on the board now", "queue", "prefix", "at counters", "doors")
    for q in message.queues:
        calls = ", ".join(f"{c.number} ({c.counter})" for c in q.calls) or "-"
        doors = "open" if q.open else f"closed {q.closed_reason}".strip()
        _row(table, _last(q.queue), q.prefix, calls, doors)
    console.print(table)
    if message.closed:
        console.print(f"closed: {message.closed_text.id}", markup=False)


def _shown_queues(message: display_pb2.Display) -> str:
    return ", ".join(map(_last, [*message.queues, *message.agencies])) or "all of the site"


def _speech(message: display_pb2.Display) -> str:
    return ", ".join(message.speech_languages or ("id",)) if message.speech else "no"


def counters(messages: Sequence[counter_pb2.Counter]) -> None:
    table = _columns("counters", "counter", "state", "since", "ticket", "officer", "serves")
    for m in messages:
        state = _enum(counter_pb2.Counter.State, m.state, "STATE_") + (" ALARM" if m.alarm_open else "")
        serves = ", ".join(map(_last, m.offerings)) or "all"
        _row(table, str(m.number), state, moment(m, "since"), m.ticket_number or "-", m.officer or "-", serves)
    if messages:
        console.print(table)


def _wait(message: ticket_pb2.QueueStatus) -> str:
    expected = f"{round(message.estimated_wait.seconds / 60)} minutes"
    if not message.HasField("wait_high"):
        return expected
    low, high = round(message.wait_low.seconds / 60), round(message.wait_high.seconds / 60)
    return f"{expected} ({low} to {high})"


def ticket(message: ticket_pb2.Ticket) -> None:
    table = _facts(message.number)
    _fact(table, "name", message.name)
    _fact(table, "state", _enum(ticket_pb2.Ticket.State, message.state, "STATE_"))
    _fact(table, "day", message.day)
    _fact(table, "agency", message.agency)
    _fact(table, "service", message.offering)
    _fact(table, "counter", str(message.counter or "-"))
    _fact(table, "calls", str(message.calls))
    for name in ("issued_at", "called_at", "serving_at", "finished_at"):
        _fact(table, name.replace("_", " "), moment(message, name))
    _fact(table, "phone", message.masked_phone)
    _fact(table, "applications", "\n".join(message.applications))
    _fact(table, "reason", message.reason)
    console.print(table)


def application(message: application_pb2.Application) -> None:
    state = application_pb2.Application.State
    table = _facts(message.name)
    _fact(table, "state", _enum(state, message.state, "STATE_"))
    _fact(table, "service", message.offering)
    _fact(table, "agency", message.agency)
    _fact(table, "ticket", message.ticket)
    applicant = message.applicant
    _fact(table, "applicant", f"{applicant.masked_name} {applicant.masked_nik} {applicant.masked_phone}".strip())
    missing = [r for r in message.requirements if r not in message.presented_requirements]
    _fact(table, "requirements", f"{len(message.requirements) - len(missing)} of {len(message.requirements)} presented")
    _fact(table, "missing", ", ".join(missing))
    _fact(table, "accepted at", moment(message, "accepted_at"))
    _fact(table, "due at", moment(message, "due_at"))
    _fact(table, "document", message.document_number)
    flags = [_enum(application_pb2.Application.Flag, flag, "FLAG_") for flag in message.flags]
    _fact(table, "flags", ", ".join(flags))
    _fact(table, "reason", message.reason)
    console.print(table)
    _history(message.history, state)


def complaint(message: complaint_pb2.Complaint) -> None:
    state = complaint_pb2.Complaint.State
    table = _facts(message.name)
    _fact(table, "state", _enum(state, message.state, "STATE_") + ("  (overdue)" if message.overdue else ""))
    _fact(table, "agency", message.agency)
    _fact(table, "about", message.ticket or message.application)
    _fact(table, "class", _enum(complaint_pb2.Complaint.Class, getattr(message, "class"), "CLASS_"))
    _fact(table, "visibility", _enum(complaint_pb2.Complaint.Visibility, message.visibility, "VISIBILITY_"))
    _fact(table, "subject", message.subject)
    _fact(table, "received at", moment(message, "received_at"))
    _fact(table, "due at", moment(message, "due_at"))
    wait = f"{round(message.measured_wait_seconds / 60)} minutes" if message.HasField("measured_wait_seconds") else ""
    _fact(table, "measured wait", wait)
    _fact(table, "answer", message.answer)
    _fact(table, "rating", str(message.rating or "-"))
    console.print(table)
    _history(message.history, state)


def notifications(messages: Iterable[notification_pb2.Notification]) -> None:
    table = _columns("", "created", "template", "channel", "to", "state", "provider", "attempts", "failure")
    for m in messages:
        _row(
            table,
            moment(m, "created_at"),
            m.template,
            _enum(notification_pb2.Notification.Channel, m.channel, "CHANNEL_"),
            m.masked_recipient,
            _enum(notification_pb2.Notification.State, m.state, "STATE_"),
            m.provider,
            str(m.attempts),
            m.failure,
        )
    console.print(table)


def parked(messages: Iterable[Any]) -> None:
    """Parked events, one a line."""
    table = _columns("", "queue", "event id", "type", "subject", "attempts", "parked", "reason")
    for m in messages:
        _row(table, m.queue, m.event_id, m.type, m.subject, str(m.attempts), moment(m, "parked_at"), m.reason)
    console.print(table)


def parked_event(message: Any) -> None:
    """One parked event whole; personal fields in it are still sealed."""
    table = _facts(message.event_id)
    _fact(table, "queue", message.queue)
    _fact(table, "type", message.type)
    _fact(table, "subject", message.subject)
    _fact(table, "attempts", str(message.attempts))
    _fact(table, "parked at", moment(message, "parked_at"))
    _fact(table, "reason", message.reason)
    for name, value in sorted(message.headers.items()):
        _fact(table, name, value)
    console.print(table)
    try:
        body = json.dumps(json.loads(message.body), indent=2, ensure_ascii=False)
    except ValueError:
        body = message.body
    console.print(Panel(escape(body), title="body", title_align="left"))


# --- parts


def moment(message: Any, name: str, zone: ZoneInfo | None = None) -> str:
    """A time field in the zone of the machine (or `zone`); empty where it is absent."""
    if not message.HasField(name):
        return ""
    at: datetime = getattr(message, name).ToDatetime(tzinfo=ZoneInfo("UTC"))
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %z")


def _components() -> list[str]:
    """The 14, in the contract's order."""
    fields = offering_pb2.Standard.DESCRIPTOR.fields
    return [f.name for f in fields if f.name != "sample_components"]


def _history(entries: Iterable[Any], states: Any) -> None:
    table = _columns("history", "at", "state", "actor", "reason")
    for entry in entries:
        _row(table, moment(entry, "at"), _enum(states, entry.state, "STATE_"), entry.actor, entry.reason)
    if table.row_count:
        console.print(table)


def _facts(title: str) -> Table:
    table = Table(title=escape(title), title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _fact(table: Table, name: str, text: str) -> None:
    if text:
        table.add_row(name, escape(text))


def _columns(title: str, *names: str) -> Table:
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _row(table: Table, *cells: str) -> None:
    table.add_row(*(escape(cell) for cell in cells))


def _enum(kind: Any, value: int, prefix: str) -> str:
    """The value's name in small letters; a value of a newer contract by its number."""
    try:
        return str(kind.Name(value)).removeprefix(prefix).lower().replace("_", " ")
    except ValueError:
        return str(value)


def _optional(message: Any, name: str) -> str:
    return str(getattr(message, name)) if message.HasField(name) else ""


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1]
