"""The pure rules of booked time. Standard library only; time, ids and randomness come in as arguments."""
