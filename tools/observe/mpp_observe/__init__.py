"""Dashboards as code, and a private Prometheus on the bare machine.

Knows deploy/observability and which HTTP addresses a profile's processes have. Never knows what a metric means to
a service: it reads names.
"""
