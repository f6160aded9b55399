"""What can be done with complaints, one function a command: load, decide, save.

Knows the domain, the store, the views, the policy and who calls. Never knows gRPC, nameko or pymongo.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mpp.complaints.v1 import complaint_pb2, complaints_service_pb2
from mpp_chassis import downtime, logs
from mpp_chassis.audit import AuditLog
from mpp_chassis.call import Call, Command, new_id
from mpp_chassis.challenge import Door
from mpp_chassis.errors import Aborted, InvalidField, NotFound
from mpp_chassis.events import Event
from mpp_chassis.metrics import replace_all
from mpp_chassis.privacy import FieldCipher

from mpp_complaints import domain, messages, metrics, overcharge, policy
from mpp_complaints.domain import Complaint, Reader, Terms
from mpp_complaints.messages import Sight
from mpp_complaints.store import Complaints, order_key
from mpp_complaints.views import Agencies, BookingAlarms, Offerings, Sites, Waits

TEXT, PHONE = "complaint_text", "phone"  # purposes of sealed fields
PAGE, LARGEST_PAGE = 50, 200
SWEEP_BATCH = 1000
MOST_MERGES = 10  # that are followed to find an answer
log = logs.get(part="complaints")


@dataclass(frozen=True, slots=True)
class App:
    """What the use cases work with."""

    complaints: Complaints
    sites: Sites
    agencies: Agencies
    offerings: Offerings
    waits: Waits
    policy: policy.Policy
    cipher: FieldCipher
    audit: AuditLog
    door: Door
    alarms: BookingAlarms


def file_complaint(
    app: App, request: complaints_service_pb2.FileComplaintRequest, call: Call
) -> complaint_pb2.Complaint:
    """Receive a complaint. Raises NotFound (SITE_UNKNOWN, AGENCY_UNKNOWN), domain.InvalidField."""
    command = call.mutation
    _at_the_door(app, "FileComplaint", request, call)
    citizen = "citizen" in call.caller.roles
    new = domain.NewComplaint(
        name=f"{request.parent}/complaints/{new_id(command)}",
        agency=request.agency,
        subject=request.subject,
        sealed_words=app.cipher.seal(domain.some_text("text", request.text), TEXT),
        visibility=messages.asked_visibility(request.visibility),
        classified=messages.asked_class(getattr(request, "class")) or domain.Class.LIGHT,
        ticket=request.ticket,
        application=request.application,
        owner=f"sub:{call.caller.subject}" if citizen else "",
        sealed_phone=app.cipher.seal(request.phone, PHONE),
    )
    return _file(app, new, call)


def report_overcharge(
    app: App, request: complaints_service_pb2.ReportOverchargeRequest, call: Call
) -> complaint_pb2.Complaint:
    """Receive the report that more was asked than the tariff. Raises NotFound (SITE_UNKNOWN, AGENCY_UNKNOWN),
    domain.AgencyNeeded, NotAboveFee, InvalidField.

    Guaranteed: the agency that it is about can neither read nor find nor change it, and its public events do not name
    that agency. Not guaranteed: that nobody there guesses who reports, when the note says it.
    """
    command = call.mutation
    _at_the_door(app, "ReportOvercharge", request, call)
    name = f"{request.parent}/complaints/{new_id(command)}"
    repeated = app.complaints.repeated(name, command, complaint_pb2.Complaint)
    if repeated is not None:  # what is published may have changed since
        return repeated
    about = overcharge.about(request, app.waits, app.offerings)
    citizen = "citizen" in call.caller.roles
    fee = app.offerings.fee(about.offering) if about.offering else None
    new = domain.NewComplaint(
        name=name,
        agency=about.agency,
        subject=overcharge.SUBJECT,
        sealed_words=app.cipher.seal(request.note.strip() or overcharge.SUBJECT, TEXT),
        visibility=domain.Visibility.CONFIDENTIAL if request.reveal_me else domain.Visibility.ANONYMOUS,
        classified=app.policy.overcharge.classified,
        ticket=request.ticket,
        application=request.application,
        owner=f"sub:{call.caller.subject}" if citizen else "",
        sealed_phone=app.cipher.seal(request.phone, PHONE),
        routed_to=overcharge.handler(request.parent, about.agency, app.policy, app.agencies),
        overcharge=overcharge.overcharge(request.asked_idr, about.offering, fee),
    )
    return _file(app, new, call)


def _at_the_door(app: App, rpc: str, request: Any, call: Call) -> None:
    """Raises ChallengeRequired where the site asks a caller whom nobody knows for work."""
    name = f"{request.parent}/complaints/{new_id(call.mutation)}"

    def repeated() -> bool:
        return app.complaints.repeated(name, call.mutation, complaint_pb2.Complaint) is not None

    app.door.check(rpc, request.parent, request, call, repeated)


def _file(app: App, new: domain.NewComplaint, call: Call) -> complaint_pb2.Complaint:
    command, now, site = call.mutation, _moment(call.now), new.name.split("/complaints/")[0]
    if app.complaints.get(new.name) is None:  # a repeated command gets its stored reply
        downtime.refuse_new(app.sites.maintenance(site), now)
    complaint = domain.file(new, _terms(app, site, now), now, call.actor)
    if not app.agencies.known(new.agency):
        raise NotFound(f"there is no {new.agency}", reason="AGENCY_UNKNOWN", field="agency")
    complaint = _with_evidence(app, complaint)
    reply = messages.reply(complaint, _stored_sight(call, complaint), now)
    kept = app.complaints.create(complaint, command, reply, messages.events(complaint))
    if kept is reply:  # else: the stored reply of a repeated command
        metrics.count(complaint)
    return kept


def get_complaint(app: App, name: str, call: Call) -> complaint_pb2.Complaint:
    """With the reporter's words for those who may read them; each such read by another is audited first."""
    complaint = app.complaints.get(name)
    if complaint is None:
        raise NotFound(f"there is no {name}")
    _permit(call, complaint)
    reader = _reader(call, complaint)
    sight = _sight(reader, complaint)
    if sight.content:
        if reader is not Reader.REPORTER:
            app.audit.record(call.actor, "read_complaint_text", name, call.now)
        sight = replace(sight, unseal=lambda sealed: app.cipher.open(sealed, TEXT))
    if complaint.state is domain.State.MERGED and sight.content:
        complaint = replace(complaint, answer=_answer_of_merged(app, complaint))
    return messages.reply(_with_evidence(app, complaint), sight, call.now)


def _answer_of_merged(app: App, complaint: Complaint) -> str:
    """Of the complaint that it was merged into, at once or by way of others; empty while there is none."""
    for _ in range(MOST_MERGES):
        into = app.complaints.get(complaint.merged_into)
        if into is None or into.state is not domain.State.MERGED:
            return into.answer_for_merged if into else ""
        complaint = into
    return ""


def restore_merged(app: App, withdrawn: str, command: Command) -> int:
    """What was merged into a complaint that its reporter took back is received again. How many. Idempotent."""
    now, done = _moment(command.at), 0
    for name in app.complaints.merged_into(withdrawn):

        def decide(complaint: Complaint) -> tuple[Complaint, list[Event]] | None:
            if complaint.merged_into != withdrawn or complaint.state is not domain.State.MERGED:
                return None
            restored = complaint.restore(_terms(app, complaint.site, now), now)
            return restored, messages.events(restored)

        done += app.complaints.tick(name, replace(command, request_id=f"{command.request_id}:{name}"), decide)
    if app.complaints.merged_into(withdrawn):
        raise Aborted(f"what was merged into {withdrawn} is being changed; come again")
    return done


def list_complaints(
    app: App, request: complaints_service_pb2.ListComplaintsRequest, call: Call
) -> complaints_service_pb2.ListComplaintsResponse:
    """Newest first, without anybody's words. Raises InvalidField for a page token that is not ours."""
    size = min(request.page_size or PAGE, LARGEST_PAGE)
    owner = f"sub:{call.caller.subject}"
    before = _order_of(request.page_token)
    found = app.complaints.newest(request.parent, call.reach(), owner, before, size + 1)
    page = found[:size]
    waits = app.waits.all_seconds([(c.ticket, c.agency) for c in page])
    seen = [c.with_evidence(waits.get(c.ticket)) for c in page]
    return complaints_service_pb2.ListComplaintsResponse(
        complaints=[messages.reply(c, _stored_sight(call, c), call.now) for c in seen],
        next_page_token=_token(page[-1]) if len(found) > size else "",
    )


def advance_complaint(
    app: App, request: complaints_service_pb2.AdvanceComplaintRequest, call: Call
) -> complaint_pb2.Complaint:
    """One step of the handlers. Raises domain errors, NotFound, PermissionDenied."""
    asked = complaint_pb2.HandlerCommand.Name(request.command).removeprefix("HANDLER_COMMAND_")
    step, found = domain.Step[asked], messages.asked_class(getattr(request, "class"))
    if found is not None and step is not domain.Step.VERIFY:
        raise domain.InvalidField("class", "only VERIFY may change the class")

    def decide(complaint: Complaint, now: datetime) -> Complaint:
        return _advanced(app, complaint, step, request.reason, found, now, call.actor)

    return _change(app, request.name, call, decide)


def answer_complaint(app: App, name: str, answer: str, call: Call) -> complaint_pb2.Complaint:
    """Raises domain.InvalidField (answer), WrongState, NotFound, PermissionDenied."""
    return _change(app, name, call, lambda c, now: c.give_answer(answer, _terms(app, c.site, now), now, call.actor))


def reply_complaint(app: App, name: str, text: str, call: Call) -> complaint_pb2.Complaint:
    """Raises domain.InvalidField (text), WrongState, WindowClosed, NotFound, PermissionDenied."""
    sealed = app.cipher.seal(domain.some_text("text", text), TEXT)
    return _change(app, name, call, lambda c, now: c.reply(sealed, _terms(app, c.site, now), now, call.actor))


def rate_complaint(app: App, name: str, rating: int, call: Call) -> complaint_pb2.Complaint:
    """Raises domain.InvalidField (rating), WrongState, WindowClosed, NotFound, PermissionDenied."""
    return _change(app, name, call, lambda c, now: c.rate(rating, now, call.actor))


def reopen_complaint(app: App, name: str, reason: str, call: Call) -> complaint_pb2.Complaint:
    """Raises domain.InvalidField (reason), WrongState, WindowClosed, LimitReached; NotFound."""
    sealed = app.cipher.seal(domain.some_text("reason", reason), TEXT)
    return _change(app, name, call, lambda c, now: c.reopen(sealed, _terms(app, c.site, now), now, call.actor))


def withdraw_complaint(app: App, name: str, call: Call) -> complaint_pb2.Complaint:
    """Raises domain.WrongState, NotFound, PermissionDenied."""
    return _change(app, name, call, lambda c, now: c.withdraw(now, call.actor))


def sweep(app: App, now: datetime, traceparent: str = "") -> int:
    """What time alone does: tell of missed deadlines once, close what had no reply. Returns how many changed.

    At most `SWEEP_BATCH` a call, longest due first. Two at once do no harm: each change is a compare-and-set.
    """
    now, changed = _moment(now), 0
    for name in app.complaints.due(now, SWEEP_BATCH):
        command = Command(f"tick:{now.isoformat()}", "Sweep", "tick", domain.CLOCK, now, traceparent)
        try:
            changed += _tick(app, name, command, now)
        except (KeyError, ValueError, TypeError) as e:  # one bad document must not hold up the others
            log.error("sweep_skipped", complaint=name, error=type(e).__name__)
    return changed


def measure(app: App, now: datetime) -> None:
    """Tell how many complaints are open and how many are late. Cost follows what is open, never history."""
    turns: dict[tuple[str, ...], float] = {}
    overdue: dict[tuple[str, ...], float] = {}
    for line in app.complaints.open_now(now):
        site, agency = metrics.short(line.site), metrics.short(line.agency)
        turn = "reporter" if line.state in domain.WAITING else "handler"
        turns[site, agency, turn] = turns.get((site, agency, turn), 0) + line.count
        overdue[site, agency] = overdue.get((site, agency), 0) + (line.late if turn == "handler" else 0)
    replace_all(metrics.OPEN, turns)
    replace_all(metrics.OVERDUE, overdue)


# -- inside


def _advanced(
    app: App,
    complaint: Complaint,
    step: domain.Step,
    reason: str,
    found: domain.Class | None,
    now: datetime,
    actor: str,
) -> Complaint:
    if step is domain.Step.ASSIGN:
        return complaint.assign(now, actor)
    if step is domain.Step.START:
        return complaint.start(now, actor)
    if step is domain.Step.REJECT:
        return complaint.reject(reason, now, actor)
    if step is domain.Step.MERGE:
        merged = complaint.merge(reason, now, actor)
        _mergeable(app.complaints.get(merged.merged_into), complaint)
        return merged
    terms = _terms(app, complaint.site, now)
    if step is domain.Step.REQUEST_INFO:
        return complaint.request_info(reason, terms, now, actor)
    if step is domain.Step.ESCALATE:
        return complaint.escalate(reason, terms, now, actor)
    return complaint.verify(found, terms, now, actor)


def _mergeable(target: Complaint | None, complaint: Complaint) -> None:
    """Another agency's complaint is as good as none: nobody learns here whether it exists."""
    if target is None or target.handled_by != complaint.handled_by or target.kind is not complaint.kind:
        raise domain.InvalidField("reason", "the agency has no such complaint")
    if target.state in domain.ENDS:
        raise domain.InvalidField("reason", f"that complaint is {target.state} already")


def _change(
    app: App, name: str, call: Call, decide: Callable[[Complaint, datetime], Complaint]
) -> complaint_pb2.Complaint:
    now = _moment(call.now)
    made: list[Complaint] = []  # empty when the command was repeated

    def decided(complaint: Complaint) -> tuple[Complaint, complaint_pb2.Complaint, list[Event]]:
        _permit(call, complaint)
        changed = decide(_with_evidence(app, complaint), now)
        made.append(changed)
        reply = messages.reply(changed, _stored_sight(call, changed), now)
        return changed, reply, messages.events(changed)

    reply = app.complaints.change(name, call.mutation, complaint_pb2.Complaint, decided)
    for changed in made[-1:]:
        metrics.count(changed)
    return reply


def _tick(app: App, name: str, command: Command, now: datetime) -> bool:
    made: list[Complaint] = []

    def decide(complaint: Complaint) -> tuple[Complaint, list[Event]] | None:
        ticked = _ticked(app, complaint, now)
        made.extend([ticked[0]] if ticked else [])
        return ticked

    done = app.complaints.tick(name, command, decide)
    if done:
        metrics.count(made[-1])
    return done


def _ticked(app: App, complaint: Complaint, now: datetime) -> tuple[Complaint, list[Event]] | None:
    calendar, due = app.sites.calendar(complaint.site), complaint.due_at
    if calendar is not None and due is not None and now >= due and due not in complaint.missed:
        complaint = complaint.recounted(lambda begun: policy.terms(app.policy, calendar, begun))
    ticked = _with_evidence(app, complaint).tick(now)
    return (ticked, messages.events(ticked)) if ticked.events or ticked.due_at != due else None


def _permit(call: Call, complaint: Complaint) -> None:
    call.require(agency=complaint.handled_by, owners=[complaint.owner] if complaint.owner else [])


def _reader(call: Call, complaint: Complaint) -> Reader:
    """In the widest right that the caller has; who is let in without a wider one reads as an officer."""
    caller = call.caller
    if complaint.owner and complaint.owner in caller.owner_keys:
        return Reader.REPORTER
    if "site_manager" in caller.roles and f"sites/{caller.site}" == complaint.site:
        return Reader.SITE_MANAGER
    agency = f"sites/{caller.site}/agencies/{caller.agency}"
    if "agency_admin" in caller.roles and agency == complaint.handled_by:
        return Reader.AGENCY_ADMIN
    return Reader.OFFICER


def _sight(reader: Reader, complaint: Complaint) -> Sight:
    return Sight(content=complaint.words_for(reader), person=complaint.person_for(reader))


def _stored_sight(call: Call, complaint: Complaint) -> Sight:
    """For replies that are stored or many: never the reporter's words."""
    return _sight(_reader(call, complaint), complaint)


def _with_evidence(app: App, complaint: Complaint) -> Complaint:
    if not complaint.ticket:
        return complaint
    return complaint.with_evidence(app.waits.seconds(complaint.ticket, complaint.agency))


def _terms(app: App, site: str, now: datetime) -> Terms:
    calendar = app.sites.calendar(site)
    if calendar is None:
        raise NotFound(f"there is no {site}", reason="SITE_UNKNOWN", field="parent")
    found = policy.terms(app.policy, calendar, now)
    if years := calendar.unlisted_years(now, max(found.settle_by.values())):
        # Such a year counts weekends only, so a deadline may come too early: the operator should load its list.
        log.warning("holidays_unlisted", site=site, years=years)
    return found


def _moment(now: datetime) -> datetime:
    """What the store keeps: milliseconds. So that a reply says the same before and after."""
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _token(complaint: Complaint) -> str:
    return base64.urlsafe_b64encode(order_key(complaint).encode()).decode()


def _order_of(token: str) -> str:
    if not token:
        return ""
    try:
        order = base64.urlsafe_b64decode(token.encode()).decode()
    except (ValueError, binascii.Error):
        order = ""
    if not re.fullmatch(r"[0-9]{13}-[a-z0-9-]{8,40}", order):
        raise InvalidField("page_token", "is not one that this service gave")
    return order
