"""The report as one HTML page that needs nothing from outside: no script, no style, no font."""

from .check import check_page
from .report import to_html

__all__ = ["check_page", "to_html"]
