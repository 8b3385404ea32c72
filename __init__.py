"""costopt: make LLM prompts cheaper without making them worse.

Example:
    >>> import costopt
    >>> costopt.__version__
    '0.1.0'
"""

__version__ = "0.1.0"
