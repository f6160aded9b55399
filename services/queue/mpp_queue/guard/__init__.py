"""Against brokers (calo): how much one person may take, and who takes for many. Knows blind indexes only, never a NIK or
a phone number."""
