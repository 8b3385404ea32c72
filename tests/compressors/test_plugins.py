"""Strategies of other packages, as the documentation says to write one, and as they go wrong."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOC = Path(__file__).parents[2] / "docs" / "write-a-strategy.md"
COSTOPT = Path(sys.executable).with_name("costopt")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOC.read_text("utf-8"), re.M | re.S)


def install(folder: Path, module: str, source: str, **names: str) -> None:
    """Put a package where pip would: its module, and its metadata beside it."""
    (folder / f"{module}.py").write_text(source, "utf-8")
    info = folder / f"{module}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.2\n")
    points = "".join(f"{name.replace('_', '-')} = {module}:{cls}\n" for name, cls in names.items())
    (info / "entry_points.txt").write_text(f"[costopt.strategies]\n{points}")


def run(folder: Path, *args: object) -> "subprocess.CompletedProcess[str]":
    command = args if args[0] == sys.executable else (COSTOPT, *args)
    env = {**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1"}
    return subprocess.run(
        [str(arg) for arg in command], capture_output=True, text=True, env=env, check=False
    )


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    install(tmp_path, "acme_costopt", blocks("python")[0], acme_no_signature="NoSignature")
    return tmp_path


def test_the_documented_strategy_is_short() -> None:
    lines = blocks("python")[0].splitlines()
    assert len(lines) <= 40
    declared = blocks("toml")[0]
    assert 'acme-no-signature = "acme_costopt:NoSignature"' in declared


def test_the_documented_strategy_keeps_the_contract(acme: Path) -> None:
    done = run(acme, sys.executable, "-c", blocks("python")[1])
    assert done.returncode == 0, done.stderr


def test_the_documented_strategy_works_at_the_command_line(acme: Path) -> None:
    listed = json.loads(run(acme, "strategies", "--format", "json").stdout)["strategies"]
    assert "acme-no-signature" in {item["name"] for item in listed}
    page = run(acme, "explain", "CO901")
    assert page.returncode == 0
    assert "acme-no-signature" in page.stdout
    prompt = acme / "prompt.md"
    prompt.write_text("Label the ticket.\nWritten with Quill\nTicket: {{ ticket }}\n")
    chain = "acme-no-signature:editor=Quill"
    done = run(acme, "compress", prompt, "--strategy", chain)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Label the ticket.\n\nTicket: {{ ticket }}\n"
    wrong = run(acme, "compress", prompt, "--strategy", "acme-no-signature:edtor=Quill")
    assert wrong.returncode == 2
    assert '"editor"' in wrong.stderr


BROKEN = '''
from dataclasses import dataclass
from costopt.compressors import Strategy

class NoStrategy:
    name = "no-strategy"

@dataclass(frozen=True, kw_only=True)
class Taken(Strategy):
    """Take a name."""
    name, code, side, safety = "filler", "CO902", "input", "lossy"
    summary = reference = "takes a name"

@dataclass(frozen=True, kw_only=True)
class Breaks(Strategy):
    """Break the prompt."""
    name, code, side, safety = "breaks", "CO903", "input", "lossless"
    summary = reference = "loses a placeholder"
    def apply(self, template, context):
        from dataclasses import replace
        from costopt.core.types import Message
        return replace(template, messages=(Message("user", "gone"),))

@dataclass(frozen=True, kw_only=True)
class Raises(Strategy):
    """Raise."""
    name, code, side, safety = "raises", "CO904", "input", "lossless"
    summary = reference = "raises an error"
    def apply(self, template, context):
        raise RuntimeError("boom")
'''


def test_plugins_that_go_wrong_take_nothing_down(tmp_path: Path) -> None:
    install(
        tmp_path, "broken_costopt", BROKEN, no_strategy="NoStrategy", filler="Taken",
        breaks="Breaks", raises="Raises", missing="Missing",
    )  # fmt: skip
    install(tmp_path, "unimportable_costopt", "raise SystemExit(3)", gone="Gone")
    listed = run(tmp_path, "strategies")
    assert listed.returncode == 0
    assert "breaks" in listed.stdout
    for said in ("no-strategy", "'filler' is taken", "'missing'", "SystemExit"):
        assert said in listed.stdout + listed.stderr, said
    prompt = tmp_path / "prompt.md"
    prompt.write_text("Label the ticket:\n\n{{ ticket }}\n")
    for name, reason in (("breaks", "placeholder"), ("raises", "RuntimeError: boom")):
        done = run(tmp_path, "compress", prompt, "--strategy", name)
        assert reason in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert prompt.read_text() == "Label the ticket:\n\n{{ ticket }}\n"
    known = run(tmp_path, "compress", prompt, "--strategy", "gone")
    assert known.returncode == 2
    assert "unimportable" in known.stderr
