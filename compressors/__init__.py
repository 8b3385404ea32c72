"""Strategies, input side and output side; the guard; the registry."""
