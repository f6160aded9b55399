"""Plays a day against the platform: citizens take numbers, officers call, serve, miss and finish at their counters.

Knows the queue's public contract. Each queue is a small event simulation whose every step is a call of the real
platform. `Pace` says how fast: by the clock on the wall (any speed), or as fast as the platform answers; then each queue
has a clock of its own that jumps to the next step, so waits in simulated time stay true whatever the platform's pace.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import grpc
from mpp.queue.v1 import queue_service_pb2 as pb
from mpp.queue.v1 import ticket_pb2

from mppctl.connection import NoConnection
from mppctl.simulation.calling import Badges, Caller, Metadata, Refused
from mppctl.simulation.day import Day, Outcome, QueuePlan, SitePlan, Visit
from mppctl.simulation.ledger import At, Ledger, Track

Act = Callable[[], Awaitable[None]]
MISS_SECONDS = 90.0  # an officer waits so long for a citizen who does not come
STRANGER_SECONDS = 300.0  # at the counter, for a ticket that somebody else took
EMPTY_SECONDS = 30.0  # on the wall, that the platform may say "nobody waits" while somebody does: answers are under way
CITIZENS = 50  # identities of those who give their number back


class Pace:
    """Simulated time against the clock on the wall. `speed` 60: a minute is a second. None: as fast as it goes."""

    def __init__(self, speed: float | None, opens: float) -> None:
        if speed is not None and speed <= 0:
            raise ValueError("a speed is above 0")
        self.speed, self._opens, self._started = speed, opens, time.monotonic()

    def start(self) -> None:
        self._started = time.monotonic()

    def now(self) -> float:
        """Seconds after local midnight; only with a speed."""
        assert self.speed is not None
        return self._opens + (time.monotonic() - self._started) * self.speed


@dataclass(slots=True)
class Stage:
    """What all queues share."""

    caller: Caller
    badges: Badges
    ledger: Ledger
    pace: Pace
    rng: random.Random
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


class Line:
    """One queue of the day. `play` returns when nobody is left, or after `stage.stopping`."""

    def __init__(self, stage: Stage, plan: QueuePlan, visits: Sequence[Visit]) -> None:
        self._stage, self._plan, self._ledger = stage, plan, stage.ledger
        self._figures = stage.ledger.lines[plan.name]
        self._steps: list[tuple[float, int, Act]] = []
        self._order = itertools.count()
        self._changed = asyncio.Event()
        self._running: dict[asyncio.Future[None], float] = {}  # steps under way, and when they were due
        self._now = 0.0
        self._idle = list(plan.counters)
        self._taking = 0
        self._empty_since = 0.0
        for visit in visits:
            self._at(visit.at, partial(self._arrive, visit))

    # -- time

    async def play(self) -> None:
        await (self._by_the_wall() if self._stage.pace.speed else self._by_steps())

    async def _by_steps(self) -> None:
        """All steps of one moment together, then the next moment."""
        while self._steps and not self._stage.stopping.is_set():
            self._now = self._figures.now = self._steps[0][0]
            due = []
            while self._steps and self._steps[0][0] <= self._now:
                due.append(heapq.heappop(self._steps)[2])
            await asyncio.gather(*(act() for act in due))

    async def _by_the_wall(self) -> None:
        """Each step at its time, whether or not those before are through. What a step raises comes out of here."""
        pace, running = self._stage.pace, self._running
        assert pace.speed
        while (self._steps or running) and not self._stage.stopping.is_set():
            self._now = self._figures.now = pace.now()
            for task in [t for t in running if t.done()]:
                del running[task]
                task.result()
            if self._steps and self._steps[0][0] <= self._now:
                due, _, act = heapq.heappop(self._steps)
                task = asyncio.ensure_future(act())
                task.add_done_callback(lambda _: self._changed.set())
                running[task] = due
                continue
            self._changed.clear()
            wait = min((self._steps[0][0] - self._now) / pace.speed, 0.5) if self._steps else 0.5
            if not any(t.done() for t in running):
                await _first(self._changed, wait)
        await asyncio.gather(*running)

    def overdue(self) -> float:
        """Simulated seconds since the oldest step under way was due; only with a speed."""
        return max(0.0, self._clock() - min(self._running.values())) if self._running else 0.0

    def _at(self, when: float, act: Act) -> None:
        heapq.heappush(self._steps, (when, next(self._order), act))
        self._changed.set()

    def _clock(self) -> float:
        return self._stage.pace.now() if self._stage.pace.speed else self._now

    # -- citizens

    async def _arrive(self, visit: Visit) -> None:
        self._taking += 1
        try:
            request = pb.TakeTicketRequest(
                parent=visit.queue, offering=visit.offering, request_id=_new(), priority_group=_group(visit.group)
            )
            ticket = (await self._stage.caller.call("TakeTicket", request, await self._taker(visit))).ticket
            track = self._ledger.taken(visit, ticket.name, ticket.number, ticket.day, self._clock())
        except Refused as refused:
            self._ledger.refused(visit, refused.reason)
            return
        finally:
            self._taking -= 1
        if visit.outcome is Outcome.CANCELS:
            self._at(self._clock() + visit.patience_seconds, partial(self._give_up, track))
        self._wake()

    async def _taker(self, visit: Visit) -> Metadata:
        if visit.outcome is not Outcome.CANCELS:
            return await self._stage.badges.of(f"{self._plan.site}-kiosk", "kiosk", self._plan.site)
        return await self._stage.badges.of(_citizen(visit), "citizen")

    async def _give_up(self, track: Track) -> None:
        if track.where is not At.WAITING or track.visit is None:
            return  # called in time
        track.leaving = True
        who = await self._stage.badges.of(_citizen(track.visit), "citizen")
        request = pb.CancelTicketRequest(name=track.name, reason="tidak jadi", request_id=_new())
        try:
            await self._stage.caller.call("CancelTicket", request, who)
            self._ledger.ended(self._plan.name, track, At.CANCELLED)
        except Refused as refused:
            track.leaving = False
            if refused.reason != "WRONG_STATE":  # called at this moment
                self._ledger.error("cancel", refused.reason)

    # -- officers

    def _wake(self) -> None:
        if self._idle:
            self._at(self._clock(), partial(self._next, self._idle.pop(0)))

    async def _officer(self, counter: int) -> Metadata:
        """One person a counter: nobody sits at two."""
        site, agency = self._plan.site, self._plan.agency.rsplit("/", 1)[1]
        return await self._stage.badges.of(f"{site}-loket-{counter}", "officer", site, agency)

    async def _next(self, counter: int) -> None:
        if self._stage.stopping.is_set():
            return
        request = pb.CallNextRequest(parent=self._plan.name, counter=counter, request_id=_new())
        try:
            ticket = await self._stage.caller.call("CallNext", request, await self._officer(counter))
        except Refused as refused:
            await self._nobody(counter, refused)
            return
        self._empty_since = 0.0
        await self._heard_of(ticket.name)
        now = self._clock()
        track = self._ledger.called(self._plan.name, ticket.name, ticket.number, ticket.day, counter, now)
        if track.where is At.CANCELLED:
            self._at(now, partial(self._next, counter))
        elif self._stays_away(track):
            self._at(now + MISS_SECONDS, partial(self._miss, counter, track))
        else:
            walk = track.visit.walk_seconds if track.visit else 0.0
            self._at(now + walk, partial(self._serve, counter, track))

    @staticmethod
    def _stays_away(track: Track) -> bool:
        outcome = track.visit.outcome if track.visit else Outcome.SERVED
        return outcome is Outcome.NO_SHOW or (outcome is Outcome.LATE and track.misses == 0)

    async def _heard_of(self, name: str) -> None:
        """A call may overtake the answer to the one who took the number: wait for answers that are under way."""
        for _ in range(200):
            if name in self._ledger.tickets or not self._taking:
                return
            await asyncio.sleep(0.005)

    async def _nobody(self, counter: int, refused: Refused) -> None:
        if refused.reason == "QUEUE_EMPTY":
            if not self._figures.waiting:
                self._idle.append(counter)
                return
            self._empty_since = self._empty_since or time.monotonic()
            if time.monotonic() - self._empty_since > EMPTY_SECONDS:
                return  # what became of those who wait is asked at the end
            await asyncio.sleep(0.02)
            self._at(self._clock() + 1, partial(self._next, counter))
        elif refused.reason == "COUNTER_BUSY" and await self._clear(counter, dict(refused.refusal.metadata)):
            self._at(self._clock(), partial(self._next, counter))
        else:
            self._ledger.error("call", refused.reason)  # this counter is out for the day

    async def _clear(self, counter: int, there: Mapping[str, str]) -> bool:
        """A run that was broken off left somebody at the counter: end that visit, unless it is one of this run."""
        name = there.get("ticket", "")
        if not name or name in self._ledger.tickets:
            return False
        return await self._end_stranger(name, await self._officer(counter))

    async def _end_stranger(self, name: str, who: Metadata) -> bool:
        for method in ("CancelTicket", "FinishTicket"):  # of one called; of one being served
            try:
                await self._stage.caller.call(
                    method, getattr(pb, f"{method}Request")(name=name, request_id=_new()), who
                )
            except Refused:
                continue
            return True
        return False

    async def _serve(self, counter: int, track: Track) -> None:
        if await self._step("StartServing", counter, track):
            self._ledger.serving(self._plan.name, track)
            seconds = track.visit.service_seconds if track.visit else STRANGER_SECONDS
            self._at(self._clock() + seconds, partial(self._finish, counter, track))

    async def _finish(self, counter: int, track: Track) -> None:
        if await self._step("FinishTicket", counter, track):
            self._ledger.ended(self._plan.name, track, At.FINISHED)
            self._at(self._clock(), partial(self._next, counter))

    async def _miss(self, counter: int, track: Track) -> None:
        track.missing = True
        if reply := await self._step("MissTicket", counter, track):
            self._ledger.missed(self._plan.name, track, where(reply.state))
            self._at(self._clock(), partial(self._next, counter))

    async def _step(self, method: str, counter: int, track: Track) -> ticket_pb2.Ticket | None:
        """None when it was refused; then the counter goes on with the next."""
        request = getattr(pb, f"{method}Request")(name=track.name, request_id=_new())
        try:
            reply: ticket_pb2.Ticket = await self._stage.caller.call(method, request, await self._officer(counter))
            return reply
        except Refused as refused:
            if track.where is not At.CANCELLED:
                self._ledger.error(method, refused.reason)
            self._at(self._clock(), partial(self._next, counter))
            return None

    async def leave(self, track: Track) -> None:
        """The day is broken off: end the visit at the counter, so that the counter is free for the next run."""
        method, end = ("FinishTicket", At.FINISHED) if track.where is At.SERVING else ("CancelTicket", At.CANCELLED)
        if await self._step(method, track.counter, track):
            self._ledger.ended(self._plan.name, track, end)


@dataclass(frozen=True, slots=True)
class Result:
    """How it went; `breaches` of the invariants is empty when all is well."""

    ledger: Ledger
    seconds: float  # on the wall
    calls: int
    repeats: int
    latencies: tuple[float, ...]
    asked: int  # tickets whose state was compared at the end
    broken_off: bool
    breaches: tuple[str, ...]


class Theatre:
    """A day, ready to be played once."""

    def __init__(
        self, caller: Caller, badges: Badges, sites: Sequence[SitePlan], day: Day, speed: float | None, seed: int = 0
    ) -> None:
        plans = {queue.name: queue for site in sites for queue in site.queues}
        self.ledger = Ledger(plans)
        self.pace = Pace(speed, day.visits[0].at if day.visits else day.shape.opens)
        self._stage = Stage(caller, badges, self.ledger, self.pace, random.Random(seed))
        visits: dict[str, list[Visit]] = {name: [] for name in plans}
        for visit in day.visits:
            visits[visit.queue].append(visit)
            self.ledger.expect(visit.queue, 1)
        self._lines = {name: Line(self._stage, plan, visits[name]) for name, plan in plans.items()}
        self._caller = caller

    def stop(self) -> None:
        """Begin no further step; what is under way comes to its end."""
        self._stage.stopping.set()

    def behind(self) -> float:
        """Simulated seconds that the step most overdue is late; 0 at full speed."""
        return max((line.overdue() for line in self._lines.values()), default=0.0) if self.pace.speed else 0.0

    async def play(self, verify: int) -> Result:
        """Play, then ask for up to `verify` tickets, drawn at random, and compare. Raises NoConnection."""
        began = time.monotonic()
        self.pace.start()
        await asyncio.gather(*(line.play() for line in self._lines.values()))
        broken_off = self._stage.stopping.is_set()
        if broken_off:
            left = [t for t in self.ledger.at_counters() if t.where in (At.CALLED, At.SERVING)]
            await asyncio.gather(*(self._lines[_queue(t)].leave(t) for t in left))
        else:
            await self._closed_at_midnight()
        seconds, calls, latencies = time.monotonic() - began, self._caller.calls, tuple(self._caller.seconds)
        found = await self._ask(verify)
        breaches = [*self.ledger.breaches, *self.ledger.differences(found)]
        if not broken_off:
            breaches += [f"{t.number} ({t.name}) is still {t.where}" for t in self.ledger.left()]
        return Result(
            self.ledger, seconds, calls, self._caller.repeats, latencies, len(found), broken_off, tuple(breaches)
        )

    async def _closed_at_midnight(self) -> None:
        """A run over the end of a site's local day: the platform closed whoever was still there."""
        for track in self.ledger.left():
            if await self._state(track.name) is At.CLOSED_AT_DAY_END:
                self.ledger.ended(_queue(track), track, At.CLOSED_AT_DAY_END)

    async def _ask(self, most: int) -> dict[str, At | None]:
        names = sorted(self.ledger.tickets)
        chosen = names if len(names) <= most else self._stage.rng.sample(names, most)
        return dict(zip(chosen, await asyncio.gather(*map(self._state, chosen)), strict=True))

    async def _state(self, name: str) -> At | None:
        plan = self.ledger.lines[name.rsplit("/tickets/", 1)[0]].plan
        agency = plan.agency.rsplit("/", 1)[1]
        who = await self._stage.badges.of(f"{plan.site}-loket-{plan.counters[0]}", "officer", plan.site, agency)
        try:
            return where((await self._caller.call("GetTicket", pb.GetTicketRequest(name=name), who)).state)
        except Refused as refused:
            if refused.refusal.code is grpc.StatusCode.NOT_FOUND:
                return None
            raise NoConnection(f"{name} could not be asked for: {refused}") from refused


def where(state: int) -> At:
    """The contract's state as the ledger's. Raises ValueError for one that no simulated visit comes to."""
    return At(ticket_pb2.Ticket.State.Name(state).removeprefix("STATE_").lower())


def _queue(track: Track) -> str:
    return track.name.rsplit("/tickets/", 1)[0]


def _group(group: str) -> str:
    return f"PRIORITY_GROUP_{group.upper() or 'UNSPECIFIED'}"


def _citizen(visit: Visit) -> str:
    return f"sim-citizen-{int(visit.id.rsplit('/', 1)[1]) % CITIZENS}"


def _new() -> str:
    return str(uuid.uuid4())


async def _first(event: asyncio.Event, seconds: float) -> None:
    """Until the event, at most so long."""
    try:
        await asyncio.wait_for(event.wait(), max(seconds, 0.0))
    except TimeoutError:
        return
