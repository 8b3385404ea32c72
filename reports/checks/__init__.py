"""What `costopt check` found, for every reader: pure functions of a CheckReport."""
