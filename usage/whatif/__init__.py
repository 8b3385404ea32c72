"""What-if savings: the log replayed with a cache, a batch, another model, or a cap on answers."""
