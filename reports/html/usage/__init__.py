"""What request logs cost as a page: over time, by feature and model, and what to change first."""

from .page import usage_page

__all__ = ["usage_page"]
