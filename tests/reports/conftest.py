"""The folder of the helpers that several rooms' tests share."""

import sys
from pathlib import Path

# importmode=importlib adds no folder of its own
sys.path.insert(0, str(Path(__file__).parents[1]))
