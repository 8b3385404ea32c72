"""The command ``costopt``: registers the commands and turns errors into one block."""

import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException
from typer.main import get_command

from .. import __version__
from ..core.deaf import deaf
from ..core.errors import CostoptError
from ..core.secrets import scrub
from ..reports.safe import visible
from .analyze import analyze
from .batch import batch_app
from .cache import cache_app
from .check import check
from .comment import comment
from .compare import compare
from .compress import compress
from .explain import explain
from .init import init
from .models import models_app
from .options import Debug
from .output import silence_output
from .report import report
from .strategies import strategies
from .tokens import tokens
from .usage import usage

_PACKAGE = Path(__file__).parent.parent
_INTERRUPTED = 130

# Lines of less than 77 columns: on a terminal, typer keeps these line breaks.
_HELP = """Make LLM prompts cheaper without making them worse.

Measures what shorter prompts and shorter answers save, next to what they
do to quality, on your own eval rows. Without a key or a server it runs on
a small model on this machine.

\b
Start here:
  costopt analyze prompts/           what can be cheaper, at what quality
  costopt analyze prompts/ --static  tokens and findings, no model call
  costopt tokens prompts/            tokens and money per file, like wc
"""

app = typer.Typer(
    name="costopt",
    help=_HELP,
    no_args_is_help=True,
    rich_markup_mode="rich" if sys.stdout.isatty() else None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"costopt {__version__}")
        raise typer.Exit


@app.callback()
def _global(
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
    debug: Debug = False,
) -> None:
    pass


app.command(short_help="Measure what can be cheaper, at what change in quality.")(analyze)
app.command(short_help="Check what a change does to cost and quality, for CI.")(check)
app.command(short_help="Count tokens and money of files, like wc.")(tokens)
app.command(short_help="Shorten a prompt file, or a value, without asking a model.")(compress)
app.command(short_help="Compare two reports, prompts, or result logs.")(compare)
app.command(short_help="Say what features and models cost, from request logs.")(usage)
app.command(short_help="Show a saved report, or price it anew.")(report)
app.command(short_help="Post a saved check as a comment on a pull request.")(comment)
app.command(short_help="List the strategies.")(strategies)
app.command(short_help="Show the page of a strategy or finding.")(explain)
app.command(short_help="Set a project up: configuration, CI jobs, pre-commit.")(init)
app.add_typer(batch_app, name="batch")
app.add_typer(models_app, name="models")
app.add_typer(cache_app, name="cache")


def run() -> None:
    """Run the command line and exit with the contract's status."""
    status = main()
    if status == _INTERRUPTED:
        _leave(status)
    sys.exit(status)


def _leave(status: int) -> None:
    """Exit at once: a second Ctrl-C must not make a traceback of a run that has ended well."""
    with deaf():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def main(args: list[str] | None = None) -> int:
    """Run one command line and return its exit status.

    0 done; 2 could not run; 130 interrupted. Every error is one block on standard error: what,
    where, what to do. A traceback appears only with ``--debug``.
    """
    debug = "--debug" in (sys.argv[1:] if args is None else args)
    # Who cancels a CI job sends this a few seconds before it kills: it is Ctrl-C too.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        status = get_command(app)(args=args, prog_name="costopt", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        silence_output()
        return 0
    except (Abort, KeyboardInterrupt):
        return _fail("interrupted", status=_INTERRUPTED)
    except TyperException as error:
        return _usage(error)
    except CostoptError as error:
        if debug:
            _show_traceback()
        return _fail(error.what, str(error.where or ""), error.hint or "")
    except Exception as error:
        return _bug(error, debug)
    return status if isinstance(status, int) else 0


def _usage(error: TyperException) -> int:
    message = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(message.rstrip() + "\n")
        return 2
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "costopt"
    return _fail(message.rstrip("."), hint=f"see {command} --help")


def _bug(error: Exception, debug: bool) -> int:
    if debug:
        _show_traceback()
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if Path(f.filename).is_relative_to(_PACKAGE)]
    place = (own or frames)[-1]
    hint = "run it again with --debug and report the traceback"
    what = f"this is a bug of costopt: {type(error).__name__}: {error}"
    return _fail(what[:2000], f"{Path(place.filename).name}:{place.lineno}", hint)


def _show_traceback() -> None:
    """Show where an error comes from: what a server said is in it, so that nothing is obeyed."""
    lines = traceback.format_exc().splitlines()
    _say("".join(f"{visible(line)}\n" for line in lines))


def _fail(what: str, where: str = "", hint: str = "", *, status: int = 2) -> int:
    lines = [f"error: {visible(what)}"]
    if where:
        lines.append(f"  --> {visible(where)}")
    if hint:
        lines.append(f"  help: {visible(hint)}")
    _say("\n".join(lines) + "\n")
    return status


def _say(text: str) -> None:
    """Write to standard error, without the keys that were used."""
    encoding = sys.stderr.encoding or "utf-8"
    sys.stderr.write(scrub(text).encode(encoding, "replace").decode(encoding))
