"""A new channel is a new folder: writes one from the template, and keeps the lists that must name every service.

Knows the layout of a checkout (services/, proto/, deploy/). Knows no service and no business word.
"""
