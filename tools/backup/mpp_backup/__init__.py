"""Backup of every service's database over the MongoDB protocol, and restore into an empty store.

Knows databases, collections and documents; that an aggregate has a `version` and may carry waiting events; and which queues
events go through. Never opens what is sealed, never knows a service's fields.
"""
