"""costopt: make LLM prompts cheaper without making them worse.

Example:
    >>> import costopt
    >>> costopt.__version__
    '0.1.0'
    >>> text = "Ann keeps bees. The mill closed in 1931. Trains stop here at noon."
    >>> costopt.compressors.get("sentences", rate=0.4)(text, question="When did the mill close?")
    'The mill closed in 1931.'
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from .core.opening import register

if TYPE_CHECKING:
    from . import compressors as compressors
    from .core.protocols import ContextCompressor

__version__ = "0.1.0"


def __getattr__(name: str) -> ModuleType:
    """Import what programs use when they first use it: ``import costopt`` alone stays fast."""
    if name != "compressors":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f".{name}", __name__)


def _lingua() -> "ContextCompressor":
    from .core.progress import Silent
    from .models.lingua import open_lingua

    return open_lingua(None, offline=False, progress=Silent())


register(_lingua)
