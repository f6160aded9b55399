"""The errors a caller of the devstack can meet. Knows nothing of how the parts work."""

from __future__ import annotations


class DevstackError(Exception):
    """Base of all errors raised by this package; the message is written for a person."""


class FetchError(DevstackError):
    """A package could not be resolved, downloaded, verified or unpacked."""


class StartError(DevstackError):
    """A part did not become ready in its time; the message ends with the tail of its log."""


class NotOwnedError(DevstackError):
    """The operation needs a process of ours, but the server was given to us by URI."""


class NotStartedError(DevstackError):
    """The profile was never started, so it has no address yet."""
