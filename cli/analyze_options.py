"""What can be said on the command line of `costopt analyze`."""

from pathlib import Path
from typing import Annotated

import typer

Paths = Annotated[
    list[Path], typer.Argument(metavar="PATH...", help="Prompt files, or folders of them.")
]
Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        "-t",
        metavar="NAME",
        help="Run against this model; repeatable. Default: embedded.",
        show_default=False,
    ),
]
Strategies = Annotated[
    list[str] | None,
    typer.Option(
        "--strategy",
        "-s",
        metavar="SPEC",
        help="NAME or NAME:key=value,...; a + joins a chain; repeatable. Replaces the default "
        "set; the controls stay.",
        show_default=False,
    ),
]
EvalSetOption = Annotated[
    str | None,
    typer.Option("--eval-set", metavar="FILE", help="Eval rows for all prompts: a file, or hf:ID."),
]
Metric = Annotated[
    str | None, typer.Option("--metric", metavar="NAME", help="Judge quality by this metric.")
]
Judge = Annotated[
    str | None,
    typer.Option(
        "--judge",
        metavar="NAME",
        help="The target that compares answers, for --metric judge. Audited first; its cost is "
        "shown apart.",
    ),
]
Repeats = Annotated[
    int | None,
    typer.Option(
        "--repeats",
        metavar="N",
        min=1,
        help="Draw each answer N times where draws differ; a row's score is their mean. "
        "Default: 1.",
        show_default=False,
    ),
]
Samples = Annotated[
    int | None,
    typer.Option("--samples", metavar="N", min=1, help="Use at most N rows of each eval set."),
]
Margin = Annotated[
    float | None,
    typer.Option(
        "--margin",
        metavar="X",
        min=0,
        help="Largest loss that counts as none, in the metric's unit (0.05 is 5 points; 0.10 "
        "nats per token for log-likelihood).",
    ),
]
MaxCost = Annotated[
    str | None,
    typer.Option("--max-cost", metavar="USD", help="Never spend more; reserved before sending."),
]
MaxRequests = Annotated[
    int | None,
    typer.Option("--max-requests", metavar="N", min=0, help="Never send more live requests."),
]
MaxMinutes = Annotated[
    float | None,
    typer.Option("--max-minutes", metavar="N", min=0, help="Ask nothing more after N minutes."),
]
SEARCHES = ("racing", "exhaustive")
Search = Annotated[
    str | None,
    typer.Option(
        "--search",
        metavar="racing|exhaustive",
        help="Let variants that are clearly out leave early, or ask each on every selection row. "
        "Default: racing.",
        show_default=False,
    ),
]
Concurrency = Annotated[
    int | None, typer.Option("--concurrency", metavar="N", min=1, help="Requests at a time.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what it would ask for and cost; ask nothing.")
]
SuggestTargets = Annotated[
    bool,
    typer.Option("--suggest-targets", help="Name cheaper models of the same provider to try."),
]
Attribute = Annotated[
    bool,
    typer.Option(
        "--attribute",
        help="Measure what each sentence, rule and example of a prompt does, at the first target.",
    ),
]
Static = Annotated[bool, typer.Option("--static", help="Count and find only; no model call.")]
Lossless = Annotated[bool, typer.Option("--lossless", help="Lossless strategies only.")]
Offline = Annotated[bool, typer.Option("--offline", help="Fetch nothing from the network.")]
ENGINES = ("local", "ray")
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="local|ray",
        help="Who asks the targets: this process, or workers on a Ray cluster (costopt[ray]).",
        show_default=False,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        min=1,
        help="Processes that ask each target, with --engine ray. Default: 2.",
        show_default=False,
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray-address",
        metavar="ADDRESS",
        help="The cluster's head, such as ray://head:10001. Default: one is started here.",
        show_default=False,
    ),
]
Batch = Annotated[
    bool,
    typer.Option(
        "--batch",
        help="Ask through the provider's batch API, at its lower price: send, leave, and run the "
        "same command again to go on.",
    ),
]
Wait = Annotated[bool, typer.Option("--wait", help="With --batch: wait until it is done.")]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Go on with what was done before. Every run does; for scripts."),
]
Write = Annotated[
    bool,
    typer.Option(
        "--write",
        help="Write the recommended variants into their files, after showing each as a diff; on a "
        "terminal it asks.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="With --write: do not ask.")]
OutputDir = Annotated[
    Path | None,
    typer.Option(
        "--output-dir",
        metavar="DIR",
        help="Write every variant below it, as NAME/VARIANT in the prompt's own format.",
        show_default=False,
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="With --output-dir: replace files that are not its own.")
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        metavar="N",
        min=0,
        help="Orders rows and draws answers. Default: 0.",
        show_default=False,
    ),
]
