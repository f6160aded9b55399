"""How webhooks are delivered: retries, time limits, claims. Data in YAML; here it is read. Knows the shape of that file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import yaml

from mpp_subscriptions.journal import KEPT
from mpp_subscriptions.webhooks.domain import Schedule


class BadSchedule(Exception):
    """The file cannot be used; the text names the place."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Durations in seconds."""

    retries: Schedule
    timeout: float  # of one try, from the look-up of the name to the answer
    claim: float  # so long after the death of a process another takes its webhooks over
    scan: float  # how often a process looks for webhooks without a courier
    rest: float  # a retry further away than this gives its broker connection back meanwhile
    most: int  # couriers of one process


def parse(text: str) -> Delivery:
    """Raises BadSchedule."""
    try:
        raw = yaml.safe_load(text)
        delays = tuple(timedelta(seconds=_number(f"retry_delays_seconds[{i}]", d))
                       for i, d in enumerate(raw["retry_delays_seconds"]))  # fmt: skip
        jitter = raw["jitter"]
        delivery = Delivery(
            retries=Schedule(delays, float(jitter)),
            timeout=_number("timeout_seconds", raw["timeout_seconds"]),
            claim=_number("claim_seconds", raw["claim_seconds"]),
            scan=_number("scan_seconds", raw["scan_seconds"]),
            rest=_number("rest_seconds", raw["rest_seconds"]),
            most=int(_number("most_couriers", raw["most_couriers"])),
        )
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise BadSchedule(f"webhooks: {type(error).__name__}: {error}") from error
    if not 0 <= delivery.retries.jitter < 1:
        raise BadSchedule("jitter: must be from 0 to below 1")
    if not delays or sum(delays, timedelta()) * (1 + delivery.retries.jitter) > KEPT / 2:
        raise BadSchedule(f"retry_delays_seconds: at least one, together at most {KEPT / 2}")
    if delivery.claim <= delivery.timeout:
        raise BadSchedule("claim_seconds: must be more than timeout_seconds")
    return delivery


def _number(name: str, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        raise BadSchedule(f"{name}: must be a number above 0")
    return float(value)
