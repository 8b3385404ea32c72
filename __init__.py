"""costopt: make LLM prompts cheaper without making them worse.

Example:
    >>> import costopt
    >>> costopt.__version__
    '0.1.0'
"""

from typing import TYPE_CHECKING

from .core.opening import register

if TYPE_CHECKING:
    from .core.protocols import ContextCompressor

__version__ = "0.1.0"


def _lingua() -> "ContextCompressor":
    from .core.progress import Silent
    from .models.lingua import open_lingua

    return open_lingua(None, offline=False, progress=Silent())


register(_lingua)
