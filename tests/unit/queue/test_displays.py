"""A hall's screen: what it speaks once, what it shows of whom, and what it says of doors that are closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from mpp.queue.v1 import display_pb2
from mpp_chassis.server import violations
from mpp_queue.displays import messages
from mpp_queue.displays.domain import (
    MOST_REMEMBERED,
    SPEAK_WITHIN,
    CallState,
    Display,
    DisplayCall,
    Session,
    latest,
    shown_queues,
)
from mpp_queue.displays.doors import Doors, doors_of, hours_today
from mpp_queue.displays.picture import QueueNow, picture_of
from mpp_queue.displays.speech import number_words, spoken
from mpp_queue.domain import InvalidField, OpenHours, QueueSpec
from mpp_queue.domain.spec import Closure, Maintenance, Text

SITE = "sites/malang"
QUEUE = f"{SITE}/queues/dukcapil"
NOON = datetime(2026, 11, 23, 5, tzinfo=UTC)  # 12:00 in Malang, a Monday
WEEK = (
    *(OpenHours(day, "08:00", "15:00") for day in (1, 2, 3, 4)),
    OpenHours(5, "08:00", "11:30"),
    OpenHours(5, "13:00", "15:00"),
)
SPEC = QueueSpec(
    QUEUE, "malang", f"{SITE}/agencies/dukcapil", "D", (1,), 10, "Asia/Jakarta", opening_hours=WEEK,
    holidays=frozenset({"2026-12-25"}),
)  # fmt: skip


def call(n: int, at: datetime, state: CallState = CallState.CALLING, queue: str = QUEUE) -> DisplayCall:
    return DisplayCall(queue, f"D-{n:03d}", 1 + n % 5, at, state)


class Hall(RuleBasedStateMachine):
    """Tickets are called, come, are called again; a screen hears, misses frames, comes back anywhere, with a clock that is a
    little off. The model: which calls were spoken, and how often."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.calls = [call(n, NOON - timedelta(seconds=30 * n)) for n in range(1, 4)]
        self.before = {c.id for c in self.calls}
        self.spoken: list[str] = []
        self.session = Session.begin(self.calls, self.now)
        self.known: set[str] = set()  # waited for when the screen looked, soon enough
        self.n = 10

    @rule(seconds=st.integers(0, 50))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(skew=st.integers(-3000, 3000))
    def somebody_is_called(self, skew: int) -> None:
        self.n += 1
        self.calls.append(call(self.n, self.now + timedelta(milliseconds=skew)))

    @precondition(lambda self: self.calls)
    @rule(pick=st.integers(0, 99), state=st.sampled_from([CallState.SERVING, CallState.PAST]))
    def somebody_comes(self, pick: int, state: CallState) -> None:
        n = pick % len(self.calls)
        self.calls[n] = replace(self.calls[n], state=state)

    @precondition(lambda self: self.calls)
    @rule(pick=st.integers(0, 99))
    def somebody_is_called_again(self, pick: int) -> None:
        n = pick % len(self.calls)
        self.now += timedelta(milliseconds=1)  # nobody is called, comes and is called again within one
        self.calls[n] = replace(self.calls[n], called_at=self.now, state=CallState.CALLING)

    @rule(arrives=st.booleans(), skew=st.integers(-3000, 3000))
    def the_screen_gets_a_frame(self, arrives: bool, skew: int) -> None:
        """A frame that does not arrive is not spoken; the screen comes back with the session of the last that did."""
        now = self.now + timedelta(milliseconds=skew)
        due, after = Session.resumed(self.session.text).hear(self.calls, now)
        assert due == sorted(due, key=lambda c: c.id)
        if arrives:
            self.session = after
            self.spoken += [c.id for c in due]
            soon = now - SPEAK_WITHIN
            self.known |= {c.id for c in self.calls if c.state is CallState.CALLING and c.called_at > soon}

    @invariant()
    def each_call_is_spoken_at_most_once_and_none_from_before(self) -> None:
        assert len(self.spoken) == len(set(self.spoken))
        assert not set(self.spoken) & self.before

    @invariant()
    def what_was_waited_for_when_a_frame_came_was_spoken(self) -> None:
        """But what the screen first met with the citizen at the counter, which is never spoken afterwards."""
        missed = self.known - set(self.spoken) - self.before
        assert not missed, missed


TestHall = Hall.TestCase
TestHall.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@given(st.lists(st.integers(0, 200_000), max_size=30), st.integers(0, 200_000))
def test_a_session_is_the_same_after_its_journey(offsets: list[int], later: int) -> None:
    calls = [call(n, NOON + timedelta(milliseconds=ms)) for n, ms in enumerate(offsets)]
    _, session = Session.begin([], NOON).hear(calls, NOON + timedelta(milliseconds=later))
    assert Session.resumed(session.text) == session


def test_a_session_stays_short_and_still_says_nothing_twice() -> None:
    calls = [call(n, NOON + timedelta(milliseconds=n)) for n in range(2 * MOST_REMEMBERED)]
    due, session = Session.begin([], NOON).hear(calls, NOON + timedelta(seconds=1))
    assert len(due) == len(calls)
    assert len(session.text) <= 8000
    assert session.hear(calls, NOON + timedelta(seconds=2))[0] == []


@pytest.mark.parametrize("told", ["zz", "00000000000.xy", "\n", "fffffffffffffffffff"])
def test_a_session_that_is_none_is_refused(told: str) -> None:
    with pytest.raises(ValueError):
        Session.resumed(told)


def test_a_screen_that_was_just_switched_on_speaks_nothing_old_and_what_comes_next() -> None:
    old = call(1, NOON - timedelta(seconds=5))
    due, session = Session.begin([old], NOON).hear([old], NOON)
    assert due == []
    # Called by a process whose clock is behind.
    late = call(2, NOON - timedelta(seconds=4))
    assert session.hear([old, late], NOON + timedelta(seconds=1))[0] == [late]


def test_who_has_come_meanwhile_is_not_spoken_and_who_is_called_again_is() -> None:
    came = call(1, NOON + timedelta(seconds=1), CallState.SERVING)
    due, session = Session.begin([], NOON).hear([came], NOON + timedelta(seconds=2))
    assert due == []
    again = replace(came, called_at=NOON + timedelta(seconds=30), state=CallState.CALLING, calls=2)
    assert session.hear([again], NOON + timedelta(seconds=31))[0] == [again]
    assert again.id != came.id


def test_the_last_calls_are_in_the_order_of_the_calls_over_all_queues() -> None:
    other = f"{SITE}/queues/samsat"
    calls = [call(n, NOON + timedelta(seconds=n), queue=(QUEUE, other)[n % 2]) for n in (3, 1, 4, 2)]
    assert [c.number for c in latest(calls, 3)] == ["D-004", "D-003", "D-002"]
    assert latest(calls, 0) == []


@given(st.lists(st.sampled_from("abc"), unique=True), st.lists(st.sampled_from("xy"), unique=True))
def test_a_display_shows_what_it_names_in_its_order_each_once(queues: list[str], agencies: list[str]) -> None:
    there = [("b", "x"), ("a", "x"), ("d", "y")]
    shown = shown_queues(Display(f"{SITE}/displays/h", tuple(queues), tuple(agencies)), there)
    assert len(shown) == len(set(shown))
    assert shown[: len(queues)] == queues
    if not queues and not agencies:
        assert shown == ["a", "b", "d"]
    assert {q for q, a in there if a in agencies} <= set(shown)


# -- doors


@pytest.mark.parametrize(
    ("local", "reason", "says", "says_en"),
    [
        ("2026-11-23T09:00", "", "", ""),
        ("2026-11-23T07:59", "OUTSIDE_HOURS", "Sedang tutup. Buka lagi pukul 08.00.", "Open again at 08:00."),
        ("2026-11-23T15:00", "OUTSIDE_HOURS", "Buka lagi besok pukul 08.00.", "Open again tomorrow at 08:00."),
        ("2026-11-27T11:30", "BREAK", "Sedang istirahat. Buka lagi pukul 13.00.", "break. Open again at 13:00."),
        ("2026-11-27T15:00", "OUTSIDE_HOURS", "Buka lagi Senin, 30 November pukul 08.00.", "Monday, 30 November at 08:00."),
        ("2026-12-25T09:00", "HOLIDAY", "Hari ini libur. Buka lagi Senin, 28 Desember pukul 08.00.", "is a holiday."),
        ("2026-12-25T12:00", "HOLIDAY", "Hari ini libur.", "is a holiday."),
    ],
)  # fmt: skip
def test_a_closed_queue_says_why_and_until_when(local: str, reason: str, says: str, says_en: str) -> None:
    doors = doors_of(SPEC, _at(local))
    assert doors.reason == reason
    assert says in doors.text.id
    assert says_en in doors.text.en
    assert doors.open == (reason == "")


def test_the_agencys_own_words_come_first_and_a_site_without_hours_is_open() -> None:
    own = replace(SPEC, closed_text=Text("Tutup untuk renovasi.", "Closed for works."))
    text = doors_of(own, _at("2026-11-23T16:00")).text
    assert text == Text(
        "Tutup untuk renovasi. Buka lagi besok pukul 08.00.", "Closed for works. Open again tomorrow at 08:00."
    )
    assert doors_of(replace(SPEC, opening_hours=()), NOON).open
    assert hours_today(replace(SPEC, opening_hours=()), NOON) == Text()


def test_maintenance_draining_and_a_day_off_go_before_the_hours() -> None:
    begin, end = _at("2026-11-23T10:00"), _at("2026-11-23T11:00")
    down = replace(SPEC, maintenance=(Maintenance(begin, end, Text("Sedang diperbaiki.", "Under repair.")),))
    doors = doors_of(down, begin)
    assert (doors.reason, doors.opens_at) == ("MAINTENANCE", end)
    assert doors.text.id == "Sedang diperbaiki. Buka lagi pukul 11.00."
    assert doors_of(down, end).open
    drained = doors_of(replace(SPEC, draining=True), NOON)
    assert (drained.reason, drained.open, drained.opens_at) == ("DRAINING", False, None)


def test_the_hours_of_today() -> None:
    assert hours_today(SPEC, _at("2026-11-27T12:00")) == Text(
        "Buka hari ini 08.00-11.30 dan 13.00-15.00", "Open today 08:00-11:30 and 13:00-15:00"
    )
    assert hours_today(SPEC, _at("2026-12-25T12:00")).id == "Hari ini tutup"
    assert hours_today(SPEC, _at("2026-11-29T12:00")).en == "Closed today"


# -- pictures and frames


def test_the_day_off_of_one_agency_closes_no_other_in_the_halls_hours() -> None:
    """The first queue said "closed today" for the whole hall."""
    off = replace(SPEC, closures=(Closure("2026-11-23", Text("Pindah gedung.")),))
    queues = [
        QueueNow(name, doors=doors_of(spec, NOON), hours=hours_today(spec, NOON))
        for name, spec in (("a", off), ("b", SPEC))
    ]
    display = Display(f"{SITE}/displays/hall-1")
    for order in (queues, queues[::-1]):
        assert picture_of(display, order, NOON).hours.id == "Buka hari ini 08.00-15.00"
    assert picture_of(display, queues[:1], NOON).hours.id == "Hari ini tutup"


@given(st.integers(-119, 119), st.integers(0, 200))
def test_a_clock_that_goes_back_a_little_makes_no_call_silent_and_none_twice(back: int, first: int) -> None:
    """NTP corrects a server's clock, or the screen comes back to a process whose clock is behind."""
    spoken_once: list[str] = []
    session = Session.begin([], NOON)
    calls = [call(n, NOON + timedelta(seconds=n)) for n in range(first)]
    due, session = session.hear(calls, NOON + timedelta(seconds=first))
    spoken_once += [c.id for c in due]
    later = NOON + timedelta(seconds=first - back)
    calls.append(call(999, later))
    for _ in range(2):
        due, session = Session.resumed(session.text).hear(calls, later)
        spoken_once += [c.id for c in due]
    assert calls[-1].id in spoken_once
    assert len(set(spoken_once)) == len(spoken_once)


def test_the_hall_is_closed_when_no_queue_is_open_and_nobody_is_at_a_counter() -> None:
    display = Display(f"{SITE}/displays/hall-1", last_calls=5)
    shut = Doors("OUTSIDE_HOURS", Text("Tutup."), NOON + timedelta(hours=20))
    sooner = QueueNow(
        "b", doors=Doors("BREAK", Text("Istirahat. Buka pukul 13."), NOON + timedelta(hours=1), Text("Buka 13."))
    )
    last = call(1, NOON, CallState.SERVING)
    assert not picture_of(display, [QueueNow("a", doors=shut), QueueNow("b")], NOON).closed
    assert not picture_of(display, [QueueNow("a", doors=shut, calls=(last,))], NOON).closed
    gone = QueueNow("a", doors=shut, calls=(replace(last, state=CallState.PAST),))
    closed = picture_of(display, [gone, sooner], NOON)
    assert (closed.closed, closed.closed_text) == (True, Text("Layanan sedang tutup. Buka 13.", "We are closed now."))
    assert picture_of(display, [gone, replace(gone, queue="c")], NOON).closed_text == shut.text
    assert [c.number for c in closed.last_calls] == ["D-001"]
    own = replace(display, closed_text=Text("Sampai jumpa"))
    assert picture_of(own, [gone], NOON).closed_text == Text("Sampai jumpa")
    assert picture_of(display, [], NOON).closed_text.id


def test_what_a_display_does_not_show_is_no_change() -> None:
    display = Display(f"{SITE}/displays/hall-1")
    few, many = QueueNow("a", waiting=1), QueueNow("a", waiting=7, wait_high=timedelta(minutes=9))
    assert picture_of(display, [few], NOON) == picture_of(display, [many], NOON)
    shows = replace(display, show_waiting=True)
    assert picture_of(shows, [few], NOON) != picture_of(shows, [many], NOON)


def test_a_frame_speaks_the_languages_of_its_display_and_holds_nothing_of_a_person() -> None:
    told = full_display()
    display = messages.display_of(told)
    one = call(7, NOON)
    queue = QueueNow(QUEUE, "agency", "D", waiting=3, wait_high=timedelta(minutes=5), calls=(one,))
    picture = picture_of(display, [queue], NOON)
    frame = messages.frame(display, picture, [one], Session.begin([one], NOON), NOON, 15)
    assert [(s.language, s.text) for s in frame.announcements[0].spoken] == [
        ("en", "Queue number D zero zero seven, please go to counter three"),
        ("id", "Nomor antrean D nol nol tujuh, silakan ke loket tiga"),
    ]
    assert frame.queues[0].waiting == 3
    assert [c.counter for c in frame.queues[0].calls] == [3]
    fields = {f.name for name in ("DisplayFrame", "DisplayQueue", "DisplayCall", "DisplayAnnouncement")
              for f in display_pb2.DESCRIPTOR.message_types_by_name[name].fields}  # fmt: skip
    assert not [f for f in fields if any(w in f for w in ("phone", "nik", "person", "ticket", "channel", "group"))]
    quiet = replace(display, languages=())
    assert not messages.frame(quiet, picture, [one], Session.begin([], NOON), NOON, 15).announcements[0].spoken


def test_messages_run_when_they_are_due() -> None:
    display = messages.display_of(full_display())
    texts = [m.text.id for m in display.messages if m.runs(NOON)]
    assert texts == ["selalu", "sekarang"]


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "zero"), (13, "thirteen"), (40, "forty"), (21, "twenty-one"), (300, "three hundred"),
     (9999, "nine thousand nine hundred ninety-nine")],
)  # fmt: skip
def test_english_numbers(number: int, words: str) -> None:
    assert number_words(number) == words


def test_another_language_is_not_spoken() -> None:
    with pytest.raises(ValueError):
        spoken("jv", "D-001", 1)


# -- what may be set


def full_display() -> display_pb2.Display:
    told = display_pb2.Display(
        name=f"{SITE}/displays/hall-1", queues=[QUEUE], rows=4, columns=2, ring="gong", speech=True,
        speech_languages=["en", "id"], show_waiting=True, show_wait=True, last_calls=5,
        image_url="https://mpp.example/logo.png",
    )  # fmt: skip
    told.messages.add().text.id = "selalu"
    for text, begin, end in (("dulu", -60, -30), ("sekarang", -60, 60), ("nanti", 30, 60)):
        message = told.messages.add()
        message.text.id = text
        message.starts_at.FromDatetime(NOON + timedelta(minutes=begin))
        message.ends_at.FromDatetime(NOON + timedelta(minutes=end))
    told.slides.add(media_url="https://mpp.example/a.mp4", seconds=30).caption.id = "Paspor"
    return told


def test_a_full_display_is_taken() -> None:
    told = full_display()
    assert violations(told) == ()
    messages.display_of(told).check(SITE)


def _spoil(told: display_pb2.Display, field: str) -> None:
    match field:
        case "display.name":
            told.name = "sites/batu/displays/hall-1"
        case "display.queues[1]":
            told.queues.append("sites/batu/queues/dukcapil")
        case "display.agencies[0]":
            told.agencies.append("sites/batu/agencies/dukcapil")
        case "display.messages[1].ends_at":
            told.messages[1].ends_at.CopyFrom(told.messages[1].starts_at)
        case "display.slides[0].caption.id":
            told.slides[0].caption.id = "Paspor\u202e"
        case "display.labels.number.en":
            told.labels.number.en = "\x1b[31m"


@pytest.mark.parametrize(
    "field",
    ["display.name", "display.queues[1]", "display.agencies[0]", "display.messages[1].ends_at",
     "display.slides[0].caption.id", "display.labels.number.en"],
)  # fmt: skip
def test_what_is_wrong_is_named(field: str) -> None:
    told = full_display()
    _spoil(told, field)
    with pytest.raises(InvalidField) as caught:
        messages.display_of(told).check(SITE)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [("image_url", "http://mpp.example/a"), ("image_url", "https://user@mpp.example/"), ("qr_url", "javascript:alert(1)"),
     ("ring", "../gong"), ("rows", 21), ("last_calls", 31), ("speech_languages", ["jv"]), ("queues", [QUEUE, QUEUE])],
)  # fmt: skip
def test_the_contract_refuses(field: str, value: object) -> None:
    told = display_pb2.Display(**{"name": f"{SITE}/displays/hall-1", field: value})
    assert [f for f, _ in violations(told) if f.startswith(field)]


def _at(local: str) -> datetime:
    return datetime.fromisoformat(f"{local}+07:00").astimezone(UTC)
