"""What time does to offline numbers: blocks that no kiosk gave back are counted. Mixed into the service's Handlers; no
gRPC server. Nothing here takes a block back: what a kiosk printed is merged whenever it comes within the grace.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mpp_chassis.entrypoint import every

from mpp_queue.kiosks import usecases

SECONDS = 60


class KioskHandlers:
    app: Any

    @every(SECONDS, lease="offline-blocks")
    def measure_offline_blocks(self, now: datetime) -> None:
        usecases.measure(self.app.kiosks, now)
