"""Beyond one message an event: mails with calendar files, the reminder near one's turn, surveys, overviews. The service's
own handlers on the real store, with the test's clock; a mail goes to a real SMTP server.
"""

from __future__ import annotations

import random
import re
import threading
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mpp.applications.v1 import application_pb2
from mpp.applications.v1 import events_pb2 as applications
from mpp.notifications.v1 import events_pb2 as notifications
from mpp.notifications.v1 import notifications_service_pb2 as rpc
from mpp.queue.v1 import events_pb2 as queue
from mpp.queue.v1 import ticket_pb2
from mpp_chassis.call import Call, Caller, Command
from mpp_chassis.entrypoint import EventMeta
from mpp_notifications import courtesies
from mpp_notifications.domain import Channel, InvalidField, TooSoon
from mpp_notifications.handlers import Handlers
from mpp_notifications.matters import usecases as matters
from mpp_notifications.providers.smtp import Relay, SmtpProvider

from tests.contract.providers.mailhost import MailHost

SITE = "sites/uji-kabar"
DUKCAPIL = f"{SITE}/agencies/dukcapil"
QUEUE = f"{SITE}/queues/dukcapil"
AGENDA = f"{QUEUE}/agendas/2026-03-10/appointments"
PHONE, EMAIL = "+6281234567890", "Warga@Example.org"
START = datetime(2026, 3, 10, 1, 30, tzinfo=UTC)
DATA = """
near: {ahead: 2, at: {}}
surveys: {sites/uji-kabar: "https://survei.example/skm?instansi={agency}"}
tracking: {sites/uji-kabar: "https://antrean.example/{ticket}"}
overview: {pause_minutes: 15, most_items: 3}
"""


def stamp(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment)
    return made


@dataclass
class House:
    """The handlers of one process, told events in the order that the test likes."""

    bench: Any
    app: Any = None
    sequences: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.app = self.app or replace(self.bench.app, courtesies=courtesies.parse(DATA))
        self.handlers = Handlers()
        self.handlers.app = self.app

    def tell(self, handler: str, message: Message, subject: str, sequence: int = 0, event_id: str = "") -> str:
        """One delivery of an event; the next sequence of its subject where none is given."""
        self.sequences[subject] = sequence or self.sequences.get(subject, 0) + 1
        meta = EventMeta(
            event_id or uuid.uuid4().hex, type(message).__name__, "queue", subject, self.sequences[subject],
            self.bench.now, "", 1, "notifications",
        )  # fmt: skip
        getattr(self.handlers, handler)(message, meta)
        return meta.id

    def sealed(self, text: str, purpose: str) -> str:
        return str(self.bench.cipher.seal(text, purpose))

    def issue(self, ticket: str, ahead: int = 0, phone: str = PHONE, channel: str = "kiosk", **given: Any) -> None:
        event = queue.TicketIssued(
            ticket=f"{QUEUE}/tickets/{ticket}", number=f"D-{ticket}", agency=DUKCAPIL, people_ahead=ahead,
            arrived_at=stamp(self.bench.now), channel=channel, sealed_phone=self.sealed(phone, "phone"),
        )  # fmt: skip
        self.bench.later(seconds=1)
        self.tell("tell_ticket_issued", event, event.ticket, **given)

    def call(self, ticket: str, **given: Any) -> None:
        event = queue.TicketCalled(ticket=f"{QUEUE}/tickets/{ticket}", number=f"D-{ticket}", agency=DUKCAPIL, calls=1)
        self.bench.later(seconds=1)
        self.tell("tell_ticket_called", event, event.ticket, **given)

    def end(self, ticket: str, state: str = "FINISHED", phone: str = "", **given: Any) -> None:
        event = queue.TicketEnded(
            ticket=f"{QUEUE}/tickets/{ticket}", number=f"D-{ticket}", agency=DUKCAPIL,
            state=ticket_pb2.Ticket.State.Value(f"STATE_{state}"), sealed_phone=self.sealed(phone, "phone"),
        )  # fmt: skip
        self.bench.later(seconds=1)
        self.tell("tell_ticket_ended", event, event.ticket, **given)

    def appointment(self, kind: str, handler: str, name: str = "a", **given: Any) -> str:
        """Tell of an appointment; returns the event's id."""
        sealed = {"sealed_phone": self.sealed(PHONE, "phone"), "sealed_email": self.sealed(EMAIL, "email")}
        event = getattr(queue, f"Appointment{kind}")(
            **{
                "appointment": f"{AGENDA}/{name}", "agency": DUKCAPIL, "start": stamp(START),
                "end": stamp(START + timedelta(minutes=30)), **sealed, **given,
            }
        )  # fmt: skip
        return self.tell(handler, event, event.appointment)

    def mails(self) -> list[dict[str, Any]]:
        return [each for each in self.bench.effects() if each["channel"] == "email"]

    def told(self, template: str) -> list[str]:
        """Subjects of the messages of a template, oldest first."""
        return [each["subject"] for each in self.bench.documents() if each["template"] == template]

    def said(self, template: str) -> list[str]:
        """What was read of it."""
        keys = {each["_id"].rpartition("/")[2] for each in self.bench.documents() if each["template"] == template}
        return [each["body"] for each in self.bench.effects() if each["key"] in keys]

    def ask(self, phone: str = PHONE, email: str = "", request_id: str = "") -> rpc.SendOverviewResponse:
        command = Command(
            request_id or uuid.uuid4().hex, "SendOverview", f"{phone}{email}", "citizen:w", self.bench.now
        )
        request = rpc.SendOverviewRequest(parent=SITE, phone=phone, email=email)
        return matters.send_overview(self.app, request, Call(Caller("w"), self.bench.now, command))

    def asked(self) -> list[notifications.OverviewAsked]:
        """The events that wait to be published."""
        from google.protobuf import json_format

        wires = [
            wire
            for each in self.bench.database["overviews"].find({})
            for wire in each.get("outbox", {}).get("events", [])
        ]
        return [json_format.Parse(wire["body"], notifications.OverviewAsked()) for wire in wires]

    def answer(self) -> None:
        for event in self.asked():
            self.tell("tell_overview", event, event.overview, 1, event.overview.rpartition("/")[2])


@pytest.fixture
def house(bench: Any) -> House:
    return House(bench)


def calendar(mail: dict[str, Any]) -> dict[str, str]:
    unfolded = re.sub(r"\r\n ", "", mail["calendar"])
    return {line.partition(":")[0].partition(";")[0]: line.partition(":")[2] for line in unfolded.split("\r\n") if line}


def test_who_left_both_hears_by_both_and_the_mail_has_the_calendar_file(house: House) -> None:
    house.appointment("Confirmed", "tell_appointment_confirmed", place="Lantai 2, loket 3", place_en="Floor 2")
    sms, mail = sorted(house.bench.effects(), key=lambda each: each["channel"], reverse=True)
    assert (sms["to"], mail["to"]) == (PHONE, EMAIL)
    assert sms["body"] == mail["body"]
    assert "Tempat: Lantai 2, loket 3." in mail["body"]
    assert "calendar" not in sms
    assert mail["title"] == "Kabar dari Mal Pelayanan Publik / News from Public Service Mall"
    found = calendar(mail)
    assert (found["METHOD"], found["SEQUENCE"], found["DTSTART"]) == ("REQUEST", "0", "20260310T013000Z")
    assert (found["DTSTAMP"], found["LOCATION"]) == ("20260302T020000Z", "Lantai 2\\, loket 3 / Floor 2")
    assert (found["ORGANIZER"], found["ATTENDEE"]) == ("mailto:kabar@mpp.example", f"mailto:{EMAIL}")


def test_an_entry_keeps_its_name_and_counts_on_while_the_appointment_moves_and_ends(house: House) -> None:
    house.appointment("Confirmed", "tell_appointment_confirmed", "a")
    moved = {
        "replaces": f"{AGENDA}/a",
        "start": stamp(START + timedelta(days=1)),
        "end": stamp(START + timedelta(days=2)),
    }
    house.appointment("Rescheduled", "tell_appointment_rescheduled", "b", **moved)
    house.appointment(
        "Cancelled", "tell_appointment_cancelled", "a", cause=queue.AppointmentCancelled.CAUSE_RESCHEDULED
    )
    house.appointment("Rescheduled", "tell_appointment_rescheduled", "c", **{**moved, "replaces": f"{AGENDA}/b"})
    house.appointment("Due", "tell_appointment_due", "c")
    house.appointment("Cancelled", "tell_appointment_cancelled", "c", cause=queue.AppointmentCancelled.CAUSE_CANCELLED)
    mails = [calendar(mail) for mail in house.mails() if "calendar" in mail]
    assert [(each["METHOD"], each["SEQUENCE"]) for each in mails] == [
        ("REQUEST", "0"), ("REQUEST", "1"), ("REQUEST", "2"), ("CANCEL", "3"),
    ]  # fmt: skip
    assert len({each["UID"] for each in mails}) == 1
    assert len(house.mails()) == 5, "the reminder brings none"


def test_an_event_that_comes_again_gives_the_same_file_and_no_second_mail(house: House) -> None:
    again = house.appointment("Confirmed", "tell_appointment_confirmed", "a")
    event = queue.AppointmentConfirmed(
        appointment=f"{AGENDA}/a", agency=DUKCAPIL, start=stamp(START), end=stamp(START + timedelta(minutes=30)),
        sealed_email=house.sealed(EMAIL, "email"),
    )  # fmt: skip
    house.tell("tell_appointment_confirmed", event, event.appointment, 1, again)
    assert len(house.mails()) == 1


def test_a_video_appointment_brings_its_link_and_nobody_is_sent_to_a_kiosk(house: House) -> None:
    link = house.sealed("https://video.example/r/abc", "video_link")
    house.appointment("Confirmed", "tell_appointment_confirmed", variant="APPOINTMENT_VARIANT_VIDEO", sealed_link=link)
    [mail] = house.mails()
    assert "bukalah https://video.example/r/abc" in mail["body"]
    assert "mesin antrean" not in mail["body"]
    assert calendar(mail)["URL"] == "https://video.example/r/abc"


def test_a_mail_goes_to_a_real_relay_and_nothing_of_it_is_stored_in_the_clear(bench: Any) -> None:
    relay = MailHost()
    try:
        smtp = SmtpProvider(Relay("127.0.0.1", "kabar@mpp.example", relay.port, "none"), lambda: bench.now, plain=True)
        house = House(bench, replace(bench.app, providers={**bench.app.providers, Channel.EMAIL: smtp}))
        house.appointment("Confirmed", "tell_appointment_confirmed")
        [mail] = relay.kept()
    finally:
        relay.close()
    made = {each["channel"]: each for each in bench.documents()}
    assert (made["email"]["state"], made["email"]["provider"]) == ("delivered", "smtp")
    assert (made["sms"]["state"], made["sms"]["provider"]) == ("delivered", "file")
    _, part = mail.iter_parts()
    assert part.get_param("method") == "REQUEST"
    stored = repr([list(bench.database[name].find({})) for name in bench.database.list_collection_names()])
    assert not [secret for secret in (PHONE, EMAIL, EMAIL.lower(), "VCALENDAR") if secret in stored]


def test_a_relay_that_refuses_an_address_ends_that_message_only(bench: Any) -> None:
    relay = MailHost({"RCPT": "550 5.1.1 no such user"})
    try:
        smtp = SmtpProvider(Relay("127.0.0.1", "kabar@mpp.example", relay.port, "none"), lambda: bench.now, plain=True)
        house = House(bench, replace(bench.app, providers={**bench.app.providers, Channel.EMAIL: smtp}))
        house.appointment("Confirmed", "tell_appointment_confirmed")
    finally:
        relay.close()
    made = {each["channel"]: (each["state"], each["failure"]) for each in bench.documents()}
    assert made == {"sms": ("delivered", ""), "email": ("permanent_failure", "smtp_550")}


# Nearly one's turn.


def near(*tickets: str) -> list[str]:
    return [f"{QUEUE}/tickets/{ticket}" for ticket in tickets]


def test_who_is_third_in_line_is_reminded_once(house: House) -> None:
    for n in range(6):
        house.issue(str(n), ahead=n)
    assert house.told("ticket_near") == [], "0, 1 and 2 heard it when they took the ticket; the others wait"
    house.call("0")
    assert house.told("ticket_near") == near("3")
    house.call("1")
    house.call("1")  # once more
    assert house.told("ticket_near") == near("3", "4")
    house.end("2", "CANCELLED")
    assert house.told("ticket_near") == near("3", "4", "5")
    first = house.said("ticket_near")[0]
    assert "giliran nomor D-3 di" in first
    assert "Tinggal sekitar 2 orang" in first
    assert "Di https://antrean.example/3 Anda dapat memantau giliran." in first


def test_who_left_no_phone_counts_in_the_line_and_is_not_reminded(house: House) -> None:
    for n in range(5):
        house.issue(str(n), ahead=n, phone="" if n in (1, 3) else PHONE)
    house.call("0")
    assert house.told("ticket_near") == []
    house.call("1")
    assert house.told("ticket_near") == near("4")


def test_where_an_agency_wants_no_reminder_there_is_none(bench: Any) -> None:
    house = House(
        bench, replace(bench.app, courtesies=courtesies.parse(DATA.replace("at: {}", f"at: {{{DUKCAPIL}: 0}}")))
    )
    for n in range(5):
        house.issue(str(n), ahead=n)
    house.call("0")
    assert house.told("ticket_near") == []


def test_nobodys_turn_comes_nearer_when_a_day_ends(house: House) -> None:
    for n in range(6):
        house.issue(str(n), ahead=n)
    for n in range(6):
        house.end(str(n), "CLOSED_AT_DAY_END", phone=PHONE)
    assert house.told("ticket_near") == house.told("ticket_survey") == []


def test_who_was_called_and_missed_it_is_not_told_that_the_turn_is_near(house: House) -> None:
    """Called before the line came so far, as a queue with priorities does; also when the events come the other way round."""
    for n in range(9):
        house.issue(str(n), ahead=n)
    house.call("7")
    house.end("7", "MISSED", phone=PHONE)
    house.end("8", "MISSED", phone=PHONE, sequence=3)
    house.call("8", sequence=2)
    for n in range(6):
        house.call(str(n))
    assert house.told("ticket_near") == near("3", "4", "5", "6")
    assert house.told("ticket_missed") == near("7", "8")


def test_who_waits_at_a_phone_is_not_called_to_the_counters(house: House) -> None:
    for n in range(3):
        house.issue(str(n), ahead=n)
    house.issue("9", ahead=3, channel="appointment_phone")
    house.call("0")
    assert house.told("ticket_near") == []
    house.end("9", "MISSED", phone=PHONE)
    assert house.told("ticket_missed_remote") == near("9")


def test_yesterdays_line_is_nobodys(house: House) -> None:
    house.issue("0")
    house.bench.later(days=1)
    for n in (1, 2, 3, 4):
        house.issue(str(n), ahead=n - 1)
    house.call("1")
    assert house.told("ticket_near") == near("4")


LIFE = [("issue", 1), ("call", 2), ("end", 3)]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations([(ticket, *step) for ticket in "abc" for step in LIFE]), again=st.integers(0, 8))
def test_any_order_of_deliveries_leaves_the_same_line(
    bench: Any, order: list[tuple[str, str, int]], again: int
) -> None:
    """Late, early and twice: what has ended is closed and keeps nobody's phone."""
    bench.database["matters"].delete_many({})
    house = House(bench)
    # `c` is not ended: it was called only.
    told = [each for each in order if each[:2] != ("c", "end")]
    for ticket, step, sequence in [*told, told[again % len(told)]]:
        getattr(house, step)(ticket, sequence=sequence)
    found = {each["_id"].rpartition("/")[2]: each for each in bench.database["matters"].find({})}
    assert {ticket: each["open"] for ticket, each in found.items()} == {"a": False, "b": False, "c": True}
    assert not [each for each in found.values() if each["waiting"]]
    assert [ticket for ticket, each in found.items() if each.get("phone_index")] == ["c"]
    assert [ticket for ticket, each in found.items() if each.get("sealed_phone")] == ["c"]


# How was it?


def test_a_person_is_asked_once_a_day_however_many_tickets_they_had(house: House) -> None:
    house.end("1", phone=PHONE)
    house.end("2", phone=PHONE)
    house.end("3", phone="+6281234567899")
    house.end("4", "CANCELLED", phone="+6281234567888")
    house.end("5")
    assert sorted(house.told("ticket_survey")) == near("1", "3")
    assert "https://survei.example/skm?instansi=dukcapil" in house.said("ticket_survey")[0]
    house.bench.later(days=1)
    house.end("6", phone=PHONE)
    assert sorted(house.told("ticket_survey")) == near("1", "3", "6")


def test_nobody_is_asked_where_no_survey_is(bench: Any) -> None:
    house = House(bench, bench.app)
    house.end("1", phone=PHONE)
    assert house.told("ticket_survey") == []


# What is open for me?


def application(house: House, name: str, state: str, sequence: int = 0) -> None:
    event = applications.ApplicationAdvanced(
        application=f"{SITE}/applications/{name}", agency=DUKCAPIL, offering=f"{SITE}/offerings/kartu-keluarga",
        state=application_pb2.Application.State.Value(f"STATE_{state}"), sealed_phone=house.sealed(PHONE, "phone"),
    )  # fmt: skip
    house.tell("tell_application_advanced", event, event.application, sequence)


def test_an_overview_tells_what_is_open_and_only_to_whose_it_is(house: House) -> None:
    house.issue("1")
    house.issue("2", phone="+6281234567899")
    house.appointment("Confirmed", "tell_appointment_confirmed", "a")
    house.appointment("Confirmed", "tell_appointment_confirmed", "b")
    house.appointment("NoShow", "tell_appointment_missed", "b")
    application(house, "aaaaaaaaaaaa11112222", "PROCESSING")
    application(house, "bbbbbbbbbbbb33334444", "COLLECTED")
    reply = house.ask()
    assert reply.masked_recipient == "+62********890"
    assert reply.next_at.ToDatetime(UTC) == house.bench.now + timedelta(minutes=15)
    house.answer()
    house.answer()
    [said] = house.said("overview")
    indonesian, english = said.split("\n\n")
    assert indonesian.startswith("Mal Pelayanan Publik: yang masih terbuka untuk Anda: ")
    for item in (
        "janji temu 10 Maret 2026 pukul 08.30 WIB di instansi yang Anda tuju",
        "permohonan layanan yang Anda pilih (11112222) di",
        "antrean D-1 di",
    ):
        assert item in indonesian
    assert "queue number D-1 at" in english
    assert "D-2" not in said
    assert "33334444" not in said


def test_by_mail_capitals_make_no_difference(house: House) -> None:
    house.appointment("Confirmed", "tell_appointment_confirmed", "a")
    assert house.ask(phone="", email=EMAIL.lower()).masked_recipient == "w****@e****.org"
    house.answer()
    assert house.mails()[-1]["to"] == EMAIL.lower()
    assert "10 Maret 2026" in house.mails()[-1]["body"]


def test_a_long_list_is_cut_and_says_so(house: House) -> None:
    for n in range(5):
        house.issue(str(n))
    house.ask()
    house.answer()
    [said] = house.said("overview")
    assert said.count("antrean D-") == 3
    assert "Ini 3 yang pertama; masih ada yang lain." in said


def test_a_stranger_gets_no_message_and_who_asks_learns_nothing(house: House) -> None:
    house.issue("1")
    known, unknown = house.ask(), house.ask("+6281200000001")
    assert known.next_at == unknown.next_at
    house.answer()
    assert len(house.said("overview")) == 1
    assert unknown.masked_recipient == "+62********001"


def test_nobody_asks_twice_within_the_pause_but_a_repeated_request_is_answered_again(house: House) -> None:
    first = house.ask(request_id="r1")
    assert house.ask(request_id="r1") == first
    with pytest.raises(TooSoon) as refused:
        house.ask()
    assert refused.value.metadata == {"next_at": (house.bench.now + timedelta(minutes=15)).isoformat()}
    house.bench.later(minutes=15)
    house.ask()
    assert len({event.overview for event in house.asked()}) == 2


def test_many_who_ask_at_once_for_one_phone_have_one_overview(house: House) -> None:
    outcomes: list[str] = []
    barrier = threading.Barrier(6)

    def one() -> None:
        barrier.wait()
        try:
            house.ask()
            outcomes.append("sent")
        except TooSoon:
            outcomes.append("too soon")

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["sent"] + ["too soon"] * 5
    assert len(house.asked()) == 1


@pytest.mark.parametrize(("phone", "email", "named"), [("", "", "phone"), (PHONE, EMAIL, "email")])
def test_either_a_phone_or_an_address(house: House, phone: str, email: str, named: str) -> None:
    with pytest.raises(InvalidField) as refused:
        house.ask(phone, email)
    assert refused.value.field == named


@pytest.fixture
def plans(bench: Any) -> dict[str, str]:
    found = bench.database["matters"]
    queries = {
        "line": found.find({"queue": "q", "waiting": True, "forget_at": {"$gt": bench.now}})
        .sort([("arrived_at", 1), ("_id", 1)])
        .limit(4),
        "of_phone": found.find({"site_id": "s", "phone_index": "p", "open": True}).limit(4),
        "of_email": found.find({"site_id": "s", "email_index": "p", "open": True}).limit(4),
    }
    return {name: repr(cursor.explain()["queryPlanner"]["winningPlan"]) for name, cursor in queries.items()}


def test_every_query_has_its_index(bench: Any, plans: dict[str, str]) -> None:
    rng = random.Random(4)
    documents = [
        {"_id": f"t{n}", "queue": f"q{n % 7}", "waiting": rng.random() < 0.1, "arrived_at": bench.now, "site_id": "s",
         "phone_index": f"p{n}", "email_index": "", "open": False, "forget_at": bench.now}
        for n in range(50)
    ]  # fmt: skip
    bench.database["matters"].insert_many(documents)
    for name, plan in plans.items():
        assert "COLLSCAN" not in plan
        assert f"'{name}'" in plan
