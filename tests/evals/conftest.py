"""Makes the simulated models importable."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # importmode=importlib adds no folder of its own
