"""`costopt --help` and `--version` load nothing heavy: asked of a fresh interpreter."""

import json
import subprocess
import sys
from functools import cache

import pytest

HEAVY = [
    "torch", "transformers", "datasets", "evaluate", "numpy", "pandas", "pyarrow",
    "httpx", "httpx2", "requests", "aiohttp", "urllib3", "openai",
    "pydantic", "pydantic_ai", "genai_prices", "tiktoken", "splintr", "yaml", "ruamel",
    "minijinja", "pystache", "rich", "pathspec", "rapidfuzz", "gguf", "xllamacpp", "llmlingua",
    "sqlite3", "asyncio",
]  # fmt: skip

SCRIPT = """
import sys, json
from costopt.cli.main import main
status = main(sys.argv[1:])
print("\\n" + json.dumps([status, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


@cache
def loaded(*args: str) -> frozenset[str]:
    command = [sys.executable, "-c", SCRIPT, *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    status, names = json.loads(done.stdout.splitlines()[-1])
    assert status == 0
    return frozenset(names)


@pytest.mark.parametrize("module", HEAVY)
@pytest.mark.parametrize("args", [("--help",), ("--version",)], ids=" ".join)
def test_not_loaded(args: tuple[str, ...], module: str) -> None:
    assert module not in loaded(*args)


def test_the_probe_sees_what_is_loaded() -> None:
    assert {"typer", "costopt"} <= loaded("--help")


def test_a_program_calls_a_strategy_in_one_line() -> None:
    script = (
        "import costopt, sys; assert 'costopt.compressors' not in sys.modules; "
        "print(costopt.compressors.get('sentences', rate=0.4)"
        "('Ann keeps bees. The mill closed in 1931. Trains stop here at noon.', "
        "question='When did the mill close?'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "The mill closed in 1931.\n"
