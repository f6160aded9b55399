"""The subscriptions service: the agencies' edge. Who may read which public events, and the ways in which they come.

Knows public events by their protos and hands them on unread. Never knows what a ticket or an application means.
"""
