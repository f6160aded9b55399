"""The rules of the agencies' edge, standard library only: `grants` (who may read what), `access` (what the broker must
say of it). Time and randomness come in as arguments.
"""
