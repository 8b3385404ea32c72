"""What README and docs say was measured stands in what the benchmarks printed."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROW = re.compile(r"^\| .* \| (\d\.\d\d) \| ([-+]\d\.\d\d \[.*?\]) \| (\d+) \|$", re.MULTILINE)


def test_the_numbers_of_the_readme_were_printed_by_the_benchmark():
    printed = (ROOT / "docs/results/frontier.txt").read_text("utf-8")
    rows = ROW.findall((ROOT / "README.md").read_text("utf-8"))
    assert len(rows) >= 6
    for kept, change, count in rows:
        line = re.compile(rf" {count} +{re.escape(kept)} +{re.escape(change)}( |$)", re.MULTILINE)
        assert line.search(printed), f"not printed: {kept} {change} {count}"


def test_every_link_of_the_docs_leads_to_a_file():
    for page in (ROOT / "README.md", ROOT / "benchmarks/README.md", *ROOT.glob("docs/*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
