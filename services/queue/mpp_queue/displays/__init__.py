"""Screens of a hall, each for many queues: what they show is data, and it is pushed. Knows queues, boards and the calls of
tickets; none of those knows a screen."""
