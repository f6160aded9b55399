"""What the service can be asked to do: load, decide, save; one function a command.

Knows the domain, the store, the views and the privacy kit. Never knows gRPC, AMQP or a collection's fields.
Every command is safe to repeat with its request_id: one effect, the first reply.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from google.protobuf.empty_pb2 import Empty
from google.rpc import code_pb2, status_pb2
from mpp.applications.v1 import application_pb2 as pb
from mpp.applications.v1 import applications_service_pb2 as rpc
from mpp_chassis import downtime, trace
from mpp_chassis.aggregates import Decision, Stored
from mpp_chassis.call import Call, Command, new_id
from mpp_chassis.errors import FailedPrecondition, NotFound
from mpp_chassis.metrics import replace_all
from mpp_chassis.privacy import BlindIndex, FieldCipher
from mpp_chassis.worktime import WorkCalendar

from mpp_applications import domain, messages, metrics, store, views
from mpp_applications.domain import Action

NIK_DIGITS = 16
SWEEP_BATCH = 200
SWEEP_BATCHES = 25  # of one tick; the rest comes with the next, so that the lease is renewed in between


@dataclass(frozen=True, slots=True)
class Policy:
    """What a city may set. `at_risk_percent`: share of the promised working time after which a file is at
    risk.
    """

    at_risk_percent: int = 80


@dataclass(frozen=True, slots=True)
class App:
    """What the use cases work with. `rng` makes pickup codes: cryptographic in production."""

    applications: store.Applications
    offerings: views.Offerings
    sites: views.Sites
    tickets: views.Tickets
    cipher: FieldCipher
    index: BlindIndex
    rng: random.Random
    log: Any
    policy: Policy = Policy()


Step = Callable[[domain.Application], domain.Application]


def create_application(app: App, request: rpc.CreateApplicationRequest, call: Call) -> pb.Application:
    """Open a draft. Raises NotFound (OFFERING_UNKNOWN), PermissionDenied, FailedPrecondition (MAINTENANCE, for citizens),
    and the domain's InvalidField.

    A duplicate is only suspected, from what is committed: of two files opened in the same instant none may be
    flagged until one of them is submitted.
    """
    offering = app.offerings.get(request.offering)
    if offering is None:
        raise NotFound(f"no offering {request.offering} is known", reason="OFFERING_UNKNOWN", field="offering")
    nik_index = app.index.of(request.applicant.nik, "nik")
    owners = [f"nik:{nik_index}"]
    if call.role == "citizen":
        owners.append(f"sub:{call.caller.subject}")
    call.require(agency=offering.agency, owners=owners)
    warnings = domain.check_nik(request.applicant.nik)
    name, site_id = f"{request.parent}/applications/{new_id(call.mutation)}", _site_id(request.parent)
    if call.role == "citizen" and app.applications.load(name) is None:  # an officer finishes who is at the counter
        downtime.refuse_new(app.sites.maintenance(request.parent), call.now)
    draft = domain.open_application(
        name=name,
        site=request.parent,
        offering=offering,
        ticket=request.ticket,
        known_ticket=app.tickets.get(request.ticket) if request.ticket else None,
        applicant=_seal(app, request.applicant, nik_index),
        warnings=warnings,
        presented=request.presented_requirements,
        owner_keys=owners,
        duplicate=app.applications.has_open(site_id, nik_index, offering.name, besides=name),
        now=_now(call),
        actor=call.actor,
    )
    for warning in warnings:
        app.log.warning("application_warning", application=name, warning=warning)
    reply = shown(app, draft, call)
    kept = app.applications.create(draft, site_id, call.mutation, reply, messages.events(draft))
    if kept is reply:  # else: the stored reply of a repeated command
        metrics.count(draft)
    return kept


def get_application(app: App, name: str, call: Call) -> pb.Application:
    """One file, masked. Raises NotFound, PermissionDenied."""
    found = app.applications.load(name)
    if found is None:
        raise NotFound(f"there is no {name}", field="name")
    call.require(agency=found.agency, owners=found.owner_keys)
    return shown(app, found, call)


def shown(app: App, a: domain.Application, call: Call) -> pb.Application:
    """Masked. That this person has another open file is told to the agency and to the person, not to a citizen who typed
    somebody's NIK: who applied for what is nobody else's business.
    """
    reply = messages.application(a, app.cipher)
    if call.role == "citizen" and f"nik:{a.applicant.nik_index}" not in call.caller.owner_keys:
        kept = [flag for flag in reply.flags if flag != pb.Application.FLAG_DUPLICATE_SUSPECTED]
        del reply.flags[:]
        reply.flags.extend(kept)
    return reply


def submit_application(app: App, request: rpc.SubmitApplicationRequest, call: Call) -> pb.Application:
    """Hand the file in. Raises RequirementsMissing, WrongState, InvalidField of the domain."""

    def step(a: domain.Application) -> domain.Application:
        duplicate = app.applications.has_open(_site_id(a.site), a.applicant.nik_index, a.offering, besides=a.name)
        return a.submit(presented=request.presented_requirements, duplicate=duplicate, now=_now(call), actor=call.actor)

    return _change(app, request.name, call, step)


def advance_application(app: App, request: rpc.AdvanceApplicationRequest, call: Call) -> pb.Application:
    """One step in the agency's hands. Raises WrongState and InvalidField of the domain, and SITE_UNKNOWN
    while
    the catalogue's event about the site's calendar has not come.
    """
    action, now, reason = messages.action(request.command), _now(call), request.reason

    def step(a: domain.Application) -> domain.Application:
        calendar = _calendar(app, a) if action in (Action.ACCEPT, Action.RESUME) else None
        if action is Action.ACCEPT:
            accepted = a.accept(
                calendar=calendar,
                at_risk_percent=app.policy.at_risk_percent,
                now=now,
                actor=call.actor,
                reason=reason,
            )
            _warn_of_unlisted_years(app, accepted, calendar, now)
            return accepted
        if action is Action.MARK_READY:
            return _mark_ready(app, a, now, call.actor, reason)
        return a.advance(action, now=now, actor=call.actor, reason=reason, calendar=calendar)

    return _change(app, request.name, call, step)


def issue_application(app: App, request: rpc.IssueApplicationRequest, call: Call) -> pb.Application:
    """Record the finished document. Raises WrongState; InvalidField when its number is, or holds, the
    applicant's NIK.
    """

    def step(a: domain.Application) -> domain.Application:
        digits = "".join(c for c in request.document_number if c.isdigit())
        within = (digits[n : n + NIK_DIGITS] for n in range(len(digits) - NIK_DIGITS + 1))
        if any(app.index.of(one, "nik") == a.applicant.nik_index for one in within):
            text = "a document number is not the applicant's NIK; use the document's own serial number"
            raise domain.InvalidField("document_number", text)
        return a.issue(document_number=request.document_number, now=_now(call), actor=call.actor)

    return _change(app, request.name, call, step)


def collect_application(app: App, request: rpc.CollectApplicationRequest, call: Call) -> pb.Application:
    """Hand the document over. Raises WrongPickupCode, PickupLocked, WrongState.

    A wrong code is a write too: its outcome is stored as the reply, so that a repeated request neither
    costs a second try nor is told anything else.
    """
    code_hash = _code_hash(app, request.name, request.pickup_code)
    decided: list[domain.Application] = []

    def decide(stored: Stored) -> Decision:
        before = _allowed(stored, call)
        after = before.collect(code_hash=code_hash, now=_now(call), actor=call.actor)
        decided.append(after)
        outcome = status_pb2.Status()
        if after.state is domain.State.COLLECTED:
            outcome.details.add().Pack(messages.application(after, app.cipher))
        else:
            outcome.code = code_pb2.INVALID_ARGUMENT
            outcome.message = str(after.pickup.tries_left if after.pickup else 0)
        return Decision(store.to_state(after), outcome, messages.events(after))

    outcome = app.applications.change(request.name, call.mutation, status_pb2.Status, decide)
    for after in decided[-1:]:
        metrics.count(after)
    if outcome.code != code_pb2.OK:
        raise domain.WrongPickupCode(int(outcome.message))
    reply = pb.Application()
    outcome.details[0].Unpack(reply)
    return reply


def withdraw_application(app: App, request: rpc.WithdrawApplicationRequest, call: Call) -> pb.Application:
    """Take the file back, until the document is issued. Raises WrongState."""
    return _change(
        app,
        request.name,
        call,
        lambda a: a.withdraw(now=_now(call), actor=call.actor, reason=request.reason),
    )


def flag_deadlines(app: App, now: datetime) -> int:
    """Raise what is due by `now`; the number of files flagged. Safe to run twice and beside commands."""
    flagged = 0
    for _ in range(SWEEP_BATCHES):
        due = app.applications.due(now, SWEEP_BATCH)
        done = sum(_flag(app, stored, now) for stored in due)
        flagged += done
        if len(due) < SWEEP_BATCH or not done:
            break
    if flagged:
        app.log.info("deadlines_flagged", applications=flagged)
    return flagged


def _flag(app: App, stored: Stored, now: datetime) -> bool:
    try:
        before = store.to_application(stored)
    except (KeyError, TypeError, ValueError) as e:
        # One damaged document must not keep the deadlines of all others from being seen.
        app.log.error("application_unreadable", application=stored.name, error=type(e).__name__)
        return False
    after = _recounted(app, before, _millis(now)).raise_due_flags(_millis(now))
    if after is before:
        return False
    command = Command(
        request_id=f"{stored.name}:{','.join(sorted(after.flags))}",
        method="FlagDeadlines",
        fingerprint="",
        actor="service:applications",
        at=now,
        traceparent=trace.current(),
    )
    saved = app.applications.save_flags(stored, after, command, Empty(), messages.events(after))
    if saved:
        metrics.count(after)
    return saved


def measure(app: App, now: datetime) -> None:
    """Tell how many files are late or due within a day. Cost follows these, never all that are under way."""
    due: dict[tuple[str, ...], float] = {}
    for word, after, until in (("overdue", None, now), ("within_a_day", now, now + timedelta(days=1))):
        for site, agency, count in app.applications.count_due(after, until):
            due[site, metrics.short(agency), word] = count
    replace_all(metrics.DUE, due)


def _change(app: App, name: str, call: Call, step: Step) -> pb.Application:
    decided: list[domain.Application] = []  # empty when the command was repeated

    def decide(stored: Stored) -> Decision:
        after = step(_recounted(app, _allowed(stored, call), _now(call)))
        decided.append(after)
        return Decision(store.to_state(after), shown(app, after, call), messages.events(after))

    reply = app.applications.change(name, call.mutation, pb.Application, decide)
    for after in decided[-1:]:
        metrics.count(after)
    return reply


def _recounted(app: App, a: domain.Application, now: datetime) -> domain.Application:
    """Before a deadline is told as missed: by the days as they are known now. Reads nothing while none is due."""
    falls = a.next_flag
    if falls is None or falls[0] > now:
        return a
    calendar = app.sites.calendar(a.site)
    return a.recounted(calendar, app.policy.at_risk_percent) if calendar else a


def _allowed(stored: Stored, call: Call) -> domain.Application:
    found = store.to_application(stored)
    call.require(agency=found.agency, owners=found.owner_keys)
    return found


def _mark_ready(app: App, a: domain.Application, now: datetime, actor: str, reason: str) -> domain.Application:
    """The code leaves only sealed, in the event; the store keeps its keyed hash."""
    code = domain.new_pickup_code(app.rng)
    return a.mark_ready(
        code_hash=_code_hash(app, a.name, code),
        sealed_code=app.cipher.seal(code, messages.SEALED_PICKUP_CODE),
        now=now,
        actor=actor,
        reason=reason,
    )


def _code_hash(app: App, name: str, code: str) -> str:
    """Bound to the file: equal codes of two files look different."""
    return app.index.of(f"{name}:{code}", "pickup_code")


def _calendar(app: App, a: domain.Application) -> WorkCalendar | None:
    if a.promise is None:
        return None
    calendar = app.sites.calendar(a.site)
    if calendar is None:
        raise FailedPrecondition(
            f"the calendar of {a.site} is not known yet; publish the site and try again", reason="SITE_UNKNOWN"
        )
    return calendar


def _warn_of_unlisted_years(app: App, a: domain.Application, calendar: WorkCalendar | None, now: datetime) -> None:
    """A due date over a year without a holiday list may come too early: the operator should load the list."""
    due_at = a.clock.due_at if a.clock else None
    if calendar and due_at and (years := calendar.unlisted_years(now, due_at)):
        app.log.warning("holidays_unlisted", site=a.site, years=years, application=a.name)


def _seal(app: App, applicant: pb.Applicant, nik_index: str) -> domain.SealedApplicant:
    full_name = " ".join(applicant.full_name.split())
    if not full_name:
        raise domain.InvalidField("applicant.full_name", "is empty")
    return domain.SealedApplicant(
        full_name=app.cipher.seal(full_name, messages.SEALED_NAME),
        nik=app.cipher.seal(applicant.nik, messages.SEALED_NIK),
        phone=app.cipher.seal(applicant.phone, messages.SEALED_PHONE),
        nik_index=nik_index,
    )


def _now(call: Call) -> datetime:
    return _millis(call.now)


def _millis(moment: datetime) -> datetime:
    """As the store keeps it, so that the first reply and every later one tell the same time."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _site_id(site: str) -> str:
    return site.removeprefix("sites/")
