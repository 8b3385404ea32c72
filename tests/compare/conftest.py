"""The helpers of this folder, and the hostile strings of the fault tests."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
# importmode=importlib adds no folder of its own
sys.path[:0] = [str(HERE), str(HERE.parent / "faults")]
