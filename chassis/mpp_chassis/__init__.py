"""The microservice chassis: what every service of the platform stands on.

Knows events, outbox, gRPC, identity, privacy, logs and metrics. Knows no business word and imports no service.
Read in this order: call, aggregates, outbox, events, broker, entrypoint, server, process.
"""
