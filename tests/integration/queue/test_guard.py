"""Against brokers, on the real service: a quota holds under a crowd, a no-show costs a pause, a ticket is one person's, and
a phone that takes for many raises one alarm that shows nothing of the phone.
"""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from mpp.catalog.v1 import agency_pb2, offering_pb2, site_pb2
from mpp.catalog.v1 import events_pb2 as catalog_events
from mpp.queue.v1 import events_pb2 as queue_events
from mpp.queue.v1 import guard_service_pb2 as pb
from mpp.queue.v1.guard_service_pb2_grpc import GuardServiceStub
from mpp_chassis import challenge

from tests.integration.queue.conftest import Line

SITE, TIMEOUT = "uji-antrean", 20
ANI, BUDI, PHONE = "3573014501900001", "3573011201850002", "+628111222333"


def together(callers: int, act: Callable[[int], Any]) -> list[Any]:
    gate = threading.Barrier(callers)

    def run(n: int) -> Any:
        gate.wait()
        return act(n)

    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(run, range(callers)))


@pytest.fixture
def guarded(hall: Any) -> Callable[..., Any]:
    """A queue whose policy has a quota."""

    def open_line(**quota: Any) -> Any:
        line = hall.open_line()
        spec = agency_pb2.QueueSpec(
            id=line.name.rsplit("/", 1)[1], prefix=line.prefix, counters=line.counters, minutes_per_visit=10,
            quota=agency_pb2.Quota(**quota),
        )  # fmt: skip
        agency = agency_pb2.Agency(name=line.agency, queue=spec)
        hall.tell("catalog.events", catalog_events.AgencyPublished(agency=agency), line.agency, 2)
        hall.until(lambda: hall.database["agencies"].find_one({"_id": line.agency, "sequence": 2}))
        return line

    return open_line


def _outcome(take: Callable[[], Any]) -> str:
    try:
        take()
    except grpc.RpcError as e:
        return str(e.code().name)
    return "OK"


def test_50_at_once_for_one_person_with_a_quota_of_2_are_exactly_2(hall: Any, guarded: Any, refusal: Any) -> None:
    line = guarded(per_day=2)
    outcomes = together(50, lambda n: _outcome(lambda: hall.take(line, nik=ANI)))
    assert Counter(outcomes) == {"OK": 2, "FAILED_PRECONDITION": 48}
    documents = hall.documents(line)
    assert len(documents) == 2
    assert ANI not in str(documents)
    assert refusal(hall.take, line, nik=ANI).reason == "QUOTA_REACHED"
    assert hall.take(line, nik=BUDI).ticket.number, "another person's quota is untouched"


def test_who_gave_a_place_up_waits_for_the_next(hall: Any, guarded: Any, refusal: Any) -> None:
    line = guarded(cool_down_minutes=30)
    ani = hall.services.auth("citizen", subject="ani-guard", nik=ANI)
    ticket = hall.take(line, who=ani).ticket
    hall.do("CancelTicket", ticket, ani)
    refused = refusal(hall.take, line, who=ani)
    assert refused.reason == "COOL_DOWN"
    assert 1700 < int(refused.metadata["retry_after_seconds"]) <= 1800
    other = hall.take(line, nik=BUDI).ticket
    hall.do("CancelTicket", other, hall.officer(line))
    assert hall.take(line, nik=BUDI), "what an officer cancels is not the citizen's doing"


def test_what_strangers_type_uses_up_nothing_of_a_person_who_proves_the_nik(
    hall: Any, guarded: Any, refusal: Any
) -> None:
    line = guarded(per_day=1, cool_down_minutes=30, typed_people=2)
    stranger, ani = hall.services.auth("citizen", subject="calo"), hall.services.auth("citizen", subject="a", nik=ANI)
    hall.do("CancelTicket", hall.take(line, who=stranger, nik=ANI).ticket, stranger)
    assert refusal(hall.take, line, who=stranger, nik=ANI).reason == "COOL_DOWN"
    hall.take(line, nik=ANI)  # at a kiosk
    assert refusal(hall.take, line, nik=ANI).reason == "QUOTA_REACHED", "one NIK, one kiosk"
    assert hall.take(line, who=ani).ticket.number
    assert refusal(hall.take, line, who=ani).reason == "QUOTA_REACHED", "the own quota holds"
    # Many NIKs give the account no more: one per person, for two people.
    hall.take(line, who=stranger, nik=BUDI)
    refused = refusal(hall.take, line, who=stranger, nik="3573011201850003")
    assert (refused.reason, refused.metadata["limit"], refused.metadata["per_day"]) == ("QUOTA_REACHED", "account", "2")
    claims = list(hall.database["typist_claims"].find({"_id": {"$regex": line.name}}))
    assert len(claims) == 2, "what was refused is given back"
    assert ANI not in str(claims)


def test_50_at_once_from_one_account_for_many_people_are_as_many_as_it_may(hall: Any, guarded: Any) -> None:
    line, calo = guarded(per_day=1, typed_people=3), hall.services.auth("citizen", subject="calo-2")
    nik = "357301120185{:04d}".format
    outcomes = together(50, lambda n: _outcome(lambda: hall.take(line, who=calo, nik=nik(n + 1))))
    assert Counter(outcomes)["OK"] == 3
    assert len(hall.documents(line)) == 3


def test_a_card_at_the_counter_makes_a_typed_ticket_the_persons_own(hall: Any, guarded: Any, refusal: Any) -> None:
    line = guarded(per_day=1)
    hall.take(line, nik=ANI)
    hall.do("StartServing", hall.call(line), hall.officer(line), nik=ANI)
    ani = hall.services.auth("citizen", subject="ani-card", nik=ANI)
    assert refusal(hall.take, line, who=ani).reason == "QUOTA_REACHED"


def _stages(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["stage"]} if isinstance(node.get("stage"), str) else set()
        return own.union(*map(_stages, node.values()))
    return set().union(*map(_stages, node)) if isinstance(node, list) else set()


def test_every_query_has_an_index(hall: Any, guarded: Any) -> None:
    """As store.py asks them, put to the store's own explain."""
    line, now = guarded(cool_down_minutes=30), datetime.now(UTC)
    of_person = {
        "site_id": SITE, "queue": line.name, "holder_key": "x", "ended_at": {"$gt": now}, "given_up": True,
    }  # fmt: skip
    latest = {"raised_at": -1, "_id": -1}
    asked: list[dict[str, Any]] = [
        {"find": "tickets", "filter": of_person, "sort": {"ended_at": -1}, "limit": 20},
        {"find": "booking_alarms", "filter": {"site_id": SITE}, "sort": latest, "limit": 51},
        {"find": "booking_alarms", "filter": {"site_id": SITE, "acknowledged": False}, "sort": latest, "limit": 51},
        {"find": "booking_alarms", "filter": {"site_id": SITE, "raised_at": {"$lt": now}}, "sort": latest, "limit": 51},
        {"find": "channels", "filter": {"site_id": SITE, "kind": "x", "retired": False}},
    ]
    for command in asked:
        stages = _stages(hall.database.command({"explain": command, "verbosity": "queryPlanner"}))
        assert "IXSCAN" in stages, (command, stages)
        assert "COLLSCAN" not in stages, (command, stages)


def test_a_ticket_of_a_person_serves_that_person(hall: Any, line: Any, refusal: Any) -> None:
    hall.take(line, nik=ANI)
    called = hall.call(line)
    refused = refusal(hall.do, "StartServing", called, hall.officer(line), nik=BUDI)
    assert refused.reason == "PERSON_MISMATCH"
    hall.do("StartServing", called, hall.officer(line), nik=ANI)
    hall.take(line)
    hall.do("StartServing", hall.call(line, counter=2), hall.officer(line), nik=BUDI)  # bound to nobody: anybody's


def test_a_phone_that_takes_for_many_raises_one_alarm(hall: Any, guarded: Any, refusal: Any) -> None:
    line = guarded(alarm_after=3, alarm_window_minutes=60)
    stub, manager = hall.services.stub("queue", GuardServiceStub), hall.services.auth("site_manager", site=SITE)
    ear = hall.ear()
    taken = together(6, lambda n: hall.take(line, phone=PHONE).ticket.name)

    def alarms(**given: Any) -> list[Any]:
        request = pb.ListBookingAlarmsRequest(parent=f"sites/{SITE}", page_size=200, **given)
        found = stub.ListBookingAlarms(request, metadata=manager, timeout=TIMEOUT).alarms
        return [a for a in found if a.queue == line.name]

    (alarm,) = hall.until(alarms)
    assert (alarm.origin, alarm.count, alarm.window_minutes) == (pb.BookingAlarm.ORIGIN_PHONE, 4, 60)
    assert len(alarm.tickets) == 4
    assert set(alarm.tickets) <= set(taken)
    hall.until(lambda: len(hall.database["booking_counts"].find_one({"_id": {"$regex": line.name}})["taken"]) == 6)
    assert len(alarms()) == 1, "one a window"

    ((_, event),) = hall.until(lambda: ear.of(alarm.name))
    assert (event["queue"], event["count"]) == (line.name, 4)
    told = {"alarm", "queue", "agency", "origin", "count", "windowMinutes", "raisedAt", "reach", "subject"}
    assert set(event) == told, "no key of a phone"
    stored = hall.database["booking_alarms"].find_one({"_id": alarm.name})
    assert PHONE not in f"{stored}{event}"

    def acknowledge() -> Any:
        request = pb.AcknowledgeBookingAlarmRequest(
            name=alarm.name, reason="keluarga besar", request_id=str(uuid.uuid4())
        )
        return stub.AcknowledgeBookingAlarm(request, metadata=manager, timeout=TIMEOUT)

    assert acknowledge().reason == "keluarga besar"
    assert refusal(acknowledge).reason == "ALREADY_ACKNOWLEDGED"
    assert alarms(open_only=True) == []
    assert len(alarms()) == 1


def test_one_ticket_at_each_of_many_agencies_is_seen_too(hall: Any) -> None:
    """No queue has a limit of its own here. Many at once, in however many workers: one alarm of the site."""
    lines, phone = [hall.open_line() for _ in range(3)], "+628123450001"
    ear = hall.ear()
    taken = together(12, lambda n: hall.take(lines[n % 3], phone=phone).ticket.name)
    query = {"site_id": SITE, "queue": "", "origin": "phone", "tickets": {"$in": taken}}
    alarm = hall.until(lambda: hall.database["booking_alarms"].find_one(query))
    counted = {"_id": f"sites/{SITE}#taken#phone#{alarm['key']}"}
    hall.until(lambda: len(hall.database["booking_counts"].find_one(counted)["taken"]) == 12)
    assert (alarm["count"], hall.database["booking_alarms"].count_documents(query)) == (11, 1)
    ((_, event),) = hall.until(lambda: ear.of(alarm["_id"]))
    assert (event["reach"], event["subject"], event["count"]) == ("site", "taken", 11)
    assert not {"queue", "agency", "key", "pseudonym"} & set(event)
    assert alarm["key"] not in str(event)

    stub, manager = hall.services.stub("queue", GuardServiceStub), hall.services.auth("site_manager", site=SITE)
    request = pb.ListBookingAlarmsRequest(parent=f"sites/{SITE}", page_size=200)
    shown = next(a for a in stub.ListBookingAlarms(request, metadata=manager).alarms if a.name == alarm["_id"])
    assert (shown.reach, shown.subject) == (pb.BookingAlarm.REACH_SITE, pb.BookingAlarm.SUBJECT_TAKEN)
    assert len(shown.pseudonym) == 10
    assert alarm["key"] not in str(shown)


def test_whoever_holds_many_times_is_seen_also_when_none_is_confirmed(hall: Any) -> None:
    key, now = uuid.uuid4().hex, datetime.now(UTC)
    for n in range(8):
        name = f"sites/{SITE}/channels/nikah-{n}/agendas/2027-01-11/appointments/{uuid.uuid4().hex[:26]}"
        held = queue_events.AppointmentHeld(appointment=name, booker_key=f"sub:{key}", internal=n == 0)
        held.at.FromDatetime(now + timedelta(seconds=n))
        hall.tell("queue.events", held, name, 1)
    alarm = hall.until(lambda: hall.database["booking_alarms"].find_one({"site_id": SITE, "key": f"sub:{key}"}))
    assert (alarm["subject"], alarm["origin"], alarm["count"], alarm["queue"]) == ("held", "person", 7, "")


def test_while_there_is_an_alarm_a_guest_works_before_a_ticket_is_given(hall: Any, refusal: Any) -> None:
    """Through the real service: free before the alarm; then one more round trip; kiosks and who proves a NIK never."""
    site = "sites/uji-penjaga"
    line = Line(f"{site}/queues/umum", f"{site}/agencies/umum", "UP", (1,))
    if not hall.database["agencies"].find_one({"_id": line.agency}):
        place = catalog_events.SitePublished(site=site_pb2.Site(name=site, time_zone="Asia/Jakarta"))
        hall.tell("catalog.events", place, site, 1)
        hall.tell_agency(line, 1)
        hall.until(lambda: hall.database["agencies"].find_one({"_id": line.agency}))
        hall.until(lambda: hall.database["sites"].find_one({"_id": site}))
    guest, known = hall.citizen("tamu"), hall.services.auth("citizen", subject="ani", nik=ANI)
    before = str(uuid.uuid4())
    assert hall.take(line, who=guest, request_id=before).ticket.number
    for n in range(9):
        hall.take(line, who=hall.services.auth("kiosk", site="uji-penjaga"), nik=BUDI, phone=f"+6281200011{n:02d}")
    hall.until(lambda: hall.database["booking_alarms"].find_one({"site_id": "uji-penjaga", "acknowledged": False}))

    once = str(uuid.uuid4())
    refused = hall.until(lambda: _refused(hall, line, guest, once, refusal))
    assert (refused.code, refused.metadata["why"]) == ("FAILED_PRECONDITION", "missing")
    proof = challenge.solve(refused.metadata["challenge"])
    given = hall.take(line, who=guest, request_id=once, proof=proof)
    assert hall.take(line, who=guest, request_id=once, proof=proof).ticket.name == given.ticket.name
    again = refusal(hall.take, line, who=guest, proof=proof)
    assert (again.reason, again.metadata["why"]) == ("CHALLENGE_REQUIRED", "another_request")
    assert hall.take(line, who=guest, request_id=before).ticket.number, "had its effect before the alarm"
    assert hall.take(line, who=known).ticket.number
    assert hall.take(line, who=hall.services.auth("kiosk", site="uji-penjaga")).ticket.number


def _refused(hall: Any, line: Any, guest: Any, request_id: str, refusal: Any) -> Any:
    """None until the serve process has seen the alarm: it looks every few seconds."""
    try:
        hall.take(line, who=guest, request_id=str(uuid.uuid4()))
    except grpc.RpcError:
        return refusal(hall.take, line, who=guest, request_id=request_id)
    return None


def test_a_kiosks_own_device_and_what_is_under_the_limit_raise_none(hall: Any, guarded: Any) -> None:
    line = guarded(alarm_after=2, alarm_window_minutes=60)
    for n in range(4):
        hall.take(line, device="kios-lobi")
        hall.take(line, who=hall.citizen(f"warga-{n}"), device=f"ponsel-{n}")
    for _ in range(3):
        hall.take(line, who=hall.citizen("calo"), device="ponsel-calo")
    (alarm,) = hall.until(lambda: list(hall.database["booking_alarms"].find({"queue": line.name})))
    assert alarm["origin"] == "device", "the phone of the one who took three, and nobody else's"
    counted = hall.database["booking_counts"]
    hall.until(lambda: counted.count_documents({"_id": {"$regex": f"^{line.name}#device#"}}) == 5)


def test_alarms_are_listed_page_by_page(hall: Any, guarded: Any) -> None:
    line = guarded(alarm_after=1, alarm_window_minutes=60)
    stub, manager = hall.services.stub("queue", GuardServiceStub), hall.services.auth("site_manager", site=SITE)
    for n in range(3):
        for _ in range(2):
            hall.take(line, phone=f"+62811000{n:04d}")
    hall.until(lambda: hall.database["booking_alarms"].count_documents({"queue": line.name}) == 3)
    names, token = [], ""
    while True:
        request = pb.ListBookingAlarmsRequest(parent=f"sites/{SITE}", page_size=2, page_token=token)
        page = stub.ListBookingAlarms(request, metadata=manager, timeout=TIMEOUT)
        names += [(a.raised_at.ToNanoseconds(), a.name) for a in page.alarms]
        token = page.next_page_token
        if not token:
            break
    assert len(names) == len(set(names)) == hall.database["booking_alarms"].count_documents({"site_id": SITE})
    assert [at for at, _ in names] == sorted((at for at, _ in names), reverse=True)


def test_the_published_fee_is_on_the_ticket(hall: Any, line: Any) -> None:
    name = f"sites/{SITE}/offerings/akta-{line.name[-8:]}"
    standard = offering_pb2.Standard(fee=offering_pb2.Fee(amount_idr=0, basis="Perda 1/2024"))
    offering = offering_pb2.Offering(name=name, agency=line.agency, standard=standard)
    hall.tell("catalog.events", catalog_events.OfferingPublished(offering=offering), name, 1)
    hall.until(lambda: hall.database["offerings"].find_one({"_id": name}))
    fee = hall.take(line, offering=name).fee
    assert (fee.amount_idr, fee.HasField("amount_idr"), fee.basis) == (0, True, "Perda 1/2024")
    assert not hall.take(line, offering=f"sites/{SITE}/offerings/tanpa-tarif").HasField("fee")
