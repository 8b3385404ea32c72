"""Types, errors, template formats, spans and configuration."""
