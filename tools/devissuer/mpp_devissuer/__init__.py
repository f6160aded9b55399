"""A development OIDC issuer for a bare machine.

Knows how to log an invented person in, to sign tokens with the platform's claims and to publish its keys. Never knows a
password or a real person; never listens beyond loopback, except where told that it is in a container; never runs when
MPP_ENV=production.
"""
