"""Delivering: one courier a webhook, each alone with its own thread, connection and time, so that a slow or dead receiver
costs the others nothing.

Knows the use cases' parts; never knows gRPC or which kind of threads it runs in (green ones in `work`). At-least-once: the
place is saved some deliveries later than they happen, and after a death they come again under the same webhook-id.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from mpp_chassis import logs
from mpp_chassis.errors import NotFound
from mpp_chassis.privacy import scrub

from mpp_subscriptions import cursor, metrics
from mpp_subscriptions.cursor import Start
from mpp_subscriptions.journal import Entry, Expired, Filter, Reader
from mpp_subscriptions.webhooks import signing, usecases
from mpp_subscriptions.webhooks.domain import Answer, Attempt, Progress, Reason, Webhook
from mpp_subscriptions.webhooks.store import Claim
from mpp_subscriptions.webhooks.usecases import App

LOOK = 1.0  # seconds: how soon a change by a person, or a revoked grant, is seen
SAVE = 0.25  # seconds: a place is saved so much later than it was reached at the latest
PREFETCH = 20
FIRST_PAUSE = 0.5  # seconds after a fault, then twice as long, up to 5
log = logs.get(part="courier")


class Lost(Exception):
    """Somebody else has the webhook now, or nobody may deliver it."""


class Courier:
    """Delivers one webhook, in order, as long as it holds the claim."""

    def __init__(self, app: App, claim: Claim, progress: Progress) -> None:
        self._app, self._claim, self._progress = app, claim, progress
        self._poster = app.poster()
        self._reader: Reader | None = None
        self._head: Entry | None = None  # the event that is under way
        self._webhook: Webhook | None = None
        self._secrets: list[str] = []
        self._granted: frozenset[str] = frozenset()
        self._looked = self._saved = self._renewed = 0.0
        self._dirty, self._pause = False, FIRST_PAUSE
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"courier-{claim.name[-8:]}", daemon=True)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end after the try that is under way."""
        self._stop.set()

    def join(self, seconds: float) -> None:
        """Wait for its end; what has not ended by then gives its webhook back at once and moves its place no more."""
        self._thread.join(max(0.0, seconds))
        if self._thread.is_alive():
            with contextlib.suppress(Exception):
                self._app.deliveries.release(self._claim)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._round()
        except (Lost, NotFound):
            pass
        finally:
            self._finish()

    def _round(self) -> None:
        """Raises Lost, NotFound: this courier's work is over."""
        try:
            self._look()
            self._step()
            self._pause = FIRST_PAUSE
        except (Lost, NotFound):
            raise
        except Expired:
            self._end(Reason.POSITION_EXPIRED)
        except Exception as error:  # broker or store away, or a fault of ours: the courier goes on
            reason = f"{type(error).__name__}: {scrub(str(error))[:200]}"
            log.warning("courier_failed", webhook=self._claim.name, error=reason)
            self._close_reader()
            self._stop.wait(self._pause)
            self._pause = min(5.0, self._pause * 2)

    def _finish(self) -> None:
        self._close_reader()
        self._poster.close()
        with contextlib.suppress(Exception):
            if self._dirty:
                self._save()
        with contextlib.suppress(Exception):
            self._app.deliveries.release(self._claim)

    def _look(self) -> None:
        """What people want by now, once a second. Raises Lost when that is nothing."""
        now = time.monotonic()
        if self._webhook is not None and now - self._looked < LOOK:
            return
        webhook = self._app.webhooks.load(self._claim.name)
        if not webhook.enabled:
            raise Lost
        self._granted = self._app.granted.of(usecases.agency_of(webhook.name))
        known = self._progress.under(webhook)
        if known.generation != self._progress.generation:
            self._close_reader()
        if known != self._progress:
            self._progress, self._dirty = known, True
        self._webhook, self._looked = webhook, now
        self._secrets = usecases.open_secrets(self._app, webhook, self._app.clock())
        if not self._granted:
            self._end(Reason.GRANT_REVOKED)
            raise Lost

    def _step(self) -> None:
        """One event at most. Raises Lost, Expired, BrokerDown."""
        self._keep()
        wait = self._wait()
        if wait > 0:
            if wait > self._app.delivery.rest:
                self._close_reader()
            self._stop.wait(min(wait, LOOK))
            return
        webhook = self._webhook
        if webhook is None:  # it was changed while we gave it up: look again
            return
        entry = self._head or self._read(webhook)
        if entry is None:
            return
        wanted = Filter(frozenset(webhook.target.event_types), webhook.target.subject_prefix)
        if wanted.passes(entry, self._granted):
            self._head = entry
            self._deliver(webhook, entry)
        else:
            self._head = None
            self._progress, self._dirty = self._progress.passed(cursor.encode(entry.position)), True

    def _wait(self) -> float:
        due = self._progress.next_at
        return (due - self._app.clock()).total_seconds() if due else 0.0

    def _read(self, webhook: Webhook) -> Entry | None:
        if self._reader is None:
            self._reader = self._app.journal.open(self._start(webhook), PREFETCH)
        return self._reader.read(SAVE if self._dirty else LOOK / 2)

    def _start(self, webhook: Webhook) -> Start:
        if self._progress.cursor:
            return cursor.decode(self._progress.cursor)
        return self._app.journal.since(webhook.start_time or webhook.created_at, self._app.clock())

    def _deliver(self, webhook: Webhook, entry: Entry) -> None:
        now = self._app.clock()
        body = signing.body_of(entry)
        headers = signing.headers(entry.id, now, body, self._secrets)
        answer = self._poster.post(webhook.target.url, headers, body.encode())
        metrics.WEBHOOK_DELIVERIES.labels(answer.failure or "delivered").inc()
        metrics.WEBHOOK_SECONDS.observe(answer.milliseconds / 1000)
        attempt = Attempt(now, entry.id, entry.type, answer.status, answer.failure, answer.milliseconds)
        if answer.delivered:
            if entry.time is not None:
                metrics.WEBHOOK_LAG_SECONDS.observe(max(0.0, (self._app.clock() - entry.time).total_seconds()))
            self._progress, self._head = self._progress.delivered(cursor.encode(entry.position), attempt), None
            self._dirty = True
        else:
            self._failed(attempt, answer)

    def _failed(self, attempt: Attempt, answer: Answer) -> None:
        progress = self._progress.failed(attempt, answer, self._app.delivery.retries, self._app.rng)
        log.info("webhook_failed", webhook=self._claim.name, event_id=attempt.event_id, failures=progress.failures,
                 status=answer.status, failure=answer.failure)  # fmt: skip
        self._progress = progress
        self._save()
        if (reason := progress.ended(answer)) is not None:
            self._end(reason)

    def _end(self, reason: Reason) -> None:
        """Disable it, unless somebody changed it since we looked; then look again."""
        webhook = self._webhook or self._app.webhooks.load(self._claim.name)
        self._webhook = None
        if not usecases.give_up(self._app, webhook.name, webhook.revision, reason, self._app.clock()).enabled:
            raise Lost

    def _keep(self) -> None:
        """Save what was reached a while ago, and renew the claim in time. Raises Lost."""
        now = time.monotonic()
        if self._dirty and now - self._saved >= SAVE:
            self._save()
        elif now - self._renewed >= self._app.delivery.claim / 4:
            if not self._app.deliveries.renew(self._claim, self._until()):
                raise Lost
            self._renewed = now

    def _save(self) -> None:
        if not self._app.deliveries.save(self._claim, self._progress, self._until()):
            raise Lost
        self._dirty, self._saved = False, time.monotonic()
        self._renewed = self._saved

    def _until(self) -> datetime:
        return self._app.clock() + timedelta(seconds=self._app.delivery.claim)

    def _close_reader(self) -> None:
        """The event under way is read again afterwards: it is not behind the place yet."""
        reader, self._reader, self._head = self._reader, None, None
        if reader is not None:
            reader.close()


@dataclass(frozen=True, slots=True)
class Census:
    """What a process sees when it looks around."""

    enabled: int
    processes: int
    free: tuple[str, ...]

    @property
    def share(self) -> int:
        """Of one process, rounded up."""
        return -(-self.enabled // max(1, self.processes))


class House:
    """The couriers of one process: hires for webhooks that nobody delivers, up to its fair share of all."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._process = f"{app.rng.getrandbits(64):016x}"
        self._couriers: dict[str, Courier] = {}
        self._shuffle = random.Random(self._process)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="couriers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """End all couriers; what is under way after that is delivered again by somebody else."""
        end = time.monotonic() + seconds
        self._stop.set()
        couriers = list(self._couriers.values())
        for courier in couriers:
            courier.stop()
        for courier in couriers:
            courier.join(end - time.monotonic())
        with contextlib.suppress(Exception):
            self._app.deliveries.leave(self._process)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._scan()
            except Exception as error:  # the store is away; couriers at work go on by themselves
                log.warning("courier_scan_failed", error=type(error).__name__)
            self._stop.wait(self._app.delivery.scan)

    def _scan(self) -> None:
        self._couriers = {name: c for name, c in self._couriers.items() if c.alive}
        census = self._census()
        for courier in list(self._couriers.values())[census.share :]:
            courier.stop()  # another process has come: it takes these
        places = min(census.share, self._app.delivery.most) - len(self._couriers)
        for name in census.free[: max(0, places)]:
            self._hire(name)
        metrics.WEBHOOK_COURIERS.set(len(self._couriers))
        metrics.WEBHOOKS_DISABLED.set(self._app.webhooks.stopped())

    def _census(self) -> Census:
        now = self._app.clock()
        until = now + timedelta(seconds=self._app.delivery.claim)
        processes = self._app.deliveries.present(self._process, now, until)
        enabled, held = self._app.webhooks.enabled(), self._app.deliveries.held(now)
        free = [name for name in enabled if name not in held and name not in self._couriers]
        self._shuffle.shuffle(free)
        return Census(len(enabled), processes, tuple(free))

    def _hire(self, name: str) -> None:
        now = self._app.clock()
        claim = Claim(name, f"{self._process}/{self._app.rng.getrandbits(64):016x}")
        progress = self._app.deliveries.claim(claim, now, now + timedelta(seconds=self._app.delivery.claim))
        if progress is not None and not self._stop.is_set():
            courier = self._couriers[name] = Courier(self._app, claim, progress)
            courier.start()
