"""The edge: Envoy's configuration, generated. Knows descriptors, deploy/gateway/edge.yaml and Envoy's words.

Knows no service by name: what carries a `google.api.http` annotation is at the edge, under the policy that its proto
declares. Never handles a request itself; that is Envoy's work.
"""
