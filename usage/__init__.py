"""Request logs in, cost by feature out."""
