"""Where benchmarks leave what they measured, in the form of `compressors/measured`."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def write(
    file: Path,
    benchmark: str,
    about: str,
    effects: Iterable[dict[str, str]],
    **more: Any,  # noqa: ANN401 - the benchmark's own
) -> None:
    """Write a result file.

    Args:
        file: Where to.
        benchmark: Its name, which is its script's.
        about: One sentence: what was run on what.
        effects: A strategy and a sentence each.
        **more: What else is kept, such as rows of a table.
    """
    found = {
        "benchmark": benchmark,
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"python benchmarks/{benchmark}.py --data FOLDER --json FILE",
        "about": about,
        "effects": list(effects),
        **more,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
