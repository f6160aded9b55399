"""Signed webhooks: the journal, posted to an agency's address. Knows the journal; never knows a broker account."""
