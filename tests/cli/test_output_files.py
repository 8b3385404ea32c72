"""Where `--output` leads: files are replaced, and what is no file is written to."""

import os
import threading
from pathlib import Path

from costopt.cli.main import main

_PROMPT = "Sort this ticket: {ticket}\n"


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "ticket.md").write_text(_PROMPT, "utf-8")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()), daemon=True)
    reader.start()
    words = ["tokens", str(tmp_path / "ticket.md"), "--format", "json", "--output", str(pipe)]
    assert main(words) == 0
    reader.join(30)
    assert found[0].startswith(b"{")
    assert pipe.is_fifo()
