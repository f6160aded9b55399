"""Subscribe: the agencies' own reading of the journal by gRPC. Knows the journal; never knows webhooks or grants' rules."""
