"""The proofs of the chaos tests and of `make bench-long` can fail: each breach is found. And copies for history differ
where two tickets must.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from mppctl.simulation import town
from mppctl.simulation.day import Outcome, Visit
from mppctl.simulation.ledger import At, Ledger

from tests.bench import history, proofs

PLAN = town.invented(1).queues[0]


def document(number: int = 1, state: str = "finished", steps: str = "issue call serve finish") -> dict[str, Any]:
    return {
        "_id": f"{PLAN.name}/tickets/t{number}",
        "queue": PLAN.name,
        "day": "2026-11-23",
        "seq": number,
        "number": f"D-{number:03d}",
        "state": state,
        "history": [{"step": step} for step in steps.split()],
    }


@pytest.fixture
def ledger() -> Ledger:
    """One visit that was served."""
    book = Ledger({PLAN.name: PLAN})
    visit = Visit("sim-001/0001", 0.0, PLAN.name, "", "", Outcome.SERVED, 60.0, 10.0, 300.0)
    track = book.taken(visit, document()["_id"], "D-001", "2026-11-23", 0.0)
    book.called(PLAN.name, track.name, track.number, track.day, 1, 60.0)
    book.serving(PLAN.name, track)
    book.ended(PLAN.name, track, At.FINISHED)
    return book


TOLD = Counter({"TicketIssued": 1, "TicketCalled": 1, "TicketServing": 1, "finished": 1})


def test_a_true_story_has_no_breach(ledger: Ledger) -> None:
    assert proofs.against_store(ledger, [document()]) == []
    assert proofs.against_events(ledger, {document()["_id"]: TOLD}) == []


@pytest.mark.parametrize(
    ("documents", "breach"),
    [
        ([], "is not in the store"),
        ([document(), document(2)], "nobody was told"),
        ([{**document(), "number": "D-009"}], "number acknowledged"),
        ([document(state="serving", steps="issue call serve")], "state acknowledged"),
        ([document(steps="issue call miss call serve finish")], "calls acknowledged 1, in the store 2"),
        ([document(steps="issue call call serve finish")], "called while it was called"),
        ([document(), {**document(2), "number": "D-001"}], "given 2 times"),
    ],
)
def test_a_breach_in_the_store_is_found(ledger: Ledger, documents: list[dict[str, Any]], breach: str) -> None:
    assert breach in "\n".join(proofs.against_store(ledger, documents))


@pytest.mark.parametrize("wrong", [{"TicketCalled": 1}, {"TicketIssued": -1}, {"finished": -1}, {"no_show": 1}])
def test_a_breach_in_the_events_is_found(ledger: Ledger, wrong: dict[str, int]) -> None:
    told = Counter(TOLD)
    told.update(wrong)
    assert len(proofs.against_events(ledger, {document()["_id"]: +told})) == 1
    assert len(proofs.against_events(ledger, {})) == 1


def test_a_call_after_a_miss_is_no_second_call() -> None:
    assert proofs.called_twice([document(steps="issue call recall miss call serve finish")]) == []
    assert len(proofs.called_twice([document(steps="issue call recall call")])) == 1
    assert len(proofs.called_twice([document(steps="issue call serve call")])) == 1


def sample(**more: Any) -> dict[str, Any]:
    return {**document(steps="issue"), "state": "waiting", "rank": "1-1763805600123-000001", "ended_at": None,
            "call_key": "", "outbox": {"last": ""}, **more}  # fmt: skip


def test_copies_that_wait_stand_behind_in_their_order() -> None:
    found = list(history.waiting_like(sample(), 300))
    assert [d["seq"] for d in found] == list(range(2, 302))
    assert [d["number"] for d in found][:2] == ["D-002", "D-003"]
    ranks = [sample()["rank"], *(d["rank"] for d in found)]
    assert ranks == sorted(set(ranks))
    assert len({d["_id"] for d in found}) == 300
    assert not any("outbox" in d for d in found)


def test_copies_of_earlier_days_hold_no_key_twice() -> None:
    ended = sample(state="finished", ended_at="then", call_key="abc", busy_key="")
    found = list(history.ended_like(ended, 2000, ["sites/x/queues/a", "sites/x/queues/b"]))
    assert len({(d["queue"], d["day"], d["seq"]) for d in found}) == 2000
    assert len({d["call_key"] for d in found}) == 2000
    assert {d["busy_key"] for d in found} == {""}
    assert max(d["day"] for d in found) == "2026-11-22"
    assert all(d["_id"].startswith(d["queue"] + "/tickets/") for d in found)
    with pytest.raises(AssertionError):
        list(history.ended_like(sample(), 1, ["q"]))
