"""Visits: one arrival of one citizen, tickets at several agencies."""
