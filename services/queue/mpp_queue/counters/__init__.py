"""Counters (loket): who works where today, what is served there, and the emergency button."""
