"""How messages go out: channels of each site, fallbacks, and how hard to try. Data in YAML; here it is read.

Knows the shape of that file. Never knows a provider or a message.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import yaml

from mpp_notifications.domain import Channel, Policy

_SITE = re.compile(r"[a-z][a-z0-9-]{1,30}")
# The most of each figure of the policy: an hour for a claim, a day between two attempts, a month for a receipt.
_MOST = {
    "max_attempts": 100,
    "first_delay_seconds": 86_400,
    "factor": 100,
    "longest_delay_seconds": 86_400,
    "claim_seconds": 3_600,
    "receipt_wait_seconds": 30 * 86_400,
}


class BadDelivery(Exception):
    """The file cannot be used; the text names the place."""


@dataclass(frozen=True, slots=True)
class Route:
    """First `channel`; after it failed for good, one of `fallbacks` after the other. By each of `also` the same news goes
    out besides, as a message of its own.
    """

    channel: Channel
    fallbacks: tuple[Channel, ...] = ()
    also: tuple[Channel, ...] = ()

    def ways(self, reachable: Collection[Channel]) -> list[Route]:
        """One route for each message, of the channels by which this person can be reached; none where there is none."""
        line = [channel for channel in (self.channel, *self.fallbacks) if channel in reachable]
        first = [Route(line[0], tuple(line[1:]))] if line else []
        return first + [Route(channel) for channel in self.also if channel in reachable]


@dataclass(frozen=True, slots=True)
class Delivery:
    """The routes of all sites and the policy of all messages."""

    policy: Policy
    default: Route
    sites: Mapping[str, Route]

    def route(self, site: str) -> Route:
        return self.sites.get(site, self.default)


def parse(text: str) -> Delivery:
    """Raises BadDelivery."""
    try:
        raw = yaml.safe_load(text)
        sites = {_site(site): _route(f"sites.{site}", entry) for site, entry in (raw["sites"] or {}).items()}
        return Delivery(_policy(raw["policy"]), _route("default", raw["default"]), sites)
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise BadDelivery(f"delivery: {type(error).__name__}: {error}") from error


def _site(site: object) -> str:
    """A site's id: a name that is none would match no site, and its people would be told by the default route."""
    if not isinstance(site, str) or not _SITE.fullmatch(site):
        raise BadDelivery(f"sites.{site}: is no site's id")
    return site


def _route(where: str, entry: dict[str, Any]) -> Route:
    if stranger := sorted(map(str, entry.keys() - {"channel", "fallbacks", "also"})):
        raise BadDelivery(f"{where}: {stranger[0]} is not known")
    try:
        fallbacks, also = (tuple(Channel(each) for each in entry.get(key) or ()) for key in ("fallbacks", "also"))
        route = Route(Channel(entry["channel"]), fallbacks, also)
    except ValueError as error:
        raise BadDelivery(f"{where}: {error}") from error
    if len({route.channel, *fallbacks, *also}) != 1 + len(fallbacks) + len(also):
        raise BadDelivery(f"{where}: a channel comes twice")
    return route


def _policy(entry: dict[str, Any]) -> Policy:
    for name, value in entry.items():
        if name not in _MOST:
            raise BadDelivery(f"policy.{name}: is not known")
        whole = name != "max_attempts" or isinstance(value, int)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= _MOST[name] or not whole:
            kind = "number" if name != "max_attempts" else "whole number"
            raise BadDelivery(f"policy.{name}: must be a {kind} above 0 and at most {_MOST[name]}")
    return Policy(
        max_attempts=entry["max_attempts"],
        first_delay=timedelta(seconds=entry["first_delay_seconds"]),
        factor=float(entry["factor"]),
        longest_delay=timedelta(seconds=entry["longest_delay_seconds"]),
        claim=timedelta(seconds=entry["claim_seconds"]),
        receipt_wait=timedelta(seconds=entry["receipt_wait_seconds"]),
    )
