"""What tests import by name. Fixtures stand in tests/running.py."""

from tests.running import request_id, wait_for

__all__ = ["request_id", "wait_for"]
