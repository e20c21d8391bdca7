"""One training of a study in a process of its own, and as many of them side by side as are asked for.

A process has its share of the cores, writes what it prints into a log, and ends itself when the study's process is
gone: a killed study leaves nothing running.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumorscope.files.names import BEST, CATALOG, MODEL

if TYPE_CHECKING:
    from tumorscope.catalog import Catalog

THREADS_OF = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
WORKER = "tumorscope.studies.worker"
TEST, TRAIN = "test", "train"
NOT_LEARNT = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class Training:
    """One training, as its process is told of it.

    Attributes:
        label: of the unit.
        data: paths, or words for a phantom.
        recipe: a YAML file.
        overrides: recipe keys over it.
        split: as for `tumorscope.train`.
        fold: the tested one, or None.
        folder: the run folder.
        parts: which parts are measured; the test part always is.
        threads: that it may use.
        log: gets what the process prints.
        cache: folder of preprocessed slices that the trainings share.
        catalog: of the data, with groups, where the study made it already.
    """

    label: str
    data: tuple[str, ...]
    recipe: Path
    overrides: dict[str, Any]
    split: str
    fold: int | None
    folder: Path
    parts: tuple[str, ...]
    threads: int
    log: Path
    cache: Path
    catalog: Catalog | None = None


@dataclass(frozen=True)
class Ended:
    """What came of a training: facts, or the reason why there are none."""

    facts: dict[str, Any]
    error: str | None = None


Task = Callable[[Training], dict[str, Any]]


def work_through(
    task: Task,
    trainings: Iterable[Training],
    count: int,
    began: Callable[[Training], None],
    ended: Callable[[Training, Ended], None],
) -> None:
    """Run trainings, `count` at a time, each in a process of its own.

    Args:
        task: what is done with a training; a function of a module.
        trainings: are taken one by one, when a process is free.
        count: of processes.
        began: told of each training before it starts, in the caller's thread.
        ended: told of each training after, in the caller's thread.
    """
    trainings, running = iter(trainings), dict[Future[Ended], Training]()
    processes: dict[str, subprocess.Popen[bytes]] = {}
    pool = ThreadPoolExecutor(count)
    try:
        while True:
            while len(running) < count and (training := next(trainings, None)) is not None:
                began(training)
                processes[training.label] = _start(training)
                running[pool.submit(_talk, processes[training.label], task, training)] = training
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                training = running.pop(future)
                ended(training, future.result())
                del processes[training.label]
    finally:
        for process in processes.values():
            process.kill()
        pool.shutdown()


def threads_each(count: int) -> int:
    """Return how many threads each of `count` processes may use: its share of the cores, or of ``OMP_NUM_THREADS``."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    given = os.environ.get(THREADS_OF[0], "")
    return max(1, (min(cores, int(given)) if given.isdigit() and int(given) else cores) // count)


def _start(training: Training) -> subprocess.Popen[bytes]:
    training.log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **dict.fromkeys(THREADS_OF, str(training.threads))}
    with training.log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment
        )


def _talk(process: subprocess.Popen[bytes], task: Task, training: Training) -> Ended:
    """Tell a process what to do and wait for what came of it.

    Its input stays open meanwhile: that it closes is how the process learns that the study is gone.
    """
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(pickle.dumps((task, training)))
        process.stdin.flush()
        answer = process.stdout.read()
        process.wait()
    except OSError:  # the process is gone already
        answer = b""
    finally:
        process.stdout.close()
        _close(process.stdin)
    if answer:
        try:
            ended: Ended = pickle.loads(answer)
        except (EOFError, pickle.UnpicklingError):  # it was killed while it wrote
            return Ended({}, f"its process ended in the middle of its answer; {training.log} holds what it said")
        return ended
    code = process.wait()
    why = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return Ended({}, f"its process {why}; {training.log} holds what it said, and memory or the disk may be short")


def _close(stream: Any) -> None:
    try:
        stream.close()
    except OSError:  # what could not be written is of no use any more
        return


def run_training(training: Training) -> dict[str, Any]:
    """Train, or go on training, and measure; return what is worth noting.

    Raises:
        TumorscopeError: as `tumorscope.train` does.
    """
    from tumorscope.training import train

    limit_threads(training.threads)
    start, cpu = time.perf_counter(), time.process_time()
    train(
        list(training.data), recipe=training.recipe, out=training.folder, split=training.split, fold=training.fold,
        overrides=training.overrides, resume=True, catalog=training.catalog, shared_cache=training.cache,
        threads=training.threads, say=print,
    )  # fmt: skip
    for part in set(training.parts) - {TEST}:
        _measure(training, part)
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "parameters": _parameters(training.folder / BEST),
        "threads": training.threads,
    }


def _measure(training: Training, part: str) -> None:
    """Measure the model on a part that its training used; the files go into a folder of their own in the run's."""
    from tumorscope.catalog import Catalog
    from tumorscope.evaluation import evaluate
    from tumorscope.inference import load
    from tumorscope.pages.evaluation import write_evaluation

    model = load(training.folder / MODEL, threads=training.threads)
    catalog = Catalog.read(training.folder / CATALOG, list(training.data))
    if training.catalog is not None:
        catalog = replace(training.catalog, table=catalog.table.assign(official=training.catalog.table["official"]))
    found = evaluate(model, catalog, split=part, trained_on=catalog.table, seed=int(training.overrides.get("seed", 0)))
    write_evaluation(found, training.folder / part)


def _parameters(checkpoint: Path) -> int:
    """Count what a network has learnt."""
    from tumorscope.training.checkpoints import read_checkpoint

    return sum(
        values.numel()
        for name, values in read_checkpoint(checkpoint)["state_dict"].items()
        if name.startswith("network.") and not name.endswith(NOT_LEARNT)
    )


def limit_threads(threads: int) -> None:
    """Keep torch and OpenCV to that many threads."""
    import cv2
    import torch

    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
