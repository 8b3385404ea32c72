"""What `costopt init` writes: a configuration, CI jobs and a pre-commit entry, as texts."""
