"""Generated from proto/; see tools/protos/generate.py. Do not edit."""
