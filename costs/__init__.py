"""Token counts, prices and the cost of a request."""
