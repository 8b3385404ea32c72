"""Eval sets, metrics, the runner, statistics and the choice."""
