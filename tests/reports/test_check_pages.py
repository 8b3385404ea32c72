"""What people see of a check: goldens of the page, the comment and the machine formats."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import sample_check as samples

from costopt.reports.checks.markdown import MARKER, check_to_markdown
from costopt.reports.checks.show import show_check

COMMAND = "costopt check --base origin/main prompts/"
OTHERS = ("passing_check", "static_check", "partial_check", "nothing_changed", "only_deleted")
FORMATS = ("table", "json", "markdown", "junit", "sarif", "github")


def shown(name: str, format: str, width: int = 80, colour: bool = False) -> str:
    check = getattr(samples, name)()
    return show_check(check, format, width=width, colour=colour, command=COMMAND)


@pytest.mark.parametrize("width", [80, 120])
def test_golden_page(golden: Callable[[str, str], None], width: int) -> None:
    golden(f"check/page-{width}.txt", shown("sample_check", "table", width))


def test_golden_colours(golden: Callable[[str, str], None]) -> None:
    golden("check/page-colour.txt", shown("sample_check", "table", 100, True))


@pytest.mark.parametrize(
    ("format", "file"),
    [
        ("markdown", "comment.md"),
        ("github", "annotations.txt"),
        ("junit", "junit.xml"),
        ("sarif", "check.sarif"),
        ("json", "check.json"),
    ],
)
def test_golden_formats(golden: Callable[[str, str], None], format: str, file: str) -> None:
    golden(f"check/{file}", shown("sample_check", format))


def test_golden_others(golden: Callable[[str, str], None]) -> None:
    golden("check/page-others.txt", "\f\n".join(shown(name, "table") for name in OTHERS))
    golden("check/comment-others.md", "\n---\n\n".join(shown(name, "markdown") for name in OTHERS))
    golden("check/annotations-others.txt", "\n".join(shown(name, "github") for name in OTHERS))


@pytest.mark.parametrize("width", [60, 80, 100, 120, 160])
@pytest.mark.parametrize("name", ["sample_check", "large_check", *OTHERS])
def test_no_line_is_wider_than_the_page(name: str, width: int) -> None:
    for line in shown(name, "table", width).splitlines():
        assert len(line) <= width or line.startswith("  costopt check"), line


def test_the_verdict_comes_first_and_the_worst_before_the_rest() -> None:
    for format in ("table", "markdown"):
        page = shown("sample_check", format, 120).replace("\u00a0", " ")
        places = [
            page.index(words)
            for words in (
                "Failed: merging costs $12.94 more a month (measured)",
                "quality is worse by 9.5 points",
                "940 tokens, 40 more",
                "120 rows cannot show",
                "812 → 940",
                "1,502 → 1,203",
                "640 → 512",
            )
        ]
        assert places == sorted(places), format


def test_a_change_that_holds_says_so_in_its_first_words() -> None:
    first = shown("passing_check", "markdown").splitlines()[2]
    assert first == "### ✓ Passed: merging saves $13.02 a month (measured) and quality holds"


def test_the_comment_is_found_by_its_first_line() -> None:
    comment = check_to_markdown(samples.sample_check(), COMMAND)
    assert comment.startswith(f"{MARKER}\n\n### ")


def test_a_large_check_fits_the_host_and_says_what_is_left_out() -> None:
    check = samples.large_check(200)
    comment = check_to_markdown(check, COMMAND)
    assert 20_000 < len(comment) <= 60_000
    assert "150 rows are left out here" in comment
    assert "170 gates are left out here" in comment
    assert "prompts are left out here" in comment
    assert comment.count("<details>") == comment.count("</details>") == 3
    fences = [line for line in comment.splitlines() if line.startswith("```")]
    assert len(fences) % 2 == 0
    assert "and 175 rows more" in shown("large_check", "table")


def test_a_very_long_diff_is_cut_between_lines() -> None:
    check = samples.passing_check()
    change = replace(check.changes[0], diff=tuple(f"+{'word ' * 3000}" for _ in range(500)))
    comment = check_to_markdown(replace(check, changes=(change,)), COMMAND)
    assert len(comment) <= 60_000
    assert "493 more lines of the diff are in `--format json`." in comment


def test_annotations_are_as_many_as_the_runner_shows() -> None:
    lines = shown("large_check", "github").splitlines()
    kinds = [line.split(" ")[0] for line in lines]
    assert kinds.count("::error") == 10
    assert kinds.count("::notice") == 10
    assert lines[0].startswith("::error title=costopt check::Failed: merging costs")


def test_two_targets_are_told_apart() -> None:
    check = samples.passing_check()
    other = replace(samples.TARGET, name="small")
    one = check.report.prompts[0]
    twice = (*one.variants, *(replace(variant, target="small") for variant in one.variants))
    report = replace(
        check.report, targets=(samples.TARGET, other), prompts=(replace(one, variants=twice),)
    )
    check = replace(check, report=report)
    comment = check_to_markdown(check)
    assert "`meeting-notes`<br>at `big`" in comment
    assert "`meeting-notes`<br>at `small`" in comment
    assert "The money is that at the first of 2 targets." in comment


def test_what_answers_cost_is_not_compared_with_input_alone() -> None:
    check = samples.passing_check()
    one = check.report.prompts[0]
    base, head = one.variants
    input_alone = replace(head, cost=replace(head.cost, evidence="list"), verdict="not measured")
    report = replace(check.report, prompts=(replace(one, variants=(base, input_alone)),))
    comment = check_to_markdown(replace(check, report=report))
    assert "what it costs is not known" in comment
    assert "$0.2160" not in comment
