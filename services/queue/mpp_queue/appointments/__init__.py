"""Booked time: slots, holds, bookings, check-in; for a queue, a room, a round of home visits alike. See README.md."""
