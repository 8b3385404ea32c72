"""What a change does to prompts: base and head out of git, and the gates that it has to pass."""
