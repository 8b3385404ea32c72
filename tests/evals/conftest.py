"""Makes the simulated models importable, which a benchmark measures on too."""

import sys
from pathlib import Path

# importmode=importlib adds no folder of its own.
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
