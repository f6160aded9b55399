"""The rules of a complaint one by one: the table, the deadlines, the limits, the plain text, who may read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpp_complaints import domain
from mpp_complaints.domain import Class, Complaint, Limits, Party, Reader, State, Step, Terms, Visibility

T0 = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SETTLE = {Class.LIGHT: 2, Class.NORMATIVE: 5, Class.NON_SUPERVISORY: 14, Class.SUPERVISORY: 84}


def terms(now: datetime, **changes: object) -> Terms:
    """Plain days, so that the expected moments can be written down; 60 working days are 84 such days."""
    plain = Terms(
        verify_by=now + 3 * DAY,
        act_by=now + 5 * DAY,
        reply_by=now + 10 * DAY,
        legal_by=now + 60 * DAY,
        settle_by={c: now + n * DAY for c, n in SETTLE.items()},
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def new(**changes: object) -> domain.NewComplaint:
    plain = domain.NewComplaint(
        name="sites/malang/complaints/aaaaaaaaaa",
        agency="sites/malang/agencies/dukcapil",
        subject="Antrean terlalu lama",
        sealed_words="sealed-words",
        visibility=Visibility.PUBLIC,
        owner="sub:ani",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def filed(at: datetime = T0, **changes: object) -> Complaint:
    return domain.file(new(**changes), terms(at), at, "citizen:ani")


def verified(klass: Class = Class.LIGHT, at: datetime = T0) -> Complaint:
    return filed(at).verify(klass, terms(at), at, "agency_admin:budi")


def answered(at: datetime = T0) -> Complaint:
    return verified(at=at).give_answer("Loket ditambah.", terms(at), at, "agency_admin:budi")


class TestTheTable:
    def test_every_state_of_the_domain_is_reached_and_only_the_ends_are_final(self) -> None:
        reached = {State.RECEIVED} | {t for rule in domain.TRANSITIONS.values() for t in rule.targets}
        left = {s for step, rule in domain.TRANSITIONS.items() for s in rule.sources if step is not Step.RESTORE}
        assert reached == set(State)
        assert set(State) - left == domain.ENDS
        assert set(State) == domain.HANDLED | domain.WAITING | domain.ENDS

    def test_every_step_has_a_rule(self) -> None:
        assert set(domain.TRANSITIONS) == set(Step)
        assert domain.TRANSITIONS[Step.LAPSE].party is Party.CLOCK

    @pytest.mark.parametrize("state", sorted(domain.ENDS))
    def test_nothing_leaves_an_end(self, state: State) -> None:
        ended = replace(filed(), state=state, due_at=None)
        for act in (
            lambda: ended.verify(None, terms(T0), T0, "x"),
            lambda: ended.request_info("apa?", terms(T0), T0, "x"),
            lambda: ended.escalate("lama", terms(T0), T0, "x"),
            lambda: ended.reject("bukan", T0, "x"),
            lambda: ended.merge("sites/malang/complaints/bbbbbbbbbb", T0, "x"),
            lambda: ended.give_answer("ya.", terms(T0), T0, "x"),
            lambda: ended.reply("s", terms(T0), T0, "x"),
            lambda: ended.rate(5, T0, "x"),
            lambda: ended.reopen("s", terms(T0), T0, "x"),
            lambda: ended.withdraw(T0, "x"),
            lambda: ended.assign(T0, "x"),
            lambda: ended.start(T0, "x"),
        ):
            with pytest.raises(domain.WrongState) as caught:
                act()
            assert caught.value.metadata["state"] == state
            assert caught.value.reason == "WRONG_STATE"
        assert ended.tick(T0 + 999 * DAY).events == ()


class TestFiling:
    def test_it_is_received_and_its_verification_is_due(self) -> None:
        complaint = filed()
        assert (complaint.state, complaint.due_at) == (State.RECEIVED, T0 + 3 * DAY)
        assert complaint.events == (domain.Filed(at=T0),)
        assert [e.actor for e in complaint.history] == ["citizen:ani"]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("agency", "sites/batu/agencies/dukcapil"),
            ("ticket", "sites/batu/queues/dukcapil/tickets/aaaaaaaa"),
            ("application", "sites/batu/applications/aaaaaaaa"),
        ],
    )
    def test_what_it_is_about_lies_in_the_same_site(self, field: str, value: str) -> None:
        with pytest.raises(domain.InvalidField) as caught:
            filed(**{field: value})
        assert caught.value.field == field

    @pytest.mark.parametrize(
        ("asked", "kept"),
        [
            (Visibility.PUBLIC, Visibility.ANONYMOUS),
            (Visibility.ANONYMOUS, Visibility.ANONYMOUS),
            (Visibility.CONFIDENTIAL, Visibility.CONFIDENTIAL),
        ],
    )
    def test_without_an_owner_there_is_no_person_to_show(self, asked: Visibility, kept: Visibility) -> None:
        assert filed(owner="", visibility=asked).visibility is kept
        assert filed(owner="sub:ani", visibility=asked).visibility is asked


class TestPlainText:
    @pytest.mark.parametrize(
        "text",
        [
            "NIK saya 3573011207900001",
            "3573 0112 0790 0001",
            "35.73.01.120790.0001 milik saya",
            "357301-520790-0001",
            "kartu 12345678901234567",  # one digit more is still no plain text
            "hubungi 081234567890",
            "hubungi 0812-3456-7890",
            "wa +62 812 3456 7890",
            "wa 62812345678",
            "(0)8123456789 atau 0 812 345 6789",
            "+6591234567",
        ],
    )
    def test_numbers_of_a_person_are_refused(self, text: str) -> None:
        for field in ("subject", "answer"):
            with pytest.raises(domain.InvalidField) as caught:
                domain.plain_text(field, text)
            assert caught.value.field == field
            assert not any(ch.isdigit() for ch in str(caught.value)), "the message must not repeat the number"

    @pytest.mark.parametrize(
        "text",
        [
            "Menunggu dari 2026-11-20 sampai 2026-11-22",
            "20-11-2026 22-11-2026",
            "Nomor antrean D-001, loket 3, pukul 08.00-12.00",
            "Diminta Rp 1.250.000, tarif resmi Rp 350.000",
            "Telepon kantor (0341) 751942",
            "Bebas pulsa 0800 123 4567",
            "NIB 1234567890123",
            "Perpres 76/2013, UU 25/2009, PermenPANRB 14/2017",
        ],
    )
    def test_other_numbers_pass(self, text: str) -> None:
        assert domain.plain_text("subject", text) == text

    @given(st.integers(11, 97), st.integers(0, 9999), st.integers(1, 31), st.integers(1, 12),
           st.integers(0, 99), st.integers(1, 9999), st.booleans(), st.sampled_from(["", " ", ".", "-"]),
           st.text(alphabet=st.characters(exclude_categories=["Nd"]), max_size=20))  # fmt: skip
    def test_every_nik_in_the_usual_groups_is_seen(
        self, province: int, region: int, day: int, month: int, year: int, serial: int, woman: bool, gap: str,
        around: str,
    ) -> None:  # fmt: skip
        groups = (f"{province}{region:04}", f"{day + 40 * woman:02}{month:02}{year:02}", f"{serial:04}")
        assert domain.holds_nik(f"{around} {gap.join(groups)} {around}")

    def test_blanks_are_not_text(self) -> None:
        with pytest.raises(domain.InvalidField):
            domain.plain_text("answer", " \n\t ")


class TestDeadlines:
    @pytest.mark.parametrize(
        ("klass", "act", "settle"),
        [
            (Class.LIGHT, 2, 2),
            (Class.NORMATIVE, 5, 5),
            (Class.NON_SUPERVISORY, 5, 14),
            (Class.SUPERVISORY, 5, 60),  # 84 days by its class, 60 by law
        ],
    )
    def test_the_agency_acts_in_five_and_settles_by_class_under_the_legal_maximum(
        self, klass: Class, act: int, settle: int
    ) -> None:
        complaint = verified(klass)
        assert complaint.due_at == T0 + act * DAY
        assigned = complaint.assign(T0 + DAY, "x")
        assert assigned.due_at == T0 + act * DAY, "assigning gives no new time"
        assert assigned.start(T0 + DAY, "x").due_at == T0 + settle * DAY

    def test_the_verifier_may_change_the_class(self) -> None:
        assert verified(Class.NORMATIVE).classified is Class.NORMATIVE
        assert filed().verify(None, terms(T0), T0, "x").classified is Class.LIGHT

    def test_a_question_before_verification_starts_the_verification_anew(self) -> None:
        asked = filed().request_info("Loket berapa?", terms(T0 + DAY), T0 + DAY, "x")
        assert asked.due_at == T0 + 11 * DAY
        assert not asked.overdue(T0 + 99 * DAY), "it is the reporter's turn"
        told = asked.reply("sealed", terms(T0 + 6 * DAY), T0 + 6 * DAY, "citizen:ani")
        assert (told.state, told.due_at) == (State.RECEIVED, T0 + 9 * DAY)
        assert told.words == ("sealed-words", "sealed")

    def test_a_question_later_goes_back_and_never_moves_the_legal_maximum(self) -> None:
        at = T0 + 55 * DAY
        working = verified(Class.SUPERVISORY).assign(T0, "x").start(T0, "x")
        asked = working.request_info("Ada bukti?", terms(at), at, "x")
        later = at + 3 * DAY
        told = asked.reply("sealed", terms(later), later, "citizen:ani")
        assert (told.state, told.due_at) == (State.IN_PROGRESS, T0 + 60 * DAY)

    def test_a_reopening_is_a_new_round(self) -> None:
        late = T0 + 70 * DAY
        again = answered(late).reopen("sealed", terms(late + DAY), late + DAY, "citizen:ani")
        assert (again.state, again.due_at) == (State.REOPENED, late + 3 * DAY)
        assert again.legal_by == late + 61 * DAY

    def test_an_escalation_gets_new_time_below_the_legal_maximum(self) -> None:
        complaint = verified(Class.NON_SUPERVISORY)
        up = complaint.escalate("Tidak ada tindakan", terms(T0 + 20 * DAY), T0 + 20 * DAY, "site_manager:s")
        assert (up.escalation_level, up.due_at) == (1, T0 + 25 * DAY)
        top = up.escalate("Masih tidak ada", terms(T0 + 58 * DAY), T0 + 58 * DAY, "site_manager:s")
        assert (top.escalation_level, top.due_at) == (2, T0 + 60 * DAY)


class TestTime:
    def test_a_missed_deadline_is_told_once(self) -> None:
        complaint = filed()
        assert complaint.tick(T0 + 3 * DAY - timedelta(milliseconds=1)).events == ()
        late = complaint.tick(T0 + 3 * DAY)
        assert late.events == (domain.WentOverdue(due_at=T0 + 3 * DAY, at=T0 + 3 * DAY),)
        assert late.overdue(T0 + 3 * DAY)
        assert late.look_at is None, "the sweep need not look again"
        assert late.tick(T0 + 9 * DAY).events == ()

    def test_the_next_deadline_counts_again_but_an_old_one_does_not(self) -> None:
        late = filed().tick(T0 + 4 * DAY).verify(None, terms(T0 + 4 * DAY), T0 + 4 * DAY, "x")
        assert not late.overdue(T0 + 4 * DAY)
        twice = late.tick(T0 + 7 * DAY)
        assert twice.missed == (T0 + 3 * DAY, T0 + 6 * DAY)
        assert twice.assign(T0 + 8 * DAY, "x").tick(T0 + 9 * DAY).events == ()

    def test_an_answer_without_a_reply_closes_by_itself(self) -> None:
        quiet = answered().tick(T0 + 10 * DAY)
        assert (quiet.state, quiet.rating, quiet.due_at) == (State.CLOSED, 0, None)
        assert quiet.history[-1].actor == domain.CLOCK
        assert answered().tick(T0 + 10 * DAY - timedelta(seconds=1)).state is State.ANSWERED

    def test_a_question_without_a_reply_closes_too(self) -> None:
        asked = filed().request_info("Loket berapa?", terms(T0), T0, "x")
        assert asked.tick(T0 + 10 * DAY).state is State.CLOSED

    def test_the_reporter_is_not_heard_after_the_window_even_before_the_sweep(self) -> None:
        late = T0 + 10 * DAY
        for act in (
            lambda: answered().rate(5, late, "x"),
            lambda: answered().reopen("sealed", terms(late), late, "x"),
            lambda: filed().request_info("?", terms(T0), T0, "x").reply("s", terms(late), late, "x"),
        ):
            with pytest.raises(domain.WindowClosed):
                act()


class TestLimits:
    def test_after_two_reopenings_it_goes_one_level_up_until_there_is_none(self) -> None:
        complaint, states = answered(), []
        for _ in range(5):
            complaint = complaint.reopen("sealed", terms(T0), T0, "citizen:ani")
            states.append((complaint.state, complaint.escalation_level))
            complaint = complaint.give_answer("Sudah.", terms(T0), T0, "x")
        assert states == [
            (State.REOPENED, 0),
            (State.REOPENED, 0),
            (State.ESCALATED, 1),
            (State.ESCALATED, 2),
            (State.ESCALATED, 3),
        ]
        with pytest.raises(domain.LimitReached):
            complaint.reopen("sealed", terms(T0), T0, "citizen:ani")

    def test_questions_end(self) -> None:
        few = terms(T0, limits=Limits(info_requests=1))
        again = filed().request_info("Apa?", few, T0, "x").reply("s", few, T0, "x")
        with pytest.raises(domain.LimitReached):
            again.request_info("Apa lagi?", few, T0, "x")

    @pytest.mark.parametrize("rating", [-1, 0, 6])
    def test_ratings_are_one_to_five(self, rating: int) -> None:
        with pytest.raises(domain.InvalidField) as caught:
            answered().rate(rating, T0, "citizen:ani")
        assert caught.value.field == "rating"
        assert answered().rate(5, T0, "citizen:ani").state is State.CLOSED

    def test_a_reason_is_due(self) -> None:
        for act in (
            lambda: filed().request_info(" ", terms(T0), T0, "x"),
            lambda: filed().reject("", T0, "x"),
            lambda: verified().escalate("", terms(T0), T0, "x"),
            lambda: filed().merge("", T0, "x"),
            lambda: answered().reopen("", terms(T0), T0, "x"),
        ):
            with pytest.raises(domain.InvalidField) as caught:
                act()
            assert caught.value.field == "reason"

    @pytest.mark.parametrize(
        "into", ["sites/batu/complaints/bbbbbbbbbb", "sites/malang/complaints/aaaaaaaaaa", "yang lain"]
    )
    def test_merging_names_another_complaint_of_the_site(self, into: str) -> None:
        with pytest.raises(domain.InvalidField):
            filed().merge(into, T0, "x")

    def test_merging(self) -> None:
        merged = filed().merge("sites/malang/complaints/bbbbbbbbbb", T0, "x")
        assert (merged.state, merged.merged_into) == (State.MERGED, "sites/malang/complaints/bbbbbbbbbb")


class TestPrivacy:
    def test_a_reporters_reason_is_not_told_and_a_handlers_is(self) -> None:
        (event,) = answered().reopen("sealed", terms(T0), T0, "citizen:ani").events
        assert isinstance(event, domain.Advanced)
        assert event.reason == ""
        (event,) = filed().reject("Bukan layanan kami", T0, "x").events
        assert isinstance(event, domain.Advanced)
        assert event.reason == "Bukan layanan kami"

    def test_who_may_read(self) -> None:
        for visibility in Visibility:
            assert Reader.REPORTER in domain.WORDS_FOR[visibility]
            assert Reader.REPORTER in domain.PERSON_FOR[visibility]
        assert Reader.OFFICER not in domain.WORDS_FOR[Visibility.CONFIDENTIAL]
        assert Reader.OFFICER in domain.WORDS_FOR[Visibility.ANONYMOUS]
        assert domain.PERSON_FOR[Visibility.ANONYMOUS] == {Reader.REPORTER}


class TestRestoring:
    """A reporter may take back their own complaint, never what others' were merged into it."""

    def test_what_was_merged_is_received_again_with_a_clock_of_its_own(self) -> None:
        other = "sites/malang/complaints/bbbbbbbbbb"
        merged = verified().merge(other, T0 + DAY, "agency_admin:budi")
        at = T0 + 9 * DAY
        alone = merged.restore(terms(at), at)
        assert (alone.state, alone.due_at, alone.merged_into) == (State.RECEIVED, at + 3 * DAY, "")
        assert alone.history[-1].actor == domain.CLOCK
        again = alone.verify(None, terms(at), at, "agency_admin:budi")
        assert again.legal_by == at + 60 * DAY
        with pytest.raises(domain.WrongState):
            verified().restore(terms(at), at)

    def test_the_answer_is_shared_unless_its_reporter_asked_for_confidence(self) -> None:
        assert answered().answer_for_merged == "Loket ditambah."
        assert replace(answered(), visibility=Visibility.CONFIDENTIAL).answer_for_merged == ""
        assert replace(answered(), overcharge=domain.Overcharge(200, 50)).answer_for_merged == ""


def test_nobody_is_asked_who_cannot_reply() -> None:
    """A question to a kiosk's complaint would close it unheard after ten days: whoever is accused could so be rid of it."""
    with pytest.raises(domain.NobodyToAsk):
        filed(owner="").request_info("Loket berapa?", terms(T0), T0, "agency_admin:budi")


class TestHolidaysPublishedLater:
    """`days`: what a working day takes by then; the deadline was set while nobody knew of it."""

    @staticmethod
    def later(begun: datetime) -> Terms:
        settle = {c: begun + (n + 1) * DAY for c, n in SETTLE.items()}
        return terms(begun, verify_by=begun + 4 * DAY, act_by=begun + 6 * DAY, settle_by=settle)

    def test_the_day_is_given_back_where_the_clock_began(self) -> None:
        assert filed().recounted(self.later).due_at == T0 + 4 * DAY
        moved = verified(Class.NORMATIVE).recounted(self.later)
        assert (moved.due_at, moved.settle_by) == (T0 + 6 * DAY, T0 + 6 * DAY)
        began = verified(Class.NON_SUPERVISORY, T0).assign(T0 + DAY, "h").start(T0 + 2 * DAY, "h")
        assert began.recounted(self.later).due_at == T0 + 15 * DAY, "from the verification, not from the start"
        asked = began.request_info("Kapan?", terms(T0 + 3 * DAY), T0 + 3 * DAY, "h")
        replied = asked.reply("s2", terms(T0 + 4 * DAY), T0 + 4 * DAY, "citizen:ani")
        assert replied.recounted(self.later).due_at == T0 + (4 + 15) * DAY, "a reply began the time anew"

    def test_never_earlier_never_beyond_the_legal_maximum_and_never_the_reporters(self) -> None:
        def sooner(begun: datetime) -> Terms:
            return terms(begun, verify_by=begun + DAY, act_by=begun + DAY)

        assert filed().recounted(sooner) == filed()
        late = verified(Class.SUPERVISORY).assign(T0, "h").start(T0, "h")
        assert late.due_at == T0 + 60 * DAY
        assert late.recounted(self.later) == late
        assert answered().recounted(self.later) == answered()
