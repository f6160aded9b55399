"""A typed client of the MPP platform, for Python programs of agencies and frontends.

Knows gRPC, tokens, request ids and the platform's errors. Never knows a service: those come from the generated
`services.py`. Blocking and safe to use from several threads.
"""

from mpp_client.connection import Client, connect
from mpp_client.credentials import ClientCredentials, TokenRefused
from mpp_client.errors import FieldViolation, MppError

__all__ = ["Client", "ClientCredentials", "FieldViolation", "MppError", "TokenRefused", "connect"]
