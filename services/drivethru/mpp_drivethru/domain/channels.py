"""A drive-thru channel as the catalogue describes it: queue, lanes, stages. Knows the settings' names; never a vehicle."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mpp_drivethru.domain.errors import BadSettings, InvalidField


@dataclass(frozen=True, slots=True)
class Text:
    """Indonesian, and English beside it."""

    id: str
    en: str = ""


@dataclass(frozen=True, slots=True)
class LaneSpec:
    """`counter`: the queue's counter that calls vehicles to this lane; 0 when the officer says the lane."""

    id: str
    text: Text
    counter: int = 0


@dataclass(frozen=True, slots=True)
class StageSpec:
    """`minutes`: what the channel declares. An `optional` stage may be passed over."""

    id: str
    text: Text
    minutes: int
    optional: bool = False


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """A drive-thru as the catalogue describes it. `closures`: its own days off (ISO dates) and what is told then, an empty
    text where nothing is said. `retired`: it is no longer in the catalogue; who is in line is served.
    """

    name: str
    agency: str
    queue: str
    lanes: tuple[LaneSpec, ...]
    stages: tuple[StageSpec, ...]
    offerings: tuple[str, ...] = ()
    closures: Mapping[str, Text] = field(default_factory=dict)
    retired: bool = False

    @property
    def site_id(self) -> str:
        return self.name.split("/")[1]

    def index(self, stage: str) -> int:
        """Where a stage stands; -1 when there is none of that name (the settings may have changed)."""
        return next((i for i, s in enumerate(self.stages) if s.id == stage), -1)

    def lane(self, lane: str) -> LaneSpec | None:
        return next((one for one in self.lanes if one.id == lane), None)

    def lane_of(self, counter: int) -> str:
        return next((one.id for one in self.lanes if one.counter and one.counter == counter), "")


_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")


def channel(name: str, agency: str, offerings: Sequence[str], settings: Mapping[str, Any]) -> ChannelSpec:
    """A channel from its settings in the catalogue: `queue`, `lanes`, `stages`. Raises BadSettings."""
    queue = settings.get("queue")
    if not isinstance(queue, str) or not _ID.fullmatch(queue):
        raise BadSettings("queue", "the id of the queue that the channel uses is due")
    site = "/".join(name.split("/")[:2])
    lanes = tuple(_lane(path, entry) for path, entry in _entries(settings, "lanes"))
    stages = tuple(_stage(path, entry) for path, entry in _entries(settings, "stages"))
    if all(stage.optional for stage in stages):
        raise BadSettings("stages", "one stage at least must not be optional")
    return ChannelSpec(name, agency, f"{site}/queues/{queue}", lanes, stages, tuple(offerings))


def _entries(settings: Mapping[str, Any], key: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    entries, seen = settings.get(key), set()
    if not isinstance(entries, list) or not entries:
        raise BadSettings(key, "one at least is due")
    for i, entry in enumerate(entries):
        path = f"{key}[{i}]"
        if not isinstance(entry, Mapping) or not _ID.fullmatch(str(entry.get("id", ""))):
            raise BadSettings(f"{path}.id", "lower-case letters, digits and hyphens are due")
        if entry["id"] in seen:
            raise BadSettings(f"{path}.id", f"{entry['id']} is there twice")
        seen.add(entry["id"])
        yield path, entry


def _lane(path: str, entry: Mapping[str, Any]) -> LaneSpec:
    return LaneSpec(entry["id"], _text(entry), _number(path, entry, "counter", 0))


def _stage(path: str, entry: Mapping[str, Any]) -> StageSpec:
    minutes = _number(path, entry, "minutes", 5)
    return StageSpec(entry["id"], _text(entry), minutes, entry.get("optional") is True)


def _number(path: str, entry: Mapping[str, Any], key: str, default: int) -> int:
    value = entry.get(key, default)
    # The range first: neither an infinite number nor one that is none has an int.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 9999 or value != int(value):
        raise BadSettings(f"{path}.{key}", "a whole number from 0 to 9999 is due")
    return int(value)


def _text(entry: Mapping[str, Any]) -> Text:
    given = entry.get("display_name", entry["id"])
    if isinstance(given, Mapping):
        return Text(str(given.get("id", entry["id"])), str(given.get("en", "")))
    return Text(str(given))


def offering_of(spec: ChannelSpec, wanted: str) -> str:
    """What the citizen comes for: what was said, or the channel's only offering. Raises InvalidField."""
    if not wanted:
        return spec.offerings[0] if len(spec.offerings) == 1 else ""
    if spec.offerings and wanted not in spec.offerings:
        raise InvalidField("offering", f"{wanted} is not to be had at {spec.name}")
    return wanted
