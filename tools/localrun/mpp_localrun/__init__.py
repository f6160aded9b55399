"""The whole platform on one bare machine. Knows folders, ports and commands; knows no service's inside.

Every folder under services/ is a service: a new one is run without a change here.
"""
