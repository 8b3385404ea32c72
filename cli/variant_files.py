"""Writes every variant of a run as a file of its prompt's own format: ``--output-dir``."""

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import CostoptError, Where

if TYPE_CHECKING:
    from ..core.report import Report
    from ..core.types import PromptTemplate
    from ..reports.edits import VariantFile

INDEX = "costopt-variants.json"
SCHEMA = "costopt.variants/1"
_MOST_BYTES = 64 * 1024 * 1024


def check_folder(folder: Path | None) -> None:
    """Refuse a folder that cannot be written to, before anything is spent.

    Raises:
        CostoptError: it is a file, or cannot be made or written to.
    """
    if folder is None:
        return
    where = Where(folder.as_posix())
    if folder.exists() and not folder.is_dir():
        raise CostoptError("the output folder is a file", where=where, hint="name a folder")
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise CostoptError("the output folder cannot be written to", where=where)


def write_variants(
    report: "Report",
    templates: "Sequence[PromptTemplate]",
    folder: Path,
    *,
    force: bool,
    quiet: bool,
) -> None:
    """Write ``NAME/VARIANT.ext`` for every variant, and an index of them.

    A file that this program wrote for the same variant, and that nobody changed since, is replaced;
    any other one stays, unless ``force``. Nothing is written before all of them may be.

    Raises:
        CostoptError: a file of another origin is in the way, a name leads out of the folder, or it
            cannot be written.
    """
    from ..reports.edits import plan
    from ..reports.safe import clean
    from .output import write_file

    planned = plan(report, templates)
    known = _index(folder)
    for file in planned.files:
        _check(folder, file, known, force=force)
    for file in planned.files:
        path = folder / file.name
        _make(path.parent)
        write_file(path, file.text.encode("utf-8"))
        known[file.name] = {**file.origin, "targets": file.targets, "sha256": _digest(file.text)}
    _make(folder)
    data = {"schema": SCHEMA, "files": dict(sorted(known.items()))}
    text = json.dumps(data, indent=2, ensure_ascii=True) + "\n"
    write_file(folder / INDEX, text.encode("ascii"))
    if not quiet:
        for reason in planned.left_out:
            print(f"not written: {clean(reason)}", file=sys.stderr)
        told = f"wrote {len(planned.files)} variants below {clean(folder.as_posix())}"
        print(told, file=sys.stderr)


def _index(folder: Path) -> dict[str, Mapping[str, Any]]:
    """Return what an earlier run wrote into a folder; nothing where that cannot be told."""
    path = folder / INDEX
    if not path.is_file() or path.stat().st_size > _MOST_BYTES:
        return {}
    try:
        data = json.loads(path.read_bytes())
    except (ValueError, RecursionError, OSError):
        return {}
    files = data.get("files") if isinstance(data, dict) and data.get("schema") == SCHEMA else None
    found = files if isinstance(files, dict) else {}
    return {name: said for name, said in found.items() if isinstance(said, dict)}


def _check(
    folder: Path, file: "VariantFile", known: Mapping[str, Mapping[str, Any]], *, force: bool
) -> None:
    path = folder / file.name
    where = Where(path.as_posix())
    if not path.resolve().is_relative_to(folder.resolve()):
        hint = "name another folder, or remove the link"
        raise CostoptError("this is a link that leads out of the folder", where=where, hint=hint)
    if not path.exists() or force:
        return
    if not path.is_file():
        raise CostoptError("a folder is in the way", where=where, hint="name another folder")
    own = known.get(file.name, {})
    there = hashlib.sha256(path.read_bytes()).hexdigest()
    same = all(own.get(key) == value for key, value in file.origin.items())
    if there != _digest(file.text) and not (same and own.get("sha256") == there):
        raise CostoptError(
            "a file that costopt did not write for this variant is in the way",
            where=where,
            hint="name another folder, or replace such files with --force",
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CostoptError(
            f"the folder cannot be made: {reason}", where=Where(folder.as_posix())
        ) from None
