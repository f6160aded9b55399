"""Ways to reach a person: one module a kind, all behind the interface of `base` and its conformance suite.

A provider knows its own protocol and nothing of templates, states, retries or the store.
"""
