"""OpenAPI, AsyncAPI and a readable page out of the protos, and what must not change between two releases.

Knows descriptors with their comments, and the forms of the two documents. Knows no service, no broker, no gateway:
an RPC or an event that is added tomorrow is in the documents without an edit here.
"""
