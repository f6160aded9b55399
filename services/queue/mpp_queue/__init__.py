"""The queue service: tickets and counters of a site's queues."""
