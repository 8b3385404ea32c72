"""Where results are written: a file all at once, and what is no file without replacing it."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from costopt.cli.output import check_output, write_file

COSTOPT = str(Path(sys.executable).parent / "costopt")


@pytest.mark.skipif(sys.platform == "win32", reason="it has no named pipes in folders")
def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    (tmp_path / "hello.md").write_text("Say hello to {{ name }}.", encoding="utf-8")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [COSTOPT, "tokens", "hello.md", "--format", "json", "--output", "pipe"]
    with subprocess.Popen(["cat", "pipe"], cwd=tmp_path, stdout=subprocess.PIPE) as reader:
        done = subprocess.run(command, cwd=tmp_path, timeout=60, check=False)
        if not stat.S_ISFIFO(pipe.lstat().st_mode):
            reader.kill()
        found, _ = reader.communicate(timeout=60)
    assert done.returncode == 0
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    assert b"costopt.tokens/1" in found


@pytest.mark.skipif(sys.platform == "win32", reason="it has no devices in folders")
def test_a_device_is_an_output() -> None:
    controller, terminal = os.openpty()
    device = Path(os.ttyname(terminal))
    before = device.stat()
    check_output(device)
    write_file(device, b"x")
    assert os.read(controller, 1) == b"x"
    assert stat.S_ISCHR(device.stat().st_mode)
    assert device.stat().st_ino == before.st_ino
    os.close(controller)
    os.close(terminal)


def test_a_file_keeps_its_mode_and_a_link_stays_one(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"before")
    file.chmod(0o640)
    link.symlink_to(file)
    write_file(link, b"after")
    assert link.is_symlink()
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"after", 0o640)
