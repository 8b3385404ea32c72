"""The wheel holds every room, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = (
    "cli", "reports", "checks", "usage", "evals", "compressors", "models", "costs", "core",
)  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in tracked.stdout.decode().splitlines():
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            target.write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(folder), str(source)], check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("costopt-*.whl")))


def test_the_wheel_holds_every_module_of_every_room(wheel: zipfile.ZipFile) -> None:
    expected = {
        f"costopt/{path.relative_to(ROOT).as_posix()}"
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
    }
    packed = {name for name in wheel.namelist() if name.endswith(".py")}
    assert packed == expected | {"costopt/__init__.py"}


def test_the_wheel_says_that_it_is_typed(wheel: zipfile.ZipFile) -> None:
    assert "costopt/py.typed" in wheel.namelist()


def test_the_wheel_holds_what_the_benchmarks_measured(wheel: zipfile.ZipFile) -> None:
    left = {file.name for file in (ROOT / "compressors" / "measured").glob("*.json")}
    folder = "costopt/compressors/measured/"
    packed = {name for name in wheel.namelist() if name.startswith(folder)}
    assert {name.removeprefix(folder) for name in packed if name.endswith(".json")} == left


def test_the_wheel_holds_the_page_s_templates(wheel: zipfile.ZipFile) -> None:
    folder = "costopt/reports/html/"
    packed = {name.removeprefix(folder) for name in wheel.namelist() if name.startswith(folder)}
    root = ROOT / "reports" / "html"
    files = (file for file in root.rglob("*") if file.is_file() and file.suffix != ".pyc")
    own = {file.relative_to(root).as_posix() for file in files}
    assert packed == own
    assert {"page.html", "style.css", "script.js"} <= packed


def test_the_wheel_holds_what_init_writes(wheel: zipfile.ZipFile) -> None:
    folder = ROOT / "reports" / "starting" / "templates"
    packed = "costopt/reports/starting/templates/"
    names = {name.removeprefix(packed) for name in wheel.namelist() if name.startswith(packed)}
    assert names == {file.name for file in folder.iterdir()}


def test_the_wheel_installs_the_command(wheel: zipfile.ZipFile) -> None:
    entry = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "costopt = costopt.cli.main:run" in wheel.read(entry).decode()


def test_versions_agree(wheel: zipfile.ZipFile) -> None:
    import costopt

    folder = f"costopt-{costopt.__version__}.dist-info"
    assert any(name.startswith(folder) for name in wheel.namelist())
