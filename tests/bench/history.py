"""Many tickets at once, straight into the store: copies of one that the service itself wrote. Knows documents, no rule.

A copy differs where two tickets must: name, number, place in the line, day, and every unique key that is held. So the
copies are as the service writes tickets today, whatever it has learnt since this was written.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

BATCH = 1000
A_DAY = 400  # numbers that a busy queue gives out


def waiting_like(sample: Mapping[str, Any], count: int) -> Iterator[dict[str, Any]]:
    """`count` tickets behind `sample`, which waits as the first of its queue and day (seq 1)."""
    assert (sample["state"], sample["seq"]) == ("waiting", 1)
    for seq in range(2, count + 2):
        yield _copy(sample, seq, sample["day"], seq)


def ended_like(sample: Mapping[str, Any], count: int, queues: Iterable[str]) -> Iterator[dict[str, Any]]:
    """`count` tickets of the days before `sample`'s, as many a day as a busy queue has, over these queues of its site.

    `sample` came to its end.
    """
    assert sample["ended_at"] is not None
    today, names = date.fromisoformat(sample["day"]), tuple(queues)
    for n in range(count):
        turn, which = divmod(n, len(names))
        back, seq = divmod(turn, A_DAY)
        yield _copy({**sample, "queue": names[which]}, n, (today - timedelta(days=back + 1)).isoformat(), seq + 1)


def insert(collection: Any, documents: Iterator[dict[str, Any]]) -> int:
    """Insert all, a batch at a time; how many there were."""
    count, batch = 0, []
    for document in documents:
        batch.append(document)
        if len(batch) == BATCH:
            collection.insert_many(batch, ordered=False)
            count, batch = count + BATCH, []
    if batch:
        collection.insert_many(batch, ordered=False)
    return count + len(batch)


def _copy(sample: Mapping[str, Any], n: int, day: str, seq: int) -> dict[str, Any]:
    prefix = sample["number"].rsplit("-", 1)[0]
    held = {k: f"{v}#{n}" for k, v in sample.items() if k.endswith("_key") and isinstance(v, str) and v}
    return {
        **{k: v for k, v in sample.items() if k != "outbox"},
        **held,
        "_id": f"{sample['queue']}/tickets/{uuid.uuid4().hex[:26]}",
        "version": 1,
        "replies": [],
        "day": day,
        "seq": seq,
        "number": f"{prefix}-{seq:03d}",
        "rank": _rank(sample["rank"], sample["seq"], seq) if sample["state"] == "waiting" else sample["rank"],
    }


def _rank(rank: str, old: int, new: int) -> str:
    """The sort key with another number in it, as wide as before."""
    parts = rank.split("-")
    where = next(i for i in range(len(parts) - 1, 0, -1) if int(parts[i]) == old)
    parts[where] = f"{new:0{len(parts[where])}d}"
    return "-".join(parts)
