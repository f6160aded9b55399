"""What can be booked, as the catalogue tells: queues and channels with appointment rules.

Knows the catalogue's contract and the read models' fields; knows no kind of channel. What makes a room a room and a home
visit a home visit are its rules and the settings below, so a kind that is added tomorrow is booked by the same code.

Settings of a channel that count here, all optional, whatever its kind:
    queue                id of the queue in which a check-in draws a ticket; without it a check-in draws none
    route                list of {day, areas}: where the team goes on which weekday (`tuesday`, `selasa`, or 1 to 7)
    areas                texts: where it goes on any day. With one of the two a booking names an area, and gives an address
    priority_places      public places kept for priority groups ...
    priority_until_days  ... until so many days before the day
    priority_groups      texts; without it every group of PermenPANRB 11/2024
    only_priority        true: the public places are for these groups alone
    bookings_per_person  a day; and person_required: nobody unknown. Without them the rules of `queue` hold
    setup_minutes        between two bookings of one place, to make it ready
    place                {id, en}: where in the house
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from google.protobuf import json_format
from mpp.catalog.v1 import channel_pb2
from mpp_chassis.aggregates import Store
from mpp_chassis.errors import FailedPrecondition, NotFound
from mpp_chassis.projection import Projection

from mpp_queue.appointments.domain.calendar import Agenda, Hours, Kept
from mpp_queue.domain import AgendaHours, AppointmentRules, OpenHours, PriorityGroup, QueueSpec, Text
from mpp_queue.domain.spec import clock
from mpp_queue.queuespec import appointment_rules, maintenance_of
from mpp_queue.views import Queues, site_of

MOST = 1440  # of any number of a channel's settings; of minutes: a day
SECONDS = 2.0  # a change in the catalogue reaches every process so much after its event
GROUPS = frozenset(g.value for g in PriorityGroup if g.value)
_WEEKDAYS = {"senin": 1, "selasa": 2, "rabu": 3, "kamis": 4, "jumat": 5, "sabtu": 6, "minggu": 7} | {
    day: n + 1 for n, day in enumerate(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"))
}


class Channels:
    """The channels of all sites, fed by ChannelPublished and ChannelRetired."""

    def __init__(self, store: Store) -> None:
        self._channels = Projection(store, "channels")

    def learn(self, channel: channel_pb2.Channel, sequence: int) -> None:
        """Idempotent; an older event changes nothing."""
        fields = {
            "site_id": channel.name.split("/")[1],
            "agency": channel.agency,
            "kind": channel.kind,
            "retired": False,
            "channel": channel.SerializeToString(deterministic=True),
        }
        self._channels.apply(channel.name, sequence, fields)

    def retire(self, name: str, sequence: int) -> None:
        """It stays known, so that what was booked can be told of."""
        before = self._channels.get(name) or {}
        kept = {k: v for k, v in before.items() if k not in ("_id", "sequence")}
        self._channels.apply(name, sequence, {**kept, "site_id": name.split("/")[1], "retired": True})

    def get(self, name: str) -> channel_pb2.Channel | None:
        """None for an unknown or a retired one."""
        found = self._channels.get(name)
        if found is None or found["retired"] or "channel" not in found:
            return None
        return channel_pb2.Channel.FromString(found["channel"])


class Agendas:
    """`find` answers from memory for two seconds."""

    def __init__(
        self, store: Store, queues: Queues, channels: Channels, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sites, self._queues, self._channels = Projection(store, "sites"), queues, channels
        self._agencies = Projection(store, "agencies")
        self._clock = clock
        self._known: dict[str, tuple[float, Agenda]] = {}

    def find(self, parent: str) -> Agenda:
        """Raises NotFound (QUEUE_UNKNOWN, CHANNEL_UNKNOWN), FailedPrecondition (QUEUE_CLOSED, NOT_BOOKABLE)."""
        until, known = self._known.get(parent, (0.0, None))
        if known is not None and self._clock() < until:
            return known
        self._known.pop(parent, None)
        found = self._of_channel(parent) if "/channels/" in parent else self._of_queue(parent)
        self._known[parent] = (self._clock() + SECONDS, found)
        return found

    def known(self, parent: str, agency: str) -> Agenda:
        """As it is, or, when the catalogue took it back, one without any slot: what was booked goes on all the same."""
        try:
            return self.find(parent)
        except (NotFound, FailedPrecondition):
            zone = (self._sites.get(site_of(parent)) or {}).get("time_zone", "Asia/Jakarta")
            return Agenda(parent, parent.split("/")[1], agency, zone, timedelta(minutes=30), 0, 0, ())

    def _of_queue(self, name: str) -> Agenda:
        spec = self._queues.find(name)
        if spec.appointments is None:
            raise _not_bookable(name)
        place = _place(self._agencies.get(spec.agency) or {}, self._sites.get(site_of(name)) or {})
        return replace(_agenda(name, spec.agency, spec.zone, spec.appointments, spec), queue=name, place=place)

    def _of_channel(self, name: str) -> Agenda:
        channel, site = self._channels.get(name), self._sites.get(site_of(name))
        if channel is None or site is None:
            raise NotFound(f"there is no {name}", reason="CHANNEL_UNKNOWN")
        if not channel.HasField("appointments"):
            raise _not_bookable(name)
        settings: Mapping[str, Any] = json_format.MessageToDict(channel.settings)
        queue = _queue_of(name, str(settings.get("queue", "")))
        spec = self._queues.find(queue) if queue else None
        hours = tuple(OpenHours(*h) for h in site.get("opening_hours", ()))
        rules = appointment_rules(channel.appointments)
        place = spec or QueueSpec(
            "", "", "", "", (), 1, site["time_zone"], opening_hours=hours, holidays=frozenset(site.get("holidays", ())),
            maintenance=maintenance_of(site),
        )  # fmt: skip
        made = _agenda(name, channel.agency, site["time_zone"], rules, place)
        own = channel.display_name
        where = Text(*_words(settings.get("place")))
        named = _place({"display_name": [own.id, own.en]}, {"display_name": [where.id, where.en]}, site)
        return replace(
            made,
            closed=made.closed | {closure.date for closure in channel.closures},
            offerings=frozenset(channel.offerings),
            queue=queue,
            place=named,
            **_from_settings(settings, made),
        )


def _agenda(name: str, agency: str, zone: str, rules: AppointmentRules, place: QueueSpec) -> Agenda:
    return Agenda(
        parent=name,
        site_id=name.split("/")[1],
        agency=agency,
        zone=zone,
        slot=rules.slot,
        places=rules.places,
        public_places=rules.public_places,
        hours=_hours(rules.hours or place.opening_hours),
        closed=place.days_off | rules.closures,
        first_day=rules.earliest_days,
        last_day=rules.latest_days,
        max_slots=rules.max_slots,
        hold=rules.hold,
        cooling=rules.cooling,
        early=rules.early,
        late=rules.late,
        quota=place.quota,
        variants=rules.variants,
        video_link=rules.video_link,
        max_open_per_email=rules.max_open_per_email,
        max_open_per_person=rules.max_open_per_person,
        draining=place.draining,
        maintenance=place.maintenance,
    )


def _place(*parts: Mapping[str, Any]) -> Text:
    """`Kantor Imigrasi, MPP Merdeka`: the inner part first. A part without a name is left out."""
    names = [tuple(part.get("display_name") or ("", "")) for part in parts]
    return Text(
        ", ".join(own for own, _ in names if own),
        ", ".join(english or own for own, english in names if english or own),
    )


def _words(told: Any) -> tuple[str, str]:
    return (str(told.get("id", "")), str(told.get("en", ""))) if isinstance(told, Mapping) else ("", "")


def _hours(told: Iterable[AgendaHours | OpenHours]) -> tuple[Hours, ...]:
    weeks = {id(h): frozenset(h.weeks) if isinstance(h, AgendaHours) else frozenset[int]() for h in told}
    return tuple(Hours(h.weekday, clock(h.opens), clock(h.closes), weeks[id(h)]) for h in told)


def _from_settings(settings: Mapping[str, Any], made: Agenda) -> dict[str, Any]:
    routes = _routes(settings.get("route"))
    areas = frozenset(_texts(settings.get("areas"))).union(*routes.values())
    return {
        "areas": areas,
        "routes": routes,
        "address_required": bool(areas),
        "setup": timedelta(minutes=_number(settings, "setup_minutes", 0)),
        "kept": _kept(settings, made.public_places),
        "quota": replace(
            made.quota,
            per_day=_number(settings, "bookings_per_person", made.quota.per_day),
            person_required=bool(settings.get("person_required", made.quota.person_required)),
        ),
    }


def _kept(settings: Mapping[str, Any], public_places: int) -> Kept:
    groups = frozenset(_texts(settings.get("priority_groups"))) or GROUPS
    if settings.get("only_priority"):
        return Kept(public_places, 0, groups)
    return Kept(_number(settings, "priority_places", 0), _number(settings, "priority_until_days", 0), groups)


def _routes(told: Any) -> dict[int, frozenset[str]]:
    found: dict[int, frozenset[str]] = {}
    for entry in told if isinstance(told, list) else ():
        weekday = _weekday(entry.get("day")) if isinstance(entry, Mapping) else None
        if weekday is not None:
            found[weekday] = found.get(weekday, frozenset()) | frozenset(_texts(entry.get("areas")))
    return found


def _weekday(told: Any) -> int | None:
    if isinstance(told, int | float) and 1 <= told <= 7:
        return int(told)
    text = str(told).lower()
    return int(text) if text in tuple("1234567") else _WEEKDAYS.get(text)


def _texts(told: Any) -> list[str]:
    """Texts, or entries that have an `id`."""
    entries = told if isinstance(told, list) else []
    return [str(e.get("id", "")) if isinstance(e, Mapping) else str(e) for e in entries]


def _number(settings: Mapping[str, Any], name: str, default: int) -> int:
    """From 0 to `MOST`: the catalogue takes any whole number, and what no calendar holds would break every sweep."""
    told = settings.get(name, default)
    return int(min(max(told, 0), MOST)) if isinstance(told, int | float) and told == told else default


def _queue_of(channel: str, told: str) -> str:
    if not told or "/" in told:
        return told
    return f"{site_of(channel)}/queues/{told}"


def _not_bookable(name: str) -> FailedPrecondition:
    return FailedPrecondition(f"nobody can book at {name}", reason="NOT_BOOKABLE")
