"""Several agendas as one: whose turn it is, that a repetition gets the same one, and what a crash leaves behind."""

from __future__ import annotations

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from mpp.catalog.v1 import agency_pb2, offering_pb2, site_pb2
from mpp.queue.v1 import appointment_pb2
from mpp.queue.v1 import appointments_service_pb2 as pb
from mpp_chassis.errors import FailedPrecondition, NotFound
from mpp_queue.appointments import anywhere
from mpp_queue.appointments.domain import errors
from mpp_queue.appointments.store import Choice
from mpp_queue.domain import InvalidField

from .conftest import SITE, Bureau, at, stamp
from .test_bookings import plan_of

OFFERING = f"sites/{SITE}/offerings/nikah"
ROOMS = [f"sites/{SITE}/channels/balai-{n}" for n in ("a", "b", "c")]


def rooms(bureau: Bureau, **rules: Any) -> Bureau:
    for name in ROOMS:
        bureau.learn_channel(name, "room", {}, places=2, hours=[], **rules)
    return bureau


def ask(bureau: Bureau, hour: int = 8, role: str = "citizen", rid: str = "", **given: Any) -> Any:
    given.setdefault("agendas", ROOMS)
    request = pb.HoldAnySlotRequest(
        parent=f"sites/{SITE}", start=stamp(at(hour)), offering=OFFERING, request_id=rid or str(uuid.uuid4()), **given
    )
    return bureau.do("HoldAnySlot", request, role)


def where(name: str) -> str:
    return name.split("/agendas/")[0]


def test_each_in_turn_until_all_are_full(bureau: Bureau) -> None:
    rooms(bureau)
    got = [where(ask(bureau).name) for _ in range(6)]
    assert set(got[:3]) == set(got[3:]) == set(ROOMS)
    with pytest.raises(errors.SlotFull):
        ask(bureau)
    assert bureau.database["booking_choices"].count_documents({}) == 6  # who got nothing left nothing
    assert where(ask(bureau, 9).name) in ROOMS


def test_the_larger_house_gets_more(bureau: Bureau) -> None:
    rooms(bureau)
    bureau.learn_channel(ROOMS[0], "room", {}, sequence=2, places=8, public_places=8, hours=[])
    got = Counter(where(ask(bureau, hour).name) for hour in (8, 9) for _ in range(6))
    assert got == {ROOMS[0]: 8, ROOMS[1]: 2, ROOMS[2]: 2}


def test_the_calendar_of_all(bureau: Bureau) -> None:
    rooms(bureau)
    ask(bureau)
    request = pb.ListAnySlotsRequest(parent=f"sites/{SITE}", agendas=ROOMS, from_day="2026-11-23", days=1)
    found = bureau.do("ListAnySlots", request)
    assert [(s.time, s.free) for s in found.slots][:3] == [("08:00", 5), ("08:30", 6), ("09:00", 6)]
    assert list(found.agendas) == ROOMS


def test_a_repeated_request_has_one_hold_also_when_the_turn_has_moved_on(bureau: Bureau) -> None:
    rooms(bureau)
    rid = str(uuid.uuid4())
    first = ask(bureau, rid=rid)
    for _ in range(2):
        ask(bureau)
    assert ask(bureau, rid=rid) == first
    with pytest.raises(FailedPrecondition) as reused:
        ask(bureau, 9, rid=rid)
    assert reused.value.reason == "REQUEST_ID_REUSED"


def test_the_same_request_at_the_same_moment_in_two_processes(bureau: Bureau) -> None:
    houses = [rooms(bureau), rooms(Bureau(bureau.database))]
    for _ in range(3):
        rid = str(uuid.uuid4())
        with ThreadPoolExecutor(6) as pool:
            got = list(pool.map(lambda n, rid=rid: ask(houses[n % 2], rid=rid).name, range(6)))
        assert len(set(got)) == 1
    there = [b for d in bureau.database["agendas"].find({}) for b in d["bookings"] if b["state"] == "held"]
    assert len(there) == 3


@pytest.mark.parametrize("settled", [False, True])
def test_a_crash_after_the_choice_or_after_the_hold(bureau: Bureau, settled: bool) -> None:
    """The repetition goes on from what was chosen, whatever the turn says now."""
    rooms(bureau)
    rid = str(uuid.uuid4())
    request = pb.HoldAnySlotRequest(
        parent=f"sites/{SITE}", start=stamp(at(8)), offering=OFFERING, request_id=rid, agendas=ROOMS
    )
    call = bureau.by("HoldAnySlot", request)
    chosen = anywhere._next(bureau.app, [bureau.app.agendas.find(r) for r in ROOMS], {}, request, call.now)
    assert bureau.app.choices.make(call.mutation, SITE, Choice(chosen))
    if settled:
        ask(bureau, rid=rid)
        bureau.database["booking_choices"].update_one({"_id": call.mutation.key}, {"$set": {"settled": False}})
    got = ask(bureau, rid=rid)
    assert where(got.name) == chosen
    assert bureau.app.choices.find(call.mutation) == Choice(chosen, settled=True)


def test_who_was_overtaken_by_the_same_request_gives_its_place_back(bureau: Bureau) -> None:
    rooms(bureau)
    rid = str(uuid.uuid4())
    first = ask(bureau, rid=rid)
    other = next(r for r in ROOMS if r != where(first.name))
    # As if another process had found this room full meanwhile, and settled elsewhere.
    bureau.database["booking_choices"].update_one({"_id": {"$gt": ""}}, {"$set": {"settled": False}})
    settle = bureau.app.choices.settle

    def overtaken(command: Any, agenda: str) -> bool:
        bureau.app.choices.change(command, agenda, other)
        bureau.app.choices.settle = settle  # type: ignore[method-assign]
        return settle(command, agenda)

    bureau.app.choices.settle = overtaken  # type: ignore[method-assign]
    got = ask(bureau, rid=rid)
    assert where(got.name) == other
    assert bureau.get(first.name).state == appointment_pb2.Appointment.STATE_CANCELLED


def test_what_was_given_back_is_not_what_the_request_gets(bureau: Bureau) -> None:
    """Overtaken, and where the other process chose there is no place any more: not back to the hold that was released."""
    rooms(bureau)
    rid = str(uuid.uuid4())
    first = ask(bureau, rid=rid)
    full = next(r for r in ROOMS if r != where(first.name))
    for n in range(2):
        bureau.hold(at(8), full, subject=f"s{n}")
    bureau.database["booking_choices"].update_one({"_id": {"$gt": ""}}, {"$set": {"settled": False}})
    settle = bureau.app.choices.settle

    def overtaken(command: Any, agenda: str) -> bool:
        bureau.app.choices.change(command, agenda, full)
        bureau.app.choices.settle = settle  # type: ignore[method-assign]
        return settle(command, agenda)

    bureau.app.choices.settle = overtaken  # type: ignore[method-assign]
    got = ask(bureau, rid=rid)
    assert bureau.get(got.name).state == appointment_pb2.Appointment.STATE_HELD
    assert where(got.name) not in (full, where(first.name))
    assert bureau.get(first.name).state == appointment_pb2.Appointment.STATE_CANCELLED


def test_what_is_refused_names_its_field(bureau: Bureau) -> None:
    rooms(bureau)
    with pytest.raises(InvalidField) as refused:
        ask(bureau, variant=appointment_pb2.APPOINTMENT_VARIANT_VIDEO)
    assert refused.value.field == "variant"
    with pytest.raises(InvalidField) as refused:
        ask(bureau, role="kiosk", agendas=["sites/batu/channels/balai-a", ROOMS[0]])
    assert refused.value.field == "agendas"
    with pytest.raises(NotFound):
        ask(bureau, agendas=[f"sites/{SITE}/queues/tutup"])


def town(bureau: Bureau, site: str, region: str) -> str:
    """A site with an agency that offers the service, whose queue can be booked."""
    agency = f"sites/{site}/agencies/imigrasi"
    hours = [site_pb2.OpeningHours(weekday=d, opens="08:00", closes="12:00") for d in range(1, 6)]
    told = site_pb2.Site(name=f"sites/{site}", time_zone="Asia/Jakarta", region_code=region, opening_hours=hours)
    bureau.rooms.queues.learn_site(told, 9)
    rules = agency_pb2.AppointmentRules(slot_minutes=30, places=1, public_places=1, latest_days=30)
    queue = agency_pb2.QueueSpec(id="imigrasi", prefix="I", counters=[1], minutes_per_visit=10, appointments=rules)
    bureau.rooms.queues.learn_agency(agency_pb2.Agency(name=agency, queue=queue), 9)
    assert bureau.rooms.fees is not None
    bureau.rooms.fees.learn(offering_pb2.Offering(name=f"sites/{site}/offerings/nikah", agency=agency), 1)
    bureau.forget_what_is_known()
    return f"sites/{site}/queues/imigrasi"


def offered(bureau: Bureau, **given: Any) -> list[str]:
    request = pb.ListAnySlotsRequest(parent=f"sites/{SITE}", from_day="2026-11-23", offering=OFFERING, **given)
    return list(bureau.do("ListAnySlots", request).agendas)


def test_who_names_a_service_alone_is_sent_to_who_offers_it(bureau: Bureau) -> None:
    here = town(bureau, SITE, "35.73")
    rooms(bureau)  # of the same agency: they name no service
    assert offered(bureau) == [here]
    known = bureau.app.channels.get(ROOMS[1])
    assert known is not None
    known.offerings.append(OFFERING)
    bureau.app.channels.learn(known, 2)
    bureau.forget_what_is_known()
    assert offered(bureau) == [ROOMS[1], here]
    got = [where(ask(bureau, agendas=[]).name) for _ in range(3)]
    assert sorted(got) == sorted([here, ROOMS[1], ROOMS[1]])
    with pytest.raises(errors.SlotFull):
        ask(bureau, agendas=[])
    bureau.app.channels.retire(ROOMS[1], 3)
    bureau.rooms.queues.learn_agency(agency_pb2.Agency(name=f"sites/{SITE}/agencies/imigrasi"), 10)
    with pytest.raises(InvalidField) as refused:
        offered(bureau)
    assert refused.value.field == "offering"


def test_all_of_a_province_or_of_a_regency_each_by_an_index(bureau: Bureau, queries: Any) -> None:
    here, batu, far = town(bureau, SITE, "35.73"), town(bureau, "batu", "35.79"), town(bureau, "semarang", "33.74")
    for n in range(40):  # so that a scan would be the worse plan
        town(bureau, f"kota-{n}", f"6{n % 3}.{70 + n % 20}")
    assert offered(bureau) == [here]
    queries.asked.clear()
    assert offered(bureau, region="35") == [here, batu]
    looked = ("sites", "offerings", "agencies", "channels")
    asked = [(name, command) for name, command in queries.asked if command.get("find") in looked]
    assert {command["find"] for _, command in asked} == set(looked)
    for name, command in asked:
        stages, keys = plan_of(queries.database, command)
        assert "COLLSCAN" not in stages, (name, command)
        assert keys or "IDHACK" in stages or any("IXSCAN" in s for s in stages), (name, command, stages)
    assert offered(bureau, region="33.74") == [far]
    assert len(offered(bureau, region="60")) == 14
    assert {where(ask(bureau, agendas=[], region="35").name) for _ in range(2)} == {here, batu}
    for strange, field in (({"region": "35", "agendas": ROOMS}, "region"), ({"region": "99"}, "offering")):
        with pytest.raises(InvalidField) as refused:
            offered(bureau, **strange)
        assert refused.value.field == field
    with pytest.raises(InvalidField) as refused:
        ask(bureau, role="kiosk", agendas=[], region="35")
    assert refused.value.field == "region"
    with pytest.raises(InvalidField) as refused:
        bureau.do("ListAnySlots", pb.ListAnySlotsRequest(parent=f"sites/{SITE}"))
    assert refused.value.field == "offering"
