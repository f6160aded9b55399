"""What is still open for people, as far as events told: tickets in line, appointments, applications. From it come the
reminder that it is nearly one's turn and the overview that a person asks for. Knows no other service's store.
"""
