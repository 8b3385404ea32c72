"""Batches: many requests at once through a provider's batch API, answered within a day."""
