"""The applications service: a citizen's request for a public service, from draft to pickup. Knows no other
service.
"""
