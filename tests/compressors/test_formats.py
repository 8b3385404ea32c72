"""The encodings of payloads made from the sample prompts: the benchmark in its small form.

In full, over payloads of one's own: ``python benchmarks/formats.py --data FOLDER``.
"""

import json
import subprocess
import sys
from pathlib import Path

from costopt.compressors.measured import measured

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "formats.py"


def test_ours_never_has_more_tokens_than_the_best_peer(tmp_path: Path) -> None:
    file = tmp_path / "formats.json"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--tokenizer", "o200k_base", "--json", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("ours never lost\n")
    assert max(map(len, done.stdout.splitlines())) <= 80
    (found,) = measured(tmp_path)
    rows = json.loads(file.read_text())["rows"]
    names = {name for effect in found.effects for name in effect.names}
    assert {"data-format", "schema-diet", "table-compact", "html-to-text", "json-minify"} <= names
    for row in rows:
        assert row["tokens_after"] <= row["tokens_before"]
