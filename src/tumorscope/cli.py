"""The verbs. Each parses its arguments, calls one function of the package, and prints what came back."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tumorscope.errors import OutputError, TumorscopeError, UsageError, did_you_mean
from tumorscope.fetch.command import fetch
from tumorscope.folders import REPORT
from tumorscope.options import Out, check_folder
from tumorscope.serve.command import serve
from tumorscope.studies.command import study
from tumorscope.version import __version__

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tumorscope.inference import Findings
    from tumorscope.scans import Channels as ChannelChoice
    from tumorscope.terminal import Reporter

NAME = "tumorscope"
DONE, SOME_FAILED, WRONG_CALL = 0, 1, 2
INTERRUPTED = 130

app = typer.Typer(
    name=NAME,
    help="Reads brain MRI: is there a tumor, which kind, where, and how far to trust it. Research use only.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Data = Annotated[list[str], typer.Argument(help="Folders, CSV files, or the word phantom.", metavar="DATA")]
Channels = Annotated[str, typer.Option("--channels", help="Of a picture of three sequences: one (FLAIR) or all.")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Of everything random.")]


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


@app.command()
def audit(
    data: Data,
    out: Out,
    against: Annotated[list[str] | None, typer.Option("--against", help="How much of this set stands in DATA.")] = None,
    channels: Channels = "one",
    atlas: Annotated[bool, typer.Option(help="Recognize slices of the Cheng set.")] = True,
    seed: Seed = 0,
) -> None:
    """Look for copies, leaks, conflicts and shortcuts in a data set."""
    from tumorscope.catalog.audit import run_audit, write_audit

    with _progress() as progress:
        found = run_audit(
            data, against=against or (), seed=seed, use_atlas=atlas, channels=_channels(channels), progress=progress
        )
        write_audit(found, out)
    _show(found.table())
    print(out / "audit.html")
    _stop_if_unreadable(len(found.summary["unreadable"]))


@app.command()
def prepare(
    data: Data,
    out: Out,
    side: Annotated[int, typer.Option(min=32, max=1024, help="Height and width of what is written, in pixels.")] = 224,
    crop: Annotated[bool, typer.Option(help="Cut the empty border around the head away.")] = True,
    channels: Channels = "one",
) -> None:
    """Write the slices cropped, resized and windowed, with their catalog."""
    from tumorscope.catalog.prepare import prepare as prepare_data

    with _progress() as progress:
        catalog = prepare_data(data, out=out, side=side, crop=crop, channels=_channels(channels), progress=progress)
    print(out)
    _say(f"{len(catalog.table):,} slices")
    for entry in catalog.unreadable:
        _say(f"{entry['path']}: {entry['problem']}")
    _stop_if_unreadable(len(catalog.unreadable))


@app.command()
def train(
    data: Data,
    out: Out,
    recipe: Annotated[str, typer.Option("--recipe", help="Name of a shipped recipe, or a YAML file.")] = "quick",
    split: Annotated[
        str, typer.Option("--split", help="grouped, official, folds, random (leaky) or benchmark:NAME.")
    ] = "grouped",
    fold: Annotated[
        int | None, typer.Option("--fold", min=1, max=5, help="The test fold, 1 to 5, for --split folds.")
    ] = None,
    setting: Annotated[list[str] | None, typer.Option("--set", help="A recipe key, as schedule.epochs=3.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
) -> None:
    """Train a model on DATA and evaluate it on the test part of the split."""
    from tumorscope.settings import parse_settings
    from tumorscope.training import train as train_model

    with _progress() as progress:
        run = train_model(
            data, recipe=recipe, out=out, split=split, fold=fold, overrides=parse_settings(setting or []),
            resume=resume, say=progress.say, progress=progress,
        )  # fmt: skip
    print(run.model)
    print(run.report)


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="A model file, or the YAML that describes any other.", metavar="MODEL")],
    data: Data,
    out: Out,
    split: Annotated[str, typer.Option("--split", help="test, val, train, all or benchmark:NAME.")] = "test",
    channels: Channels = "one",
    prevalence: Annotated[
        float, typer.Option(min=0, max=1, help="Share of tumors for which predictive values are stated.")
    ] = 0.05,
    seed: Seed = 0,
) -> None:
    """Measure a model on DATA, with what it has seen taken out."""
    from tumorscope.evaluation import evaluate_data, open_model, write_evaluation
    from tumorscope.evaluation.text import evaluation_text

    with _progress() as progress:
        found = evaluate_data(
            open_model(model), data, split=split, channels=_channels(channels), seed=seed, prevalence=prevalence,
            command=_command(), progress=progress,
        )  # fmt: skip
        write_evaluation(found, out)
    _show(evaluation_text(found))
    print(out / REPORT)
    for entry in found.unreadable:
        _say(f"{entry['path']}: {entry['problem']}")
    _stop_if_unreadable(len(found.unreadable))


@app.command()
def predict(
    paths: Annotated[list[str], typer.Argument(help="Pictures, or folders of them.", metavar="PATH")],
    model: Annotated[str | None, typer.Option("--model", help="A model file; without it the shipped one.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for heatmaps and a contact sheet.", metavar="DIR", callback=check_folder),
    ] = None,
    channels: Channels = "one",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a line, as they come.")] = False,
) -> None:
    """Say what pictures show."""
    from tumorscope.inference import load

    if json and jsonl:
        raise UsageError("--json and --jsonl exclude each other", remedy="give one of them")
    chosen, loaded = _channels(channels), load(model)
    if jsonl:
        failed = 0
        for finding in loaded.iter_findings(paths, out=out, channels=chosen):
            print(finding.to_json(), flush=True)
            failed += finding.status == "error"
    else:
        with _progress() as progress:
            findings = loaded.predict(paths, out=out, channels=chosen, progress=progress)
        failed = len(findings.failed)
        print(findings.to_json() if json else _lines(findings, loaded.card.thresholds.tumor, out))
    _stop_if_unreadable(failed)


@app.command()
def info(
    model: Annotated[
        str | None, typer.Argument(help="A model file; without it the shipped one.", metavar="[MODEL]")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the card as JSON.")] = False,
) -> None:
    """Show what a model says of itself: training data, figures, limits, licence."""
    from tumorscope.inference import load
    from tumorscope.inference.text import card_text

    file = load(model).file
    if json:
        print(file.card.model_dump_json(indent=2))
    else:
        _show(card_text(file.card, file.sha256))


@app.command()
def demo(out: Out = Path("demo")) -> None:
    """Audit a phantom set with planted leaks, run the shipped model on examples, and write one page of both."""
    from tumorscope.demo import run_demo

    with _progress() as progress:
        page = run_demo(out, say=progress.say, progress=progress)
    print(page)


app.command()(fetch)
app.command()(serve)
app.add_typer(study, name="study", no_args_is_help=True)


def _channels(text: str) -> ChannelChoice:
    from tumorscope.scans import CHANNELS

    for choice in CHANNELS:
        if text == choice:
            return choice
    raise UsageError(f"there is no --channels '{text}'", remedy=did_you_mean(text, CHANNELS))


def _lines(findings: Findings, limit: float, out: Path | None) -> str:
    from tumorscope.inference.text import finding_line

    return "\n".join([*(finding_line(one, limit) for one in findings), *([] if out is None else [str(out)])])


def _stop_if_unreadable(count: int) -> None:
    if count:
        _say(f"{count} of the files could not be read; everything else is done")
        raise typer.Exit(SOME_FAILED)


def _command() -> str:
    import shlex

    return shlex.join([NAME, *sys.argv[1:]])


def _show(renderable: RenderableType) -> None:
    from rich.console import Console

    Console().print(renderable)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _fail(line: str, code: int) -> int:
    _say(f"{NAME}: {line}")
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


def _progress() -> Reporter:
    from tumorscope.terminal import Reporter

    return Reporter()
