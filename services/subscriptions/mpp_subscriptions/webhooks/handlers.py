"""The couriers as a part of the `work` process. Knows nameko's life cycle; never a gRPC server."""

from __future__ import annotations

from typing import Any

from nameko.extensions import DependencyProvider

from mpp_subscriptions.webhooks.courier import House

SECONDS = 3.0  # for tries under way when the process is asked to stop; below the chassis' own patience


class Couriers(DependencyProvider):
    """Runs as long as the container does. Handlers get nothing from it."""

    def start(self) -> None:
        self._house = House(self.container.config["mpp"].app.webhooks)
        self._house.start()

    def stop(self) -> None:
        self._house.stop(SECONDS)

    def get_dependency(self, worker_ctx: Any) -> None:
        return None
