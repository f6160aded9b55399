"""A simulated day: who comes when and for what, played against a running platform through public gRPC.

`day` and `town` make it from a seed, `ledger` keeps what the platform acknowledged and knows the invariants, `picture`
shows it; these are pure. `calling` and `play` talk to the platform; `opening` brings sites into the catalogue. Nothing
here knows a service's store or the broker, and nothing here is for a platform with real citizens: every identity comes
from the development issuer.
"""
