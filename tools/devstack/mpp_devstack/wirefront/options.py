"""Which options of which command are honoured. Knows names only; never runs anything.

Four kinds: honoured, harmless (leaving it out changes no result), refused by name (MongoDB has it, the engine or this
front does not honour it), unknown (MongoDB's own code 40415).
"""

from __future__ import annotations

from typing import Any

from mpp_devstack.wirefront.wire import Request


def check_options(request: Request) -> None:
    return None
