"""Write the pages of the strategies and of the findings anew: ``strategies/``, ``findings.md``.

    python docs/generate.py [FOLDER]

Run it after a change of a strategy, its docstring, or of what a benchmark measured; a test fails
where a page is not what this makes. It needs the extras that strategies need (``costopt[all]``),
and asks no model.
"""

import sys
from pathlib import Path

from costopt.compressors.pages import handbook
from costopt.evals.rules import pages as findings

DOCS = Path(__file__).resolve().parent


def main(docs: Path) -> None:
    """Write every page, and remove those of strategies that are gone."""
    (docs / "findings.md").write_text(findings.handbook(), encoding="utf-8")
    folder = docs / "strategies"
    folder.mkdir(parents=True, exist_ok=True)
    pages = handbook()
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    for file in folder.glob("*.md"):
        if file.name not in pages:
            file.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS)
