"""What a reporter wrote and who they are: sealed at rest, not in events or logs, read by those who may."""

from __future__ import annotations

from typing import Any

import pytest
from bson import json_util
from mpp.complaints.v1 import complaint_pb2
from mpp_chassis.audit import broken_at

Complaint = complaint_pb2.Complaint
PUBLIC, ANONYMOUS, CONFIDENTIAL = (
    Complaint.VISIBILITY_PUBLIC,
    Complaint.VISIBILITY_ANONYMOUS,
    Complaint.VISIBILITY_CONFIDENTIAL,
)
REASON = "Petugas bernama Tukijo tetap marah"


def audits(desk: Any, name: str) -> list[str]:
    return [r["actor"] for r in desk.database["audit"].find({"resource": name}).sort("at", 1)]


@pytest.mark.parametrize(
    ("visibility", "officer_reads", "admin_sees_person"),
    [(PUBLIC, True, True), (ANONYMOUS, True, False), (CONFIDENTIAL, False, True)],
)
def test_who_reads_what(desk: Any, visibility: int, officer_reads: bool, admin_sees_person: bool) -> None:
    ticket = f"{desk.name}/queues/dukcapil/tickets/aaaaaaaa"
    name = desk.file(visibility=visibility, ticket=ticket).name
    desk.advance(name, "VERIFY")
    desk.answer(name, "Kami minta maaf.")
    own = desk.get(name, desk.citizen())
    assert (own.text, own.answer, own.history[0].actor) == (desk.secret, "Kami minta maaf.", "citizen:ani")
    assert audits(desk, name) == [], "one's own words need no audit"
    seen = desk.get(name, desk.officer())
    assert (seen.text == desk.secret, seen.answer == "Kami minta maaf.") == (officer_reads, officer_reads)
    assert officer_reads or not (seen.text or seen.answer)
    assert seen.subject == "Antrean terlalu lama"
    for who in (desk.admin(), desk.manager()):
        full = desk.get(name, who)
        assert full.text == desk.secret
        assert full.history[0].actor == ("citizen:ani" if admin_sees_person else "citizen")
        assert full.ticket == (ticket if admin_sees_person else "")
    readers = (["officer"] if officer_reads else []) + ["agency_admin", "site_manager"]
    assert [a.split(":")[0] for a in audits(desk, name)] == readers


def test_the_audit_is_an_unbroken_chain(desk: Any) -> None:
    name = desk.file().name
    desk.get(name, desk.manager())
    chain = desk.database["audit"].find_one({"resource": name})["chain"]
    records = list(desk.database["audit"].find({"chain": chain}).sort("n", 1))
    assert broken_at(records) is None
    assert all(desk.secret not in str(r) for r in records)


def test_a_kiosk_complaint_has_no_owner_and_no_person(desk: Any) -> None:
    filed = desk.file(desk.kiosk(), visibility=PUBLIC)
    assert filed.visibility == ANONYMOUS
    stored = desk.database["complaints"].find_one({"_id": filed.name})
    assert stored["owner"] == ""
    assert desk.get(filed.name, desk.admin()).history[0].actor == "kiosk"
    assert desk.file(desk.kiosk(), visibility=CONFIDENTIAL).visibility == CONFIDENTIAL


def test_words_and_phone_are_nowhere_in_the_clear(desk: Any, ear: Any, public_ear: Any) -> None:
    name = desk.file(ticket=f"{desk.name}/queues/dukcapil/tickets/aaaaaaaa").name
    desk.advance(name, "REQUEST_INFO", reason="Siapa petugasnya?")
    told = desk.reply(name, "Yang berkumis tebal")
    desk.advance(name, "VERIFY")
    desk.answer(name)
    again = desk.reopen(name, REASON)
    # Replies to commands are stored: no words in them.
    assert [told.text, again.text, again.reason] == ["", "", ""]
    assert desk.get(name, desk.citizen()).reason == REASON
    desk.until(lambda: len(public_ear.of(name, "complaint_advanced.v1.public")) == 5)
    desk.until(lambda: len(ear.of(name, "complaint_advanced.v1")) == 5)
    kept = [
        json_util.dumps(document)
        for collection in desk.database.list_collection_names()
        for document in desk.database[collection].find({})
    ]
    stored_replies = [
        reply["body"] for document in desk.database["complaints"].find({}) for reply in document["replies"]
    ]
    heard = [body for _, _, body in ear.listen()] + [str(headers) for _, headers, _ in ear.listen()]
    logs = [desk.services.log("complaints-serve"), desk.services.log("complaints-work")]
    assert all("rpc" in log or "working" in log for log in logs), "the logs are really those"
    for text in (desk.secret, "Zulaikha", desk.phone, desk.phone[3:], "berkumis", REASON, "Tukijo"):
        assert not [k for k in kept if text in k], "at rest"
        assert not [r for r in stored_replies if text.encode() in bytes(r)], "in stored replies"
        assert not [h for h in heard if text in h], "in events"
        assert not [log for log in logs if text in log], "in logs"


def test_agencies_get_no_personal_field(desk: Any, ear: Any, public_ear: Any) -> None:
    name = desk.file(ticket=f"{desk.name}/queues/dukcapil/tickets/aaaaaaaa").name
    desk.advance(name, "REJECT", reason="Bukan wewenang instansi ini")
    (internal,) = desk.until(lambda: ear.of(name, "complaint_filed.v1"))
    assert internal["sealedPhone"]
    assert desk.phone not in internal["sealedPhone"]
    desk.until(lambda: public_ear.of(name, "complaint_advanced.v1.public"))
    (filed,) = public_ear.of(name, "complaint_filed.v1.public")
    (rejected,) = public_ear.of(name, "complaint_advanced.v1.public")
    for event in (filed, rejected):
        assert not {"sealedPhone", "ticket", "application", "reason"} & set(event)
    assert not public_ear.of(name, "complaint_filed.v1"), "the internal form stays inside"
