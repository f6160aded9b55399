"""The notifications service: tells citizens what happened to their tickets, applications and complaints.

Knows events of other services by their protos. Never decides anything about a ticket, an application or a
complaint.
"""
