"""Effect once: crashes at each point, repetitions, races, fallbacks; on the real store, with the test's own clock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from mpp_chassis.errors import Poison
from mpp_chassis.privacy import FieldCipher
from mpp_notifications import news, usecases
from mpp_notifications.domain import Channel
from mpp_notifications.providers.http import HttpProvider
from mpp_notifications.store import to_state

from tests.contract.providers.aggregator import TOKEN, Aggregator

BUSY, UNKNOWN, REFUSED, ACCEPTS_ONLY, BREAKS = (f"+628000000000{n}" for n in range(1, 6))


def together(work: Callable[[], Any], threads: int = 8) -> None:
    """Run `work` in many threads at once; raises what any of them raised."""
    barrier, raised = threading.Barrier(threads), []

    def one() -> None:
        barrier.wait()
        try:
            work()
        except BaseException as error:
            raised.append(error)

    running = [threading.Thread(target=one) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if raised:
        raise raised[0]


def test_an_event_is_told_once_however_often_it_comes(bench: Any) -> None:
    item = bench.news()
    for _ in range(3):
        bench.tell("e1", item)
    assert len(bench.effects()) == 1
    assert (bench.document()["state"], bench.document()["attempts"]) == ("delivered", 1)
    assert bench.ends() == ["delivered"]


def test_an_event_that_comes_to_many_at_once_is_told_once(bench: Any) -> None:
    item = bench.news()
    together(lambda: bench.tell("e1", item))
    assert len(bench.effects()) == 1
    assert bench.ends() == ["delivered"]


def test_an_aggregator_over_http_is_told_once_and_its_receipt_awaited(bench: Any) -> None:
    aggregator = Aggregator({BUSY: 503, REFUSED: 401})
    try:
        through = bench.by(HttpProvider(aggregator.url, TOKEN, plain=True))
        for _ in range(2):
            bench.tell("e1", bench.news(), through)
        bench.tell("e2", bench.news(BUSY), through)
        bench.tell("e3", bench.news(REFUSED), through)
        [taken] = aggregator.taken()
    finally:
        aggregator.close()
    documents = {each["source_event"]: each for each in bench.documents()}
    first, busy, refused = (documents[event] for event in ("e1", "e2", "e3"))
    assert (first["state"], first["provider"]) == ("pending", "http")
    assert (taken["key"], taken["template"]) == (first["_id"].rpartition("/")[2], first["template"])
    assert (busy["state"], busy["failure"]) == ("temporary_failure", "http_503")
    assert (refused["state"], refused["failure"]) == ("technical_failure", "http_401")


def test_two_events_are_two_messages(bench: Any) -> None:
    item = bench.news()
    bench.tell("e1", item)
    bench.tell("e2", item)
    assert len(bench.effects()) == len(bench.documents()) == 2


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_death_around_the_hand_over_is_finished_by_the_sweep(bench: Any, mortal: Any, died: Any, when: str) -> None:
    item = bench.news()
    with pytest.raises(died):
        bench.tell("e1", item, bench.by(mortal(bench.provider, when)))
    assert bench.document()["state"] == "sending"
    bench.tell("e1", item)  # the broker gives the event to another process: it was seen
    assert bench.sweep() == 0, "the claim still holds"
    bench.later(seconds=60)
    assert bench.sweep() == 1
    assert (bench.document()["state"], bench.document()["attempts"]) == ("delivered", 2)
    assert len(bench.effects()) == 1, "the provider honours the key"
    assert bench.ends() == ["delivered"]
    assert bench.sweep() == 0


def test_a_message_that_kills_its_process_each_time_is_given_up(bench: Any, mortal: Any, died: Any) -> None:
    deadly = bench.by(mortal(bench.provider, "before", deaths=99))
    with pytest.raises(died):
        bench.tell("e1", bench.news(), deadly)
    for _ in range(4):
        bench.later(seconds=60)
        with pytest.raises(died):
            bench.sweep(deadly)
    bench.later(seconds=60)
    bench.sweep(deadly)
    assert (bench.document()["state"], bench.document()["attempts"]) == ("technical_failure", 5)
    assert bench.document()["failure"] == "retries_exhausted: outcome_unknown"


def test_many_sweepers_at_once_hand_over_once(bench: Any, mortal: Any, died: Any) -> None:
    deadly = bench.by(mortal(bench.provider, "before", deaths=99))
    for n in range(30):
        with pytest.raises(died):
            bench.tell(f"e{n}", bench.news(), deadly)
    bench.later(seconds=60)
    together(bench.sweep, threads=6)
    assert [each["state"] for each in bench.documents()] == ["delivered"] * 30
    assert {each["attempts"] for each in bench.documents()} == {2}
    assert len(bench.effects()) == 30
    assert bench.ends() == ["delivered"] * 30


def test_a_busy_provider_is_asked_again_a_bounded_number_of_times(bench: Any) -> None:
    bench.tell("e1", bench.news(BUSY))
    states = [bench.document()["state"]]
    while bench.document()["due_at"] is not None:
        assert bench.sweep() == 0, "not before its time"
        bench.later(minutes=20)
        assert bench.sweep() == 1
        states.append(bench.document()["state"])
    assert states == ["temporary_failure"] * 4 + ["technical_failure"]
    assert bench.document()["failure"] == "retries_exhausted: busy"
    assert bench.effects() == []
    assert bench.ends() == ["technical_failure"]


def test_a_provider_that_raises_says_nothing_of_the_effect(bench: Any) -> None:
    bench.tell("e1", bench.news(BREAKS))
    assert (bench.document()["state"], bench.document()["failure"]) == ("temporary_failure", "provider_raised")


def test_news_that_is_too_late_is_recorded_and_not_sent(bench: Any) -> None:
    bench.later(days=30)
    bench.tell("e1", bench.news())
    assert (bench.document()["state"], bench.document()["failure"]) == ("expired", "too_late")
    assert bench.effects() == []
    assert bench.ends() == ["expired"]


def test_a_receipt_that_never_comes_is_not_waited_for_for_ever(bench: Any) -> None:
    bench.tell("e1", bench.news(ACCEPTS_ONLY))
    assert bench.document()["state"] == "pending"
    bench.later(hours=71)
    assert bench.sweep() == 0
    bench.later(hours=2)
    assert bench.sweep() == 1
    assert (bench.document()["state"], bench.document()["failure"]) == ("technical_failure", "no_receipt")


def test_news_without_a_phone_or_a_template_leaves_nothing(bench: Any) -> None:
    bench.tell("e1", bench.news(""))
    silent = bench.news()
    bench.tell("e2", news.News(silent.event, "application_draft", silent.subject, "", sealed_phone=silent.sealed_phone))
    assert bench.documents() == []


def test_what_can_never_be_opened_is_parked_and_leaves_nothing(bench: Any) -> None:
    stranger = FieldCipher("k9:" + "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk=")
    item = bench.news()
    foreign = news.News(
        item.event, item.template, item.subject, item.agency, item.offering, stranger.seal("+62811", "phone")
    )
    with pytest.raises(Poison, match="no key"):
        bench.tell("e1", foreign)
    assert bench.documents() == []


def test_a_failure_falls_back_to_the_next_channel_and_the_next(bench: Any) -> None:
    app = bench.falling_back(Channel.WHATSAPP, Channel.EMAIL)
    bench.tell("e1", bench.news(UNKNOWN, email="warga@example.org"), app)
    made = {each["channel"]: each for each in bench.documents()}
    states = [made[channel]["state"] for channel in ("sms", "whatsapp", "email")]
    assert states == ["permanent_failure", "permanent_failure", "delivered"]
    assert [each["to"] for each in bench.effects()] == ["warga@example.org"]
    assert made["whatsapp"]["parent"] == made["sms"]["_id"]
    assert made["email"]["parent"] == made["whatsapp"]["_id"]
    assert {(each["due_at"], each["sealed_text"]) for each in made.values()} == {(None, "")}
    assert bench.sweep(app) == 0


def test_a_fallback_whose_address_nobody_gave_is_left_out(bench: Any) -> None:
    app = bench.falling_back(Channel.EMAIL, Channel.WHATSAPP)
    bench.tell("e1", bench.news(UNKNOWN), app)
    assert {each["channel"] for each in bench.documents()} == {"sms", "whatsapp"}


@pytest.mark.parametrize("child_stands", [False, True])
def test_a_death_before_or_after_the_child_is_finished_by_the_sweep(bench: Any, child_stands: bool) -> None:
    """The parent has failed and is saved; the process died before the child was made, or before that was noted."""
    app = bench.falling_back(Channel.WHATSAPP)
    bench.tell("e1", bench.news(UNKNOWN), app)
    parent, child = sorted(bench.documents(), key=lambda each: bool(each["parent"]))
    loaded = app.notifications.load(parent["_id"])
    text = bench.cipher.seal("text", "notification_text")
    undone = {**to_state(loaded), "due_at": bench.now, "fallbacks": ["whatsapp"], "sealed_text": text, "replies": []}
    bench.database["notifications"].update_one({"_id": parent["_id"]}, {"$set": undone})
    if not child_stands:
        bench.database["notifications"].delete_one({"_id": child["_id"]})
    assert bench.sweep(app) == 1
    after = {each["_id"]: each for each in bench.documents()}
    assert set(after) == {parent["_id"], child["_id"]}
    assert after[child["_id"]]["attempts"] == 1, "the child is not sent again"
    assert after[parent["_id"]]["due_at"] is None
    assert bench.sweep(app) == 0


def test_a_document_that_nobody_can_read_does_not_hold_up_the_others(bench: Any, mortal: Any, died: Any) -> None:
    for n in range(3):
        with pytest.raises(died):
            bench.tell(f"e{n}", bench.news(), bench.by(mortal(bench.provider, "before")))
        bench.later(seconds=1)
    first = bench.documents()[0]["_id"]
    bench.database["notifications"].update_one({"_id": first}, {"$set": {"state": "of_another_version"}})
    bench.later(seconds=60)
    assert bench.sweep() == 2
    assert [each["state"] for each in bench.documents()] == ["of_another_version", "delivered", "delivered"]


def test_newer_news_cancels_what_was_not_sent_yet(bench: Any) -> None:
    application = "sites/uji-kabar/applications/aaaaaaaaaaaaaaaaaaaaaaaaaa"
    item = bench.news(BUSY, application)
    older = news.News(
        item.event, "application_issued", application, item.agency, item.offering, item.sealed_phone,
        facts=item.facts, days=item.days, free_text=item.free_text,
    )  # fmt: skip
    bench.tell("e1", older)
    bench.later(seconds=1)
    bench.tell("e2", item)
    bench.tell("e2", item)
    assert [(each["template"], each["state"]) for each in bench.documents()] == [
        ("application_issued", "cancelled"),
        ("application_ready_for_pickup", "temporary_failure"),
    ]
    assert bench.ends() == ["cancelled"]


def test_nothing_personal_is_stored_in_the_clear(bench: Any) -> None:
    bench.tell("e1", bench.news(ACCEPTS_ONLY))
    [effect] = bench.effects()
    assert "483920" in effect["body"], "the citizen hears the code"
    raw = repr(list(bench.database["notifications"].find({})))
    assert ACCEPTS_ONLY not in raw
    assert "483920" not in raw
    assert "siap diambil" not in raw


def test_the_text_is_forgotten_when_the_message_has_ended(bench: Any) -> None:
    bench.tell("e1", bench.news())
    assert bench.document()["sealed_text"] == ""


@pytest.mark.parametrize("query", ["due", "unsent_about", "about"])
def test_every_query_has_its_index(bench: Any, query: str) -> None:
    documents = bench.database["notifications"]
    queries = {
        "due": (documents.find({"due_at": {"$lte": bench.now}}).sort("due_at", 1).limit(100), "due"),
        "unsent_about": (
            documents.find({"site_id": "s", "subject": "x", "template": {"$in": ["t"]}, "state": {"$in": ["created"]}}),
            "about",
        ),
        "about": (
            documents.find({"site_id": "s", "subject": "x"}).sort([("created_at", 1), ("_id", 1)]).limit(10),
            "about",
        ),
    }
    cursor, index = queries[query]
    plan = repr(cursor.explain()["queryPlanner"]["winningPlan"])
    assert "COLLSCAN" not in plan
    assert f"'{index}'" in plan


def test_the_sweep_finds_what_is_due_among_what_is_done(bench: Any, mortal: Any, died: Any) -> None:
    with pytest.raises(died):
        bench.tell("e1", bench.news(), bench.by(mortal(bench.provider, "before")))
    pattern = bench.document()
    done = [
        {**pattern, "_id": f"{pattern['_id']}-{n}", "state": "delivered", "due_at": None, "version": 1}
        for n in range(500)
    ]
    bench.database["notifications"].insert_many(done)
    bench.later(seconds=60)
    due = bench.app.notifications.due(bench.now, 100)
    assert [each.name for each in due] == [pattern["_id"]]


def test_a_sweep_begins_nothing_after_its_time(bench: Any, mortal: Any, died: Any) -> None:
    """Else it outlives its lease with a slow provider, and a second process sweeps beside it."""
    for n in range(5):
        with pytest.raises(died):
            bench.tell(f"e{n}", bench.news(), bench.by(mortal(bench.provider, "before")))
    bench.later(seconds=60)
    began = bench.now

    class Slow:
        name = "file"

        def send(self, message: Any) -> Any:
            bench.later(seconds=6)
            return bench.provider.send(message)

    assert bench.sweep(bench.by(Slow())) == 2
    assert (bench.now - began).total_seconds() == 12, "below the 15 s of the lease"
    assert bench.sweep(bench.by(Slow())) == 2
    assert bench.sweep() == 1
    assert len(bench.effects()) == 5


def test_many_messages_that_cannot_be_read_hold_up_nobody(
    bench: Any, mortal: Any, died: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usecases, "SWEEP_BATCH", 3)
    with pytest.raises(died):
        bench.tell("e1", bench.news(), bench.by(mortal(bench.provider, "before")))
    pattern = bench.document()
    damaged = [
        {**pattern, "_id": f"{pattern['_id']}-{n}", "state": "lost", "due_at": bench.now, "version": 1}
        for n in range(7)
    ]
    bench.database["notifications"].insert_many(damaged)
    bench.later(seconds=60)
    with structlog.testing.capture_logs() as told:
        assert bench.sweep() == 1
    assert [each["event"] for each in told].count("attend_failed") == 7
    assert len(bench.effects()) == 1
