"""What happened at the queues, and what is learned from it: reports, service times, planned staff. Knows nobody's name."""
