"""What an agency may read at this moment, asked often by many: remembered for a second. Knows no grant's rules.

Guarantees: a grant that is taken away is seen `SECONDS` later at the latest, in every process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from mpp_chassis.errors import PermissionDenied

SECONDS = 1.0


class Granted:
    """`find(agency)` asks the store: the CloudEvents types that its active grant opens, none without one."""

    def __init__(self, find: Callable[[str], frozenset[str]]) -> None:
        self._find = find
        self._known: dict[str, tuple[float, frozenset[str]]] = {}
        self._lock = threading.Lock()

    def of(self, agency: str) -> frozenset[str]:
        """Raises what the store raises."""
        now = time.monotonic()
        with self._lock:
            at, found = self._known.get(agency, (-SECONDS, frozenset()))
        if now - at >= SECONDS:
            found = self._find(agency)
            with self._lock:
                if len(self._known) > 10_000:
                    self._known.clear()
                self._known[agency] = (now, found)
        return found

    def require(self, agency: str) -> frozenset[str]:
        """Raises PermissionDenied (GRANT_MISSING) when nothing is granted."""
        found = self.of(agency)
        if not found:
            raise PermissionDenied("the agency has no active grant", reason="GRANT_MISSING")
        return found

    def require_types(self, agency: str, types: tuple[str, ...]) -> None:
        """Raises PermissionDenied: GRANT_MISSING, or NOT_GRANTED for a type that is not granted or does not exist."""
        found = self.require(agency)
        for kind in types:
            if kind not in found:
                raise PermissionDenied(f"{kind} is not granted", reason="NOT_GRANTED", field="event_types")
