"""The wire front: a server that speaks MongoDB's wire protocol in front of DocumentDB's SQL API on PostgreSQL.

Knows the two protocols and the mapping between them. Knows nothing of how its engine was installed or started, and
nothing of the services that use it. What it cannot do it refuses with MongoDB's own error code.
"""
