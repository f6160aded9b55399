"""Who books: sealed, masked, and as blind indexes. The only place of this part that sees a NIK, a phone, an e-mail or an
address in clear; it keeps none of them.
"""

from __future__ import annotations

from dataclasses import replace

from mpp.queue.v1 import appointments_service_pb2
from mpp_chassis.call import Call
from mpp_chassis.privacy import mask_nik, mask_phone

from mpp_queue.appointments import messages
from mpp_queue.appointments.app import App
from mpp_queue.appointments.domain.booking import Personal
from mpp_queue.domain import Holder, InvalidField, check_nik, proven, typed

pb = appointments_service_pb2


def person_of(app: App, nik: str, email: str, call: Call) -> Personal:
    """Of the caller when the token proves a NIK. Raises InvalidField."""
    if nik:
        check_nik(nik)
    if call.role == "citizen" and call.caller.nik:
        if nik and nik != call.caller.nik:
            raise InvalidField("nik", "is not the caller's own")
        nik = call.caller.nik
    person_key = app.index.of(nik, "nik")
    holder = _holder(person_key, call)
    known = Personal(
        person_key=person_key,
        holder_key=holder.key,
        typist=next(iter(holder.typists), ""),
        masked_nik=mask_nik(nik) if nik else "",
        sealed_nik=app.cipher.seal(nik, messages.SEALED_NIK),
    )
    return with_email(app, known, email)


def _holder(person_key: str, call: Call) -> Holder:
    """The token proves a NIK, and an officer who has the card; all others typed it (ADR 0040)."""
    if not person_key or call.role not in ("citizen", "kiosk") or (call.role == "citizen" and call.caller.nik):
        return proven(person_key)
    account = call.caller.subject if call.role == "citizen" else ""
    return typed(person_key, account=account, door=call.actor)


def with_email(app: App, person: Personal, email: str) -> Personal:
    """With the address, when one is given."""
    if not email:
        return person
    return replace(
        person,
        masked_email=messages.mask_email(email),
        sealed_email=app.cipher.seal(email, messages.SEALED_EMAIL),
        email_key=app.index.of(normal_email(email), "email"),
    )


def normal_email(email: str) -> str:
    """What two spellings of one mailbox have in common: lower case, without a `+tag`. Only for comparing: some provider
    may tell them apart (RFC 5321, section 2.4, leaves that to the host), and then they count as one.
    """
    box, _, host = email.lower().partition("@")
    return f"{box.partition('+')[0] or box}@{host}"


def owners_of(person: Personal, call: Call) -> tuple[str, ...]:
    """The citizen who books; of what a kiosk or an officer books, whoever proves the NIK later."""
    if call.role == "citizen":
        return tuple(sorted(call.caller.owner_keys))
    return (f"nik:{person.person_key}",) if person.person_key else ()


def reachable(app: App, person: Personal, request: pb.ConfirmAppointmentRequest) -> Personal:
    phone = request.phone
    told = replace(
        person,
        masked_phone=mask_phone(phone),
        sealed_phone=app.cipher.seal(phone, messages.SEALED_PHONE),
        phone_key=app.index.of(phone, "phone"),
        sealed_address=app.cipher.seal(request.address.strip(), messages.SEALED_ADDRESS),
    )
    return with_email(app, told, request.email)
