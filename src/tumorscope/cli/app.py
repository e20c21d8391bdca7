"""The command: the verbs in their order, and what a failed one says."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from tumorscope.cli.audit import audit
from tumorscope.cli.demo import demo
from tumorscope.cli.evaluate import evaluate
from tumorscope.cli.exit_codes import DONE, INTERRUPTED, SOME_FAILED, WRONG_CALL
from tumorscope.cli.fetch import fetch
from tumorscope.cli.info import info
from tumorscope.cli.predict import predict
from tumorscope.cli.prepare import prepare
from tumorscope.cli.serve import serve
from tumorscope.cli.study import study
from tumorscope.cli.terminal import say
from tumorscope.cli.train import train
from tumorscope.errors import OutputError, TumorscopeError
from tumorscope.version import __version__

NAME = "tumorscope"
VERBS = (audit, prepare, train, evaluate, predict, info, demo, fetch, serve)

app = typer.Typer(
    name=NAME,
    help="Reads brain MRI: is there a tumor, which kind, where, and how far to trust it. Research use only.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for verb in VERBS:
    app.command()(verb)
app.add_typer(study, name="study", no_args_is_help=True)


def main() -> None:
    """Run the command line and end the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file name need not be text
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one verb; say in one line on stderr what a user can mend.

    Args:
        arguments: what stands after the command's name.

    Returns:
        The exit code: 0 all done; 1 some inputs failed, or a result could not be written; 2 the call is wrong; 130
        interrupted.
    """
    try:
        stopped = app(list(arguments), standalone_mode=False, prog_name=NAME)
        sys.stdout.flush()  # here, where it can still fail with a message
    except TumorscopeError as error:
        return _fail(str(error), SOME_FAILED if isinstance(error, OutputError) else WRONG_CALL)
    except (KeyboardInterrupt, typer.Abort):
        stopped = INTERRUPTED
    except (BrokenPipeError, SystemExit):  # whoever read has seen enough; the parser and rich then ask to exit
        _forget_stdout()
        return DONE
    except OSError as error:
        if error.filename is None:
            _forget_stdout()
        where, why = error.filename or "the output", (error.strerror or str(error)).lower()
        return _fail(f"{where}: cannot be read or written ({why}); check the path and the free space", SOME_FAILED)
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        return _fail_parsing(error)
    if stopped == INTERRUPTED:
        return _fail("interrupted", INTERRUPTED)
    return stopped if isinstance(stopped, int) else DONE  # the code of an Exit comes back as the value


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False,
) -> None:
    if version:
        print(f"tumorscope {__version__}")
        raise typer.Exit(DONE)


def _fail(line: str, code: int) -> int:
    say(f"{NAME}: {line}")
    return code


def _fail_parsing(error: Any) -> int:
    """Tell what the parser did not understand; a call without any argument is answered by the help alone."""
    text, context = error.format_message(), getattr(error, "ctx", None)
    if text.startswith("Usage:"):
        print(text)
        return WRONG_CALL
    verb = NAME if context is None else context.command_path
    return _fail(text if text.endswith("?") else f"{text.rstrip('.')}; see {verb} --help", WRONG_CALL)


def _forget_stdout() -> None:
    """Point stdout at nothing, else Python complains once more while it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
