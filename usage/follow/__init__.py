"""A ledger: a DuckDB file of the user's that grows by what was added to the logs."""
