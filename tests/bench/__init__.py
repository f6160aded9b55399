"""Benchmarks: each job beside its raw floor, in the same run, interleaved. Nothing here asserts a time."""
