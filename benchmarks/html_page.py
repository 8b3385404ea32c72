"""How long a headless Chromium takes to open the HTML report of 2,000 rows, from its file.

Each of the prompts has its plot, its tables, its diffs and 200 rows with two answers of about 400
characters each, as `costopt analyze --output report.html` writes them. Every load is of a new
browser context; times are the page's own (Navigation Timing): from the start of the navigation to
the end of the load event, and to the first paint with content.

    python benchmarks/html_page.py [--rows 2000] [--characters 400] [--loads 7]

Needs selenium, chromium and chromedriver.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from costopt.core.report import (
    CostInfo,
    Delta,
    EvalSetInfo,
    PromptReport,
    Quality,
    QualityDelta,
    Recommendation,
    Report,
    Spent,
    TargetInfo,
    Tokens,
    VariantReport,
)
from costopt.core.samples import SampleRow, SampleTable, ShownAnswer
from costopt.core.types import GenerationSettings, Message
from costopt.reports.html import to_html

ROWS_OF_A_PROMPT = 200
OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
WORDS = ("the", "order", "of", "lamp", "was", "sent", "to", "another", "address", "and", "arrived")
TIMES = """
const [found] = performance.getEntriesByType("navigation");
const paint = performance.getEntriesByName("first-contentful-paint")[0];
return [found.loadEventEnd, paint ? paint.startTime : null,
        document.querySelectorAll(".sample").length, document.querySelectorAll("*").length];
"""


def words(count: int, seed: int) -> str:
    """Return about so many characters of text."""
    found = (WORDS[(seed * 7 + at * at) % len(WORDS)] for at in range(count // 5))
    return " ".join(found)


def variant(name: str, at: int) -> VariantReport:
    """Return a variant with plausible numbers."""
    text = "\n".join(words(90, line + (at if line == 9 else 0)) for line in range(40))
    quality = QualityDelta(
        mean=-0.01 * at, low=-0.01 * at - 0.05, high=0.05, n=200, margin=0.05, confidence=0.95
    )
    money = Decimal(100 - 7 * at) / 100
    return VariantReport(
        target="target", name=name, strategies=(), messages=(Message("user", text),), chat=False,
        settings=GenerationSettings(), cost=CostInfo(usd_per_1k=money, usd_per_month=10 * money),
        tokens=Tokens(template=600, tokenizer="o200k_base", exact=True, input_mean=800.0 - 50 * at),
        verdict="holds" if at else "baseline", pareto=True,
        quality=Quality(metric="accuracy", mean=0.8, n=200, failures=0),
        delta=Delta(usd_per_1k=-0.07 * at, quality=quality) if at else None,
    )  # fmt: skip


def report(prompts: int) -> Report:
    """Return a report of so many prompts with eight variants each."""
    variants = tuple(variant(f"variant-{at}" if at else "baseline", at) for at in range(8))
    chosen = Recommendation(target="target", variant="variant-7", reason="the cheapest that holds")
    rows = EvalSetInfo(
        path="evals.jsonl", rows=200, sha256="", selection_rows=0, confirmation_rows=200
    )
    return Report(
        costopt_version="0", created="2026-01-01", seed=0, partial=False,
        targets=(TargetInfo(name="target", model="model"),), spent=Spent(), skipped=(),
        prompts=tuple(
            PromptReport(
                name=f"prompt-{at}", path=f"prompt-{at}.md", format="markdown", feature=None,
                calls_per_month=10_000, eval_set=rows, findings=(), variants=variants,
                recommended=(chosen,),
            )
            for at in range(prompts)
        ),
    )  # fmt: skip


def samples(characters: int) -> SampleTable:
    """Return a prompt's rows."""
    rows = tuple(
        SampleRow(
            id=f"row-{at}",
            inputs=(("question", words(characters, at)),),
            reference=words(characters // 4, at),
            answers=tuple(
                ShownAnswer(variant=name, text=words(characters, at + 1), score=0.5)
                for name in ("baseline", "variant-7")
            ),
        )
        for at in range(ROWS_OF_A_PROMPT)
    )
    return SampleTable(target="target", metric="accuracy", rows=rows, asked=200, found=200)


def load(file: Path) -> tuple[float, float, int, int]:
    """Open a file in a browser that has opened nothing before; return its times in seconds."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or ""
        for option in (*OPTIONS, f"--user-data-dir={profile}"):
            options.add_argument(option)
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            driver.get(file.as_uri())
            # The first paint is noted a moment after the load event.
            time.sleep(1)
            loaded, painted, rows, elements = driver.execute_script(TIMES)
        finally:
            driver.quit()
    return loaded / 1000, (painted or loaded) / 1000, rows, elements


def spread(values: Sequence[float]) -> str:
    """Return the least, the median and the most."""
    return f"{min(values):.2f} / {statistics.median(values):.2f} / {max(values):.2f} s"


def main() -> None:
    """Print how long the page takes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--characters", type=int, default=400)
    parser.add_argument("--loads", type=int, default=7)
    given = parser.parse_args()
    table = samples(given.characters)
    begun = time.perf_counter()
    page = to_html(report(-(-given.rows // ROWS_OF_A_PROMPT)), samples=lambda *_: table)
    written = time.perf_counter() - begun
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.html"
        file.write_text(page, encoding="utf-8")
        loads = [load(file) for _ in range(given.loads)]
    _, _, rows, elements = loads[0]
    print(f"{rows:,} rows, {len(page.encode()) / 1e6:.1f} MB, {elements:,} elements")
    print(f"written in {written:.2f} s")
    print(f"loaded in {spread([one[0] for one in loads])} (least / median / most)")
    print(f"first painted after {spread([one[1] for one in loads])}")


if __name__ == "__main__":
    main()
