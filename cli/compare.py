"""``costopt compare``: two reports, two prompt files, or two result logs."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..core.errors import CostoptError, Where
from .options import ConfigFile, Debug, Format, NoColor, Output, RunDir, choose_format

if TYPE_CHECKING:
    from ..core.configured import Config
    from ..core.protocols import TokenCounter
    from ..evals.compared_logs import LogComparison
    from ..evals.compared_prompts import PromptComparison
    from ..evals.compared_reports import ReportComparison
    from ..evals.realised import Characters, Pricing

MAX_BYTES = 256 * 1024 * 1024
_LOGS = frozenset({".jsonl", ".ndjson", ".csv", ".parquet"})
_CHARACTERS = "characters"
Kind = Literal["report", "prompt", "log"]

Base = Annotated[
    Path, typer.Argument(metavar="BASE", help="A report, a prompt file, or a result log.")
]
Head = Annotated[Path, typer.Argument(metavar="HEAD", help="What it is held against: the same.")]
Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        "-t",
        metavar="NAME|provider:model",
        help="Count and price as this model; repeatable. Default: the configuration's, else "
        "openai:gpt-5.4-mini.",
        show_default=False,
    ),
]
PricedAs = Annotated[
    list[str] | None,
    typer.Option(
        "--priced-as", metavar="provider:model", help="Price a log as this model too; repeatable."
    ),
]
Ratios = Annotated[
    list[str] | None,
    typer.Option(
        "--price-ratio",
        metavar="X",
        help="Price a log with output at X times the price of input; repeatable.",
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--columns",
        metavar="PART=NAME,...",
        help="Which column of a log is its id, reference, answer, score, input, input_tokens, "
        "output_tokens or cluster. Default: by common names.",
        show_default=False,
    ),
]
Metric = Annotated[
    str | None,
    typer.Option(
        "--metric",
        metavar="NAME",
        help="Score a log's answers anew. Default: the log's own scores.",
        show_default=False,
    ),
]
Margin = Annotated[
    float | None,
    typer.Option(
        "--margin", metavar="X", min=0, help="Largest loss that counts as none (0.05: 5 points)."
    ),
]
Tokenizer = Annotated[
    str | None,
    typer.Option(
        "--tokenizer",
        metavar="NAME|characters",
        help="Count a log's texts with this one, where it has no token counts. Default: the "
        "target's. characters: four count as a token.",
        show_default=False,
    ),
]
FailOnWorse = Annotated[
    bool, typer.Option("--fail-on-worse", help="Exit with 1 where head is shown to be worse.")
]


def compare(
    base: Base,
    head: Head,
    target: Targets = None,
    priced_as: PricedAs = None,
    price_ratio: Ratios = None,
    columns: Columns = None,
    metric: Metric = None,
    margin: Margin = None,
    tokenizer: Tokenizer = None,
    fail_on_worse: FailOnWorse = False,
    run_dir: RunDir = None,
    config: ConfigFile = None,
    format: Format = None,
    output: Output = None,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """Compare two reports, two prompt files, or two result logs.

    Makes no model call. Logs (JSONL, CSV, Parquet, JSON: one row a sample, from
    any tool) are paired by their ids: scores with bounds and McNemar's p-value,
    tokens, and the saving that is real beside the one that input alone claims.

    \b
    Examples:
      costopt compare before.json after.json --fail-on-worse
      costopt compare faq.md faq-short.md --target openai:gpt-4.1-mini
      costopt compare base.jsonl head.jsonl --price-ratio 4 --metric accuracy
    """  # noqa: D301 (\b keeps the lines apart)
    del no_color, debug  # it has no colours; read by cli.main
    from ..core.config import load_config
    from ..reports.compare import show_comparison
    from .output import check_output, emit, page_width

    chosen = choose_format(format, output)
    check_output(output)
    settings = load_config(config, Path.cwd())
    kinds = kind_of(base), kind_of(head)
    if kinds[0] != kinds[1]:
        what = f"{base} is a {kinds[0]} and {head} a {kinds[1]}"
        raise CostoptError(what, hint="compare two reports, two prompts, or two result logs")
    found: LogComparison | ReportComparison | PromptComparison
    if kinds[0] == "report":
        found = _reports(base, head)
    elif kinds[0] == "prompt":
        found = _prompts(base, head, target, metric, margin, run_dir, settings)
    else:
        pricings = _pricings(target or (), priced_as or (), price_ratio or (), settings)
        counter = _counter(tokenizer, target, settings)
        found = _logs(base, head, _columns(columns or ()), metric, margin, counter, pricings)
    emit(show_comparison(found, chosen, page_width()), output)
    if fail_on_worse and found.worse:
        raise typer.Exit(1)


def kind_of(path: Path) -> Kind:
    """Return what a file is, by its suffix; of a JSON by what it holds.

    Raises:
        CostoptError: there is no such file, or it cannot be read.
    """
    if not path.is_file():
        what = "this is a folder" if path.is_dir() else "no such file"
        raise CostoptError(what, where=Where(path.as_posix()))
    suffix = path.suffix.lower()
    if suffix in _LOGS:
        return "log"
    return _json_kind(path) if suffix == ".json" else "prompt"


def _json_kind(path: Path) -> Kind:
    from .source import read_text

    try:
        found = json.loads(read_text(path, MAX_BYTES))
    except (ValueError, RecursionError) as error:
        what = f"broken JSON ({str(error)[:120]})"
        raise CostoptError(what, where=Where(path.as_posix())) from None
    if isinstance(found, dict):
        if "schema" in found:
            return "report"
        return "prompt" if "messages" in found else "log"
    chat = isinstance(found, list) and found and all(
        isinstance(item, dict) and "role" in item for item in found
    )  # fmt: skip
    return "prompt" if chat else "log"


def _reports(base: Path, head: Path) -> "ReportComparison":
    from ..evals.compared_reports import compare_reports
    from ..reports.json import from_json
    from .source import read_text

    found = []
    for path in (base, head):
        try:
            found.append(from_json(read_text(path, MAX_BYTES)))
        except CostoptError as error:
            where = error.where or Where(path.as_posix())
            raise CostoptError(error.what, where=where, hint=error.hint) from None
    return compare_reports(found[0], found[1], names=(base.as_posix(), head.as_posix()))


def _prompts(
    base: Path,
    head: Path,
    targets: Sequence[str] | None,
    metric: str | None,
    margin: float | None,
    run_dir: Path | None,
    settings: "Config",
) -> "PromptComparison":
    from ..costs.prices import default_priced_as
    from ..evals.compared_prompts import compare_prompts
    from ..evals.options import AnalyzeOptions

    kept = run_dir or settings.defaults.get("run_dir")
    names = targets or settings.defaults.get("target") or (default_priced_as(),)
    options = AnalyzeOptions(
        paths=(),
        targets=tuple(dict.fromkeys(names)),
        metric=metric or settings.defaults.get("metric"),
        margin=margin if margin is not None else settings.defaults.get("margin"),
        run_dir=Path(kept) if kept is not None else None,
        config=settings,
    )
    return compare_prompts(base, head, options)


def _logs(
    base: Path,
    head: Path,
    columns: Mapping[str, str],
    metric: str | None,
    margin: float | None,
    counter: "TokenCounter | Characters",
    pricings: "Sequence[Pricing]",
) -> "LogComparison":
    from ..evals.compared_logs import compare_logs
    from ..evals.result_log import read_result_log

    return compare_logs(
        read_result_log(base, columns),
        read_result_log(head, columns),
        metric=metric,
        margin=margin,
        counter=counter,
        pricings=pricings,
    )


def _columns(given: Sequence[str]) -> dict[str, str]:
    """Return the columns as they were named.

    Raises:
        CostoptError: one is no ``part=name``.
    """
    found: dict[str, str] = {}
    for text in (part for one in given for part in one.split(",")):
        part, equals, name = text.strip().partition("=")
        if not (part and equals and name):
            hint = "such as --columns id=sample,answer=output"
            raise CostoptError(f'"{text}" names no column', hint=hint)
        found[part] = name
    return found


def _counter(
    tokenizer: str | None, targets: Sequence[str] | None, settings: "Config"
) -> "TokenCounter | Characters":
    from ..costs.prices import default_priced_as
    from ..costs.tokens import counter_for
    from ..evals.realised import Characters

    if tokenizer == _CHARACTERS:
        return Characters()
    if tokenizer is not None:
        return counter_for(tokenizer)
    name = targets[0] if targets else default_priced_as()
    known = settings.targets.get(name)
    if known is None:
        return counter_for(name)
    try:
        return counter_for(known.priced_as or known.model or name)
    except CostoptError:  # a server of one's own, whose tokenizer nobody knows
        return Characters()


def _pricings(
    targets: Sequence[str], models: Sequence[str], ratios: Sequence[str], settings: "Config"
) -> "tuple[Pricing, ...]":
    """Return what to price at: all that was named, else the default model."""
    from ..costs.prices import default_priced_as, price_for
    from ..evals.realised import Pricing

    found = [_target_pricing(name, settings) for name in targets]
    if not (targets or models or ratios):
        models = [default_priced_as()]
    found += [Pricing(name=model, price=price_for(model), estimated=True) for model in models]
    for text in ratios:
        ratio = _ratio(text)
        found.append(Pricing(name=f"output {ratio.normalize():f}x input", ratio=ratio))
    return tuple(found)


def _target_pricing(name: str, settings: "Config") -> "Pricing":
    from ..core.configured import TargetConfig
    from ..costs.billing import billed_price
    from ..costs.prices import price_for
    from ..evals.realised import Pricing

    config = settings.targets.get(name)
    if config is None and ":" not in name:
        hint = "name a target of the configuration, or a model as provider:model"
        raise CostoptError(f'there is no target "{name}"', hint=hint)
    config = config or TargetConfig(name=name)
    price = billed_price(name, config)
    if price is None and config.priced_as is not None:
        return Pricing(name=config.priced_as, price=price_for(config.priced_as), estimated=True)
    return Pricing(name=name, price=price)


def _ratio(text: str) -> Decimal:
    try:
        ratio = Decimal(text)
    except InvalidOperation:
        ratio = Decimal("NaN")
    if not ratio.is_finite() or not 0 <= ratio <= 1000:
        hint = "such as --price-ratio 4, where output costs four times what input does"
        raise CostoptError(f'"{text}" is no ratio of prices', hint=hint)
    return ratio
