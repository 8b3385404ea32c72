"""Pure functions from a report to text, and the progress display."""
