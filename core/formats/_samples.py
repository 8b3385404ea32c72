"""promptfoo's tests as samples: variables, and the assertions that are deterministic.

An assertion becomes references and the name of a metric. One that runs code, asks a model or
a clock, or negates, is left out and named with its line; a test keeps its first assertion
that can be used.
"""

import csv
import io
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..documents import Document, Node, load_json, load_yaml
from ..errors import CostoptError, Where
from ..types import Sample
from ._assertions import Assertion, Verdict, judge, parse_expected
from ._common import File, read_text
from ._references import is_reference, resolve

MAX_SAMPLES = 10_000


@dataclass(kw_only=True)
class _Tests:
    """The tests being read: defaults, samples, and what was left out by reason."""

    document: Document
    folder: Path
    shown_folder: str
    root: Path
    defaults: dict[str, Any] = field(default_factory=dict[str, Any])
    assertions: list[tuple[Document, Node]] = field(default_factory=list[tuple[Document, Node]])
    samples: list[Sample] = field(default_factory=list[Sample])
    errors: list[CostoptError] = field(default_factory=list[CostoptError])
    left_out: dict[str, list[Where]] = field(default_factory=dict[str, list[Where]])

    def leave(self, reason: str, where: Where) -> None:
        """Note what is not used; equal reasons are counted, and said once."""
        self.left_out.setdefault(reason, []).append(where)

    def notes(self) -> Iterator[CostoptError]:
        yield from self.errors
        for reason, places in self.left_out.items():
            times = f" ({len(places)} times)" if len(places) > 1 else ""
            yield CostoptError(f"{reason}{times}", where=places[0])


def read_tests(
    document: Document, file: File, root: Path
) -> tuple[tuple[Sample, ...], dict[str, Any], list[CostoptError]]:
    """Return the samples, the default variables, and what was left out.

    Where some tests have a usable assertion, the others are left out and counted; where
    none has, all are kept without references.
    """
    shown = Path(file.shown).parent.as_posix()
    tests = _Tests(document=document, folder=file.path.parent, shown_folder=shown, root=root)
    top = document.root
    for key in ("scenarios", "extensions"):
        if (node := top.get(key)) is not None:
            tests.leave(f"{key} are not supported", document.where(node.start))
    _guard(tests, lambda: _defaults(tests, top.get("defaultTest")))
    node = top.get("tests")
    if node is not None:
        _guard(tests, lambda: _list(tests, document, node))
    usable = [sample for sample in tests.samples if sample.references]
    if usable and len(usable) < len(tests.samples):
        count = len(tests.samples) - len(usable)
        where = document.where(node.start if node else 0)
        tests.errors.append(CostoptError(f"{count} tests without a usable assertion", where=where))
    return tuple(usable or tests.samples), tests.defaults, list(tests.notes())


def _guard(tests: _Tests, read: Any) -> None:  # noqa: ANN401
    try:
        read()
    except CostoptError as error:
        tests.errors.append(error)


def _defaults(tests: _Tests, node: Node | None) -> None:
    if node is None:
        return
    document = tests.document
    if isinstance(node.value, str):
        document = _open(tests, document, node)
        node = document.root
    if not isinstance(node.value, dict):
        raise document.error(node, "defaultTest must be a mapping")
    _refuse_transform(tests, document, node)
    tests.defaults = dict(_variables(tests, document, node.get("vars")))
    tests.assertions = [(document, found) for found in _assert_nodes(node)]


def _open(tests: _Tests, document: Document, node: Node) -> Document:
    """Parse the YAML or JSON file that a node refers to."""
    if not is_reference(node.value):
        raise document.error(node, f"neither a list nor a file: {node.value[:80]!r}")
    _refuse_code(document, node)
    path = resolve(document, node, tests.folder, tests.root)[0]
    shown = _shown(tests, path)
    load = load_json if path.suffix.lower() == ".json" else load_yaml
    return load(read_text(path, shown), shown)


def _refuse_code(document: Document, node: Node) -> None:
    name = re.sub(r":\w+$", "", node.value.strip().lower())
    if name.endswith((".js", ".cjs", ".mjs", ".ts", ".py", ".rb", ".sh")):
        raise document.error(node, f"made by code, which is never run: {node.value.strip()[:80]}")


def _shown(tests: _Tests, path: Path) -> str:
    below = path.relative_to(tests.folder).as_posix()
    return f"{tests.shown_folder}/{below}".removeprefix("./")


def _list(tests: _Tests, document: Document, node: Node) -> None:
    """Read ``tests``: a list of tests and references, or one reference."""
    nodes = node.items if isinstance(node.value, list) else (node,)
    for item in nodes:
        if len(tests.samples) >= MAX_SAMPLES:
            raise document.error(item, f"more than {MAX_SAMPLES:,} tests")
        if isinstance(item.value, str):
            _guard(tests, lambda item=item: _file(tests, document, item))
        elif isinstance(item.value, dict):
            _guard(tests, lambda item=item: _test(tests, document, item))
        else:
            tests.errors.append(document.error(item, "a test must be a mapping or a file"))


def _file(tests: _Tests, document: Document, node: Node) -> None:
    if not is_reference(node.value):
        raise document.error(node, f"tests: neither a list nor a file: {node.value[:80]!r}")
    _refuse_code(document, node)
    for path in resolve(document, node, tests.folder, tests.root):
        shown = _shown(tests, path)
        suffix = path.suffix.lower()
        if suffix == ".csv":
            _csv(tests, read_text(path, shown), shown)
        elif suffix == ".jsonl":
            _jsonl(tests, read_text(path, shown), shown)
        elif suffix in (".json", ".yaml", ".yml"):
            load = load_json if suffix == ".json" else load_yaml
            inner = load(read_text(path, shown), shown)
            nested = [item for item in inner.root.items if isinstance(item.value, str)]
            if nested:
                raise inner.error(nested[0], "a tests file may not refer to another one")
            _list(tests, inner, inner.root)
        else:
            raise document.error(node, f"tests in {suffix or 'this format'} are not supported")


def _jsonl(tests: _Tests, text: str, shown: str) -> None:
    start = 0
    for line in text.splitlines(keepends=True):
        if line.strip():
            inner = load_json(text, shown, start, start + len(line))
            if not isinstance(inner.root.value, dict):
                raise inner.error(inner.root, "a test must be a mapping")
            _test(tests, inner, inner.root)
        start += len(line)


def _csv(tests: _Tests, text: str, shown: str) -> None:
    """Read a table: columns are variables, ``__expected`` columns are assertions."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        for row in reader:
            where = Where(shown, reader.line_num)
            if None in row or None in row.values():
                raise CostoptError(
                    "a row with another number of cells than the header", where=where
                )
            _row(tests, row, where)
    except csv.Error as error:
        raise CostoptError(f"broken CSV: {error}", where=Where(shown, reader.line_num)) from None


def _row(tests: _Tests, row: Mapping[str, str], where: Where) -> None:
    cells = {key.strip(): value for key, value in row.items()}
    inputs = {key: value for key, value in cells.items() if not key.startswith("__")}
    found: list[tuple[Assertion, Where]] = []
    for key, value in cells.items():
        if re.fullmatch(r"__expected\d*", key) and value.strip():
            found.append((parse_expected(value), where))
        elif key in ("__prefix", "__suffix") and value:
            tests.leave(f"{key} is not supported", where)
    _add(tests, {**tests.defaults, **inputs}, found, cells.get("__description", ""))


def _test(tests: _Tests, document: Document, node: Node) -> None:
    _refuse_transform(tests, document, node)
    inputs = {**tests.defaults, **_variables(tests, document, node.get("vars"))}
    nodes = [(document, found) for found in _assert_nodes(node)] + tests.assertions
    found = [(_assertion(tests, doc, item), doc.where(item.start)) for doc, item in nodes]
    described = node.get("description")
    text = described.value if described and isinstance(described.value, str) else ""
    for values in _combinations(document, node, inputs):
        _add(tests, values, found, text)


def _refuse_transform(tests: _Tests, document: Document, node: Node) -> None:
    options = node.get("options")
    for holder in (node, options):
        for key in ("transform", "postprocess", "transformVars"):
            found = holder.get(key) if holder else None
            if found is not None:
                where = document.where(found.start)
                tests.leave(
                    f"{key} runs code, which is never run; answers are scored as they are", where
                )


def _variables(tests: _Tests, document: Document, node: Node | None) -> dict[str, Any]:
    if node is None or node.value is None:
        return {}
    if not isinstance(node.value, dict):
        raise document.error(node, "vars must be a mapping")
    return {str(name): _variable(tests, document, child) for name, child in node.fields.items()}


def _variable(tests: _Tests, document: Document, node: Node) -> Any:  # noqa: ANN401
    if not isinstance(node.value, str) or not node.value.startswith("file://"):
        return node.value
    _refuse_code(document, node)
    path = resolve(document, node, tests.folder, tests.root)[0]
    shown = _shown(tests, path)
    text = read_text(path, shown)
    suffix = path.suffix.lower()
    if suffix in (".yaml", ".yml", ".json"):
        return (load_json if suffix == ".json" else load_yaml)(text, shown).root.value
    return text


def _combinations(
    document: Document, node: Node, inputs: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield one set of values for each combination of the variables that are lists."""
    lists = {key: value for key, value in inputs.items() if isinstance(value, list)}
    total = 1
    for value in lists.values():
        total *= len(value)
    if total > MAX_SAMPLES:
        raise document.error(node, f"its lists make more than {MAX_SAMPLES:,} combinations")
    for chosen in itertools.product(*lists.values()):
        yield {**inputs, **dict(zip(lists, chosen, strict=True))}


def _assert_nodes(node: Node) -> list[Node]:
    found = node.get("assert")
    return list(found.items) if found is not None else []


def _assertion(tests: _Tests, document: Document, node: Node) -> Assertion:
    """Return an assertion; ``$ref`` into the configuration is followed once."""
    pointer = node.get("$ref")
    if pointer is not None and isinstance(pointer.value, str) and pointer.value.startswith("#/"):
        target = document.root.get(*pointer.value[2:].split("/"))
        node = target if target is not None else node
    kind = node.get("type")
    value = node.get("value")
    transform = node.get("transform")
    if transform is not None:
        return Assertion("transform", transform.value)
    named = kind.value if kind and isinstance(kind.value, str) else "without a type"
    return Assertion(named, value.value if value else None)


def _add(
    tests: _Tests,
    inputs: Mapping[str, Any],
    found: list[tuple[Assertion, Where]],
    description: str,
) -> None:
    chosen: Verdict | None = None
    for assertion, where in found:
        verdict = judge(assertion)
        if verdict.reason:
            tests.leave(verdict.reason, where)
        elif chosen is None:
            chosen = verdict
        else:
            tests.leave("only a test's first usable assertion scores it", where)
    sample = Sample(
        id=f"test-{len(tests.samples) + 1}",
        inputs=dict(inputs),
        references=chosen.references if chosen else (),
        metric=chosen.metric if chosen else None,
        metadata={"description": description} if description else {},
    )
    tests.samples.append(sample)
