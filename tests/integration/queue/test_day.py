"""A day at the counters over gRPC: what citizens, kiosks and officers see, and what other services are told."""

from __future__ import annotations

import time
import uuid
from typing import Any

from mpp.queue.v1.ticket_pb2 import PRIORITY_GROUP_ELDERLY, Ticket

PHONE = "+6281298765432"


def test_a_visit_and_its_events(hall: Any, line: Any) -> None:
    ear = hall.ear()
    first = hall.take(line, phone=PHONE)
    second = hall.take(line)
    assert [first.ticket.number, second.ticket.number] == [f"{line.prefix}-001", f"{line.prefix}-002"]
    assert [first.people_ahead, second.people_ahead] == [0, 1]
    assert first.ticket.masked_phone == "+62********432"
    assert PHONE not in str(hall.documents(line))
    assert second.estimated_wait.seconds == 480  # one ahead, three counters, 10 minutes declared
    assert (second.wait_low.seconds, second.wait_high.seconds) == (120, 720)

    officer = hall.officer(line)
    called = hall.call(line, 3)
    assert (called.name, called.counter, called.calls) == (first.ticket.name, 3, 1)
    hall.until(lambda: [b.number for b in hall.status(line).board] == [first.ticket.number])
    serving = hall.do("StartServing", called, officer)
    assert serving.state == Ticket.STATE_SERVING
    done = hall.do("FinishTicket", called, officer)
    assert done.state == Ticket.STATE_FINISHED
    assert done.finished_at.ToMilliseconds() >= done.serving_at.ToMilliseconds() >= done.issued_at.ToMilliseconds()

    events = hall.until(lambda: (e := ear.of(first.ticket.name)) and len(e) == 4 and e)
    assert [key for key, _ in events] == [
        "ticket_issued.v1", "ticket_called.v1", "ticket_serving.v1", "ticket_ended.v1",
    ]  # fmt: skip
    spelled = " ".join(line.prefix)
    assert events[1][1]["announcement"] == f"Nomor antrean {spelled} nol nol satu, silakan ke loket tiga"
    assert events[3][1]["state"] == "STATE_FINISHED"
    assert all(PHONE not in str(body) for _, body in events)
    assert hall.until(lambda: hall.status(line).waiting == 1)


def test_a_counter_has_one_citizen(hall: Any, line: Any, refusal: Any) -> None:
    hall.take(line)
    hall.take(line)
    called = hall.call(line, 1)
    busy = refusal(hall.call, line, 1)
    assert (busy.code, busy.reason) == ("FAILED_PRECONDITION", "COUNTER_BUSY")
    assert busy.metadata["ticket"] == called.name
    assert hall.call(line, 2).number.endswith("002")
    again = refusal(hall.call, line, 1)  # the queue is empty, but the officer should hear of the citizen first
    assert again.reason == "COUNTER_BUSY"
    empty = refusal(hall.call, line, 3)
    assert (empty.code, empty.reason) == ("NOT_FOUND", "QUEUE_EMPTY")


def test_missed_goes_to_the_end_once_then_no_show(hall: Any, line: Any) -> None:
    ear = hall.ear()
    officer = hall.officer(line)
    one, _two = hall.take(line).ticket, hall.take(line).ticket
    back = hall.do("MissTicket", hall.call(line), officer)
    assert (back.name, back.state, back.counter) == (one.name, Ticket.STATE_WAITING, 0)
    assert 290 <= back.rests_until.seconds - time.time() <= 301
    three = hall.take(line).ticket
    order = [hall.call(line, counter).number for counter in (1, 2, 3)]
    assert [n[-3:] for n in order] == ["002", "003", "001"]  # it rests five minutes, then nobody else waits
    gone = hall.do("MissTicket", one, officer)
    assert gone.state == Ticket.STATE_NO_SHOW
    states = [
        b["state"] for k, b in hall.until(lambda: len(ear.of(one.name)) == 5 and ear.of(one.name)) if "ended" in k
    ]
    assert states == ["STATE_MISSED", "STATE_NO_SHOW"]
    assert three.number.endswith("003")


def test_priority_first_but_the_others_are_not_starved(hall: Any, line: Any) -> None:
    officer = hall.officer(line)
    hall.take(line)
    for _ in range(4):
        hall.take(line, priority_group=PRIORITY_GROUP_ELDERLY)
    order = []
    for _ in range(5):
        called = hall.call(line)
        order.append(called.number[-3:])
        hall.do("StartServing", called, officer)
        hall.do("FinishTicket", called, officer)
    assert order == ["002", "003", "004", "001", "005"]


def test_recall_too_soon_tells_the_seconds(hall: Any, line: Any, refusal: Any) -> None:
    hall.take(line)
    called = hall.call(line)
    soon = refusal(hall.do, "RecallTicket", called, hall.officer(line))
    assert (soon.code, soon.reason) == ("FAILED_PRECONDITION", "RECALL_TOO_SOON")
    assert 1 <= int(soon.metadata["retry_after_seconds"]) <= 15


def test_who_may_do_what(hall: Any, line: Any, refusal: Any) -> None:
    other = hall.open_line()
    mine = hall.take(line, hall.citizen("ani")).ticket
    assert hall.get(mine, hall.citizen("ani")).number == mine.number
    assert refusal(hall.get, mine, hall.citizen("budi")).code == "PERMISSION_DENIED"
    assert refusal(hall.call, line, who=hall.officer(other)).code == "PERMISSION_DENIED"
    assert refusal(hall.call, line, who=hall.kiosk()).code == "PERMISSION_DENIED"
    called = hall.call(line)
    for rpc in ("StartServing", "MissTicket", "CancelTicket", "RecallTicket"):
        assert refusal(hall.do, rpc, called, hall.officer(other)).code == "PERMISSION_DENIED"
    assert refusal(hall.do, "CancelTicket", called, hall.citizen("budi")).code == "PERMISSION_DENIED"
    named = refusal(hall.do, "CancelTicket", called, hall.citizen("ani"), reason=f"hubungi {PHONE}")
    assert (named.code, named.fields) == ("INVALID_ARGUMENT", ["reason"])
    cancelled = hall.do("CancelTicket", called, hall.citizen("ani"), reason="pulang")
    assert (cancelled.state, cancelled.reason) == (Ticket.STATE_CANCELLED, "pulang")
    assert hall.documents(line)[0]["version"] == 3


def test_unknown_closed_and_wrong(hall: Any, line: Any, refusal: Any) -> None:
    wrong = refusal(hall.call, line, 99)
    assert (wrong.code, wrong.reason, wrong.fields) == ("INVALID_ARGUMENT", "INVALID_FIELD", ["counter"])
    abroad = refusal(hall.take, line, hall.citizen(), offering="sites/tempat-lain/offerings/kk")
    assert (abroad.code, abroad.fields) == ("INVALID_ARGUMENT", ["offering"])
    ghost = refusal(hall.status, type(line)(f"{line.name}x", line.agency, "Z", (1,)))
    assert (ghost.code, ghost.reason) == ("NOT_FOUND", "QUEUE_UNKNOWN")
    waiting = hall.take(line).ticket
    hall.tell_agency(line, 2, closed=True)
    hall.tell_agency(line, 1)  # late, out of order: changes nothing
    hall.until(lambda: hall.database["agencies"].find_one({"_id": line.agency})["queue"] == "")
    closed = hall.until(lambda: _refused(refusal, hall, line))
    assert (closed.code, closed.reason) == ("FAILED_PRECONDITION", "QUEUE_CLOSED")
    assert hall.get(waiting, hall.kiosk()).state == Ticket.STATE_WAITING
    assert [d["number"] for d in hall.documents(line)][:1] == [waiting.number]


def _refused(refusal: Any, hall: Any, line: Any) -> Any:
    """A process may know the queue for two more seconds; then it refuses."""
    try:
        hall.take(line)
    except Exception:
        return refusal(hall.take, line)
    return None


def test_an_application_is_noted_once(hall: Any, line: Any) -> None:
    ticket = hall.take(line).ticket
    application, event_id = f"sites/uji-antrean/applications/{uuid.uuid4().hex}", uuid.uuid4().hex
    for _ in range(3):
        hall.tell_application(ticket.name, application, event_id)
    hall.tell_application(f"{ticket.name}x", application, uuid.uuid4().hex)  # nobody's ticket does no harm
    second = f"{application}b"
    hall.tell_application(ticket.name, second, uuid.uuid4().hex)
    hall.until(lambda: set(hall.get(ticket, hall.kiosk()).applications) == {application, second})
    assert hall.documents(line)[0]["version"] == 3


def test_a_repeated_command_gets_the_same_reply(hall: Any, line: Any, refusal: Any) -> None:
    officer, request_id = hall.officer(line), str(uuid.uuid4())
    taken = [hall.take(line, request_id=request_id) for _ in range(2)]
    assert taken[0] == taken[1]
    other_body = refusal(hall.take, line, request_id=request_id, phone=PHONE)
    assert other_body.reason == "REQUEST_ID_REUSED"
    hall.take(line)
    first_call = str(uuid.uuid4())
    called = hall.call(line, request_id=first_call)
    assert hall.call(line, request_id=first_call) == called
    hall.do("MissTicket", called, officer)
    hall.do("CancelTicket", hall.call(line), officer)
    second_call = str(uuid.uuid4())
    anew = hall.call(line, request_id=second_call)
    assert anew.name == called.name
    # both commands still know their ticket, although it was called twice and the counter is busy
    assert hall.call(line, request_id=first_call) == called
    assert hall.call(line, request_id=second_call) == anew
    assert [d["number"][-3:] for d in hall.documents(line)] == ["001", "002"]
