"""Payloads as they stand in prompts: JSON, JSON lines, tables, HTML, logs and tool schemas."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import chain
from pathlib import Path
from typing import Any

from costopt.compressors.data_blocks import all_blocks, as_objects, value_of
from costopt.core.formats import load_file

SAMPLES = Path(__file__).resolve().parent.parent / "prompts"
SLICES = (2, 3, 5, 10, 20, 50)


@dataclass(frozen=True)
class Payload:
    """One payload as it was found, and its JSON value; of a table its rows as objects."""

    name: str
    text: str
    value: Any = None


@dataclass(frozen=True)
class PayloadSet:
    """Payloads of one kind, and the chains of strategies that apply to them, ours last."""

    title: str
    kind: str
    chains: tuple[str, ...]
    payloads: tuple[Payload, ...]


DATA = ("json-minify", "data-format")
TOOLS = ("schema-diet", "schema-diet+data-format")
TABLES = ("table-compact", "data-format")
PAGES = ("html-to-text", "html-to-text+whitespace+table-compact")
LOGS = ("whitespace",)


def payload_sets(folder: Path | None) -> list[PayloadSet]:
    """Return the payloads of a folder, or those made from the sample prompts."""
    found = from_samples() if folder is None else from_folder(folder)
    return [one for one in found if one.payloads]


def from_folder(folder: Path) -> Iterator[PayloadSet]:
    """Yield the sets that a folder holds; one that is not there is empty."""
    hooks = rows(folder / "payload_github_webhooks/payloads.jsonl")
    yield PayloadSet("GitHub webhooks", "json", DATA, tuple(map(as_found, hooks)))
    records = [as_found(row) for row in rows(folder / "agent_trajectories/api_objects.jsonl")]
    yield PayloadSet("API objects", "json", DATA, tuple(records))
    kinds: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows(folder / "agent_trajectories/api_objects.jsonl"):
        kinds[Path(row["path"]).stem].append(json.loads(row["text"]))
    yield PayloadSet("API objects, lists of 20", "json", DATA, tuple(
        written(f"{kind} {at}", values[at : at + 20])
        for kind, values in kinds.items() for at in range(0, len(values), 20)
    ))  # fmt: skip
    yield from uniform({"repositories": rows(folder / "payload_tables/github-repos.jsonl")})
    markdown = rows(folder / "payload_tables/markdown_tables.jsonl")
    yield PayloadSet("Markdown tables", "table", TABLES, tuple(map(table, markdown)))
    pages = rows(folder / "payload_html/pages.jsonl")
    yield PayloadSet("HTML pages", "html", PAGES, tuple(map(plain, pages)))
    tools = rows(folder / "bfcl_tools/tool_schemas.jsonl")
    yield PayloadSet("Tool schemas", "json", TOOLS, tuple(
        written(row["id"], row["schema"]) for row in tools
    ))  # fmt: skip
    suites = sorted((folder / "bfcl_tools/tool_suites").glob("*.json"))
    yield PayloadSet("Tool suites", "json", TOOLS, tuple(
        written(path.stem, json.loads(path.read_text("utf-8"))) for path in suites
    ))  # fmt: skip
    logs = [plain(row) for row in rows(folder / "payload_logs/logs.jsonl")]
    yield from of_logs(logs)


def from_samples() -> Iterator[PayloadSet]:
    """Yield sets made from the sample prompts of this repository and their eval sets."""
    evals = {path.parent.name: rows(path) for path in sorted(SAMPLES.glob("*/evals.jsonl"))}
    every = list(chain.from_iterable(evals.values()))
    yield PayloadSet("Eval rows", "json", DATA, tuple(
        written(row["id"], row) for row in every[::20]
    ))  # fmt: skip
    yield from uniform({name: found[:20] for name, found in evals.items()})
    yield PayloadSet("Markdown tables", "table", TABLES, tuple(
        table({"id": name, "text": as_markdown(found[:12])}) for name, found in evals.items()
    ))  # fmt: skip
    yield PayloadSet("HTML pages", "html", PAGES, tuple(
        Payload(name, as_page(name, found[:12])) for name, found in evals.items()
    ))  # fmt: skip
    prompts = chain.from_iterable(map(load_file, sorted(SAMPLES.glob("*/prompt.*"))))
    yield PayloadSet("Tool schemas", "json", TOOLS, tuple(
        written(prompt.name, tool(prompt.name, prompt.variables)) for prompt in prompts
    ))  # fmt: skip
    lines = "\n".join(f"2026-03-01 09:{n:02}:00 INFO  answered  {n} rows  " for n in range(30))
    yield from of_logs([Payload("log of lines", lines)])


def uniform(tables: dict[str, list[Any]]) -> Iterator[PayloadSet]:
    """Yield the first rows of tables as JSON arrays, and as JSON lines."""
    cuts = [
        (f"{name}, {size} rows", found[:size])
        for name, found in tables.items() for size in SLICES if size <= len(found)
    ]  # fmt: skip
    yield PayloadSet("Uniform tables as JSON", "json", DATA, tuple(
        written(name, cut) for name, cut in cuts
    ))  # fmt: skip
    yield PayloadSet("Uniform tables as JSON lines", "lines", DATA, tuple(
        Payload(name, "\n".join(map(dumped, cut)), cut) for name, cut in cuts
    ))  # fmt: skip


def tool(name: str, variables: tuple[str, ...]) -> dict[str, Any]:
    """Return a tool that takes a prompt's variables, described as generators describe them."""
    properties = {
        variable: {
            "title": variable.title(), "type": "string", "minLength": 0,
            "description": f"What stands for {variable} in {name}, as it is, not shortened.",
        }
        for variable in variables
    }  # fmt: skip
    schema = {"type": "object", "title": name, "properties": properties,
              "required": list(variables), "additionalProperties": True}  # fmt: skip
    function = {"name": name, "description": f"Run the prompt {name}.", "parameters": schema}
    return {"type": "function", "function": function}


def of_logs(logs: list[Payload]) -> Iterator[PayloadSet]:
    """Yield logs that are JSON lines, and logs that are not."""
    parted: tuple[list[Payload], list[Payload]] = ([], [])
    for log in logs:
        blocks = all_blocks(log.text)
        whole = len(blocks) == 1 and blocks[0].source.strip() == log.text.strip()
        if whole and blocks[0].kind == "lines":
            parted[0].append(Payload(log.name, log.text, value_of(blocks[0])))
        else:
            parted[1].append(log)
    yield PayloadSet("Logs of JSON lines", "lines", DATA, tuple(parted[0]))
    yield PayloadSet("Logs without JSON lines", "text", LOGS, tuple(parted[1]))


def rows(path: Path) -> list[Any]:
    """Return the rows of a file of JSON lines; none where there is no such file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() \
        else []  # fmt: skip


def as_found(row: dict[str, Any]) -> Payload:
    """Return the JSON of a row as it stands there."""
    return Payload(row["id"], row["text"].strip(), json.loads(row["text"]))


def plain(row: dict[str, Any]) -> Payload:
    """Return the text of a row."""
    return Payload(row["id"], row["text"].strip("\n"))


def table(row: dict[str, Any]) -> Payload:
    """Return a Markdown table, its rows by the names in its header where every row has as many."""
    text = row["text"].strip("\n")
    blocks = [block for block in all_blocks(text) if block.kind == "table"]
    try:
        cells = value_of(blocks[0]) if len(blocks) == 1 else []
    except ValueError:
        cells = []
    named = cells and len(set(cells[0])) == len(cells[0])
    return Payload(row["id"], text, as_objects(cells) if named else None)


def dumped(value: object) -> str:
    """Return JSON on one line, as `json.dumps` writes it by default."""
    return json.dumps(value, ensure_ascii=False)


def written(name: str, value: object) -> Payload:
    """Return a value as JSON with indentation, as it is mostly pasted."""
    return Payload(name, json.dumps(value, indent=2, ensure_ascii=False), value)


def as_markdown(found: list[dict[str, Any]]) -> str:
    """Return eval rows as a padded Markdown table."""
    names = list(found[0])
    cells = [[str(row.get(name, "")).replace("|", "/") for name in names] for row in found]
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    padded = [
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in (names, ["-" * width for width in widths], *cells)
    ]
    return "\n".join(f"| {row} |" for row in padded)


def as_page(name: str, found: list[dict[str, Any]]) -> str:
    """Return eval rows as an HTML page."""
    items = "\n".join(
        f'    <li class="row"><b>{escape(str(row["id"]))}</b>: <span class="value">'
        f"{escape(str(list(row.values())[1]))}</span></li>"
        for row in found
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{name}</title>\n'
        f'<style>.row {{ margin: 1em }}</style></head>\n<body>\n  <div class="main">\n  '
        f'<h1 id="top">{name}</h1>\n  <ul>\n{items}\n  </ul>\n  </div>\n</body>\n</html>'
    )
