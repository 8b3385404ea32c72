"""Puts the helper modules of these tests on the path."""

import sys
from pathlib import Path

# importmode=importlib adds no folder of its own
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "whatif")]
