"""Makes the simulated models importable, which a benchmark measures on too."""

import sys
from pathlib import Path

# importmode=importlib adds no folder of its own. Last, since some names stand in both places.
sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
