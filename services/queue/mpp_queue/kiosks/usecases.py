"""Load, decide, save of kiosks: one function a command. Knows the order of steps; rules are in domain.py.

A merge is two steps. First the queue-day's document says, in one compare-and-set, what each number stands for; then
each ticket is admitted under a name made from block and number. A crash in between loses nothing: the kiosk keeps its
journal until it has an answer, and the repetition finds its numbers claimed and admits what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from mpp.queue.v1 import events_pb2, kiosk_pb2
from mpp.queue.v1 import kiosks_service_pb2 as pb
from mpp_chassis.aggregates import Taken
from mpp_chassis.call import Call, Command, new_id
from mpp_chassis.errors import Aborted, FailedPrecondition, NotFound, PermissionDenied
from mpp_chassis.events import Event
from mpp_chassis.metrics import replace_all
from mpp_chassis.privacy import BlindIndex, looks_personal, mask_phone

from mpp_queue import app as hall
from mpp_queue import messages as ticket_messages
from mpp_queue import metrics
from mpp_queue.admitting import admit
from mpp_queue.domain import OFFLINE_BASE, Admission, QueueError, QueueSpec, refuse_drained
from mpp_queue.kiosks import buttons, messages
from mpp_queue.kiosks.domain import (
    Block,
    BlockDay,
    BlockRules,
    Duty,
    Entry,
    InvalidKioskField,
    OfflineNotAllowed,
    Verdict,
)
from mpp_queue.kiosks.gate import Gate
from mpp_queue.kiosks.quiet import printed_while, quiet_times
from mpp_queue.kiosks.store import Blocks, Duties
from mpp_queue.kiosks.views import KioskSpec

CHANNEL = "offline_kiosk"
LARGEST_BLOCK = 200


@dataclass(frozen=True, slots=True)
class App:
    """What the use cases work with; built once by main.py."""

    blocks: Blocks
    duties: Duties
    gate: Gate
    tickets: hall.App
    index: BlindIndex
    rules: BlockRules = field(default_factory=BlockRules)


def lease_block(app: App, request: pb.LeaseBlockRequest, call: Call) -> kiosk_pb2.OfflineBlock:
    """Raises NotFound, KioskInactive, OfflineNotAllowed, TooManyBlocks, NumbersExhausted, DayOver, QueueNotOpen (draining).

    Guaranteed: no number is in two blocks of a day, whatever races and whoever crashes; a repeated request_id gets the
    same block. Not guaranteed: that no number is left out.
    """
    spec = app.tickets.queues.find(request.parent)
    kiosk = app.gate.must_work(request.kiosk)
    if kiosk.offline_numbers == 0:
        raise OfflineNotAllowed(f"{request.kiosk} has no numbers of its own")
    size = min(request.size or app.rules.usual_size, kiosk.offline_numbers or LARGEST_BLOCK)
    empty = _first(spec, call.now)
    block_id = new_id(call.mutation)

    def decide(day: BlockDay) -> tuple[BlockDay, kiosk_pb2.OfflineBlock]:
        refuse_drained(spec, "parent")
        after, block = day.lease(
            block_id, kiosk=request.kiosk, holder=call.caller.subject, size=size, now=call.now, rules=app.rules
        )
        return after, _told(app, spec, after, block)

    reply = app.blocks.change(_day_name(spec.name, empty.day), empty, call.mutation, kiosk_pb2.OfflineBlock, decide)
    metrics.OFFLINE_BLOCKS.labels(spec.site_id).inc()
    return reply


def get_block(app: App, request: pb.GetBlockRequest, call: Call) -> kiosk_pb2.OfflineBlock:
    """Raises NotFound, PermissionDenied."""
    queue, iso_day, block_id = _parts(request.name)
    day = app.blocks.load(_day_name(queue, iso_day))
    if day is None:
        raise NotFound(f"there is no {request.name}")
    return _told(app, app.tickets.queues.find(queue), day, _own(day, block_id, request.name, call))


def renew_block(app: App, request: pb.RenewBlockRequest, call: Call) -> kiosk_pb2.OfflineBlock:
    """Raises NotFound, PermissionDenied, BlockReturned, DayOver, KioskInactive."""

    def renew(day: BlockDay, block: Block) -> tuple[BlockDay, Block]:
        app.gate.must_work(block.kiosk)
        return day.renew(block, now=call.now, rules=app.rules)

    return _change(app, request.name, call, renew)


def return_block(app: App, request: pb.ReturnBlockRequest, call: Call) -> kiosk_pb2.OfflineBlock:
    """Raises NotFound, PermissionDenied, BlockReturned, InvalidKioskField."""
    return _change(app, request.name, call, lambda day, block: day.give_back(block, request.last_used))


def _change(app: App, name: str, call: Call, step: Any) -> kiosk_pb2.OfflineBlock:
    queue, iso_day, block_id = _parts(name)
    spec = app.tickets.queues.find(queue)

    def decide(day: BlockDay) -> tuple[BlockDay, kiosk_pb2.OfflineBlock]:
        after, block = step(day, _own(day, block_id, name, call))
        return after, _told(app, spec, after, block)

    return app.blocks.change(_day_name(queue, iso_day), None, call.mutation, kiosk_pb2.OfflineBlock, decide)


def _told(app: App, spec: QueueSpec, day: BlockDay, block: Block) -> kiosk_pb2.OfflineBlock:
    """With the times in which nothing is to be printed, as they are known now; of one that was given back none."""
    if block.last_used is not None:
        return messages.block(day, block, spec.prefix)
    kiosk, duty = app.gate.kiosks.find(block.kiosk), app.duties.load(block.kiosk)
    return messages.block(day, block, spec.prefix, quiet_times(spec, kiosk, duty, block.leased_at, day.ends_at))


def measure(app: App, now: datetime) -> None:
    """Tell how many blocks of today are overdue at each site: one query a site, by name; its cost follows the blocks."""
    sites: dict[str, list[str]] = {}
    for queue, zone in app.tickets.queues.names():
        today = now.astimezone(ZoneInfo(zone)).date().isoformat()
        sites.setdefault(queue.split("/")[1], []).append(_day_name(queue, today))
    found: dict[tuple[str, ...], float] = {
        (site,): float(sum(block.overdue(now) for day in app.blocks.named(names) for block in day.blocks))
        for site, names in sites.items()
    }
    replace_all(metrics.OFFLINE_BLOCKS_UNRETURNED, found)


def merge_offline(app: App, request: pb.MergeOfflineRequest, call: Call) -> pb.MergeOfflineResponse:
    """Put what a kiosk printed in line, each ticket once. Raises NotFound, PermissionDenied, MergeTooLate.

    Guaranteed: a number is one ticket and has one content, whoever sends it how often and in how many processes at once;
    what was answered MERGED is durable. Nothing that was printed is refused since the doors were closed then: it is in line
    from the time on its paper, and `printed_while` says so. When the store stops answering in the middle the call fails, and
    a repetition goes on. Not guaranteed: that the numbers become tickets in their order.
    """
    queue, iso_day, block_id = _parts(request.name)
    spec = app.tickets.queues.find(queue)
    broken = {i: _fault(spec, t) for i, t in enumerate(request.tickets)}
    entries = [_entry(app, t) for i, t in enumerate(request.tickets) if not broken[i]]

    def decide(day: BlockDay) -> tuple[BlockDay, tuple[Block, list[Verdict]]]:
        block = _own(day, block_id, request.name, call)
        kiosk = app.gate.kiosks.find(block.kiosk)
        after, verdicts = day.claim(
            block, entries, now=call.now, rules=app.rules, closed=lambda at: printed_while(spec, kiosk, at)
        )
        return after, (block, verdicts)

    name = _day_name(queue, iso_day)
    _, (block, verdicts) = app.blocks.claim(name, call.mutation, pb.MergeOfflineResponse(), decide)
    judged = iter(verdicts)
    reply = pb.MergeOfflineResponse()
    for i, printed in enumerate(request.tickets):
        if broken[i]:
            reply.entries.append(_refused(printed.n, "INVALID_FIELD", broken[i]))
        else:
            reply.entries.append(_merge_one(app, spec, request.name, block, printed, next(judged), call))
    for entry in reply.entries:
        metrics.OFFLINE_ENTRIES.labels(spec.site_id, _outcome(entry)).inc()
    return reply


def _merge_one(
    app: App, spec: QueueSpec, block_name: str, block: Block, printed: pb.OfflineTicket, verdict: Verdict, call: Call
) -> kiosk_pb2.MergedEntry:
    if verdict.refusal is not None:
        text = f"{spec.number(OFFLINE_BASE + printed.n)}: {verdict.refusal.value.replace('_', ' ').lower()}"
        return _refused(printed.n, verdict.refusal.value, text)
    command = Command(
        f"{block_name}/{printed.n}", "MergeOffline", _digest(app, printed), f"kiosk:{block.holder}", call.now,
        call.traceparent,
    )  # fmt: skip
    admission = _admission(app, spec, printed, verdict, f"{spec.name}/tickets/{new_id(command)}")
    entry = kiosk_pb2.MergedEntry(
        n=printed.n, outcome=kiosk_pb2.MergedEntry.OUTCOME_MERGED, ticket=admission.name, number=admission.number,
        late=verdict.late, printed_while=verdict.while_closed,
    )  # fmt: skip
    try:
        admit(app.tickets, admission, command, ticket_messages.issued)
    except Aborted:
        entry.outcome = kiosk_pb2.MergedEntry.OUTCOME_TRY_AGAIN
    except (Taken, FailedPrecondition) as e:  # it is there for longer than replies are kept: the claim says with what
        if app.tickets.tickets.load(admission.name) is None:
            raise Aborted(f"{admission.number} could not be merged: {e}") from e
    except QueueError as e:
        if app.tickets.tickets.load(admission.name) is None:
            return _refused(printed.n, e.reason, str(e))
    return entry


def _admission(app: App, spec: QueueSpec, printed: pb.OfflineTicket, verdict: Verdict, name: str) -> Admission:
    seq = OFFLINE_BASE + printed.n
    assert verdict.arrived_at is not None
    policy = app.tickets.rules.policy_of(spec)
    return Admission(
        name=name,
        queue=spec.name,
        channel=CHANNEL,
        arrived_at=verdict.arrived_at,
        issued_at=verdict.arrived_at,
        offering=printed.offering,
        group=ticket_messages.group_of(printed.priority_group),
        # The policy may have changed while the kiosk was cut off: the paper counts all the same, by its group.
        priority_class=printed.priority_class if policy.knows(printed.priority_class) else "",
        sealed_phone=app.tickets.cipher.seal(printed.phone, "phone"),
        masked_phone=mask_phone(printed.phone),
        phone_key=app.index.of(printed.phone, "phone"),
        number=spec.number(seq),
        seq=seq,
    )


def _fault(spec: QueueSpec, printed: pb.OfflineTicket) -> str:
    """What would be refused whatever happens; said before the number is claimed, so that it can be sent anew."""
    if printed.offering and not printed.offering.startswith(f"sites/{spec.site_id}/"):
        return f"offering: {printed.offering} is not of site {spec.site_id}"
    return ""


def _entry(app: App, printed: pb.OfflineTicket) -> Entry:
    return Entry(printed.n, printed.issued_at.ToDatetime(tzinfo=UTC), _digest(app, printed))


def _digest(app: App, printed: pb.OfflineTicket) -> str:
    """Stands for the content; keyed, since a phone number can be guessed from a plain digest."""
    at = printed.issued_at
    content = (printed.n, at.seconds, at.nanos, printed.offering, printed.priority_group, printed.priority_class)
    return app.index.of("\n".join(map(str, (*content, printed.phone))), "offline-ticket")


def _refused(n: int, reason: str, message: str) -> kiosk_pb2.MergedEntry:
    refused = kiosk_pb2.MergedEntry.OUTCOME_REFUSED
    return kiosk_pb2.MergedEntry(n=n, outcome=refused, reason=reason, message=message)


def _outcome(entry: kiosk_pb2.MergedEntry) -> str:
    name = kiosk_pb2.MergedEntry.Outcome.Name(entry.outcome).removeprefix("OUTCOME_").lower()
    return "late" if entry.late and name == "merged" else name


# -- buttons and duty


def get_kiosk(app: App, request: pb.GetKioskRequest, call: Call) -> kiosk_pb2.Kiosk:
    """Raises NotFound KIOSK_UNKNOWN."""
    spec = app.gate.spec(request.name)
    duty = app.duties.load(request.name)
    return messages.kiosk(spec, duty, _buttons(app, spec, duty, call.now))


def activate_kiosk(app: App, request: pb.ActivateKioskRequest, call: Call) -> kiosk_pb2.Kiosk:
    """Raises NotFound KIOSK_UNKNOWN."""
    return _on_duty(app, request.name, call, lambda duty: duty.activate())


def deactivate_kiosk(app: App, request: pb.DeactivateKioskRequest, call: Call) -> kiosk_pb2.Kiosk:
    """Raises NotFound KIOSK_UNKNOWN, InvalidKioskField."""
    if looks_personal(request.reason):
        raise InvalidKioskField("reason", "leave out NIK, phone numbers and e-mail addresses")
    return _on_duty(app, request.name, call, lambda duty: duty.deactivate(request.reason))


def set_button(app: App, request: pb.SetKioskButtonRequest, call: Call) -> kiosk_pb2.Kiosk:
    """Raises NotFound KIOSK_UNKNOWN, InvalidKioskField."""
    if looks_personal(request.text):
        raise InvalidKioskField("text", "leave out NIK, phone numbers and e-mail addresses")
    if app.gate.spec(request.name).button(request.button) is None:
        raise InvalidKioskField("button", f"{request.name} has no button {request.button}")
    return _on_duty(
        app, request.name, call, lambda d: d.set_button(request.button, paused=request.paused, text=request.text)
    )


def set_layout(app: App, request: pb.SetKioskLayoutRequest, call: Call) -> kiosk_pb2.Kiosk:
    """Again with the same layout: no event. Raises NotFound KIOSK_UNKNOWN, InvalidField."""
    layout = messages.layout_of(request.layout)
    layout.check(b.id for b in app.gate.spec(request.name).buttons)
    return _on_duty(app, request.name, call, lambda duty: replace(duty, layout=layout))


def _on_duty(app: App, name: str, call: Call, step: Any) -> kiosk_pb2.Kiosk:
    spec = app.gate.spec(name)

    def decide(before: Duty) -> tuple[Duty, kiosk_pb2.Kiosk, list[Event]]:
        after = step(before)
        reply = messages.kiosk(spec, after, _buttons(app, spec, after, call.now))
        event = events_pb2.KioskChanged(kiosk=name, active=after.active, paused_buttons=sorted(after.paused))
        event.at.FromDatetime(call.now)
        return after, reply, [Event(event, name)] if after != before else []

    return app.duties.change(name, call.mutation, kiosk_pb2.Kiosk, decide)


def _buttons(app: App, spec: KioskSpec, duty: Duty, now: datetime) -> list[kiosk_pb2.KioskButton]:
    found = []
    for button in spec.buttons:
        seen = buttons.look(app.tickets.queues, app.tickets.views, spec, duty, button, now)
        found.append(messages.button(button, seen))
    return found


# -- names and times


def _first(spec: QueueSpec, now: datetime) -> BlockDay:
    zone = ZoneInfo(spec.zone)
    today = now.astimezone(zone).date()
    ends_at = datetime.combine(today + timedelta(days=1), time(0), zone).astimezone(UTC)
    return BlockDay(spec.name, today.isoformat(), ends_at)


def _day_name(queue: str, iso_day: str) -> str:
    return f"{queue}/offlineDays/{iso_day}"


def _parts(name: str) -> tuple[str, str, str]:
    try:
        return messages.parts_of(name)
    except ValueError:
        raise NotFound(f"there is no {name}: it names no date") from None


def _own(day: BlockDay, block_id: str, name: str, call: Call) -> Block:
    """Raises NotFound; PermissionDenied for another kiosk's: only a site manager may speak for a kiosk that broke."""
    block = day.find(block_id)
    if block is None:
        raise NotFound(f"there is no {name}")
    if "site_manager" not in call.caller.roles and call.caller.subject != block.holder:
        raise PermissionDenied("not yours: another kiosk holds the block")
    return block
