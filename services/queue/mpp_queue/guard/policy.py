"""How much one phone, device or person may take of a whole site before somebody should look: the figures of guard.yaml.

Knows the file's shape. Never knows a ticket, a person or the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from typing import Any

import yaml

MARKS = frozenset({"C", "S", "P"})
COUNTED: Mapping[str, tuple[str, ...]] = {"taken": ("phone", "device", "person"), "held": ("person",)}
LONGEST_WINDOW_MINUTES = 7 * 24 * 60


class PolicyError(ValueError):
    """The file says something that cannot be; the message names where."""


@dataclass(frozen=True, slots=True)
class Limit:
    """More than `alarm_after` within `window` is an alarm; 0: never."""

    alarm_after: int = 0
    window: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SitePolicy:
    """`limits` by (subject, origin), such as ("taken", "phone")."""

    limits: Mapping[tuple[str, str], Limit]

    def of(self, subject: str, origin: str) -> Limit:
        return self.limits.get((subject, origin), Limit())


@dataclass(frozen=True, slots=True)
class GuardPolicy:
    default: SitePolicy
    sites: Mapping[str, SitePolicy]

    def of(self, site_id: str) -> SitePolicy:
        return self.sites.get(site_id, self.default)


def default() -> GuardPolicy:
    """The package's own file."""
    return parse(files("mpp_queue.guard").joinpath("guard.yaml").read_text(encoding="utf-8"))


def parse(text: str) -> GuardPolicy:
    """Raises PolicyError for anything missing, unknown or out of bounds."""
    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError as e:
        raise PolicyError("file: not YAML") from e
    told = _mapping(loaded, "file", {"source", "mark", "default", "sites"})
    if not isinstance(told["source"], str) or not told["source"]:
        raise PolicyError("source: say where the figures come from")
    if told["mark"] not in MARKS:
        raise PolicyError(f"mark: one of {sorted(MARKS)}")
    base = _limits(told["default"], "default", whole=True)
    if not isinstance(told["sites"], dict):
        raise PolicyError("sites: a mapping of site ids")
    sites = {str(s): SitePolicy({**base, **_limits(own, f"sites.{s}")}) for s, own in told["sites"].items()}
    return GuardPolicy(SitePolicy(base), sites)


def _limits(told: Any, where: str, whole: bool = False) -> dict[tuple[str, str], Limit]:
    subjects = _mapping(told, where, set(COUNTED), whole=whole)
    found = {}
    for subject, origins in subjects.items():
        named = _mapping(origins, f"{where}.{subject}", set(COUNTED[subject]), whole=whole)
        for origin, limit in named.items():
            found[subject, origin] = _limit(limit, f"{where}.{subject}.{origin}")
    return found


def _limit(told: Any, where: str) -> Limit:
    entry = _mapping(told, where, {"alarm_after", "window_minutes"})
    after = _number(entry["alarm_after"], f"{where}.alarm_after", 0, 1000)
    minutes = _number(entry["window_minutes"], f"{where}.window_minutes", 1, LONGEST_WINDOW_MINUTES)
    return Limit(after, timedelta(minutes=minutes))


def _number(value: Any, where: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise PolicyError(f"{where}: a whole number from {least} to {most}")
    return value


def _mapping(value: Any, where: str, keys: set[str], whole: bool = True) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise PolicyError(f"{where}: a mapping is due")
    found = {str(k) for k in value}
    if found - keys or (whole and keys - found):
        raise PolicyError(f"{where}: missing {sorted(keys - found) if whole else []}, unknown {sorted(found - keys)}")
    return value
