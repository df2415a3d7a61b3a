"""Benchmarks of dramatiq-baton beside its peers: ``python -m benchmarks``."""
