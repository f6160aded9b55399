"""RabbitMQ and a MongoDB-compatible store on a bare machine, without Docker and without root.

Knows processes, ports, packages and the wire front; knows no business word and no service of the platform.
"""

from __future__ import annotations

from mpp_devstack.errors import DevstackError, FetchError, NotOwnedError, NotStartedError, StartError
from mpp_devstack.stack import Stack

__all__ = ["DevstackError", "FetchError", "NotOwnedError", "NotStartedError", "Stack", "StartError"]
