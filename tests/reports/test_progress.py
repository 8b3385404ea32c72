"""Progress: standard error only, a line a tenth without a terminal, nothing when quiet."""

import io
import sys
from decimal import Decimal

import pytest

from costopt.core.progress import Snapshot
from costopt.reports.progress import Live, Plain, watch


def test_plain_prints_a_line_a_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    display = Plain()
    for done in range(101):
        display.update(Snapshot(phase="measure", done=done, total=100, failed=done // 50))
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 11
    assert err.splitlines()[5].startswith("measure  50/100 done, 1 failed  spent $0.00")
    assert "\x1b" not in err
    assert "\r" not in err


def test_plain_shows_the_cap(capsys: pytest.CaptureFixture[str]) -> None:
    snapshot = Snapshot(
        phase="p", done=1, total=2, cached=1, usd=Decimal("0.25"), cap_usd=Decimal(1)
    )
    Plain().update(snapshot)
    assert capsys.readouterr().err == "p  1/2 done, 1 cached  spent $0.2500 of $1.00\n"


def test_a_plan_that_grows_does_not_repeat_lines(capsys: pytest.CaptureFixture[str]) -> None:
    display = Plain()
    for done, total in [(0, 10), (5, 10), (5, 20), (6, 20), (20, 20)]:
        display.update(Snapshot(phase="p", done=done, total=total))
    assert [line.split()[1] for line in capsys.readouterr().err.splitlines()] == [
        "0/10", "5/10", "20/20",
    ]  # fmt: skip


def test_notes_are_made_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    Plain().note("::error::\x1b[2Jx\ny")
    assert capsys.readouterr().err == ": :error::[2Jx y\n"


def test_a_download_prints_quarters(capsys: pytest.CaptureFixture[str]) -> None:
    display = Plain()
    for done in range(0, 101):
        display.download("weights", done * 1_000_000, 100_000_000)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"weights: {n} MB of 100 MB" for n in (0, 25, 50, 75, 100)]


def test_watch_chooses(capsys: pytest.CaptureFixture[str]) -> None:
    with watch(quiet=True, colour=True) as silent:
        silent.note("x")
        silent.update(Snapshot(phase="p", done=1, total=1))
        silent.download("w", 1, 1)
    assert capsys.readouterr() == ("", "")
    with watch(quiet=False, colour=True) as plain:
        assert isinstance(plain, Plain)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("colour", [True, False])
def test_live_rewrites_its_line_and_takes_it_away(
    colour: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    with watch(quiet=False, colour=colour) as live:
        assert isinstance(live, Live)
        live.note("starts [bold]here[/bold]")
        live.download("weights", 50_000_000, 100_000_000)
        live.download("weights", 100_000_000, 100_000_000)
        live.update(Snapshot(phase="measure", done=5, total=10, failed=1))
        live._bar.refresh()
    shown = terminal.getvalue()
    assert "starts [bold]here[/bold]" in shown
    assert "5/10 done, 1 failed" in shown
    assert shown.endswith(("\x1b[2K", "\x1b[?25h", "\x1b[1A\x1b[2K"))
